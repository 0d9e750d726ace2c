"""Figures and pictures of probabilities, against counting."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ds_training.reliability import BINS, Figures, by_count, by_width, plot


def drawn(count: int, seed: int, power: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and what came true; with a power of 1 they are right."""
    random = np.random.default_rng(seed)
    true = random.random(count)
    return true**power, random.random(count) < true


def test_right_probabilities_have_little_error() -> None:
    figures = Figures.of(*drawn(50_000, 1))
    assert figures.count == 50_000
    assert figures.right == pytest.approx(0.5, abs=0.01)
    assert figures.ece < 0.01
    assert figures.ece_by_count < 0.01
    assert figures.brier == pytest.approx(1 / 6, abs=0.005)  # the mean of p (1 - p)
    assert figures.auc == pytest.approx(5 / 6, abs=0.01)


def test_probabilities_that_are_too_high_have_their_mean_distance_as_error() -> None:
    figures = Figures.of(*drawn(50_000, 2, power=0.5))
    assert figures.ece == pytest.approx(2 / 3 - 1 / 2, abs=0.01)
    assert figures.ece_by_count == pytest.approx(2 / 3 - 1 / 2, abs=0.01)
    assert figures.auc == pytest.approx(5 / 6, abs=0.01)  # the order is the same


def test_the_error_is_counted_by_hand() -> None:
    probabilities = np.array([0.05, 0.05, 0.55, 0.55, 0.55, 1.0])
    right = np.array([False, True, True, True, False, True])
    expected = (2 * abs(0.05 - 0.5) + 3 * abs(0.55 - 2 / 3) + 1 * 0.0) / 6
    assert Figures.of(probabilities, right).ece == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("count", [1, 2, BINS - 1, BINS, 37])
def test_every_case_is_in_one_bin(count: int) -> None:
    probabilities = np.random.default_rng(count).random(count)
    for bins in (by_width(probabilities), by_count(probabilities)):
        places = list(bins)
        assert sorted(np.concatenate(places).tolist()) == list(range(count))
        assert all(len(each) for each in places)
    assert {len(each) for each in by_count(probabilities)} <= {count // BINS, count // BINS + 1}


def test_certainties_have_a_bin() -> None:
    assert [each.tolist() for each in by_width(np.array([0.0, 1.0, 0.999]))] == [[0], [1, 2]]


@pytest.mark.parametrize("right", [[True, True], [False, False], []])
def test_one_kind_of_case_has_no_figures(right: list[bool]) -> None:
    with pytest.raises(ValueError, match="need right and wrong cases"):
        Figures.of(np.full(len(right), 0.5), np.array(right, bool))


def test_curves_become_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot({"one": drawn(500, 3), "other": drawn(7, 4)}, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
