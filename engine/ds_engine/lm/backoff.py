"""A back-off n-gram model as plain arrays: what reading, writing, estimating and interpolating exchange.

Probabilities and back-off weights are logarithms to base 10, as in ARPA files. Words are indices into `words`; the first three
are always <unk>, <s> and </s>, the others stand in the order of their UTF-8 bytes, so that a word is found by bisection.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int32]
DoubleArray = npt.NDArray[np.float64]

UNKNOWN, START, END = 0, 1, 2  # indices of the special words
SPECIAL = ("<unk>", "<s>", "</s>")
MAX_ORDER = 5  # words of an n-gram
ZERO = -99.0  # log10 of the probability of <s>, which is never predicted (ARPA's custom)


@dataclass(frozen=True, slots=True, eq=False)
class Ngrams:
    """The n-grams of one order, rows sorted (first word first) and distinct.

    An n-gram's own words but the last, and its words but the first, are n-grams of the order below.
    """

    ids: IntArray  # [count, order], oldest word first
    log_probs: DoubleArray  # [count], log10 P(last word | the others)
    back_offs: DoubleArray  # [count], log10; zeros at the highest order


@dataclass(frozen=True, slots=True, eq=False)
class BackoffModel:
    """All n-grams; `orders[n - 1]` holds those of n words, and `orders[0]` one row for every word, in order."""

    words: tuple[str, ...]
    orders: tuple[Ngrams, ...]

    @property
    def order(self) -> int:
        """The longest n-gram, in words."""
        return len(self.orders)
