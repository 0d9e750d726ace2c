from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_engine.lm.expected import TRACKED, Sightings, sightings
from tests.ds_engine.lm.kneser_ney import chances, mean

WEIGHTS = st.lists(st.lists(st.one_of(st.sampled_from([0.0, 1.0, 2.0, 7.0, 0.5, 1e-9, 1 - 1e-9]), st.floats(0, 6)), max_size=9), max_size=6)


def of(groups: Sequence[Sequence[float]]) -> Sightings:
    items = np.array([item for item, group in enumerate(groups) for _ in group], np.int64)
    weights = np.array([weight for group in groups for weight in group], np.float64)
    shuffled = np.random.default_rng(0).permutation(len(items))
    return sightings(items[shuffled], weights[shuffled], len(groups))


@given(WEIGHTS)
def test_chances_and_means_are_those_of_counting_by_hand(groups: list[list[float]]) -> None:
    found = of(groups)
    for item, group in enumerate(groups):
        exact = chances(Fraction(weight) for weight in group)
        assert found.mean[item] == pytest.approx(float(mean(exact)), rel=1e-12)
        assert found.ever[item] == pytest.approx(float(1 - exact.get(0, Fraction(0))), rel=1e-12)
        assert found.chances[item] == pytest.approx([float(exact.get(count, 0)) for count in range(TRACKED)], abs=1e-14)
        assert found.spread()[item, 2] == pytest.approx(float(sum(chance for count, chance in exact.items() if count > 2)), abs=1e-14)


def test_very_many_chances_neither_overflow_nor_vanish() -> None:
    found = of([[0.5] * 100_000, [1e-4] * 10_000, [1 - 1e-15] * 3])
    assert found.spread()[0] == pytest.approx([0, 0, 1])
    assert found.chances[1, :3] == pytest.approx([np.exp(-1), np.exp(-1), np.exp(-1) / 2], rel=1e-3)  # Poisson
    assert found.spread()[2] == pytest.approx([0, 0, 1])


def test_a_tiny_chance_is_not_lost() -> None:
    assert of([[1e-20, 1e-20]]).ever[0] == pytest.approx(2e-20, rel=1e-12)
