"""A back-off n-gram model as plain arrays: what reading, writing, estimating and interpolating exchange.

Probabilities and back-off weights are logarithms to base 10, as in ARPA files. Words are indices into `words`; the first three
are always <unk>, <s> and </s>, the others stand in the order of their UTF-8 bytes, so that a word is found by bisection.

`assemble` makes a model from parts in any order; `Rows` finds n-grams in one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ds_engine.errors import LanguageModelError

IntArray = npt.NDArray[np.int32]
LongArray = npt.NDArray[np.int64]
DoubleArray = npt.NDArray[np.float64]

UNKNOWN, START, END = 0, 1, 2  # indices of the special words
SPECIAL = ("<unk>", "<s>", "</s>")
MAX_ORDER = 5  # words of an n-gram
ZERO = -99.0  # log10 of the probability of <s>, which is never predicted (ARPA's custom)
MISSING_UNKNOWN = -100.0  # log10 P(<unk>) where a model names none, as KenLM has it
MAX_LOG = 10_000.0  # of the absolute value of any logarithm; leaves room in float16, which the smallest files hold
ROUNDING = 1e-6  # by which a log-probability may exceed zero


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


class Rows:
    """Where the n-grams of a model stand, for look-ups of many at once; orders are added from the lowest up.

    Rows count from 0 within their order. `keys[n - 1]` holds for every n-gram of n words the row of its words but the last in the
    order below, times the size of the vocabulary, plus its last word: keys ascend as the rows do. `suffixes[n - 1]` holds the row
    of its words but the first in the order below, -1 where it is missing there.
    """

    __slots__ = ("keys", "suffixes", "words")

    def __init__(self, words: int) -> None:
        """`words` is the size of the vocabulary; the unigrams are there from the start."""
        self.words = words
        self.keys: list[LongArray] = [np.arange(words)]
        self.suffixes: list[LongArray] = [np.zeros(words, np.int64)]

    @classmethod
    def of(cls, model: BackoffModel) -> Rows:
        """The rows of a finished model. Raises LanguageModelError where its n-grams are not as `Ngrams` promises."""
        rows = cls(len(model.words))
        for level in model.orders[1:]:
            rows.add(rows.keys_of(level.ids))
            keys, suffixes = rows.keys[-1], rows.suffixes[-1]
            if np.any(keys < 0) or np.any(suffixes < 0) or np.any(keys[1:] <= keys[:-1]):
                raise LanguageModelError(f"the {level.ids.shape[1]}-grams are not sorted, distinct and complete")
        return rows

    def add(self, keys: LongArray) -> None:
        """Adds the next order by its keys."""
        prefixes, last = np.divmod(keys, self.words)
        self.suffixes.append(_search(self.keys[-1], self.suffixes[-1][prefixes] * self.words + last))
        self.keys.append(keys)

    def find(self, ids: IntArray) -> LongArray:
        """int32 [count, n], n-grams of words -> int64 [count], their rows, -1 where there is none such."""
        rows = ids[:, 0].astype(np.int64)
        for level in range(1, ids.shape[1]):
            rows = _search(self.keys[level], rows * self.words + ids[:, level])
        return rows

    def keys_of(self, ids: IntArray) -> LongArray:
        """int32 [count, n] -> int64 [count], the keys of n-grams that may be new; negative where the prefix is missing."""
        return self.find(ids[:, :-1]) * self.words + ids[:, -1]

    def prefixes(self, order: int) -> LongArray:
        """int64 [count]: for the n-grams of this order, from 2, the row of their words but the last in the order below."""
        return self.keys[order - 1] // self.words


def assemble(words: Sequence[str], orders: Sequence[Ngrams]) -> BackoffModel:
    """A model from words in any order and n-grams (indices into `words`) whose rows stand in any order.

    A missing <unk> is added with log10 P = -100. A missing prefix or suffix of an n-gram, as pruned models have them, is added
    with the probability that backing off gives, and no back-off weight; neither changes the probability of any sentence. Raises
    LanguageModelError for everything else that `BackoffModel` does not allow, and for values that are no logarithms of
    probabilities.
    """
    if not 1 <= len(orders) <= MAX_ORDER:
        raise LanguageModelError(f"{len(orders)} orders of n-grams; 1 to {MAX_ORDER} can be used")
    names, renumbering = _canonical(words)
    builder = _Builder(names)
    for order, level in enumerate(orders, 1):
        _check(level, order, len(words), highest=order == len(orders))
        builder.add(renumbering[level.ids], np.minimum(level.log_probs, 0.0), level.back_offs)
    return BackoffModel(names, tuple(builder.levels))


def is_spelled(words: Sequence[str]) -> bool:
    """True where every word can be a word of a model: UTF-8, not empty, without blanks, line ends or NUL."""
    try:
        text = "\n".join(words).encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return False
    parts = text.split()
    return b"\0" not in text and len(parts) == len(words) and parts == text.split(b"\n")


class _Builder:
    """Orders added from the lowest up; each is sorted, and what it needs of the lower ones is filled in."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.levels: list[Ngrams] = []
        self._rows = Rows(len(names))

    def add(self, ids: IntArray, log_probs: DoubleArray, back_offs: DoubleArray) -> None:
        """Adds the next order, ids in the final numbering."""
        if not self.levels:
            self.levels.append(self._unigrams(ids[:, 0], log_probs, back_offs))
            return
        keys = self._rows.keys_of(ids)
        if (gaps := ids[keys < 0, :-1]).size:
            self._fill(gaps)
            keys = self._rows.keys_of(ids)
        order = _ascending(keys)
        keys, ids = keys[order], ids[order]
        if (twice := np.flatnonzero(keys[1:] == keys[:-1])).size:
            raise LanguageModelError(f"the n-gram {' '.join(self.names[index] for index in ids[twice[0]])!r} stands twice")
        self._rows.add(keys)
        self.levels.append(Ngrams(ids, log_probs[order], back_offs[order]))
        if (gaps := ids[self._rows.suffixes[-1] < 0, 1:]).size:
            self._fill(gaps)

    def _unigrams(self, ids: IntArray, log_probs: DoubleArray, back_offs: DoubleArray) -> Ngrams:
        count = len(self.names)
        times = np.bincount(ids, minlength=count)
        times[UNKNOWN] += not times[UNKNOWN]
        if (wrong := np.flatnonzero(times != 1)).size:
            raise LanguageModelError(f"the word {self.names[wrong[0]]!r} stands {times[wrong[0]]} times among the unigrams")
        level = Ngrams(np.arange(count, dtype=np.int32)[:, None], np.full(count, MISSING_UNKNOWN), np.zeros(count))
        level.log_probs[ids], level.back_offs[ids] = log_probs, back_offs
        return level

    def _fill(self, ids: IntArray) -> None:
        """Adds n-grams to an order that is there already, with the probabilities that backing off gives them."""
        ids, order = np.unique(ids, axis=0), ids.shape[1]
        if order > 2:  # of the bigrams' prefixes and suffixes none is ever missing
            for part in (ids[:, :-1], ids[:, 1:]):
                if (gaps := part[self._rows.find(part) < 0]).size:
                    self._fill(gaps)
        below, level = self.levels[order - 2], self.levels[order - 1]
        backed_off = below.back_offs[self._rows.find(ids[:, :-1])] + below.log_probs[self._rows.find(ids[:, 1:])]
        log_probs = np.concatenate([level.log_probs, np.clip(backed_off, -MAX_LOG, 0.0)])
        back_offs = np.concatenate([level.back_offs, np.zeros(len(ids))])
        ids = np.concatenate([level.ids, ids])
        rows = np.argsort(self._rows.keys_of(ids))
        self.levels[order - 1] = Ngrams(ids[rows], log_probs[rows], back_offs[rows])
        del self._rows.keys[order - 1 :], self._rows.suffixes[order - 1 :]
        for above in self.levels[order - 1 :]:  # whose keys name rows that have moved
            self._rows.add(self._rows.keys_of(above.ids))


def _canonical(words: Sequence[str]) -> tuple[tuple[str, ...], IntArray]:
    """The words in a model's order, and the new index of each."""
    distinct = set(words)
    if len(distinct) != len(words):
        twice = next(word for word, times in Counter(words).items() if times > 1)
        raise LanguageModelError(f"the word {twice!r} stands twice")
    if not is_spelled(words):
        raise LanguageModelError("a word is empty, or has a blank or NUL in it, or is not Unicode")
    if missing := [word for word in (SPECIAL[START], SPECIAL[END]) if word not in distinct]:
        raise LanguageModelError(f"the word {missing[0]} is missing")
    names = (*SPECIAL, *sorted(distinct.difference(SPECIAL)))  # code points sort as UTF-8 does
    index = {word: number for number, word in enumerate(names)}
    return names, np.fromiter(map(index.__getitem__, words), np.int32, len(words))


def _check(level: Ngrams, order: int, words: int, *, highest: bool) -> None:
    count = len(level.log_probs)
    if level.ids.shape != (count, order) or level.log_probs.shape != (count,) or level.back_offs.shape != (count,):
        shapes = level.ids.shape, level.log_probs.shape, level.back_offs.shape
        raise LanguageModelError(f"{order}-grams with arrays of shapes {shapes}; [count, {order}], [count], [count] are needed")
    if count and not 0 <= level.ids.min() <= level.ids.max() < words:
        raise LanguageModelError(f"{order}-grams with words outside the {words} that there are")
    for values in (level.log_probs, level.back_offs):
        if not np.all(np.abs(values) <= MAX_LOG):  # not: any above; NaN is neither
            raise LanguageModelError(f"{order}-grams with values that are no logarithms: not finite, or beyond {MAX_LOG:g}")
    if np.any(level.log_probs > ROUNDING):
        raise LanguageModelError(f"{order}-grams with probabilities above 1")
    if highest and np.any(level.back_offs):
        raise LanguageModelError(f"back-off weights at the highest order, {order}")


def _ascending(keys: LongArray) -> LongArray | slice:
    """What puts the keys in order."""
    return slice(None) if np.all(keys[1:] >= keys[:-1]) else np.argsort(keys)


def _search(keys: LongArray, wanted: LongArray) -> LongArray:
    """The places of what is wanted among ascending keys, -1 where it is not among them."""
    if not keys.size:
        return np.full(len(wanted), -1)
    places = np.searchsorted(keys, wanted)
    places[places == len(keys)] = 0
    places[keys[places] != wanted] = -1
    return places
