"""Evidence for words and the probabilities that come of it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_engine.bundle import Bundle
from ds_engine.errors import BundleError
from ds_engine.manifest import Manifest
from ds_engine.search.confidence import BIAS, EVIDENCE, KNOWN, Belief, Confidence, Fit, evidence, of_utterance, probability
from tests.ds_engine import bundles

PLAIN = Fit(symbols=4, rows=10, log_prob=-6.0, evenness=0.8, others=0.4)
SURE = Belief(share=0.9, support=1.5)
END = Belief(share=1.0, support=0.0)
ZEROS = dict.fromkeys(KNOWN, 0.0)

numbers = st.floats(-1e6, 1e6)
fits = st.builds(Fit, st.integers(0, 40), st.integers(0, 10**6), st.floats(-1e7, 0), st.floats(0, 1), st.floats(0, 1e6))
beliefs = st.builds(Belief, st.floats(0, 1), st.floats(-math.inf, math.inf))
weights = st.fixed_dictionaries({name: st.floats(allow_nan=False, allow_infinity=False) for name in KNOWN})


def named(found: tuple[float, ...]) -> dict[str, float]:
    return dict(zip(EVIDENCE, found, strict=True))


def manifest(folder: Path, confidence: Any) -> Manifest:
    def edit(values: dict[str, Any]) -> None:
        values["calibration"]["confidence"] = confidence

    return Bundle.open(bundles.write(folder / "bundle", edit=edit)).manifest


def test_the_evidence_for_a_word_is_what_its_names_say() -> None:
    before, after = replace(PLAIN, evenness=0.5), replace(PLAIN, evenness=0.1)
    told = [Belief(0.25, 0.0), Belief(0.9, -2.0), Belief(0.4, -3.0), END]
    found = named(evidence([before, PLAIN, after], told)[1])
    assert found == pytest.approx(
        {
            "share": math.log(0.9 / 0.1),
            "path": -1.5,
            "others": 0.1,
            "stretch": math.log(4) * math.log(2.5),
            "before": 0.25 * -2.0,
            "after": 0.4 * -3.0,
            "beside": 0.3,
        }
    )


def test_at_the_edges_of_an_utterance_there_is_nothing_beside_and_the_end_speaks() -> None:
    (found,) = evidence([PLAIN], [Belief(0.5, -1.0), Belief(1.0, -4.0)])
    assert named(found)["before"] == -1.0
    assert named(found)["after"] == -4.0
    assert named(found)["beside"] == PLAIN.evenness
    assert evidence([], [END]) == []


def test_support_above_zero_is_no_evidence() -> None:
    (found,) = evidence([PLAIN], [Belief(0.5, 7.0), Belief(1.0, 3.0)])
    assert named(found)["before"] == named(found)["after"] == 0.0


@given(st.lists(st.tuples(fits, beliefs), max_size=5), beliefs, weights)
def test_a_probability_is_never_0_or_1_whatever_the_weights_and_the_evidence(
    words: list[tuple[Fit, Belief]], end: Belief, given_weights: dict[str, float]
) -> None:
    told = [*(belief for _, belief in words), end]
    found = Confidence(given_weights).words([fit for fit, _ in words], told)
    assert len(found) == len(words)
    assert all(0.0 < each < 1.0 for each in found)
    assert all(math.isfinite(number) for row in evidence([fit for fit, _ in words], told) for number in row)


@given(st.lists(st.floats(0.0, 1.0), max_size=30))
def test_an_utterance_is_as_sure_as_its_words_on_average(words: list[float]) -> None:
    found = of_utterance(words)
    assert 0.0 <= found <= 1.0
    if words:
        assert min(words) - 1e-12 <= found <= max(words) + 1e-12
    else:
        assert found == 0.0


def test_without_any_weight_a_word_is_as_likely_right_as_wrong() -> None:
    assert Confidence(ZEROS).words([PLAIN] * 2, [SURE, SURE, END]) == [0.5, 0.5]


def test_weights_add_up_to_log_odds() -> None:
    chosen = {name: 0.1 * number for number, name in enumerate(KNOWN)}
    (numbers_found,) = evidence([PLAIN], [SURE, END])
    expected = chosen[BIAS] + sum(chosen[name] * value for name, value in named(numbers_found).items())
    (found,) = Confidence(chosen).words([PLAIN], [SURE, END])
    assert math.log(found / (1 - found)) == pytest.approx(expected)


@given(numbers, numbers)
def test_more_log_odds_are_never_less_probable(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert probability(low) <= probability(high)


def test_a_bundle_without_a_calibration_has_none(tmp_path: Path) -> None:
    assert Confidence.of(Bundle.open(bundles.write(tmp_path / "bundle")).manifest) is None


def test_a_bundle_gives_its_weights(tmp_path: Path) -> None:
    chosen = {**ZEROS, "share": 2, "bias": -0.5}
    found = Confidence.of(manifest(tmp_path, chosen))
    assert found == Confidence(chosen)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ([], "calibration.confidence must be dict"),
        ({}, "calibration.confidence.bias must be float"),
        ({name: 0.0 for name in KNOWN if name != "path"}, "calibration.confidence.path must be float"),
        ({**ZEROS, "share": "much"}, "calibration.confidence.share must be float, got 'much'"),
        ({**ZEROS, "share": True}, "calibration.confidence.share must be float, got True"),
        ({**ZEROS, "share": 10**400}, "calibration.confidence.share must be float"),
        ({**ZEROS, "shape": 0.0}, "calibration.confidence must have finite numbers for bias, share, .* and no others, got 'shape'"),
        ({**ZEROS, "after": math.inf}, "calibration.confidence must have finite numbers"),
        ({**ZEROS, "after": math.nan}, "calibration.confidence must have finite numbers"),
    ],
)
def test_broken_weights_are_refused_by_name(tmp_path: Path, broken: object, said: str) -> None:
    with pytest.raises(BundleError, match=said):
        Confidence.of(manifest(tmp_path, broken))
