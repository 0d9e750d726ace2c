"""The engine beside PyTorch: a bundle's model and samples in; how far the stream that a client uses is from one computation of the whole.

The stream gets 16-bit samples in uneven pieces. PyTorch gets the features of the same samples at once, with the silence that the manifest
puts at both ends. Rows and text must be the same but for float32 additions in another order.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ds_engine.acoustic import AcousticModel, RuntimeOptions
from ds_engine.audio import AudioFormat
from ds_engine.bias import Bias
from ds_engine.bundle import Bundle
from ds_engine.decoder import DecoderState
from ds_engine.features import FloatArray, LogMel, LogMelSpec
from ds_engine.greedy import GreedyDecoder
from ds_engine.limits import Limits
from ds_engine.manifest import Section
from ds_engine.native import NativeModel
from ds_engine.recognizer import Recognizer
from ds_engine.transcript import Hypothesis, Partial
from ds_training.hearing import greedy
from ds_training.model import Network
from ds_training.parity import TOLERANCE, in_one

PIECE_BYTES = 3_331  # fed at a time: an odd number, so that samples are cut in two
FULL_SCALE = 2**15  # of 16-bit samples
BATCH_STEPS = 3  # so that states that differ are heard
LARGEST_BATCH = 8  # streams that are tried together, whatever the manifest allows


@dataclass(frozen=True, slots=True)
class Streamed:
    """What an utterance came to: the largest difference of a log-prob, and whether the text is the same."""

    largest: float
    same_text: bool


class Pair:
    """A bundle as the engine runs it, and its network in PyTorch."""

    def __init__(self, bundle: Bundle, network: Network) -> None:
        """Raises BundleError where the engine cannot load it."""
        self.model = NativeModel(bundle, RuntimeOptions())
        self._network = network
        self._decoder = _Listener(GreedyDecoder(bundle.manifest.alphabet, self.model.timing))
        self._read = greedy(bundle.manifest.alphabet.symbols)
        self._mel = LogMel(log_mel_spec(bundle.manifest.acoustic))
        acoustic = bundle.manifest.acoustic
        self._start_frames = acoustic.get("start_chunks", int) * acoustic.positive("chunk_frames")

    def compare(self, samples: FloatArray) -> Streamed:
        """float32 [n] in [-1, 1] at the model's rate, n from 0 on. Raises BundleError where the network gives NaN."""
        pcm = (np.clip(samples, -1, 1 - 1 / FULL_SCALE) * FULL_SCALE).round().astype("<i2")
        rows, text = self._stream(pcm.tobytes())
        needed = self._whole(pcm.astype(np.float32) / np.float32(FULL_SCALE), len(rows))
        same = text == self._read(needed) or (_near_tie(needed) and text == self._read(rows))
        return Streamed(float(np.abs(rows - needed).max()), same)

    def _stream(self, data: bytes) -> tuple[FloatArray, str]:
        seconds = 1 + len(data) / 2 / self.model.sample_rate
        recognizer = Recognizer(self.model, self._decoder)
        stream = recognizer.stream(AudioFormat(self.model.sample_rate), limits=Limits(utterance_seconds=seconds))
        for start in range(0, len(data), PIECE_BYTES):
            stream.feed(data[start : start + PIECE_BYTES])
        text = stream.finish().transcript.text
        return np.concatenate(self._decoder.rows), text

    def _whole(self, samples: FloatArray, rows: int) -> FloatArray:
        """As many rows by PyTorch in one call."""
        frames = rows * self._network.spec.stride
        padded = np.zeros(self._mel.spec.samples_for(frames), np.float32)
        padded[: len(samples)] = samples
        silence = float(self._mel.normalise(np.zeros(1, np.float32))[0])
        states = self._network.silent_states(silence, self._start_frames) if self._start_frames else None
        [whole] = in_one(self._network, self._mel(padded)[None], states)
        found: FloatArray = whole
        return found


class _Listener:
    """A decoder that keeps the rows it is given for the one underneath; for one stream at a time."""

    def __init__(self, decoder: GreedyDecoder) -> None:
        self._decoder = decoder
        self.rows: list[FloatArray] = []

    def start(self, bias: Bias) -> DecoderState:
        self.rows = []
        return self._decoder.start(bias)

    def advance(self, state: DecoderState, log_probs: FloatArray) -> DecoderState:
        self.rows.append(log_probs)
        return self._decoder.advance(state, log_probs)

    def partial(self, state: DecoderState) -> Partial:
        return self._decoder.partial(state)

    def finish(self, state: DecoderState) -> tuple[Hypothesis, ...]:
        return self._decoder.finish(state)


def _near_tie(log_probs: FloatArray) -> bool:
    """True where rounding alone may decide which symbol of a row is best."""
    second, best = np.sort(log_probs, axis=-1)[:, -2:].T
    return bool((best - second <= 2 * TOLERANCE).any())


def log_mel_spec(acoustic: Section) -> LogMelSpec:
    """The front end that a manifest describes, which NativeModel has checked."""
    values = {**acoustic.section("features").values, "sample_rate": acoustic.positive("sample_rate")}
    return LogMelSpec(**{field.name: values[field.name] for field in fields(LogMelSpec)})


def batch_difference(model: AcousticModel, seed: int = 1) -> float:
    """The largest difference between streams that step together, 2 and more, and each of them alone: 0 where all is well.

    Raises BundleError.
    """
    random, largest = np.random.default_rng(seed), 0.0
    for size in range(2, min(model.max_batch, LARGEST_BATCH) + 1):
        loudness = np.logspace(-3, 0, size)[:, None]  # a loud neighbour must not be heard
        chunks = (random.uniform(-1, 1, (BATCH_STEPS, size, model.chunk_samples)) * loudness).astype(np.float32)
        together = _rows_of(model, chunks)
        alone = np.concatenate([_rows_of(model, chunks[:, index : index + 1]) for index in range(size)], axis=1)
        largest = max(largest, float(np.abs(together - alone).max()))
    return largest


def _rows_of(model: AcousticModel, chunks: FloatArray) -> FloatArray:
    """[steps, streams, chunk_samples] -> log-probs [steps, streams, rows, symbols]; each step goes on from the states of the last."""
    states, rows = [model.initial_state()] * chunks.shape[1], []
    for chunk in chunks:
        log_probs, states = model.step(chunk, states)
        rows.append(log_probs)
    return np.stack(rows)


def made_sounds(sample_rate: int, seed: int = 1) -> dict[str, FloatArray]:
    """Sounds at the borders of what a stream can be given: nothing, one sample, silence, noise in bursts, a clipped tone."""
    random = np.random.default_rng(seed)
    times = np.arange(2 * sample_rate) / sample_rate
    bursts = random.normal(0, 0.1, len(times)) * (np.sin(2 * np.pi * 3 * times) > 0)
    return {
        "nothing": np.zeros(0, np.float32),
        "one sample": np.ones(1, np.float32),
        "silence": np.zeros(sample_rate, np.float32),
        "noise": bursts.astype(np.float32),
        "a clipped tone": np.clip(5 * np.sin(2 * np.pi * 300 * times[:sample_rate]), -1, 1).astype(np.float32),
    }
