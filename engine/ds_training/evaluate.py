"""CER and WER, in streaming form at the loudness of the recordings: a network and utterances in, figures by group out.

    python -m ds_training.evaluate MODEL [--manifest MANIFEST.tsv [--split SPLIT.tsv --part PART]] [--shard SHARD.npz]... [--show 5]
        [--search BUNDLE_FOLDER]

MODEL is a checkpoint, or the `model.onnx` of a bundle (computed with PyTorch from its weights). Decoding is greedy, or the kernel's with
the language model and calibration of a bundle. One JSON object is printed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import jiwer
import numpy as np
import torch

from ds_engine.bias import Bias
from ds_engine.bundle import Bundle
from ds_engine.decoder import DecoderContext, Timing
from ds_engine.features import FloatArray, LogMel, LogMelSpec
from ds_engine.search.decoder import KernelDecoder
from ds_training.checkpoint import load_network
from ds_training.corpus import HalfArray, Utterance, load, read_manifest, read_shard
from ds_training.model import Network
from ds_training.splits import of_part, read_split
from ds_training.text import Orthography

START_FRAMES = 48  # digital silence that the engine feeds before the first sample: start_chunks x chunk_frames
END_FRAMES = 40  # and after the last


@dataclass(frozen=True, slots=True)
class Figures:
    """Errors as fractions of reference characters and words."""

    utterances: int
    speakers: int
    hours: float
    cer: float
    wer: float


Read = Callable[[FloatArray], str]  # log-probs [rows, symbols] -> text


def greedy(symbols: Sequence[str]) -> Read:
    """The best symbol of each row, as these symbols write it."""
    orthography = Orthography(symbols)
    return lambda log_probs: orthography.decode(log_probs.argmax(-1).tolist())


def searching(folder: Path) -> Read:
    """The kernel with the language model and calibration of a bundle. Raises BundleError."""
    bundle = Bundle.open(folder)
    decoder = KernelDecoder.make(DecoderContext(bundle.manifest.alphabet, Timing(1.0), bundle))  # nobody asks for times
    return lambda log_probs: decoder.finish(decoder.advance(decoder.start(Bias()), log_probs))[0].text


def transcripts(network: Network, log_powers: Sequence[HalfArray], mel: LogMel, batch: int = 16, read: Read | None = None) -> list[str]:
    """The text of each ln(mel power) [frames, bands], greedy by default; what stands beside an utterance in a batch does not change it."""
    network.eval()
    read = read or greedy(network.spec.symbols)
    order = sorted(range(len(log_powers)), key=lambda index: len(log_powers[index]))
    texts = [""] * len(log_powers)
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        for index, rows in zip(chosen, _log_probs(network, [log_powers[index] for index in chosen], mel), strict=True):
            texts[index] = read(rows)
    return texts


def _log_probs(network: Network, log_powers: Sequence[HalfArray], mel: LogMel) -> list[FloatArray]:
    stride = network.spec.stride
    longest = -(-(max(map(len, log_powers)) + END_FRAMES) // stride) * stride
    power = np.zeros((len(log_powers), longest, mel.spec.bands), np.float32)
    for row, log_power in zip(power, log_powers, strict=True):
        row[: len(log_power)] = np.exp(log_power.astype(np.float32))
    silence = float(mel.normalise(np.zeros(1, np.float32))[0])
    states = network.silent_states(silence, START_FRAMES, len(log_powers))
    with torch.no_grad():
        log_probs, _ = network(torch.from_numpy(mel.normalise(power)), states)
    ends = [(len(log_power) + END_FRAMES) // stride for log_power in log_powers]
    return [rows[:end].numpy() for rows, end in zip(log_probs, ends, strict=True)]


def measure(network: Network, utterances: Sequence[Utterance], mel: LogMel, read: Read | None = None) -> tuple[Figures, list[str]]:
    """Figures over all utterances together, and what was recognised."""
    found = transcripts(network, [utterance.log_power for utterance in utterances], mel, read=read)
    said = [utterance.text for utterance in utterances]
    seconds = sum(len(utterance.log_power) for utterance in utterances) * mel.spec.hop / mel.spec.sample_rate
    speakers = len({utterance.speaker for utterance in utterances})
    return Figures(len(said), speakers, round(seconds / 3600, 3), jiwer.cer(said, found), jiwer.wer(said, found)), found


def main() -> None:
    parser = argparse.ArgumentParser(description="CER and WER of a checkpoint or bundle.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--manifest", type=Path, help="TSV of recordings")
    parser.add_argument("--split", type=Path, help="TSV of speakers and parts")
    parser.add_argument("--part", default="development")
    parser.add_argument("--shard", type=Path, action="append", default=[])
    parser.add_argument("--every", type=int, default=1, help="take each n-th utterance only")
    parser.add_argument("--show", type=int, default=0, help="print so many examples")
    parser.add_argument("--search", type=Path, metavar="BUNDLE_FOLDER", help="decode with this bundle's language model")
    options = parser.parse_args()
    mel = LogMel(LogMelSpec())
    recordings = read_manifest(options.manifest) if options.manifest else []
    if options.split:
        recordings = of_part(recordings, read_split(options.split), options.part)
    utterances = [*load(recordings[:: options.every], mel), *(item for path in options.shard for item in read_shard(path))]
    figures, found = measure(load_network(options.model), utterances, mel, searching(options.search) if options.search else None)
    for utterance, text in list(zip(utterances, found, strict=True))[: options.show]:
        print(f"{utterance.text} -> {text}")
    print(json.dumps(asdict(figures)))


if __name__ == "__main__":
    main()
