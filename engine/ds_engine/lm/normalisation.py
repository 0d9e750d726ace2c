"""Explicit probabilities in, a back-off model whose every context sums to one out: what mixing and pruning end with.

The back-off weight of a context h is what its own n-grams leave, over what the order below leaves for the same words:
(1 - sum P(w | h)) / (1 - sum P(w | h')), h' being h without its first word (Katz, 1987).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ds_engine.lm.backoff import START, ZERO, BackoffModel, DoubleArray, Ngrams, Rows
from ds_engine.lm.expected import summed

# Probability that a context leaves for words it does not hold, at least. Files round to seven digits or less, so that the sum of
# a context's probabilities may reach one or more; then they are scaled down to leave this much.
LEAST = 1e-9


def normalised(words: tuple[str, ...], rows: Rows, probabilities: Sequence[DoubleArray]) -> BackoffModel:
    """The model of the n-grams in `rows` with these probabilities, an array [count] for each order; that of <s> is of no meaning."""
    lower = probabilities[0].copy()
    lower[START] = 0.0
    lower /= lower.sum()
    ids = np.arange(len(words), dtype=np.int32)[:, None]
    orders = [Ngrams(ids, _log10(lower), np.zeros(len(ids)))]
    for order, given in enumerate(probabilities[1:], 2):
        prefixes, last = np.divmod(rows.keys[order - 1], len(words))
        taken = summed(prefixes, given, len(lower))
        room = 1.0 - summed(prefixes, lower[rows.suffixes[order - 1]], len(lower))
        closed = room <= LEAST  # every word stands there itself
        limit = np.where(closed, 1.0, 1.0 - LEAST)
        scale = np.divide(limit, taken, out=np.ones(len(taken)), where=(taken > limit) | (closed & (taken > 0)))
        weights = np.divide(1.0 - taken * scale, room, out=np.ones(len(room)), where=~closed)
        orders[-1].back_offs[:] = np.log10(weights)
        lower = given * scale[prefixes]
        ids = np.column_stack([ids[prefixes], last.astype(np.int32)])
        orders.append(Ngrams(ids, _log10(lower), np.zeros(len(ids))))
    return BackoffModel(words, tuple(orders))


def _log10(probabilities: DoubleArray) -> DoubleArray:
    return np.log10(np.clip(probabilities, 10.0**ZERO, 1.0))
