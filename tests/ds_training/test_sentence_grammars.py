"""Grammars made of a corpus's own sentences say what they claim to say."""

from __future__ import annotations

import pytest

from ds_engine.errors import GrammarError
from ds_engine.grammar.matching import match
from ds_training.sentence_grammars import Kind, Trial, of_sentences, trial

TEXTS = [f"{who} {does} the {what}" for who in ("he", "she", "nobody") for does in ("sees", "likes") for what in ("dog", "red cat", "ship")]


def accepted(made: Trial, text: str) -> bool:
    return match([made.grammar], text.split()) is not None


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_inside_is_what_the_grammar_says(kind: Kind, seed: int) -> None:
    made = trial(kind, TEXTS, seed)
    assert made.inside == {text for text in TEXTS if accepted(made, text)}
    assert len(made.inside) > 0


@pytest.mark.parametrize("kind", [Kind.HALF, Kind.TENTH])
def test_a_share_of_the_texts_is_inside(kind: Kind) -> None:
    assert len(trial(kind, TEXTS).inside) == {Kind.HALF: 9, Kind.TENTH: 1}[kind]


def test_beginnings_and_ends_are_crossed() -> None:
    made = trial(Kind.CROSSED, ["one two three four", "five six seven eight", "nine ten", "eleven twelve"], seed=1)
    halves = [text.split() for text in ("one two three four", "five six seven eight", "nine ten", "eleven twelve")]
    crossings = [one[: len(one) // 2] + other[len(other) // 2 :] for one in halves for other in halves]
    assert sum(match([made.grammar], words) is not None for words in crossings) == 4  # two beginnings, two ends


def test_every_sentence_outside_has_a_neighbour_that_differs_in_one_word() -> None:
    made = trial(Kind.NEAR, TEXTS)
    vocabulary = {word for text in TEXTS for word in text.split()}
    for text in set(TEXTS) - made.inside:
        words = text.split()
        neighbours = [[*words[:at], other, *words[at + 1 :]] for at in range(len(words)) for other in vocabulary]
        assert any(match([made.grammar], near) for near in neighbours)


def test_a_seed_decides_everything() -> None:
    assert trial(Kind.NEAR, TEXTS, 5).inside == trial(Kind.NEAR, reversed(TEXTS), 5).inside
    assert trial(Kind.HALF, TEXTS, 5).inside != trial(Kind.HALF, TEXTS, 6).inside


def test_no_words_make_no_grammar() -> None:
    with pytest.raises(GrammarError):
        of_sentences([])
