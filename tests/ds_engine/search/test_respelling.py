"""Other spellings of made-up names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ds_engine.errors import BundleError
from ds_engine.manifest import Section
from ds_engine.search.respelling import MAX_RESPELLED, MAX_RULES, MAX_SPELLINGS, Respelling
from ds_plugin.models import DEFAULT_MODEL, ModelStore


@pytest.fixture(scope="module")
def english() -> Respelling:
    return Respelling.of(ModelStore.standard().open(DEFAULT_MODEL).manifest)


def test_a_name_is_also_written_as_it_might_be_heard(english: Respelling) -> None:
    assert {"snorkelwak", "snarkelwack"} <= set(english("snorkelwack"))


@pytest.mark.parametrize("word", ["snorkelwack", "tono", "", "'", "aeiou" * 40])
def test_the_word_itself_is_not_among_them_none_comes_twice_and_they_are_bounded(english: Respelling, word: str) -> None:
    others = english(word)
    assert word not in others
    assert len(set(others)) == len(others) <= MAX_SPELLINGS


def test_without_rules_there_are_none() -> None:
    assert not Respelling()("snorkelwack")


def test_a_word_without_end_is_left_as_it_is(english: Respelling) -> None:
    assert not english("ka" * MAX_RESPELLED)


@pytest.mark.parametrize(
    "rules",
    [
        [["(", ["a"]]],
        [["a"]],
        [3],
        [["a", 3]],
        [["a", [3]]],
        [["a", "bc"]],
        [["a", [r"\1"]]],
        [["", ["a"]]],
        [["a" * 100, ["b"]]],
        [["a", ["b"]]] * (MAX_RULES + 1),
    ],
)
def test_what_is_no_rule_is_an_error_of_the_bundle(rules: object) -> None:
    manifest = ModelStore.standard().open(DEFAULT_MODEL).manifest
    with pytest.raises(BundleError, match="respelling"):
        Respelling.of(replace(manifest, calibration=Section({"respelling": rules}, "calibration.")))
