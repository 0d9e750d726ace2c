"""Forced alignment: rows of log-probs and words in, when each word was said and how well it fits out.

The best CTC path through the words' symbols is found by the Viterbi algorithm, for several readings at once. Around the
separator that two words need between them, before the first word and after the last, separators and blanks are interchangeable.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from ds_engine.alphabet import Alphabet
from ds_engine.automaton import DoubleArray
from ds_engine.features import FloatArray
from ds_engine.search.confidence import Fit
from ds_engine.search.language import Said

_GAP = -1  # a state that takes a blank, or a separator too where there is one
_SILENT = -2  # a state that takes a blank
_LEAST = math.log(1e-30)  # nats: as in the kernel, a row can rule nothing out for good
_NEVER = -1e30  # nats
_BLOCK_ROWS = 64  # rows whose scores are kept at a time


@dataclass(frozen=True, slots=True)
class Span:
    """Where a word lies, from the row of its first symbol to that of its last, and how well it fits there."""

    first: int
    last: int
    fit: Fit


@dataclass(frozen=True, slots=True)
class _Path:
    """The states that one reading passes through. States alternate: gap, symbol, gap, ..., symbol, gap."""

    columns: list[int]  # of each state
    skips: list[bool]  # True where the state before may be left out
    words: list[int]  # index of the word that a state's symbol belongs to, or -1


def align(log_probs: FloatArray, readings: Sequence[Sequence[Said]], alphabet: Alphabet) -> list[list[Span]]:
    """Aligns each reading with all rows [rows, symbols].

    Where there are fewer rows than symbols, which a search never asks for, words share rows.
    """
    paths = [_path(reading, alphabet) for reading in readings]
    emissions = _emissions(log_probs, alphabet)
    states = _best_states(emissions, paths)
    expected = _expected(emissions[:, :-2], alphabet)
    return [_spans(emissions, expected, path, found, reading) for path, found, reading in zip(paths, states, readings, strict=True)]


def _path(reading: Sequence[Said], alphabet: Alphabet) -> _Path:
    path = _Path([_GAP], [False], [-1])

    def add(column: int, word: int, *, skip: bool) -> None:
        path.columns.append(column)
        path.skips.append(skip)
        path.words.append(word)

    before = None
    for number, word in enumerate(reading):
        if number and alphabet.separator is not None:
            add(alphabet.separator, -1, skip=True)
            add(_GAP, -1, skip=False)
            before = None
        for column in word.spelling:
            add(column, number, skip=before != column)
            add(_SILENT, -1, skip=False)
            before = column
    path.columns[-1] = _GAP
    return path


def _emissions(log_probs: FloatArray, alphabet: Alphabet) -> FloatArray:
    """The log-probs with two more columns, so that _GAP and _SILENT are indices from the end."""
    usable = np.fmin(np.fmax(log_probs, _LEAST), 0.0)
    silent = usable[:, [alphabet.blank, *sorted(alphabet.ignored)]].max(axis=1)
    gap = silent if alphabet.separator is None else np.maximum(silent, usable[:, alphabet.separator])
    return np.column_stack((usable, silent, gap)).astype(np.float32)


def _best_states(emissions: FloatArray, paths: Sequence[_Path]) -> list[list[int]]:
    """The state of each path at each row."""
    count, longest = len(paths), max(len(path.columns) for path in paths)
    columns = np.full((count, longest), _GAP)
    costs = np.zeros((3, count, longest))  # of coming from two states before, from the one before, or from the state itself
    costs[0] = _NEVER
    for place, path in enumerate(paths):
        columns[place, : len(path.columns)] = path.columns
        costs[0, place, np.flatnonzero(path.skips)] = 0.0
    scores = np.full((_BLOCK_ROWS + 1, count, longest + 2), _NEVER)  # two states that are never reached stand before the first
    scores[-1, :, 2] = 0.0
    ways = sliding_window_view(scores, 3, axis=2).transpose(0, 3, 1, 2)  # [rows, 3, paths, states]
    moves = np.zeros((len(emissions), count, longest), np.int8)
    totals = np.empty((3, count, longest))
    for first in range(0, len(emissions), _BLOCK_ROWS):
        given = emissions[first : first + _BLOCK_ROWS, columns]
        scores[0] = scores[-1]
        for before, values, after in zip(ways, given[:, None] + costs, scores[1:, :, 2:], strict=False):
            np.add(before, values, out=totals)
            np.maximum.reduce(totals, axis=0, out=after)
        skip, step, stay = (ways[: len(given), way] for way in range(3))
        skip = skip + costs[0]
        moves[first : first + len(given)] = np.where(skip > np.maximum(stay, step), 2, step > stay)
        scores[-1] = scores[len(given)]
    return [_traced(scores[-1, index, 2:], moves[:, index], len(path.columns)) for index, path in enumerate(paths)]


def _traced(scores: DoubleArray, moves: npt.NDArray[np.int8], length: int) -> list[int]:
    """The best path backwards: it ends in the last symbol or in what follows it."""
    state = length - 1 if length < 2 or scores[length - 1] >= scores[length - 2] else length - 2
    states = []
    for row in range(len(moves) - 1, -1, -1):
        states.append(state)
        state = max(0, state - int(moves[row, state]))
    return states[::-1]


def _expected(log_probs: FloatArray, alphabet: Alphabet) -> list[list[float]]:
    """[rows + 1][symbols + 1]: how often one would expect each symbol of a word before a row, and all of them together."""
    probs = np.exp(log_probs.astype(np.float64))
    probs[:, [column for column in range(len(alphabet.symbols)) if alphabet.is_silent(column) or column == alphabet.separator]] = 0.0
    before = np.zeros((len(probs) + 1, len(alphabet.symbols) + 1))
    np.cumsum(np.column_stack((probs, probs.sum(axis=1))), axis=0, out=before[1:])
    expected: list[list[float]] = before.tolist()
    return expected


def _spans(emissions: FloatArray, expected: list[list[float]], path: _Path, states: list[int], reading: Sequence[Said]) -> list[Span]:
    best: list[dict[int, float]] = [{} for _ in reading]  # of each word: state -> best log-prob of its symbol
    inside: list[list[int]] = [[] for _ in reading]
    values = emissions[np.arange(len(states)), np.array(path.columns)[states]].tolist()
    for row, (state, value) in enumerate(zip(states, values, strict=True)):
        word = path.words[state]
        if word >= 0:
            best[word][state] = max(value, best[word].get(state, value))
            inside[word].append(row)
    places: list[tuple[int, int]] = []
    for rows in inside:
        after = places[-1][1] if places else 0
        places.append((rows[0], rows[-1]) if rows else (after, after))
    begins = [0, *(last + 1 for _, last in places)][: len(places)]
    ends = [*(first for first, _ in places[1:]), len(states)][: len(places)]
    return [
        Span(first, last, _fit(said, symbols, values[begin:end], expected[first], expected[min(last + 1, len(states))]))
        for (first, last), symbols, begin, end, said in zip(places, best, begins, ends, reading, strict=True)
    ]


def _fit(said: Said, symbols: dict[int, float], values: Sequence[float], before: Sequence[float], after: Sequence[float]) -> Fit:
    evenness = math.exp(sum(symbols.values()) / len(symbols)) if symbols else 0.0
    others = after[-1] - before[-1] - sum([after[column] - before[column] for column in set(said.spelling)])
    return Fit(len(said.spelling), len(values), sum(values), evenness, max(0.0, others))
