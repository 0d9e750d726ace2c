"""What the acoustic model of a bundle hears, in streaming form: recordings in, log-probs with their texts out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ds_engine.acoustic import AcousticModel
from ds_engine.audio import AudioFormat
from ds_engine.bias import Bias
from ds_engine.features import FloatArray
from ds_engine.recognizer import Recognizer
from ds_engine.transcript import Hypothesis, Partial
from ds_training.corpus import Recording, samples_of


@dataclass(frozen=True, slots=True)
class Posteriors:
    """One utterance: float32 natural-log probabilities [rows, symbols], what was said, and seconds of audio."""

    log_probs: FloatArray
    text: str
    seconds: float


class _Collector:
    """A decoder that only keeps what it is given; for one stream at a time."""

    def __init__(self) -> None:
        self.rows: list[FloatArray] = []

    def start(self, bias: Bias) -> None:
        self.rows = []

    def advance(self, state: None, log_probs: FloatArray) -> None:
        self.rows.append(log_probs)

    def partial(self, state: None) -> Partial:
        return Partial()

    def finish(self, state: None) -> tuple[Hypothesis, ...]:
        return (Hypothesis("", (), 0.0, 0.0),)


def posteriors(model: AcousticModel, recordings: Sequence[Recording]) -> Iterator[Posteriors]:
    """Each recording through the stream that a client would use. Raises CorpusError for a file that is not audio."""
    collector = _Collector()
    recognizer = Recognizer(model, collector)
    for recording in recordings:
        samples = samples_of(recording, model.sample_rate)
        stream = recognizer.stream(AudioFormat(model.sample_rate))
        stream.feed((np.clip(samples, -1, 1 - 2**-15) * 2**15).round().astype("<i2").tobytes())
        stream.finish()
        yield Posteriors(np.concatenate(collector.rows), recording.text, len(samples) / model.sample_rate)
