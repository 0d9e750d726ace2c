"""Augmentation on mel power: a few utterances in, one batch of features out, altered by chance as people, rooms and devices would.

Everything happens on power [B, T, bands], a hundred times cheaper than on samples: tempo and vocal tract by interpolation,
microphones as a curve over the bands, rooms as exponential tails, noise and babble as added power, loudness as a factor. What
follows is the streaming engine's own: its floor and logarithm, and exact digital silence before the first and after the last
sample. augmentations.py says what there is; the same random generator gives the same batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ds_engine.features import FloatArray, LogMel
from ds_training.augment_channel import DECIBEL, FULL_SCALE, Channel, reverberate
from ds_training.augment_dice import Dice, Rng, Throw
from ds_training.augment_masks import disturb
from ds_training.augment_settings import FRAMES_PER_SECOND, AugmentationError
from ds_training.augment_shape import shaped
from ds_training.augment_sources import Sources
from ds_training.augmentations import Augmentation
from ds_training.corpus import HalfArray

__all__ = ["FRAMES_PER_SECOND", "Augmentation", "AugmentationError", "Augmenter"]


class Augmenter:
    """Settings and pools of noise, made once.

    `noises` are recorded ones for `overlay`: ln(mel power) [frames, bands]. Raises AugmentationError where it may be used without any.
    """

    def __init__(self, mel: LogMel, settings: Augmentation | None = None, seed: int = 1, *, noises: Sequence[HalfArray] = ()) -> None:
        self._mel, self._settings = mel, settings or Augmentation()
        if max(self._settings.overlay.chance) > 0 and not noises:
            raise AugmentationError("augmentation.overlay needs recorded noises where its chance is above 0, got none")
        self._check(noises, "a recorded noise")
        self._sources, self._channel = Sources(mel.spec.bands, noises, seed), Channel(mel.spec)

    def __call__(
        self, log_powers: Sequence[HalfArray], symbols: Sequence[int], babble: Sequence[HalfArray], strength: float, rng: Rng
    ) -> tuple[FloatArray, list[int]]:
        """ln(mel power) [frames, bands] of so many symbols each -> features [B, T, bands] padded with silence, frames of each.

        `babble` is a pool of other people, `strength` where the curriculum stands, from 0 to 1. Raises AugmentationError for another
        strength, another shape or kind, or an empty batch, and where there may be babble and the pool is empty.
        """
        if not log_powers or len(symbols) != len(log_powers):
            raise AugmentationError(f"augmentation needs utterances, and symbols for each, got {len(log_powers)} and {len(symbols)}")
        self._check(log_powers, "an utterance")
        throw = partial(Dice, strength=strength, seed=int(rng.integers(2**63)))
        items = shaped(log_powers, symbols, babble, self._settings, throw)
        batch = self._placed(items, throw)
        self._recorded(batch, babble, throw)
        features = self._mel.normalise(batch.power)
        disturb([row[: len(heard)] for row, heard in zip(features, batch.rows, strict=True)], self._settings, throw)
        return features, batch.frames

    def _check(self, log_powers: Sequence[HalfArray], what: str) -> None:
        bands = self._mel.spec.bands
        for item in log_powers:
            if item.dtype != np.float16 or item.ndim != 2 or item.shape[1] != bands or not len(item):
                raise AugmentationError(f"{what} needs float16 [frames >= 1, {bands}], got {item.dtype} {list(item.shape)}")

    def _placed(self, items: Sequence[FloatArray], throw: Throw) -> _Batch:
        """Speech with the silence around it, and digital silence behind."""
        settings = self._settings.silence
        dice = throw(settings)
        hits = dice.hits(len(items))
        starts, ends = np.zeros(len(items), np.int64), np.array([len(item) for item in items])
        starts[hits] = np.rint(dice.several(settings.before, len(hits)) * FRAMES_PER_SECOND)
        ends += starts
        ends[hits] += np.rint(dice.several(settings.after, len(hits)) * FRAMES_PER_SECOND).astype(np.int64)
        frames = ends + np.rint(dice.several(settings.end, len(items)) * FRAMES_PER_SECOND).astype(np.int64)
        power = np.zeros((len(items), int(frames.max()), self._mel.spec.bands), np.float32)
        speeches = [row[start : start + len(item)] for row, item, start in zip(power, items, starts, strict=True)]
        for speech, item in zip(speeches, items, strict=True):
            np.exp(item, out=speech)
        return _Batch(power, [row[:end] for row, end in zip(power, ends, strict=True)], speeches, frames.tolist())

    def _recorded(self, batch: _Batch, babble: Sequence[HalfArray], throw: Throw) -> None:
        """The room, what else is heard in it, and the devices; in place."""
        settings, rows = self._settings, batch.rows
        reverberate(batch.power, settings.reverb, throw(settings.reverb))
        for power, row in zip(batch.power, rows, strict=True):
            power[len(row) :] = 0  # no tail of the room outlives the recording
        self._sources.add(rows, batch.speeches, babble, settings, throw)
        gains = self._channel.gains([float(speech.mean(1).max()) for speech in batch.speeches], settings, throw)
        np.multiply(batch.power, gains[:, None], out=batch.power)
        hiss, resample, codec = throw(settings.hiss), throw(settings.resample), throw(settings.codec)
        for index in hiss.hits(len(rows)):
            level = np.exp(hiss.one(settings.hiss.level) * DECIBEL + FULL_SCALE)
            rows[index] += np.float32(level) * self._sources.grains(len(rows[index]), hiss.rng)
        for index in resample.hits(len(rows)):
            self._channel.cut(rows[index], resample.one(settings.resample.cut_off))
        for index in codec.hits(len(rows)):
            self._channel.cut(rows[index], codec.one(settings.codec.cut_off))
            self._channel.code(rows[index], codec.one(settings.codec.waver), codec.one(settings.codec.holes), codec.rng)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Power [B, T, bands] under way; `rows` and `speeches` are views of it: what the recorder hears, and the part where people speak."""

    power: FloatArray
    rows: list[FloatArray]
    speeches: list[FloatArray]
    frames: list[int]
