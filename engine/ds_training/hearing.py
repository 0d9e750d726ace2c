"""Who listens: a network in PyTorch or a bundle through the product's engine; sounds in, texts out.

A network is heard in streaming form: digital silence before the first sample and after the last, as the engine feeds it. A bundle is
heard by the engine itself: its stored weights on ONNX Runtime chunk by chunk, 16-bit samples, its own search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ds_engine.acoustic import RuntimeOptions
from ds_engine.audio import AudioFormat
from ds_engine.bias import Bias
from ds_engine.bundle import Bundle
from ds_engine.decoder import DecoderContext, Timing
from ds_engine.features import FloatArray, LogMel
from ds_engine.greedy import GreedyDecoder
from ds_engine.limits import Limits
from ds_engine.native import NativeModel
from ds_engine.recognizer import Recognizer
from ds_engine.search.decoder import KernelDecoder
from ds_training.checkpoint import load_network
from ds_training.corpus import CorpusError, HalfArray
from ds_training.model import Network
from ds_training.text import Orthography
from ds_training.trials import MelPower, Samples, Sound, log_power_of

START_FRAMES = 48  # digital silence that the engine feeds before the first sample: start_chunks x chunk_frames
END_FRAMES = 40  # and after the last
LONGEST_SECONDS = 86_400.0  # of a recording that the engine takes

Read = Callable[[FloatArray], str]  # log-probs [rows, symbols] -> text


@dataclass(frozen=True, slots=True)
class Listener:
    """A model under evaluation: its name in the report, how its language is written, and how it hears several sounds."""

    name: str
    orthography: Orthography
    hear: Callable[[Sequence[Sound]], list[str]]


def listener(path: Path, mel: LogMel, *, search: Path | None = None, alone: bool = False) -> Listener:
    """A bundle through the engine; a checkpoint or `model.onnx` through PyTorch, greedy or with the search of another bundle.

    `search` is for networks alone, as bundles bring theirs; `alone` is for bundles and leaves it out. Raises BundleError, and CorpusError
    where a search is for another alphabet.
    """
    if is_bundle(path):
        return of_bundle(Bundle.open(path), alone=alone)
    network = load_network(path)
    read = searching(search, network.spec.symbols) if search else None
    return Listener(
        f"{path.resolve().parent.name}/{path.name}" + (f", search of {search.name}" if search else ""),
        Orthography(network.spec.symbols),
        lambda sounds: transcripts(network, [log_power_of(sound, mel) for sound in sounds], mel, read=read),
    )


def is_bundle(path: Path) -> bool:
    """True for a folder or a zip."""
    return path.is_dir() or path.suffix == ".zip"


def of_bundle(bundle: Bundle, *, alone: bool = False) -> Listener:
    """As a client of the product would hear it, with the bundle's language model and calibration, or greedy. Raises BundleError."""
    decoder = GreedyDecoder.make if alone else KernelDecoder.make
    recognizer = Recognizer.load(bundle, NativeModel, decoder, RuntimeOptions())
    symbols = list(bundle.manifest.alphabet.symbols)
    blank = symbols.pop(bundle.manifest.alphabet.blank)
    return Listener(
        f"{recognizer.name}, {'greedy' if alone else 'kernel'}",
        Orthography((blank, *symbols)),
        lambda sounds: [_streamed(recognizer, sound) for sound in sounds],
    )


def _streamed(recognizer: Recognizer, sound: Sound) -> str:
    match sound:
        case Samples(values, rate):
            stream = recognizer.stream(AudioFormat(rate), limits=Limits(utterance_seconds=LONGEST_SECONDS))
            stream.feed((np.clip(values, -1, 1 - 2**-15) * 2**15).round().astype("<i2").tobytes())
            return stream.finish().transcript.text
        case MelPower():
            raise CorpusError("the engine needs samples of recordings, got the mel power of a shard: evaluate model.onnx instead")


def greedy(symbols: Sequence[str]) -> Read:
    """The best symbol of each row, as these symbols write it."""
    orthography = Orthography(symbols)
    return lambda log_probs: orthography.decode(log_probs.argmax(-1).tolist())


def searching(folder: Path, symbols: Sequence[str] | None = None) -> Read:
    """The kernel with the language model and calibration of a bundle. Raises BundleError, CorpusError where `symbols` are not its own."""
    bundle = Bundle.open(folder)
    if symbols is not None and tuple(symbols) != bundle.manifest.alphabet.symbols:
        raise CorpusError(f"{folder.name}: its search is for another alphabet than the network's {len(symbols)} symbols")
    decoder = KernelDecoder.make(DecoderContext(bundle.manifest.alphabet, Timing(1.0), bundle))  # nobody asks for times
    return lambda log_probs: decoder.finish(decoder.advance(decoder.start(Bias()), log_probs))[0].text


def transcripts(network: Network, log_powers: Sequence[HalfArray], mel: LogMel, batch: int = 16, read: Read | None = None) -> list[str]:
    """The text of each ln(mel power) [frames, bands], greedy by default; what stands beside an utterance in a batch does not change it."""
    read = read or greedy(network.spec.symbols)
    texts = [""] * len(log_powers)
    for index, rows in _in_batches(network, log_powers, mel, batch):
        texts[index] = read(rows)
    return texts


def log_probs(network: Network, log_powers: Sequence[HalfArray], mel: LogMel, batch: int = 16) -> list[FloatArray]:
    """The log-probs [rows, symbols] of each ln(mel power) [frames, bands], END_FRAMES of silence behind it included."""
    found = dict(_in_batches(network, log_powers, mel, batch))
    return [found[index] for index in range(len(log_powers))]


def _in_batches(network: Network, log_powers: Sequence[HalfArray], mel: LogMel, batch: int) -> Iterator[tuple[int, FloatArray]]:
    """Index and log-probs of each, utterances of about the same length together."""
    network.eval()
    order = sorted(range(len(log_powers)), key=lambda index: len(log_powers[index]))
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        yield from zip(chosen, _together(network, [log_powers[index] for index in chosen], mel), strict=True)


def _together(network: Network, log_powers: Sequence[HalfArray], mel: LogMel) -> list[FloatArray]:
    stride, device = network.spec.stride, next(network.parameters()).device
    longest = -(-(max(map(len, log_powers)) + END_FRAMES) // stride) * stride
    power = np.zeros((len(log_powers), longest, mel.spec.bands), np.float32)
    for row, log_power in zip(power, log_powers, strict=True):
        row[: len(log_power)] = np.exp(log_power.astype(np.float32))
    silence = float(mel.normalise(np.zeros(1, np.float32))[0])
    states = network.silent_states(silence, START_FRAMES, len(log_powers))
    with torch.no_grad():
        rows_of_all, _ = network(torch.from_numpy(mel.normalise(power)).to(device), states)
    ends = [(len(log_power) + END_FRAMES) // stride for log_power in log_powers]
    return [rows[:end].cpu().numpy() for rows, end in zip(rows_of_all, ends, strict=True)]
