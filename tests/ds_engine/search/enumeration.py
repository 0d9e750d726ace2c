"""The oracle: every alignment of a small matrix is listed, and every text that comes out is scored by definition.

Nothing of the search is used but the word lists, the model's table and the policy's weights.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ds_engine.alphabet import Alphabet, BoundaryRule

Words = tuple[str, ...]


def enumerate_texts(
    log_probs: npt.NDArray[np.floating[Any]],
    alphabet: Alphabet,
    spellings: Mapping[tuple[int, ...], str],
    weigh: Callable[[Words], float | None],
) -> dict[Words, float]:
    """ln of the weighed probability of every sequence of words.

    `spellings` are the columns of every word that may be said; `weigh` gives the natural-log weight of a sequence, None for never.
    """
    paths, groups, symbols = _paths(len(log_probs), alphabet)
    scores = log_probs.astype(np.float64)[np.arange(len(log_probs)), paths].sum(axis=1)
    totals: dict[Words, float] = {}
    masses = np.bincount(groups, np.exp(scores), len(symbols))
    for mass, columns in zip(masses.tolist(), symbols, strict=True):
        for words in set(_readings(columns, alphabet, spellings)):
            totals[words] = totals.get(words, 0.0) + mass
    weights = {words: weigh(words) for words in totals}
    return {words: math.log(total) + weight for words, total in totals.items() if (weight := weights[words]) is not None and total > 0}


@lru_cache(64)
def _paths(rows: int, alphabet: Alphabet) -> tuple[np.ndarray, np.ndarray, list[tuple[int, ...]]]:
    """All paths, the number of the symbols that each reads as, and these symbols (blanks and repeats removed)."""
    paths = np.array(list(itertools.product(range(len(alphabet.symbols)), repeat=rows)), np.int64).reshape(-1, rows)
    numbers: dict[tuple[int, ...], int] = {}
    groups = np.array([numbers.setdefault(_collapsed(path, alphabet), len(numbers)) for path in paths.tolist()])
    return paths, groups, list(numbers)


def _collapsed(path: Sequence[int], alphabet: Alphabet) -> tuple[int, ...]:
    return tuple(column for column, _ in itertools.groupby(path) if not alphabet.is_silent(column))


def _readings(columns: tuple[int, ...], alphabet: Alphabet, spellings: Mapping[tuple[int, ...], str]) -> Iterator[Words]:
    """Every way to read symbols as words."""
    if alphabet.boundary.rule is BoundaryRule.NONE:
        yield from _segmented(columns, spellings)
        return
    if alphabet.boundary.rule is BoundaryRule.WORD_INITIAL and columns and not alphabet.starts_word(columns[0]):
        return
    groups = [tuple(group) for group in alphabet.grouped(columns)]
    if all(group in spellings for group in groups):
        yield tuple(spellings[group] for group in groups)


def _segmented(columns: tuple[int, ...], spellings: Mapping[tuple[int, ...], str]) -> Iterator[Words]:
    if not columns:
        yield ()
    for end in range(1, len(columns) + 1):
        if columns[:end] in spellings:
            for rest in _segmented(columns[end:], spellings):
                yield (spellings[columns[:end]], *rest)
