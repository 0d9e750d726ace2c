"""Chance: the settings of an augmentation, the strength of the curriculum and a batch's seed in, the draws for that batch out.

Each augmentation draws from a generator of its own, by its name, and not at all where its chance is 0: switching one on or off
leaves all others as they were.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ds_training.augment_settings import AugmentationError, Range, Settings, range_at

Rng = np.random.Generator
Doubles = npt.NDArray[np.float64]


class Dice:
    """What one augmentation draws for one batch. Raises AugmentationError for a strength outside 0..1."""

    def __init__(self, settings: Settings, strength: float, seed: int) -> None:
        if not 0 <= strength <= 1:
            raise AugmentationError(f"the strength of augmentation needs a number in 0..1, got {strength!r}")
        self.chance = settings.chance_at(strength)
        self._strength, self._seed, self._name = strength, seed, type(settings).__name__

    @cached_property
    def rng(self) -> Rng:
        return np.random.default_rng(self._seed << 32 | zlib.crc32(self._name.encode()))

    def hits(self, count: int) -> list[int]:
        """Which of `count` utterances get it."""
        return np.flatnonzero(self.rng.random(count) < self.chance).tolist() if self.chance else []

    def each(self, values: Range, count: int, otherwise: float) -> list[float]:
        """A value for each of `count` utterances: drawn for those that get it."""
        if not self.chance:
            return [otherwise] * count
        hit = self.rng.random(count) < self.chance
        drawn: list[float] = np.where(hit, self.several(values, count), otherwise).tolist()
        return drawn

    def one(self, values: Range) -> float:
        return self.rng.uniform(*range_at(values, self._strength))

    def several(self, values: Range, count: int) -> Doubles:
        return self.rng.uniform(*range_at(values, self._strength), count)

    def logarithmic(self, values: Range, count: int) -> Doubles:
        """As many small as large ones, on a logarithmic scale."""
        low, high = np.log(range_at(values, self._strength))
        drawn: Doubles = np.exp(self.rng.uniform(low, high, count))
        return drawn

    def whole(self, values: Range) -> int:
        low, high = range_at(values, self._strength)
        return int(self.rng.integers(round(low), round(high), endpoint=True))


Throw = Callable[[Settings], Dice]  # for the settings of an augmentation, its dice in this batch


def walk(count: int, step: float, rng: Rng) -> Doubles:
    """A random walk around zero."""
    steps: Doubles = np.cumsum(rng.standard_normal(count) * step)
    return steps - float(steps.mean())
