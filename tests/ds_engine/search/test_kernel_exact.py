"""The kernel against enumeration: texts, scores and order, however the rows are cut."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from ds_engine.alphabet import Alphabet, Boundary, BoundaryRule
from ds_engine.bias import Bias, Phrase
from ds_engine.decoder import Timing
from ds_engine.features import FloatArray
from ds_engine.search.decoder import KernelDecoder
from ds_engine.search.phrases import Phrases
from ds_engine.search.policy import SearchPolicy
from ds_engine.search.spelling import SpellingModel
from ds_engine.search.vocabulary import Vocabulary
from ds_engine.transcript import Hypothesis
from tests.ds_engine.search.enumeration import Words, enumerate_texts
from tests.ds_engine.tables import TableModel, source

EXACT = SearchPolicy(alpha=0.7, beta=0.6, beam=4096, threshold=600.0, skip=2.0, alternatives=100, recombine=False)
CASES = 250  # of each kind


@dataclass(frozen=True)
class Kind:
    """An alphabet, the words of its lexicon, and how many rows may be enumerated."""

    alphabet: Alphabet
    words: tuple[str, ...]
    rows: int


SPACED = Alphabet(("_", " ", "a", "t", "o"))
PIECED = Alphabet(("_", "▁a", "▁b", "a", "b"), boundary=Boundary(BoundaryRule.WORD_INITIAL, "▁"))
MIXED = Alphabet(("▁", "_", "▁a", "a", "ba", "?"), blank=1, ignored=frozenset({5}), boundary=Boundary(BoundaryRule.WORD_INITIAL, "▁"))
JOINED = Alphabet(("_", "a", "b", "c"), boundary=Boundary(BoundaryRule.NONE, ""))
BYTED = Alphabet(("_", " ", "a", "\xc3", "\xa9"), bytes_mode=True)
KINDS = {
    "spaced": Kind(SPACED, ("a", "at", "tat", "to", "ta", "o", "too"), 6),
    "pieced": Kind(PIECED, ("a", "ab", "ba", "bb", "aba"), 6),
    "mixed": Kind(MIXED, ("a", "aa", "aba", "ba"), 5),
    "joined": Kind(JOINED, ("a", "ab", "b", "bc", "abc", "cc"), 6),
    "bytes": Kind(BYTED, ("a", "é", "aé", "éa"), 6),
}


def matrix(random: np.random.Generator, rows: int, symbols: int) -> FloatArray:
    logits = random.normal(0, random.uniform(0.3, 3), (rows, symbols))
    result: FloatArray = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)
    return result


def decoded(decoder: KernelDecoder, rows: FloatArray, bias: Bias, random: np.random.Generator) -> tuple[Hypothesis, ...]:
    state, position = decoder.start(bias), 0
    while position < len(rows):
        size = int(random.integers(0, 4))
        state = decoder.advance(state, rows[position : position + size])
        position += size
    return decoder.finish(state)


def spelled(alphabet: Alphabet, words: tuple[str, ...]) -> dict[tuple[int, ...], str]:
    return {spelling: word for word in words for spelling in alphabet.spell(word)}


def weigher(model: TableModel, policy: SearchPolicy, phrases: Phrases, price: Callable[[str], float]) -> Callable[[Words], float]:
    def weigh(words: Words) -> float:
        total, context, state = 0.0, model.start, 0
        for word in words:
            index = model.index(word)
            state, boost = phrases.follow(state, word)
            total += policy.alpha * float(model.table[context, index]) + policy.beta + boost + price(word)
            context = index
        return total + phrases.end(state) + (policy.alpha * float(model.table[context, 2]) if policy.sentence_end else 0.0)

    return weigh


def check(found: tuple[Hypothesis, ...], expected: dict[Words, float], alphabet: Alphabet) -> None:
    """Texts, scores and order. Of several readings of one text the best counts."""
    best: dict[str, float] = {}
    for words, score in sorted(expected.items(), key=lambda item: item[1]):
        best[alphabet.join(words)] = score
    ranked = sorted(best.items(), key=lambda item: -item[1])[: len(found)]
    assert len(found) == min(len(best), 100)
    np.testing.assert_allclose([one.score for one in found], [score for _, score in ranked], atol=1e-6)
    assert {one.text: pytest.approx(one.score, abs=1e-6) for one in found} == {text: best[text] for text in (one.text for one in found)}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("changes", [{}, {"look_ahead": False}, {"sentence_end": False}], ids=["whole", "no look-ahead", "no sentence end"])
def test_a_lexicon_and_a_language_model(kind: Kind, changes: dict[str, bool]) -> None:
    random = np.random.default_rng(len(kind.words))
    policy = SearchPolicy.of({name: getattr(EXACT, name) for name in EXACT.__slots__}, changes)
    for case in range(CASES):
        model = TableModel(kind.words, case)
        decoder = KernelDecoder(kind.alphabet, Timing(0.04), Vocabulary(kind.alphabet, source(model), policy), policy)
        rows = matrix(random, int(random.integers(1, kind.rows + 1)), len(kind.alphabet.symbols))
        weigh = weigher(model, policy, Phrases(()), lambda word: 0.0)
        check(
            decoded(decoder, rows, Bias(), random),
            enumerate_texts(rows, kind.alphabet, spelled(kind.alphabet, kind.words), weigh),
            kind.alphabet,
        )


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("nats", [1.3, -0.7])
def test_a_penalty_of_the_blank_is_a_model_that_leaves_less_out(kind: Kind, nats: float) -> None:
    random = np.random.default_rng(len(kind.words))
    policy = replace(EXACT, blank_penalty=nats)
    silent = [column for column in range(len(kind.alphabet.symbols)) if kind.alphabet.is_silent(column)]
    for case in range(CASES):
        model = TableModel(kind.words, case)
        decoder = KernelDecoder(kind.alphabet, Timing(0.04), Vocabulary(kind.alphabet, source(model), policy), policy)
        rows = matrix(random, int(random.integers(1, kind.rows + 1)), len(kind.alphabet.symbols))
        louder = rows.astype(np.float64)
        louder[:, silent] -= nats
        louder -= np.log(np.exp(louder).sum(axis=1, keepdims=True))
        weigh = weigher(model, policy, Phrases(()), lambda word: 0.0)
        expected = enumerate_texts(louder, kind.alphabet, spelled(kind.alphabet, kind.words), weigh)
        check(decoded(decoder, rows, Bias(), random), expected, kind.alphabet)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_names_and_boosts_of_a_bias(kind: Kind) -> None:
    random = np.random.default_rng(7)
    for case in range(CASES):
        known, named = kind.words[:-2], kind.words[-2:]
        model = TableModel(known, case)
        decoder = KernelDecoder(kind.alphabet, Timing(0.04), Vocabulary(kind.alphabet, source(model), EXACT), EXACT)
        bias = Bias(
            (Phrase(f"{known[0]} {named[0]}", 2.5), Phrase(named[1]), Phrase(known[1], -1.5), Phrase(f"{named[0]} {known[0]}", 1.0))
        )
        rows = matrix(random, int(random.integers(1, kind.rows + 1)), len(kind.alphabet.symbols))
        halved = EXACT.alpha * math.log(1 / len(named))  # names share what <unk> is worth
        weigh = weigher(model, EXACT, Phrases(bias.phrases), lambda word, new=named, price=halved: price if word in new else 0.0)  # type: ignore[misc]
        check(
            decoded(decoder, rows, bias, random),
            enumerate_texts(rows, kind.alphabet, spelled(kind.alphabet, kind.words), weigh),
            kind.alphabet,
        )


@pytest.mark.parametrize("kind", [KINDS[name] for name in ("spaced", "pieced", "bytes")], ids=("spaced", "pieced", "bytes"))
def test_words_outside_the_lexicon(kind: Kind) -> None:
    random = np.random.default_rng(8)
    policy = SearchPolicy.of({name: getattr(EXACT, name) for name in EXACT.__slots__}, {"unknown": 0.6})
    alphabet, rows_most = kind.alphabet, 5
    letters = [column for column in range(len(alphabet.symbols)) if not alphabet.is_silent(column) and column != alphabet.separator]
    groups = [group for length in range(1, rows_most + 1) for group in itertools.product(letters, repeat=length)]
    if alphabet.boundary.rule is BoundaryRule.WORD_INITIAL:
        groups = [group for group in groups if alphabet.starts_word(group[0]) and not any(map(alphabet.starts_word, group[1:]))]
    for case in range(CASES // 5):
        model = TableModel(kind.words, case)
        vocabulary = Vocabulary(alphabet, source(model), policy)
        bigrams = SpellingModel.estimate(alphabet, vocabulary.lexicon)
        free = {
            group: alphabet.word(group) for group in groups if len(alphabet.word(group).encode()) == len(group) or not alphabet.bytes_mode
        }
        price = {word: 0.0 if word in kind.words else policy.unknown * _spelling_price(bigrams, group) for group, word in free.items()}
        rows = matrix(random, int(random.integers(1, rows_most + 1)), len(alphabet.symbols))
        decoder = KernelDecoder(alphabet, Timing(0.04), vocabulary, policy)
        expected = enumerate_texts(rows, alphabet, free, weigher(model, policy, Phrases(()), price.__getitem__))
        check(decoded(decoder, rows, Bias(), random), expected, alphabet)


def _spelling_price(model: SpellingModel, group: tuple[int, ...]) -> float:
    places = [model.letters.tolist().index(column) + 1 for column in group]
    steps = sum(float(model.log_probs[before, after - 1]) for before, after in itertools.pairwise([0, *places]))
    return steps + float(model.log_ends[places[-1]])


@pytest.mark.parametrize("kind", [KINDS[name] for name in ("spaced", "pieced")], ids=("spaced", "pieced"))
def test_without_a_language_model_it_is_plain_prefix_search(kind: Kind) -> None:
    random = np.random.default_rng(9)
    letters = [column for column in range(len(kind.alphabet.symbols)) if not kind.alphabet.is_silent(column)]
    for _ in range(CASES):
        rows = matrix(random, int(random.integers(1, 6)), len(kind.alphabet.symbols))
        groups = (group for length in range(1, 6) for group in itertools.product(letters, repeat=length))
        everything = {group: kind.alphabet.word(group) for group in groups if kind.alphabet.separator not in group}
        decoder = KernelDecoder(kind.alphabet, Timing(0.04), None, EXACT)
        check(decoded(decoder, rows, Bias(), random), enumerate_texts(rows, kind.alphabet, everything, lambda words: 0.0), kind.alphabet)


def test_the_enumeration_itself_on_a_case_worked_by_hand() -> None:
    """Two rows, blank and a and separator: "a" is said by a_, _a, aa and, trimmed, by "a " and " a"."""
    alphabet = Alphabet(("_", " ", "a"))
    rows = np.log(np.array([[0.2, 0.3, 0.5], [0.6, 0.1, 0.3]], np.float32))
    found = enumerate_texts(rows, alphabet, {(2,): "a"}, lambda words: 0.0)
    assert math.exp(found[("a",)]) == pytest.approx(0.5 * 0.6 + 0.2 * 0.3 + 0.5 * 0.3 + 0.5 * 0.1 + 0.3 * 0.3, abs=1e-6)
    assert math.exp(found[()]) == pytest.approx(0.2 * 0.6 + 0.2 * 0.1 + 0.3 * 0.6 + 0.3 * 0.1, abs=1e-6)
