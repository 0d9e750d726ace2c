"""Logistic regression against what made the data, and against counting."""

from __future__ import annotations

import numpy as np
import pytest

from ds_training.logistic import area, fit, probabilities


def test_the_weights_that_made_the_labels_are_found() -> None:
    random = np.random.default_rng(1)
    features = random.normal(size=(40_000, 3)) * [1.0, 10.0, 0.1] + [0.0, 5.0, -3.0]
    weights = np.array([0.8, -0.15, 6.0])
    labels = random.random(len(features)) < probabilities(features @ weights + 17.0)
    np.testing.assert_allclose(fit(features, labels, strength=1e-6), [*weights, 17.0], rtol=0.12)


def test_found_probabilities_are_right_on_average() -> None:
    random = np.random.default_rng(2)
    features = random.normal(size=(500, 2))
    labels = random.random(500) < 0.3
    weights = fit(features, labels)
    assert probabilities(features @ weights[:-1] + weights[-1]).mean() == pytest.approx(labels.mean(), abs=1e-6)


def test_cases_that_can_be_told_apart_have_finite_weights() -> None:
    features = np.array([[-1.0], [-2.0], [1.0], [2.0]])
    assert np.isfinite(fit(features, features[:, 0] > 0)).all()


def test_a_number_that_is_always_the_same_has_no_weight() -> None:
    random = np.random.default_rng(3)
    features = np.column_stack((random.normal(size=100), np.full(100, 7.0)))
    assert fit(features, features[:, 0] > 0.2)[1] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("label", [True, False])
def test_one_kind_of_case_is_refused(label: bool) -> None:  # noqa: FBT001 - a parameter of the test
    with pytest.raises(ValueError, match="cases of both kinds"):
        fit(np.zeros((3, 1)), np.full(3, label))


def test_the_area_counts_pairs_and_ties_by_half() -> None:
    random = np.random.default_rng(4)
    for _ in range(50):
        scores, labels = random.integers(0, 6, 30), random.random(30) < 0.5
        ones, others = scores[labels], scores[~labels]
        pairs = [(one > other) + 0.5 * (one == other) for one in ones for other in others]
        assert area(scores.astype(np.float64), labels) == pytest.approx(np.mean(pairs))


def test_probabilities_do_not_overflow() -> None:
    np.testing.assert_allclose(probabilities(np.array([-1e4, 0.0, 1e4])), [0.0, 0.5, 1.0])
