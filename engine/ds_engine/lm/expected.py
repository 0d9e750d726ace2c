"""How often something was seen, when every sighting is only so likely: the chances of 0, 1, 2, 3 and 4 sightings, and the mean.

A weight w is floor(w) certain sightings and one that happens with the chance that is left, independently of all others (Zhang
and Chiang, 2014, "Kneser-Ney smoothing on expected counts", section 3). The number of sightings then is a sum of Bernoulli
variables, whose chances are the coefficients of the product of the polynomials (1 - p) + p x. The products are taken pairwise, in a
tree over all groups at once; every term is positive, so that nothing cancels however many sightings there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ds_engine.lm.backoff import DoubleArray, LongArray

TRACKED = 5  # chances that are kept: of 0 to 4 sightings


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """What is known of the number of sightings of every item."""

    mean: DoubleArray  # [items]
    ever: DoubleArray  # [items], the chance of at least one
    chances: DoubleArray  # [items, TRACKED], of exactly 0, 1, 2, 3 and 4

    def spread(self) -> DoubleArray:
        """[items, 3]: the chances of exactly one, exactly two, and three or more."""
        more = np.maximum(1.0 - self.chances[:, :3].sum(axis=1), 0.0)
        return np.column_stack([self.chances[:, 1:3], more])

    def where(self, chosen: LongArray, other: Sightings) -> Sightings:
        """These, but the `other`'s for the items chosen."""
        mean, ever, chances = self.mean.copy(), self.ever.copy(), self.chances.copy()
        mean[chosen], ever[chosen], chances[chosen] = other.mean[chosen], other.ever[chosen], other.chances[chosen]
        return Sightings(mean, ever, chances)


def summed(items: LongArray, values: DoubleArray, count: int) -> DoubleArray:
    """Items [places], each below `count`, and the value of each place -> the sum over every item's places, [count]."""
    return np.bincount(items, values, minlength=count).astype(np.float64, copy=False)


def sightings(items: LongArray, weights: DoubleArray, count: int) -> Sightings:
    """Items [places], each below `count`, and the weight of each place -> what is known of every item."""
    whole = np.floor(weights)
    part = weights - whole
    certain = summed(items, whole, count)
    perhaps = np.flatnonzero(part)
    if not perhaps.size:
        chances = np.zeros((count, TRACKED))
        few = np.flatnonzero(certain < TRACKED)
        chances[few, certain[few].astype(np.int64)] = 1.0
        return Sightings(certain, np.minimum(certain, 1.0), chances)
    items, part = items[perhaps], part[perhaps]
    order = np.argsort(items, kind="stable")
    some, product = _multiplied(items[order], part[order])
    chances = np.zeros((count, TRACKED))
    chances[:, 0] = 1.0
    chances[some] = product
    ever = np.where(certain > 0, 1.0, -np.expm1(summed(items, np.log1p(-part), count)))
    return Sightings(certain + summed(items, part, count), ever, _shifted(chances, certain))


def _multiplied(items: LongArray, chances: DoubleArray) -> tuple[LongArray, DoubleArray]:
    """Items [places] ascending, the chance of each place -> the distinct items, and [items, TRACKED] of their products."""
    factors = np.zeros((len(items), TRACKED))
    factors[:, 0], factors[:, 1] = 1.0 - chances, chances
    while np.any(again := items[1:] == items[:-1]):
        starts = np.flatnonzero(np.concatenate([[True], ~again]))
        places = np.arange(len(items)) - np.repeat(starts, np.diff(starts, append=len(items)))
        left = np.flatnonzero(places % 2 == 0)
        paired = left[left + 1 < len(items)]
        paired = paired[again[paired]]
        factors[paired] = _product(factors[paired], factors[paired + 1])
        items, factors = items[left], factors[left]
    return items, factors


def _product(left: DoubleArray, right: DoubleArray) -> DoubleArray:
    """Of polynomials [pairs, TRACKED], as far as they are tracked."""
    result = np.zeros_like(left)
    for power in range(TRACKED):
        result[:, power:] += left[:, power : power + 1] * right[:, : TRACKED - power]
    return result


def _shifted(chances: DoubleArray, certain: DoubleArray) -> DoubleArray:
    """The chances of so many sightings more."""
    before = np.arange(TRACKED) - certain[:, None]
    moved = np.take_along_axis(chances, np.clip(before, 0, TRACKED - 1).astype(np.int64), axis=1)
    return np.where(before >= 0, moved, 0.0)
