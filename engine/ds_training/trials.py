"""What is evaluated: manifests, shards or utterances in; trials out, whose sound can be had clean and with noise.

A trial of a recording is read anew each time it is heard, so that memory does not grow with the corpus. Noise depends on the seed, the
name of the file (and place in the shard) and, for babble, on which voices are evaluated: not on the model, nor on the ratio.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from ds_engine.features import FloatArray, LogMel
from ds_training import noise
from ds_training.corpus import SMALLEST_POWER, CorpusError, HalfArray, Recording, Utterance, log_power, samples_of
from ds_training.figures import Reference

POOL_VOICES, POOL_EACH = 50, 4  # voices whose utterances make babble, and utterances of each


@dataclass(frozen=True, slots=True)
class Samples:
    """A recording: float32 [n] in [-1, 1]."""

    values: FloatArray
    rate: int  # Hz


@dataclass(frozen=True, slots=True)
class MelPower:
    """What a shard holds of one: float16 ln(mel power + 1e-9) [frames, bands]."""

    log_power: HalfArray


Sound = Samples | MelPower


@dataclass(frozen=True, slots=True)
class Trial:
    """One utterance: what was said and by whom, its sound or where that lies, and a name that its noise is drawn by."""

    reference: Reference
    origin: Recording | MelPower
    key: str


class Kind(StrEnum):
    """See noise.py."""

    BABBLE = "babble"
    COLOURED = "coloured"


@dataclass(frozen=True, slots=True)
class Noise:
    """A kind of noise and how far speech lies above it. Raises CorpusError for a ratio that is no number."""

    kind: Kind
    ratio: float  # dB

    def __post_init__(self) -> None:
        if not math.isfinite(self.ratio):
            raise CorpusError(f"noise needs a finite ratio in dB, got {self.ratio}")


def of_recordings(recordings: Sequence[Recording], source: str) -> list[Trial]:
    """The lines of a manifest; `source` names it in the figures."""
    return [
        Trial(Reference(each.text, source, each.speaker, each.labels), each, f"{source}/{each.file.name}/{each.start:g}/{each.channel}")
        for each in recordings
    ]


def of_utterances(utterances: Sequence[Utterance], source: str) -> list[Trial]:
    """The utterances of a shard; `source` names it in the figures."""
    return [Trial(reference_of(each, source), MelPower(each.log_power), f"{source}/{index}") for index, each in enumerate(utterances)]


def reference_of(utterance: Utterance, source: str = "") -> Reference:
    return Reference(utterance.text, source, utterance.speaker, utterance.labels, utterance.phones)


def refuse_trained(trials: Sequence[Trial], trained: Collection[str]) -> None:
    """Raises CorpusError where a speaker of these trials is one whom the model was trained on."""
    both = sorted({each.reference.speaker for each in trials} & set(trained) - {""})
    if both:
        raise CorpusError(f"figures need voices never trained on, got {len(both)} that were: {', '.join(both[:10])}")


def log_power_of(sound: Sound, mel: LogMel) -> HalfArray:
    """float16 ln(mel power + 1e-9) [frames, bands]. Raises CorpusError where the sound has another sample rate or other bands."""
    match sound:
        case MelPower(power) if power.ndim == 2 and power.shape[1] == mel.spec.bands:
            return power
        case Samples(values, rate) if rate == mel.spec.sample_rate:
            return log_power(mel, values)
        case MelPower(power):
            raise CorpusError(f"mel power needs to be [frames, {mel.spec.bands}], got {list(power.shape)}")
        case Samples(_, rate):
            raise CorpusError(f"samples need {mel.spec.sample_rate} Hz, got {rate}")


def seconds_of(sound: Sound, mel: LogMel) -> float:
    match sound:
        case Samples(values, rate):
            return len(values) / rate
        case MelPower(power):
            return len(power) * mel.spec.hop / mel.spec.sample_rate


class Booth:
    """Where trials are heard: it gives the sound of each, clean or with noise."""

    def __init__(self, trials: Sequence[Trial], mel: LogMel, seed: int = 1) -> None:
        self._trials, self._mel, self._seed = trials, mel, seed

    def sound(self, trial: Trial, disturbance: Noise | None = None) -> Sound:
        """Raises CorpusError for a file that is not audio, and for babble where no other voice of the same kind is at hand."""
        clean = self._clean(trial)
        if disturbance is None:
            return clean
        rng = noise.rng_for(trial.key, self._seed)
        others = self._others(trial, clean, rng) if disturbance.kind is Kind.BABBLE else []
        match clean:
            case Samples(values, rate):
                voices = [other.values for other in others if isinstance(other, Samples)]
                added = noise.babble_of_samples(len(values), voices, rate, rng) if voices else noise.coloured(len(values), rate, rng)
                return Samples(noise.add_samples(values, added, disturbance.ratio, rate), rate)
            case MelPower(log_power):
                voices = [_linear(other.log_power) for other in others if isinstance(other, MelPower)]
                added = noise.babble_of_power(len(log_power), voices, rng) if voices else self._coloured_power(len(log_power), rng)
                mixed = noise.add_power(_linear(log_power), added, disturbance.ratio)
                return MelPower(np.log(mixed + np.float32(SMALLEST_POWER)).astype(np.float16))

    def _clean(self, trial: Trial) -> Sound:
        if isinstance(trial.origin, MelPower):
            return trial.origin
        return Samples(samples_of(trial.origin, self._mel.spec.sample_rate), self._mel.spec.sample_rate)

    def _others(self, trial: Trial, clean: Sound, rng: noise.Rng) -> list[Sound]:
        """A few utterances of other voices, of the same kind of sound."""
        pool = self._shard_pool if isinstance(clean, MelPower) else self._recording_pool
        chosen = [sound for voice, sound in pool if voice != trial.reference.voice]
        if not chosen:
            raise CorpusError(f"babble needs other voices than {trial.reference.voice!r} among what is evaluated, got none")
        return [chosen[place] for place in rng.permutation(len(chosen))[: noise.BABBLE_VOICES]]

    @cached_property
    def _shard_pool(self) -> list[tuple[str, Sound]]:
        return self._drawn([trial for trial in self._trials if isinstance(trial.origin, MelPower)])

    @cached_property
    def _recording_pool(self) -> list[tuple[str, Sound]]:
        return self._drawn([trial for trial in self._trials if isinstance(trial.origin, Recording)])

    def _drawn(self, trials: Sequence[Trial]) -> list[tuple[str, Sound]]:
        """Voices and sounds that babble is made of: a few utterances each of a bounded number of voices, by the seed."""
        rng = np.random.default_rng(self._seed)
        by_voice: dict[str, list[Trial]] = {}
        for trial in trials:
            by_voice.setdefault(trial.reference.voice, []).append(trial)
        voices = [sorted(by_voice)[place] for place in rng.permutation(len(by_voice))[:POOL_VOICES]]
        return [
            (voice, self._clean(by_voice[voice][place])) for voice in voices for place in rng.permutation(len(by_voice[voice]))[:POOL_EACH]
        ]

    def _coloured_power(self, frames: int, rng: noise.Rng) -> FloatArray:
        spec = self._mel.spec
        return self._mel.power(noise.coloured(spec.samples_for(frames), spec.sample_rate, rng))


def _linear(log_power: HalfArray) -> FloatArray:
    power: FloatArray = np.exp(log_power.astype(np.float32))
    return power
