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

from ds_engine.alphabet import Alphabet
from ds_engine.automaton import DoubleArray
from ds_engine.features import FloatArray
from ds_engine.search.language import Said

_GAP = -1  # a state that takes a blank, or a separator too where there is one
_SILENT = -2  # a state that takes a blank
_LEAST = math.log(1e-30)  # nats: as in the kernel, a row can rule nothing out for good
_NEVER = -1e30  # nats
_BLOCK_ROWS = 64  # rows whose scores are kept at a time


@dataclass(frozen=True, slots=True)
class Span:
    """Where a word lies: rows `first` to `last`, and the geometric mean of its symbols' best probabilities."""

    first: int
    last: int
    confidence: float


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
    return [_spans(emissions, path, found, len(reading)) for path, found, reading in zip(paths, states, readings, strict=True)]


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
    may_skip = np.zeros((count, longest), bool)
    for row, path in enumerate(paths):
        columns[row, : len(path.columns)] = path.columns
        may_skip[row, : len(path.columns)] = path.skips
    skip_cost = np.where(may_skip, 0.0, _NEVER)
    scores = np.full((_BLOCK_ROWS + 1, count, longest + 2), _NEVER)  # two states that are never reached stand before the first
    scores[-1, :, 2] = 0.0
    moves = np.zeros((len(emissions), count, longest), np.int8)
    for first in range(0, len(emissions), _BLOCK_ROWS):
        given = emissions[first : first + _BLOCK_ROWS, columns]
        scores[0] = scores[-1]
        for row, values in enumerate(given):
            before, after = scores[row], scores[row + 1, :, 2:]
            np.add(before[:, :-2], skip_cost, out=after)
            np.maximum(after, before[:, 1:-1], out=after)
            np.maximum(after, before[:, 2:], out=after)
            after += values
        stay, step, skip = scores[: len(given), :, 2:], scores[: len(given), :, 1:-1], scores[: len(given), :, :-2] + skip_cost
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


def _spans(emissions: FloatArray, path: _Path, states: list[int], words: int) -> list[Span]:
    best: list[dict[int, float]] = [{} for _ in range(words)]  # of each word: state -> best log-prob of its symbol
    rows: list[list[int]] = [[] for _ in range(words)]
    for row, state in enumerate(states):
        word = path.words[state]
        if word >= 0:
            value = float(emissions[row, path.columns[state]])
            best[word][state] = max(value, best[word].get(state, value))
            rows[word].append(row)
    spans: list[Span] = []
    for symbols, inside in zip(best, rows, strict=True):
        after = spans[-1].last if spans else 0
        first, last = (inside[0], inside[-1]) if inside else (after, after)
        spans.append(Span(first, last, math.exp(sum(symbols.values()) / len(symbols)) if symbols else 0.0))
    return spans
