"""The acceptance stage on a toy bundle's search: settings, weights and figures."""

from __future__ import annotations

import numpy as np
import pytest

from ds_engine.search.acceptance import KNOWN, Acceptance
from ds_training.acceptance import STRICTNESSES, Heard, figures, fitted
from ds_training.logistic import probabilities

NAMES = [name for name in KNOWN if name != "bias"]


def cases(count: int, seed: int) -> list[Heard]:
    """Sentences that are right where they are not far behind; a third is not in the grammar, a tenth has no sentence."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        numbers = dict(zip(NAMES, random.normal(size=len(NAMES)).tolist(), strict=True))
        inside = bool(random.random() < 0.67)
        right = inside and bool(random.random() < probabilities(np.array([-3 * numbers["behind_per_character"]]))[0])
        found.append(Heard(inside, right, None if random.random() < 0.1 and not right else numbers))
    return found


def test_what_speaks_against_a_sentence_gets_a_negative_weight() -> None:
    weights = fitted(cases(3000, 1))
    assert set(weights) == set(KNOWN)
    assert weights["behind_per_character"] < -1
    assert all(abs(weights[name]) < 0.4 for name in NAMES if name != "behind_per_character")


def test_figures_are_shares_of_what_was_heard() -> None:
    found = cases(2000, 2)
    told = figures(found, fitted(cases(2000, 1)))
    assert told["in_grammar"] == sum(each.inside for each in found)
    assert told["auc"] > 0.8
    assert list(told["by_strictness"]) == [str(level) for level in STRICTNESSES]
    for name in ("right", "wrong_sentence", "falsely_accepted"):
        shares = [level[name] for level in told["by_strictness"].values()]
        assert shares == sorted(shares, reverse=True)  # stricter takes less
    assert told["by_strictness"]["0.1"]["right"] <= told["right_without_rejection"]


def test_a_sentence_that_was_never_found_is_not_accepted_but_counts() -> None:
    nothing = [Heard(inside=True, right=False, evidence=None), Heard(inside=False, right=False, evidence=None)]
    sure = [
        Heard(inside=True, right=True, evidence=dict.fromkeys(NAMES, 0.0)),
        Heard(inside=False, right=False, evidence=dict.fromkeys(NAMES, 0.0)),
    ]
    told = figures([*nothing, *sure], {**dict.fromkeys(NAMES, 0.0), "bias": 1.0})
    assert told["by_strictness"]["0.5"] == {"right": 0.5, "wrong_sentence": 0.0, "falsely_accepted": 0.5}


def test_one_kind_of_outcome_is_refused() -> None:
    with pytest.raises(ValueError, match="both kinds"):
        fitted([each for each in cases(100, 3) if not each.right])


def test_fitted_weights_are_what_a_bundle_may_hold() -> None:
    assert Acceptance(fitted(cases(200, 4))).weights.keys() == set(KNOWN)
