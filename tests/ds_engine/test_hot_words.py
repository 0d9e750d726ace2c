"""DeepSpeech's verbs, held against a plain dictionary."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ds_engine.bias import Bias, Phrase
from ds_engine.errors import BiasError
from ds_engine.hot_words import MAX_HOT_WORDS, HotWords

words = st.sampled_from(["lamp", "Zoë's lamp", "tv", " tv ", "zoë's  lamp"])
boosts = st.floats(-20, 20)


class Sequences(RuleBasedStateMachine):
    """Any order of verbs."""

    def __init__(self) -> None:
        super().__init__()
        self.hot_words = HotWords()
        self.expected: dict[str, float] = {}

    @rule(word=words, boost=boosts)
    def add(self, word: str, boost: float) -> None:
        name = " ".join(word.split())
        if name in self.expected:
            with pytest.raises(BiasError, match="is there already"):
                self.hot_words.add(word, boost)
        else:
            self.hot_words.add(word, boost)
            self.expected[name] = boost

    @rule(word=words)
    def erase(self, word: str) -> None:
        name = " ".join(word.split())
        if name in self.expected:
            self.hot_words.erase(word)
            del self.expected[name]
        else:
            with pytest.raises(BiasError, match="there is no hot word"):
                self.hot_words.erase(word)

    @rule()
    def clear(self) -> None:
        self.hot_words.clear()
        self.expected.clear()

    @invariant()
    def the_bias_holds_what_was_added_in_order(self) -> None:
        assert self.hot_words.bias == Bias(tuple(Phrase(*item) for item in self.expected.items()))


TestSequences = Sequences.TestCase


def test_a_bias_that_was_taken_does_not_change() -> None:
    hot_words = HotWords()
    hot_words.add("lamp", 5.0)
    taken = hot_words.bias
    hot_words.clear()
    assert taken == Bias((Phrase("lamp", 5.0),))
    assert hot_words.bias == Bias()


@pytest.mark.parametrize(("word", "boost"), [("", 1.0), ("  ", 1.0), (None, 1.0), (7, 1.0), ("x", math.nan), ("x", 21.0), ("x", "1")])
def test_what_cannot_be_a_hot_word_is_refused_and_leaves_no_trace(word: Any, boost: Any) -> None:
    hot_words = HotWords()
    with pytest.raises(BiasError):
        hot_words.add(word, boost)
    with pytest.raises(BiasError):
        hot_words.erase(word)
    assert hot_words.bias == Bias()


def test_hot_words_are_bounded_and_erasing_one_makes_room() -> None:
    hot_words = HotWords()
    for number in range(MAX_HOT_WORDS):
        hot_words.add(str(number), 0.0)
    with pytest.raises(BiasError, match="at most 5000 hot words, and 'more' is one more"):
        hot_words.add("more", 1.0)
    hot_words.erase("0")
    hot_words.add("more", 1.0)
    assert hot_words.bias.phrases[-1] == Phrase("more", 1.0)
