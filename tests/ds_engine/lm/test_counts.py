from __future__ import annotations

import pytest

from ds_engine.errors import InputError
from ds_engine.lm.counts import MAX_WEIGHT, Counts, Vocabulary, count, encode
from tests.ds_engine.lm.tables import random_sentences, words_of

TEXT = words_of(["b a b", "a", "c b a"])


def grams(counts: Counts, order: int) -> list[tuple[str, ...]]:
    """The n-grams of an order, put together again."""
    lower = grams(counts, order - 1) if order > 1 else [()]
    level = counts.levels[order - 1]
    return [(*lower[prefix], counts.words[last]) for prefix, last in zip(level.prefixes, level.last, strict=True)]


@pytest.mark.parametrize("seed", range(3))
def test_n_grams_are_those_of_the_text_in_the_order_of_their_words(seed: int) -> None:
    text = random_sentences(seed, 20)
    counts = count(encode(text), 4)
    padded = [["<s>", *sentence, "</s>"] for sentence in text]
    for order in (2, 3, 4):
        seen = [tuple(each[begin : begin + order]) for each in padded for begin in range(len(each) - order + 1)]
        index = {word: number for number, word in enumerate(counts.words)}
        found = grams(counts, order)
        assert found == sorted(set(seen), key=lambda gram: [index[word] for word in gram])
        level = counts.levels[order - 1]
        assert [found[row] for row in level.seen] == seen
        lower = grams(counts, order - 1)
        assert [lower[suffix] for suffix in level.suffixes] == [gram[1:] for gram in found]


def test_every_place_has_its_sentences_weight() -> None:
    level = count(encode(TEXT, [1, 2.5, 0.25]), 2).levels[1]
    assert level.weights.tolist() == [1, 1, 1, 1, 2.5, 2.5, 0.25, 0.25, 0.25, 0.25]


def test_sentences_of_no_weight_are_absent_with_their_words() -> None:
    counts = count(encode(TEXT, [1, 0, 0]), 2)
    assert grams(counts, 2) == grams(count(encode(TEXT[:1]), 2), 2)


def test_no_sentence_is_as_long_as_the_order() -> None:
    assert len(count(encode([["a"]]), 5).levels) == 3
    assert len(count(encode([[]]), 5).levels) == 2


def chosen(vocabulary: Vocabulary, weights: list[float] | None = None) -> tuple[str, ...]:
    return vocabulary.choose(encode(TEXT, weights))[3:]


def test_the_vocabulary_is_all_words_or_the_frequent_or_the_given_ones() -> None:
    assert chosen(Vocabulary()) == ("a", "b", "c")
    assert chosen(Vocabulary(min_count=2)) == ("a", "b")
    assert chosen(Vocabulary(top=1)) == ("a",)  # as frequent as b, and before it
    assert chosen(Vocabulary(top=1), [2, 1, 1]) == ("b",)
    assert chosen(Vocabulary(top=9, min_count=4)) == ()
    assert chosen(Vocabulary(given=["d", "a", "<s>", "<unk>"])) == ("a", "d")


def test_words_stand_in_the_order_of_their_utf8_bytes() -> None:
    words = ["z", "é", "\U0001f600", "\uffee", "a"]
    assert chosen(Vocabulary(given=words)) == tuple(sorted(words, key=str.encode))


def test_unknown_may_stand_in_the_text() -> None:
    counts = count(encode([["<unk>", "a"]]), 2)
    assert ("<unk>", "a") in grams(counts, 2)


@pytest.mark.parametrize("word", ["", "a b", "a\tb", "\ud800", "nul\0", "<s>", "</s>", "a\n"])
def test_what_is_no_word_is_refused(word: str) -> None:
    with pytest.raises(InputError, match="word"):
        encode([["good", word]])


@pytest.mark.parametrize("word", ["", "a b", "\ud800"])
def test_a_vocabulary_of_what_is_no_word_is_refused(word: str) -> None:
    with pytest.raises(InputError, match="no word"):
        chosen(Vocabulary(given=["good", word]))


@pytest.mark.parametrize("weight", [-1, float("nan"), float("inf"), 2 * MAX_WEIGHT])
def test_a_weight_out_of_range_is_refused_with_its_sentence(weight: float) -> None:
    with pytest.raises(InputError, match="sentence 2"):
        encode(TEXT, [1, weight, 1])


def test_as_many_weights_as_sentences_are_needed() -> None:
    with pytest.raises(InputError, match="2 weights for 3 sentences"):
        encode(TEXT, [1, 1])


@pytest.mark.parametrize(("text", "weights"), [([], None), (TEXT, [0, 0, 0])])
def test_no_sentence_is_no_text(text: list[list[str]], weights: list[float] | None) -> None:
    with pytest.raises(InputError, match="no sentence"):
        encode(text, weights)


@pytest.mark.parametrize("order", [0, 6, -1])
def test_an_order_out_of_range_is_refused(order: int) -> None:
    with pytest.raises(InputError, match="1 to 5"):
        count(encode(TEXT), order)


@pytest.mark.parametrize("settings", [{"given": ["a"], "top": 1}, {"given": ["a"], "min_count": 2}, {"top": -1}, {"min_count": -1}])
def test_a_contradictory_vocabulary_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(InputError, match="vocabulary"):
        Vocabulary(**settings)  # type: ignore[arg-type]
