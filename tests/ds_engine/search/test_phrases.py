from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.bias import MAX_BOOST, Phrase
from ds_engine.search.phrases import NOWHERE, Phrases

texts = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(" ".join)
phrase_lists = st.lists(st.builds(Phrase, texts, st.floats(-MAX_BOOST, MAX_BOOST).filter(bool)), max_size=7)
sentences = st.lists(st.sampled_from("abcd"), max_size=12)


def gains(phrases: Phrases, sentence: Sequence[str]) -> list[float]:
    """What each word gains, and the end."""
    state, found = NOWHERE, []
    for word in sentence:
        state, gain = phrases.follow(state, word)
        found.append(gain)
    return [*found, phrases.end(state)]


def earned(phrases: Sequence[Phrase], sentence: Sequence[str]) -> float:
    """The definition: at every word, the highest boost of the phrases that end there."""
    total = 0.0
    for end in range(1, len(sentence) + 1):
        spoken = [" ".join(sentence[begin:end]) for begin in range(end)]
        total += max((phrase.boost for phrase in phrases if " ".join(phrase.text.split()) in spoken), default=0.0)
    return total


@settings(max_examples=250, deadline=None)
@given(phrase_lists, sentences)
def test_a_sentence_gains_the_boosts_of_the_phrases_that_are_complete_in_it(phrases: list[Phrase], sentence: list[str]) -> None:
    assert sum(gains(Phrases(phrases), sentence)) == pytest.approx(earned(phrases, sentence), abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(phrase_lists, sentences)
def test_what_is_advanced_is_paid_back_at_the_end_of_a_sentence_wherever_that_is(phrases: list[Phrase], sentence: list[str]) -> None:
    compiled = Phrases(phrases)
    for length in range(len(sentence) + 1):
        assert sum(gains(compiled, sentence[:length])) == pytest.approx(earned(phrases, sentence[:length]), abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(phrase_lists, st.randoms(use_true_random=False), sentences)
def test_the_order_of_the_phrases_does_not_matter(phrases: list[Phrase], random: object, sentence: list[str]) -> None:
    shuffled = list(phrases)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis names no type
    assert gains(Phrases(phrases), sentence) == pytest.approx(gains(Phrases(iter(shuffled)), sentence), abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(phrase_lists, sentences)
def test_equal_states_mean_equal_futures(phrases: list[Phrase], sentence: list[str]) -> None:
    """Searches join hypotheses in one state: a sentence must not depend on what was said before the state was reached."""
    compiled = Phrases(phrases)
    for beginning in (["d"], ["d", "d"], []):
        state = NOWHERE
        for word in beginning:
            state, _ = compiled.follow(state, word)
        assert state == NOWHERE
    assert gains(compiled, sentence) == gains(compiled, ["d", *sentence])[1:]


@given(phrase_lists)
def test_nothing_said_gains_nothing(phrases: list[Phrase]) -> None:
    assert Phrases(phrases).end(NOWHERE) == 0.0


def test_a_phrase_earns_its_boost_word_by_word() -> None:
    assert gains(Phrases([Phrase("turn on the light", 8.0)]), ["turn", "on", "the", "light"]) == pytest.approx([2, 2, 2, 2, 0])


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("a b d", [1, 1, -2, 0]),  # broken off
        ("a b", [1, 1, -2]),  # broken off by the end
        ("a a b c", [1, 0, 1, 1, 0]),  # begun again at once
        ("a b a b c", [1, 1, -1, 1, 1, 0]),  # broken off by its own beginning
        ("a b c a", [1, 1, 1, 1, -1]),  # complete, and begun once more
        ("d a b c d", [0, 1, 1, 1, 0, 0]),
    ],
)
def test_what_breaks_off_pays_back_what_it_was_advanced(sentence: str, expected: list[float]) -> None:
    assert gains(Phrases([Phrase("a b c", 3.0)]), sentence.split()) == pytest.approx(expected)


def test_a_phrase_within_another_that_breaks_off_keeps_its_own() -> None:
    phrases = Phrases([Phrase("a b c d", 4.0), Phrase("b c", 3.0)])
    assert gains(phrases, ["a", "b", "c", "e"]) == pytest.approx([1, 1, 1 + 3, -3, 0])
    assert gains(phrases, ["a", "b", "c", "d"]) == pytest.approx([1, 1, 1 + 3, 1, 0])


def test_of_two_phrases_that_end_at_one_word_the_higher_boost_counts() -> None:
    for longer, shorter in itertools.permutations([5.0, 2.0]):
        phrases = Phrases([Phrase("a b", longer), Phrase("b", shorter)])
        assert sum(gains(phrases, ["a", "b"])) == pytest.approx(5.0)
        assert sum(gains(phrases, ["d", "b"])) == pytest.approx(shorter)


def test_of_one_phrase_with_two_boosts_the_higher_counts() -> None:
    """As in Bias.merged, which cannot see that two texts are the same words."""
    for boosts in itertools.permutations([5.0, 2.0, -1.0]):
        phrases = Phrases(Phrase(text, boost) for text, boost in zip(("a b", " a  b ", "a\tb"), boosts, strict=True))
        assert sum(gains(phrases, ["a", "b"])) == pytest.approx(5.0)


def test_a_negative_boost_is_charged_when_the_phrase_is_complete_and_not_before() -> None:
    phrases = Phrases([Phrase("a b c", -3.0), Phrase("d", -1.0)])
    assert gains(phrases, ["a", "b", "c", "d"]) == pytest.approx([0, 0, -3, -1, 0])
    assert gains(phrases, ["a", "b"]) == pytest.approx([0, 0, 0])


def test_a_phrase_that_begins_another_earns_at_once_and_again_when_the_other_is_complete() -> None:
    phrases = Phrases([Phrase("a b", 2.0), Phrase("a b c d", 8.0)])
    assert sum(gains(phrases, ["a", "b"])) == pytest.approx(2)
    assert sum(gains(phrases, ["a", "b", "c", "d"])) == pytest.approx(10)


def test_a_phrase_without_a_boost_changes_nothing() -> None:
    assert gains(Phrases([Phrase("a b", 0.0), Phrase("a b", -0.0)]), ["a", "b", "a"]) == [0, 0, 0, 0]
    assert sum(gains(Phrases([Phrase("a b", 0.0), Phrase("b", -2.0)]), ["a", "b"])) == pytest.approx(-2)


def test_overlapping_occurrences_all_count() -> None:
    assert sum(gains(Phrases([Phrase("a a", 1.0)]), ["a"] * 5)) == pytest.approx(4)


def test_words_are_told_apart_by_every_letter() -> None:
    assert sum(gains(Phrases([Phrase("Max", 1.0)]), ["max", "MAX", "Maxx", "Max"])) == pytest.approx(1)


def test_ten_thousand_phrases_are_compiled_and_followed() -> None:
    phrases = [Phrase(f"{first} {second} x", 1.0) for first in range(100) for second in range(100)]
    assert sum(gains(Phrases(phrases), ["7", "7", "99", "x", "x"])) == pytest.approx(1)


def test_a_phrase_of_a_hundred_words_pays_out_what_it_promises() -> None:
    words = ["a"] * 99 + ["b"]
    found = gains(Phrases([Phrase(" ".join(words), MAX_BOOST)]), ["a", *words])
    assert math.fsum(found) == pytest.approx(MAX_BOOST)
    assert max(found) <= MAX_BOOST / 100 + 1e-9


@given(
    st.lists(st.builds(Phrase, st.text("ab ", min_size=1, max_size=5).filter(str.strip), st.floats(-5, 5)), max_size=4),
    st.text("abc", max_size=8),
)
def test_no_word_gains_more_than_the_greatest(phrases: list[Phrase], said: str) -> None:
    made, state = Phrases(phrases), NOWHERE
    assert made.greatest >= 0
    for word in said:
        state, gain = made.follow(state, word)
        assert gain <= made.greatest + 1e-9
