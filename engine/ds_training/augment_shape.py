"""How an utterance is spoken: log powers [frames, bands] in, of another style, tempo and vocal tract out, each of its own length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ds_engine.features import FloatArray
from ds_training.augment_dice import Dice, Doubles, Throw
from ds_training.augment_settings import FRAMES_PER_SECOND
from ds_training.augmentations import Augmentation, Style
from ds_training.corpus import HalfArray

FEWEST_FRAMES = 8
SMALLEST_DEVIATION = 1e-3  # ln of power: a band that never changes keeps its shape
LOUDEST = 40.0  # ln of power: no sound is louder, and float32 holds whatever comes of it
_SINGLES = np.clip(np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32), -LOUDEST, LOUDEST)  # of every float16


def shaped(
    log_powers: Sequence[HalfArray], symbols: Sequence[int], others: Sequence[HalfArray], settings: Augmentation, throw: Throw
) -> list[FloatArray]:
    """Style, tempo, warps and tract. `symbols` of each bound its tempo, `others` lend their style to an utterance that is alone."""
    items = _styled([single(item) for item in log_powers], others, settings.style, throw(settings.style))
    count, bands = len(items), items[0].shape[1]
    speeds = throw(settings.tempo).each(settings.tempo.speed, count, 1.0)
    lengths = throw(settings.tract).each(settings.tract.length, count, 1.0)
    bent, reshaped = throw(settings.time_warp), throw(settings.band_warp)
    times = {index: bent.several(settings.time_warp.shift, settings.time_warp.points) for index in bent.hits(count)}
    shapes = {index: reshaped.several(settings.band_warp.shift, settings.band_warp.points) for index in reshaped.hits(count)}
    for index, item in enumerate(items):
        frames = int(max(FEWEST_FRAMES, len(item) / speeds[index], symbols[index] / settings.tempo.fastest * FRAMES_PER_SECOND))
        if frames != len(item) or index in times:
            items[index] = interpolated(item, warped(frames, len(item) - 1, times.get(index)), 0)
        if lengths[index] != 1 or index in shapes:
            items[index] = interpolated(items[index], warped(bands, bands - 1, shapes.get(index)) * lengths[index], 1)
    return items


def single(values: HalfArray) -> FloatArray:
    """The same in float32, none above LOUDEST: by a table, in half of the time of numpy's conversion alone."""
    return _SINGLES.take(values.view(np.uint16))


def warped(count: int, last: int, shifts: Doubles | None) -> Doubles:
    """`count` places from 0 to `last`: evenly, or with points between that are shifted by these shares of their distance."""
    places: Doubles = np.arange(count, dtype=np.float64) * np.float64(last / max(1, count - 1))
    if shifts is None:
        return places
    points = np.linspace(0, last, len(shifts) + 2)
    moved = points.copy()
    moved[1:-1] += shifts * points[1]
    bent: Doubles = np.interp(places, moved, points)
    return bent


def interpolated(values: FloatArray, places: Doubles, axis: int) -> FloatArray:
    """`values` read at fractional `places` along an axis; places beyond the end give the last value."""
    last = values.shape[axis] - 1
    places = np.minimum(places, last)
    below = np.minimum(places.astype(np.int64), max(0, last - 1))
    share = (places - below).astype(np.float32)
    above = np.minimum(below + 1, last)
    low = values[below] if axis == 0 else values[:, below]
    between: FloatArray = values[above] if axis == 0 else values[:, above]
    between -= low
    between *= share[:, None] if axis == 0 else share
    between += low
    return between


def _styled(items: list[FloatArray], others: Sequence[HalfArray], settings: Style, dice: Dice) -> list[FloatArray]:
    """Some of the items in the style of another one; of one of `others` where there is only one."""
    styled = list(items)
    for index in dice.hits(len(items)):
        place = int(dice.rng.integers(max(1, len(items) - 1)))
        if len(items) > 1:
            styled[index] = mixed(items[index], items[place + (place >= index)], dice.one(settings.share))
        elif others:
            other = single(others[int(dice.rng.integers(len(others)))])
            styled[index] = mixed(items[index], other, dice.one(settings.share))
    return styled


def mixed(own: FloatArray, other: FloatArray, share: float) -> FloatArray:
    """Log power with each band's mean and standard deviation moved towards the other's by `share`, never beyond the range of both."""
    mean, deviation = own.mean(0), own.std(0)
    wanted = mean + np.float32(share) * (other.mean(0) - mean)
    spread = deviation + np.float32(share) * (other.std(0) - deviation)
    scale = spread / np.maximum(deviation, np.float32(SMALLEST_DEVIATION))
    result: FloatArray = np.clip((own - mean) * scale + wanted, min(own.min(), other.min()), max(own.max(), other.max()))
    return result
