"""Augmentation on mel power: a few utterances in, one batch of features out, altered by chance as rooms and people would.

Everything happens on power [B, T, bands], a hundred times cheaper than on samples: speed and vocal-tract length by interpolation,
microphones as a curve over the bands, rooms as exponential tails, noise and babble as added power, loudness as a factor. What
follows is the streaming engine's own: its floor and logarithm, and exact digital silence before the first and after the last
sample. The same random generator gives the same batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ds_engine.features import FloatArray, LogMel
from ds_training.corpus import SMALLEST_POWER, HalfArray

Rng = np.random.Generator
FRAMES_PER_SECOND = 100


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Probabilities at full strength, and ranges; a strength below 1 scales the probabilities."""

    speeds: tuple[float, ...] = (0.82, 0.9, 0.97, 1.0, 1.07, 1.16)  # factor
    fastest: float = 15.0  # symbols per second: CTC needs a step for each, and synthesisers gabble
    tract: tuple[float, float] = (0.82, 1.18)  # factor on the length of the vocal tract
    tract_chance: float = 0.7
    before: tuple[int, int] = (0, 40)  # frames of the room before the speech
    after: tuple[int, int] = (0, 25)  # frames of the room after it
    silence: tuple[int, int] = (26, 40)  # frames of digital silence after that: at least the network's look-ahead
    room_chance: float = 0.6
    reverberation: tuple[float, float] = (0.12, 0.9)  # seconds to -60 dB
    tail: tuple[float, float] = (0.3, 5.0)  # power of the tails, of that of the speech
    noise_chance: float = 0.75
    babble_share: float = 0.35  # of the noises
    signal_to_noise: tuple[float, float] = (2.0, 30.0)  # dB
    microphone_chance: float = 0.6
    tilt: float = 2.0  # largest gain at either end of the bands, ln of power
    telephone_chance: float = 0.06
    loudness: tuple[float, float] = (-8.0, 1.4)  # ln of power, against a peak of half of full scale: peaks of 0.01 to 1
    hiss: tuple[float, float] = (-19.0, -12.0)  # ln of power of the recorder's own noise
    mask_chance: float = 0.5
    mask_bands: int = 12
    mask_frames: int = 18


REFERENCE_PEAK = 2.8  # ln of the mean power over the bands in the loudest frame of speech that peaks at half of full scale


class Augmenter:
    """Settings and a pool of grainy noise, made once. `strength` 0 leaves speed, tract, loudness and hiss alone active."""

    def __init__(self, mel: LogMel, settings: Augmentation | None = None, seed: int = 1) -> None:
        self._mel = mel
        self._settings = settings or Augmentation()
        # The power of noise in one band and frame is gamma-distributed; drawing it anew for every batch would cost more than the rest.
        self._grain = np.random.default_rng(seed).gamma(2.0, 0.5, (20_000, mel.spec.bands)).astype(np.float32)

    def __call__(
        self, log_powers: Sequence[HalfArray], symbols: Sequence[int], babble: Sequence[HalfArray], strength: float, rng: Rng
    ) -> tuple[FloatArray, list[int]]:
        """ln(mel power) [frames, bands] of so many symbols each -> features [B, T, bands] padded with silence, frames of each."""
        settings = self._settings
        warped = [self._warp(log_power, count, rng) for log_power, count in zip(log_powers, symbols, strict=True)]
        starts = rng.integers(*settings.before, len(warped), endpoint=True)
        ends = starts + [len(item) for item in warped] + rng.integers(*settings.after, len(warped), endpoint=True)
        frames = ends + rng.integers(*settings.silence, len(warped), endpoint=True)
        power = np.zeros((len(warped), int(frames.max()), self._mel.spec.bands), np.float32)
        for row, item, start in zip(power, warped, starts, strict=True):
            np.exp(item, out=row[start : start + len(item)])
        self._rooms(power, strength, rng)
        for row, item, start, end in zip(power, warped, starts, ends, strict=True):
            self._alter(row[:end], row[start : start + len(item)], babble, strength, rng)
            row[end:] = 0
        features = self._mel.normalise(power)
        for row, end in zip(features, ends, strict=True):
            self._mask(row[:end], strength, rng)
        return features, [int(count) for count in frames]

    def _warp(self, log_power: HalfArray, symbols: int, rng: Rng) -> FloatArray:
        """Speed along the frames and vocal-tract length along the bands."""
        settings = self._settings
        count = int(max(8, len(log_power) / rng.choice(settings.speeds), symbols / settings.fastest * FRAMES_PER_SECOND))
        moved = log_power.astype(np.float32)
        if count != len(log_power):
            moved = _interpolate(moved, np.linspace(0, len(log_power) - 1, count), 0)
        if rng.random() < settings.tract_chance:
            moved = _interpolate(moved, np.arange(moved.shape[1]) * np.float64(rng.uniform(*settings.tract)), 1)
        return moved

    def _rooms(self, power: FloatArray, strength: float, rng: Rng) -> None:
        """Exponential tails, shorter for high bands, on some of the utterances; in place."""
        settings = self._settings
        chosen = np.flatnonzero(rng.random(len(power)) < strength * settings.room_chance)
        if not len(chosen):
            return
        seconds = _log_uniform(settings.reverberation, len(chosen), rng)[:, None] * np.linspace(1.1, 0.7, power.shape[2])
        decay = np.exp(-np.log(1e6) / (seconds * FRAMES_PER_SECOND)).astype(np.float32)
        share = _log_uniform(settings.tail, len(chosen), rng)[:, None].astype(np.float32) * (1 - decay)
        frames = np.ascontiguousarray(power[chosen].transpose(1, 0, 2))
        tail = np.zeros_like(frames[0])
        for index in range(len(frames)):
            tail *= decay
            tail += frames[index]
            frames[index] += share * tail
        power[chosen] = frames.transpose(1, 0, 2)

    def _alter(self, row: FloatArray, speech: FloatArray, babble: Sequence[HalfArray], strength: float, rng: Rng) -> None:
        """Noise, microphone, loudness and hiss on one utterance and the room around it; in place."""
        settings = self._settings
        if rng.random() < strength * settings.noise_chance:
            ratio = 10 ** (-rng.uniform(*settings.signal_to_noise) / 10)
            noise = self._babble(len(row), babble, rng) if rng.random() < settings.babble_share else self._noise(len(row), rng)
            row += noise * np.float32(ratio * speech.mean() / (noise.mean() + 1e-12))
        loudest = float(speech.mean(1).max()) + SMALLEST_POWER
        gain = np.full(row.shape[1], rng.uniform(*settings.loudness) + REFERENCE_PEAK - np.log(loudest))
        if rng.random() < strength * settings.microphone_chance:
            gain += np.linspace(rng.uniform(-settings.tilt, settings.tilt), rng.uniform(-settings.tilt, settings.tilt), len(gain))
            gain += _walk(len(gain), 0.12, rng)
        if rng.random() < strength * settings.telephone_chance:
            gain[:8], gain[62:] = gain[:8] - 9, gain[62:] - 9  # below 300 Hz and above 3.9 kHz
        row *= np.exp(gain, dtype=np.float32)
        if rng.random() < 0.85:
            row += np.float32(np.exp(rng.uniform(*settings.hiss))) * self._grains(len(row), rng)

    def _noise(self, count: int, rng: Rng) -> FloatArray:
        """Coloured noise that swells and ebbs: [count, bands]."""
        bands = self._mel.spec.bands
        colour = _walk(bands, 0.35, rng) - np.linspace(0, rng.uniform(-3, 4), bands)
        knots = count // 40 + 2
        swell = np.interp(np.arange(count), np.arange(knots) * 40, rng.standard_normal(knots) * rng.uniform(0, 0.8))
        return np.exp(colour).astype(np.float32) * np.exp(swell).astype(np.float32)[:, None] * self._grains(count, rng)

    def _babble(self, count: int, babble: Sequence[HalfArray], rng: Rng) -> FloatArray:
        """One to four other people at once: [count, bands]."""
        total = np.zeros((count, self._mel.spec.bands), np.float32)
        for _ in range(rng.integers(1, 4, endpoint=True)):
            other = babble[int(rng.integers(len(babble)))]
            places = (np.arange(count) + rng.integers(len(other))) % len(other)
            total += np.exp(other[places].astype(np.float32))
        return total

    def _grains(self, count: int, rng: Rng) -> FloatArray:
        start = rng.integers(len(self._grain) - count)
        return self._grain[start : start + count]

    def _mask(self, row: FloatArray, strength: float, rng: Rng) -> None:
        """Bands and frames blotted out, as in SpecAugment (Park et al. 2019); in place."""
        settings = self._settings
        for _ in range(2):
            if rng.random() < strength * settings.mask_chance:
                mean = row.mean()
                band = rng.integers(row.shape[1] - settings.mask_bands)
                row[:, band : band + rng.integers(settings.mask_bands)] = mean
                frame = rng.integers(max(1, len(row) - settings.mask_frames))
                row[frame : frame + rng.integers(settings.mask_frames)] = mean


def _interpolate(values: FloatArray, places: npt.NDArray[np.float64], axis: int) -> FloatArray:
    """`values` read at fractional `places` along an axis; places beyond the end give the last value."""
    last = values.shape[axis] - 1
    places = np.clip(places, 0, last)
    below = np.minimum(places.astype(np.int64), max(0, last - 1))
    share = (places - below).astype(np.float32)
    share = share[:, None] if axis == 0 else share
    low: FloatArray = values.take(below, axis)
    high: FloatArray = values.take(np.minimum(below + 1, last), axis)
    between: FloatArray = low + share * (high - low)
    return between


def _walk(count: int, step: float, rng: Rng) -> npt.NDArray[np.float64]:
    """A random walk around zero."""
    walk: npt.NDArray[np.float64] = np.cumsum(rng.standard_normal(count) * step)
    return walk - np.float64(walk.mean())


def _log_uniform(bounds: tuple[float, float], count: int, rng: Rng) -> npt.NDArray[np.float64]:
    low, high = np.log(bounds)
    drawn: npt.NDArray[np.float64] = np.exp(rng.uniform(low, high, count))
    return drawn
