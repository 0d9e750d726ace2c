from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest

from ds_engine.bias import MAX_BOOST, MAX_PHRASE_LENGTH, MAX_PHRASES, Bias, Phrase, Pronunciation
from ds_engine.errors import BiasError


@pytest.mark.parametrize("text", ["", " \t", "x" * (MAX_PHRASE_LENGTH + 1), None, 7])
def test_a_phrase_must_be_some_text(text: Any) -> None:
    with pytest.raises(BiasError, match="1 to 200 characters"):
        Phrase(text)


@pytest.mark.parametrize("boost", [math.nan, math.inf, MAX_BOOST + 0.1, -MAX_BOOST - 0.1, "1", None])
def test_a_boost_must_be_a_number_in_range(boost: Any) -> None:
    with pytest.raises(BiasError, match="boost of 'lamp'"):
        Phrase("lamp", boost)


def test_a_merged_bias_has_each_phrase_once_with_its_highest_boost_in_order() -> None:
    merged = Bias((Phrase("b", -1.0), Phrase("a", 2))).merged(Bias((Phrase("a", 1.0), Phrase("b"))), Bias((Phrase("c"),)))
    assert merged.phrases == (Phrase("b", 0.0), Phrase("a", 2), Phrase("c"))


def test_merging_with_nothing_changes_nothing() -> None:
    bias = Bias((Phrase("a", 1.0),))
    assert bias.merged() == bias.merged(Bias()) == Bias().merged(bias) == bias


def test_more_phrases_than_allowed_are_refused_but_merging_drops_the_last() -> None:
    full = Bias(tuple(Phrase(str(i)) for i in range(MAX_PHRASES)))
    with pytest.raises(BiasError, match="at most 10000"):
        Bias((*full.phrases, Phrase("more")))
    assert full.merged(Bias((Phrase("more"),))) == full


def test_merging_with_nothing_is_the_very_same_object_unless_something_stands_in_it_twice() -> None:
    bias = Bias((Phrase("a", 1.0), Phrase("b")), (Pronunciation("a", "x"), Pronunciation("a", "y")))
    assert bias.merged(Bias()) is Bias().merged(Bias(), bias) is bias
    twice = Bias((Phrase("a", 1.0), Phrase("a", 2.0)), (Pronunciation("a", "x"), Pronunciation("a", "x")))
    assert Bias().merged(twice) == Bias((Phrase("a", 2.0),), (Pronunciation("a", "x"),))


def test_equal_biases_have_equal_hashes_and_a_changed_one_has_its_own() -> None:
    one, same = (Bias((Phrase(text, 1.0),), (Pronunciation("tv", "t v"),)) for text in ("lamp", "lamp"))
    changed = replace(one, phrases=(Phrase("hall", 1.0),))
    assert hash(one) == hash(one) == hash(same)
    assert {one: "lamp", changed: "hall"}[same] == "lamp"
    assert hash(replace(one, phrases=(Phrase("hall", 1.0),))) == hash(changed) != hash(one)
    assert "hash" not in repr(one)


def test_a_bias_of_many_phrases_is_hashed_once_however_many_utterances_ask() -> None:
    asked: list[str] = []

    class Asked(Phrase):
        """A phrase that tells when it is hashed."""

        __slots__ = ()

        def __hash__(self) -> int:
            asked.append(self.text)
            return hash(self.text)

    bias = Bias((Asked("lamp"), Asked("hall")))
    compiled = lru_cache(16)(repr)
    for _ in range(3):
        compiled(Bias().merged(bias))
    assert asked == ["lamp", "hall"]
