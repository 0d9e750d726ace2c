from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import astuple
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.alphabet import Alphabet, Boundary, BoundaryRule
from ds_engine.features import FloatArray
from ds_engine.search.alignment import Span, align
from ds_engine.search.confidence import Fit
from ds_engine.search.language import Said

SPACED = Alphabet(("_", " ", "a", "b"))
IGNORING = Alphabet(("a", "?", " ", "_"), blank=3, ignored=frozenset({1}))
PIECED = Alphabet(("▁a", "▁b", "a", "_"), blank=3, boundary=Boundary(BoundaryRule.WORD_INITIAL, "▁"))
JOINED = Alphabet(("_", "a", "b", "c"), boundary=Boundary(BoundaryRule.NONE, ""))
KINDS = {
    "spaced": (SPACED, ("a", "b", "ab", "aa", "aba")),
    "ignoring": (IGNORING, ("a", "aa")),
    "pieced": (PIECED, ("a", "b", "aa", "ba", "baa")),
    "joined": (JOINED, ("a", "ab", "cc", "b")),
}
each_kind = pytest.mark.parametrize(("alphabet", "lexicon"), KINDS.values(), ids=KINDS)

Token = tuple[int, int, int]  # column, first row and last row of a run


@lru_cache(16)
def paths(rows: int, alphabet: Alphabet) -> tuple[np.ndarray, list[tuple[Token, ...]]]:
    """Every path through `rows` rows, and the symbols that it says."""
    every = list(itertools.product(range(len(alphabet.symbols)), repeat=rows))
    return np.array(every, np.int64).reshape(-1, rows), [runs(path, alphabet) for path in every]


def runs(path: Sequence[int], alphabet: Alphabet) -> tuple[Token, ...]:
    found, row = [], 0
    for column, run in itertools.groupby(path):
        length = len(list(run))
        if not alphabet.is_silent(column):
            found.append((column, row, row + length - 1))
        row += length
    return tuple(found)


def words_of(tokens: Sequence[Token], reading: Sequence[Said], alphabet: Alphabet) -> list[list[Token]] | None:
    """The tokens of each word, where they read like this; otherwise None."""
    if alphabet.separator is None:
        cuts = [0, *itertools.accumulate(len(said.spelling) for said in reading)]
        groups = [list(tokens[begin:end]) for begin, end in itertools.pairwise(cuts)]
        whole = cuts[-1] == len(tokens)
    else:
        groups = [list(run) for between, run in itertools.groupby(tokens, lambda token: token[0] == alphabet.separator) if not between]
        whole = len(groups) == len(reading)
    same = whole and all(tuple(column for column, _, _ in group) == said.spelling for group, said in zip(groups, reading, strict=True))
    return groups if same else None


def exhaustive(log_probs: FloatArray, reading: Sequence[Said], alphabet: Alphabet) -> list[Span] | None:
    """The spans on the best of all paths that read like this, or None if there is no such path."""
    every, said = paths(len(log_probs), alphabet)
    totals = log_probs.astype(np.float64)[np.arange(len(log_probs)), every].sum(axis=1)
    for place in np.argsort(-totals):
        groups = words_of(said[place], reading, alphabet)
        if groups is not None:
            return [span(groups, number, every[place], log_probs, alphabet) for number in range(len(groups))]
    return None


def span(groups: Sequence[Sequence[Token]], number: int, path: np.ndarray, log_probs: FloatArray, alphabet: Alphabet) -> Span:
    """That of the word `number`, whose tokens stand in a group of their own, where `path` [rows] goes through them."""
    tokens = groups[number]
    first, last = tokens[0][1], tokens[-1][2]
    begin = groups[number - 1][-1][2] + 1 if number else 0
    end = groups[number + 1][0][1] if number + 1 < len(groups) else len(log_probs)
    symbols = [float(log_probs[first : last + 1, column].max()) for column, first, last in tokens]
    own = {column for column, _, _ in tokens} | {alphabet.separator}
    others = [column for column in range(len(alphabet.symbols)) if not alphabet.is_silent(column) and column not in own]
    fit = Fit(
        symbols=len(tokens),
        rows=end - begin,
        log_prob=float(log_probs[np.arange(begin, end), path[begin:end]].sum()),
        evenness=math.exp(sum(symbols) / len(symbols)),
        others=float(np.exp(log_probs[first : last + 1][:, others]).sum()),
    )
    return Span(first, last, fit)


def said(alphabet: Alphabet, *words: str) -> list[Said]:
    return [Said(word, alphabet.spell(word)[0]) for word in words]


def matrix(random: np.random.Generator, rows: int, alphabet: Alphabet) -> FloatArray:
    logits = random.normal(0, random.uniform(0.3, 4), (rows, len(alphabet.symbols)))
    result: FloatArray = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)
    return result


def one_hot(path: str, alphabet: Alphabet, probability: float = 0.9) -> FloatArray:
    """Rows in which one symbol each is likely; "▁" is written as an upper-case letter."""
    columns = [alphabet.symbols.index(symbol if symbol in alphabet.symbols else f"▁{symbol.lower()}") for symbol in path]
    rows = np.full((len(columns), len(alphabet.symbols)), (1 - probability) / (len(alphabet.symbols) - 1))
    rows[np.arange(len(columns)), columns] = probability
    result: FloatArray = np.log(rows).astype(np.float32)
    return result


def assert_same(found: Sequence[Span], expected: Sequence[Span]) -> None:
    assert [(one.first, one.last) for one in found] == [(one.first, one.last) for one in expected]
    assert [astuple(one.fit) for one in found] == [pytest.approx(astuple(one.fit), rel=1e-5, abs=1e-6) for one in expected]


@each_kind
def test_words_lie_where_the_best_of_all_paths_has_them(alphabet: Alphabet, lexicon: tuple[str, ...]) -> None:
    random, compared = np.random.default_rng(len(lexicon)), 0
    for _ in range(200):
        log_probs = matrix(random, int(random.integers(1, 6)), alphabet)
        readings = [said(alphabet, *random.choice(lexicon, int(random.integers(1, 4)))) for _ in range(3)]
        for reading, spans in zip(readings, align(log_probs, readings, alphabet), strict=True):
            expected = exhaustive(log_probs, reading, alphabet)
            if expected is not None:
                assert_same(spans, expected)
                compared += 1
    assert compared > 100


@each_kind
def test_one_reading_is_aligned_as_it_is_among_others(alphabet: Alphabet, lexicon: tuple[str, ...]) -> None:
    random = np.random.default_rng(3)
    log_probs = matrix(random, 12, alphabet)
    readings = [said(alphabet, *random.choice(lexicon, count)) for count in (1, 3, 0, 2)]
    assert align(log_probs, readings, alphabet) == [align(log_probs, [reading], alphabet)[0] for reading in readings]


@each_kind
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**16), rows=st.integers(0, 9), counts=st.lists(st.integers(0, 6), min_size=1, max_size=4))
def test_spans_are_in_order_and_inside_whatever_is_asked(
    alphabet: Alphabet, lexicon: tuple[str, ...], seed: int, rows: int, counts: list[int]
) -> None:
    """Too few rows for the symbols among it."""
    random = np.random.default_rng(seed)
    readings = [said(alphabet, *random.choice(lexicon, count)) for count in counts]
    for spans, count in zip(align(matrix(random, rows, alphabet), readings, alphabet), counts, strict=True):
        assert len(spans) == count
        assert all(0 <= span.first <= span.last < max(rows, 1) for span in spans)
        assert [span.first for span in spans] == sorted(span.first for span in spans)
        assert [span.last for span in spans] == sorted(span.last for span in spans)
        assert all(0.0 <= span.fit.evenness <= 1.0 for span in spans)


def test_nothing_said_has_no_spans() -> None:
    for rows in (0, 1, 5):
        assert align(matrix(np.random.default_rng(0), rows, SPACED), [[], []], SPACED) == [[], []]


@pytest.mark.parametrize(
    ("path", "words", "spans"),
    [
        ("_aabb_", ["ab"], [(1, 4)]),
        ("a_a__", ["aa"], [(0, 2)]),
        ("  a  b ", ["a", "b"], [(2, 2), (5, 5)]),
        ("aa_ _ _bb", ["a", "b"], [(0, 1), (7, 8)]),
        ("a_a a_a", ["aa", "aa"], [(0, 2), (4, 6)]),
        ("_a a a_", ["a", "a", "a"], [(1, 1), (3, 3), (5, 5)]),
    ],
)
def test_of_certain_rows_words_have_exactly_their_own(path: str, words: list[str], spans: list[tuple[int, int]]) -> None:
    found = align(one_hot(path, SPACED), [said(SPACED, *words)], SPACED)[0]
    assert [(one.first, one.last) for one in found] == spans
    assert [one.fit.evenness for one in found] == pytest.approx([0.9] * len(words), rel=1e-5)


@pytest.mark.parametrize(
    ("path", "words", "spans"),
    [
        ("AaB", ["aa", "b"], [(0, 1), (2, 2)]),
        ("AABB", ["a", "b"], [(0, 1), (2, 3)]),
        ("A_A", ["a", "a"], [(0, 0), (2, 2)]),
        ("_Aa_a__B_", ["aaa", "b"], [(1, 4), (7, 7)]),
    ],
)
def test_of_certain_word_pieces_words_have_exactly_their_own(path: str, words: list[str], spans: list[tuple[int, int]]) -> None:
    spelled = [Said(word, (PIECED.spell(word)[0][0], *(2 for _ in word[1:]))) for word in words]
    found = align(one_hot(path, PIECED), [spelled], PIECED)[0]
    assert [(one.first, one.last) for one in found] == spans


def test_a_separator_inside_a_word_is_no_pause() -> None:
    """ "ab" is not said by "a b", so its best path has to say the separator's row in another way."""
    log_probs = np.log(np.array([[0.05, 0.05, 0.8, 0.1], [0.1, 0.6, 0.2, 0.1], [0.1, 0.1, 0.05, 0.75]], np.float32))
    (found,) = align(log_probs, [said(SPACED, "ab")], SPACED)[0]
    assert (found.first, found.last) == (0, 2)
    pause = np.log(np.array([[0.1, 0.3, 0.6, 0.0001], [0.0001, 0.5, 0.0001, 0.4999], [0.9, 0.1, 0.0001, 0.0001]], np.float32))
    (found,) = align(pause, [said(SPACED, "ab")], SPACED)[0]
    assert (found.first, found.last) == (0, 1)


def test_a_confidence_is_the_geometric_mean_of_the_best_of_each_symbol() -> None:
    log_probs = np.log(
        np.array([[0.1, 0.1, 0.5, 0.3], [0.1, 0.0, 0.7, 0.2], [0.2, 0.2, 0.2, 0.4], [0.9, 0.05, 0.01, 0.04]], np.float32) + 1e-9
    )
    (found,) = align(log_probs, [said(SPACED, "ab")], SPACED)[0]
    assert found.fit.evenness == pytest.approx(math.sqrt(0.7 * 0.4), rel=1e-5)


@pytest.mark.parametrize("value", [-math.inf, math.nan, 1e30, -1e30, 5.0, math.inf])
def test_values_that_are_no_log_probabilities_are_no_trouble(value: float) -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        log_probs = matrix(random, 6, SPACED)
        log_probs[random.random(log_probs.shape) < 0.4] = value
        (spans,) = align(log_probs, [said(SPACED, "ab", "a")], SPACED)
        assert all(0.0 <= span.fit.evenness <= 1.0 for span in spans)
        assert all(-math.inf < span.fit.log_prob <= 0.0 <= span.fit.others < math.inf for span in spans)
        assert all(0 <= span.first <= span.last < 6 for span in spans)


def test_what_is_ruled_out_does_not_let_a_word_be_said_without_its_symbols() -> None:
    """Rows of one-hot posteriors with zeros: the path still has to pass every symbol, one row each."""
    with np.errstate(divide="ignore"):
        log_probs = np.log(np.eye(4, dtype=np.float32)[[2, 2, 2]])  # "a" in every row
    (found,) = align(log_probs, [said(SPACED, "aba")], SPACED)[0]
    assert (found.first, found.last) == (0, 2)


def test_a_long_utterance_is_aligned_without_losing_its_place() -> None:
    path = "_".join(["_ab  ba_ "] * 300)
    found = align(one_hot(path, SPACED), [said(SPACED, *["ab", "ba"] * 300)], SPACED)[0]
    expected = [(at, at + 1) for at in range(len(path)) if path[at : at + 2] in {"ab", "ba"}]
    assert [(one.first, one.last) for one in found] == expected
