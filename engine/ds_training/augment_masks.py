"""What happens to features alone, and to no sound: features [frames, bands] of utterances in, altered in place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ds_engine.features import FloatArray
from ds_training.augment_dice import Dice, Throw
from ds_training.augment_settings import FRAMES_PER_SECOND
from ds_training.augmentations import Augmentation


def disturb(rows: Sequence[FloatArray], settings: Augmentation, throw: Throw) -> None:
    """Masks over bands and moments, dropped cells, random factors and sums."""
    bands, moments = throw(settings.band_masks), throw(settings.time_masks)
    banned, silenced = _times(settings.band_masks.count, bands, len(rows)), _times(settings.time_masks.count, moments, len(rows))
    means = {index: rows[index].mean() for index in {*banned, *silenced}}
    for index in banned:
        _line(rows[index].T, bands.whole(settings.band_masks.bands), bands)[:] = means[index]
    for index in silenced:
        _line(rows[index], round(moments.one(settings.time_masks.seconds) * FRAMES_PER_SECOND), moments)[:] = means[index]
    _scatter(rows, settings, throw)


def _scatter(rows: Sequence[FloatArray], settings: Augmentation, throw: Throw) -> None:
    dropout, multiply, add = throw(settings.dropout), throw(settings.multiply), throw(settings.add)
    for index in dropout.hits(len(rows)):
        row = rows[index]
        row[dropout.rng.random(row.shape, np.float32) < dropout.one(settings.dropout.share)] = row.mean()
    for index in multiply.hits(len(rows)):
        rows[index] *= 1 + _normal(rows[index], multiply.one(settings.multiply.deviation), multiply)
    for index in add.hits(len(rows)):
        rows[index] += _normal(rows[index], add.one(settings.add.deviation), add)


def _times(count: int, dice: Dice, rows: int) -> list[int]:
    """The rows that get a mask, as often as they get one."""
    return [index for _ in range(count) for index in dice.hits(rows)]


def _line(values: FloatArray, count: int, dice: Dice) -> FloatArray:
    """`count` neighbouring ones somewhere, at most all."""
    start = int(dice.rng.integers(max(0, len(values) - count), endpoint=True))
    return values[start : start + count]


def _normal(like: FloatArray, deviation: float, dice: Dice) -> FloatArray:
    drawn: FloatArray = dice.rng.standard_normal(like.shape, np.float32) * np.float32(deviation)
    return drawn
