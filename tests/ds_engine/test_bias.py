from __future__ import annotations

import math
from typing import Any

import pytest

from ds_engine.bias import MAX_BOOST, MAX_PHRASE_LENGTH, MAX_PHRASES, Bias, Phrase
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
