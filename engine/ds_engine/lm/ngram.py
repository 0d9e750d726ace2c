"""Our n-gram file (`lm.ngram`): a back-off model that is memory-mapped and asked where it lies, ready as soon as it is opened.

The n-grams are a trie of nodes numbered breadth first: node 0 is the empty n-gram, then come the unigrams in the order of the
words, the bigrams sorted by first and second word, and so on, so that the children of a node, the n-grams one word longer that
begin with it, are neighbours. Probabilities and back-off weights are natural logarithms, as float32 or float16.

    section           type     elements
    ngram.counts      u8       order                 n-grams of 1, 2, ... words
    ngram.spelling    u1       bytes of the words    the words in UTF-8, one after the other
    ngram.offsets     u4       words + 1             where each word begins in `spelling`
    ngram.last        u2, u4   nodes                 the last word of the n-gram (that of node 0 is of no meaning)
    ngram.log_probs   f4, f2   nodes                 P(last word | the others)
    ngram.back_offs   f4, f2   inner nodes           the inner nodes are all but those of the highest order
    ngram.first       u4       inner nodes + 1       the first child; where the children of the node before end
    ngram.links       u4       inner nodes           the context to back off to

A context is the number of an inner node. A node without children and without a back-off weight tells nothing that the words but
its first do not tell; it is never a context, its link stands for it, and links lead past such nodes. The search joins more beams
for it (this is KenLM's state minimisation).

What a file claims about itself is checked when it is opened, its pointers when they are followed: a hostile one gives wrong
numbers or a LanguageModelError.
"""

from __future__ import annotations

import functools
import math
from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ds_engine.errors import LanguageModelError
from ds_engine.lm.backoff import END, MAX_LOG, MAX_ORDER, START, UNKNOWN, BackoffModel, DoubleArray, LongArray, Ngrams, Rows, assemble
from ds_engine.lm.model import Context
from ds_engine.lm.sections import Array, open_sections, write_sections
from ds_engine.lm.words import StoredWords

FloatArray = npt.NDArray[np.float32]

LN10 = math.log(10.0)
_EMPTY = 0  # the context of no words, and the node of the empty n-gram
_PREFIX = "ngram."  # of the names of our sections; others belong to whoever had them written
_TYPES = {
    "counts": ("u8",),
    "spelling": ("u1",),
    "offsets": ("u4",),
    "last": ("u2", "u4"),
    "log_probs": ("f4", "f2"),
    "back_offs": ("f4", "f2"),
    "first": ("u4",),
    "links": ("u4",),
}
_IMPOSSIBLE = MAX_LOG * LN10 * MAX_ORDER  # no sum of a sound model's logarithms exceeds it


class NgramModel:
    """A model in a mapped file; a `LanguageModel` whose contexts are integers. Immutable, for any number of threads."""

    __slots__ = (
        "_arrays", "_back_offs", "_counts", "_extra", "_first", "_halves", "_inner", "_last", "_links", "_log_probs", "_name", "_words",
    )  # fmt: skip

    def __init__(self, sections: Mapping[str, Array], name: str) -> None:
        """The sections of a file, and its name for messages. Raises LanguageModelError where they do not fit together."""
        self._name = name
        self._arrays = arrays = {part: _part(sections, part, name) for part in _TYPES}
        self._extra = {title: array for title, array in sections.items() if not title.startswith(_PREFIX)}
        self._counts = [int(count) for count in arrays["counts"][: MAX_ORDER + 1]]
        self._inner = 1 + sum(self._counts[:-1])
        _check_sizes(arrays, self._counts, name)
        try:
            self._words = StoredWords(arrays["spelling"], arrays["offsets"])
        except LanguageModelError as error:
            raise LanguageModelError(f"{name}: {error}") from error
        self._halves = _halves() if arrays["log_probs"].dtype == np.float16 else None
        self._log_probs, self._back_offs = (_looked_up(arrays[part]) for part in ("log_probs", "back_offs"))
        self._last, self._first, self._links = (arrays[part].data for part in ("last", "first", "links"))

    @classmethod
    def open(cls, path: Path) -> NgramModel:
        """Maps a file. Raises LanguageModelError."""
        return cls(open_sections(path), path.name)

    @property
    def order(self) -> int:
        """The longest n-gram, in words."""
        return len(self._counts)

    @property
    def counts(self) -> tuple[int, ...]:
        """How many n-grams there are of 1, 2, ... words."""
        return tuple(self._counts)

    @property
    def unknown(self) -> int:
        """The index of <unk>."""
        return UNKNOWN

    @property
    def start(self) -> int:
        """The context after <s>."""
        return self.advance(_EMPTY, START)[1]

    @property
    def empty(self) -> int:
        """The context that knows nothing of what came before."""
        return _EMPTY

    def index(self, word: str) -> int:
        """The index of a word, or `unknown`."""
        return self._words.find(word)

    def advance(self, context: Context, word: int) -> tuple[float, int]:
        """Natural-log P(word | context), and the context after the word. Raises LanguageModelError where the file is damaged."""
        node: Any = context
        log_prob = 0.0
        try:
            while not (found := self._child(node, word)):
                log_prob += self._value(self._back_offs[node])
                node = self._shorter(node)
            log_prob += self._value(self._log_probs[found])
            if found >= self._inner:  # the longest n-grams are no contexts; one word shorter they may be
                found = self._child(self._shorter(node), word) if node else _EMPTY
            after = self._context(found)
        except IndexError as error:
            raise self._damaged() from error
        if not -_IMPOSSIBLE < log_prob < _IMPOSSIBLE:  # not: outside; NaN is neither
            raise self._damaged()
        return log_prob, after

    def end(self, context: Context) -> float:
        """Natural-log P(</s> | context)."""
        return self.advance(context, END)[0]

    def words(self) -> StoredWords:
        """The words by index."""
        return self._words

    def unigrams(self) -> FloatArray:
        """float32 [words]: natural-log P(word) where nothing is known of what came before."""
        with np.errstate(invalid="ignore"):  # a NaN may signal
            log_probs = self._arrays["log_probs"][1 : len(self._words) + 1].astype(np.float32)
        if not np.all(np.abs(log_probs) < _IMPOSSIBLE):
            raise self._damaged()
        return log_probs

    def section(self, name: str) -> Array | None:
        """What was stored beside the model under this name, read-only; None where nothing was."""
        return self._extra.get(name)

    def to_backoff(self) -> BackoffModel:
        """The model as plain arrays. Raises LanguageModelError where the file is damaged."""
        last, first = self._arrays["last"].astype(np.int32), self._arrays["first"].astype(np.int64)
        with np.errstate(invalid="ignore"):  # a NaN may signal
            log_probs, back_offs = (self._arrays[part].astype(np.float64) / LN10 for part in ("log_probs", "back_offs"))
        back_offs = np.concatenate([back_offs, np.zeros(len(log_probs) - len(back_offs))])
        orders, ids, begin, end = [], np.zeros((1, 0), np.int32), 0, 1  # the nodes of the order before, of the empty n-gram first
        for count in self._counts:
            children = np.diff(first[begin : end + 1])
            if first[begin] != end or np.any(children < 0) or children.sum() != count:
                raise self._damaged()
            begin, end = end, end + count
            ids = np.concatenate([np.repeat(ids, children, axis=0), last[begin:end, None]], axis=1)
            orders.append(Ngrams(ids, log_probs[begin:end], back_offs[begin:end]))
        try:
            return assemble(self._words[:], orders)
        except LanguageModelError as error:
            raise LanguageModelError(f"{self._name}: {error}") from error

    def _child(self, node: int, word: int) -> int:
        """The n-gram of a context and a word, 0 where there is none."""
        if node == _EMPTY:
            return word + 1
        end = self._first[node + 1]
        found = bisect_left(self._last, word, self._first[node], end)
        return found if found < end and self._last[found] == word else 0

    def _shorter(self, node: int) -> int:
        """The context to back off to."""
        link = self._links[node]
        if link >= node:  # links lead to lower orders, or would lead in a circle
            raise self._damaged()
        return link

    def _context(self, node: int) -> int:
        """The context that tells what a node tells."""
        return node if self._first[node] < self._first[node + 1] or self._back_offs[node] else self._links[node]

    def _value(self, stored: float) -> float:
        return stored if self._halves is None else self._halves[int(stored)]

    def _damaged(self) -> LanguageModelError:
        return LanguageModelError(f"{self._name}: damaged: its n-grams lead nowhere")


def write_ngram(model: BackoffModel, path: Path, *, bits: int = 32, extra: Mapping[str, Array | bytes] | None = None) -> None:
    """Writes a model with values of 32 or 16 bits, and `extra` sections beside it.

    16 bits keep a value to about one part in 2,000. Raises LanguageModelError for a model that `assemble` would not have made,
    OSError, and ValueError for sections that a file cannot hold.
    """
    if bits not in {16, 32}:
        raise ValueError(f"values of {bits} bits; 16 or 32 can be written")
    if any(name.startswith(_PREFIX) for name in extra or {}):
        raise ValueError(f"sections named {_PREFIX}... are the model's own")
    floating = np.dtype(f"f{bits // 8}")
    rows, counts = Rows.of(model), [len(level.ids) for level in model.orders]
    back_offs = _logarithms([level.back_offs for level in model.orders[:-1]], floating)
    children = [np.bincount(rows.prefixes(order), minlength=counts[order - 2]) for order in range(2, len(counts) + 1)]
    spelling, offsets = StoredWords.stored(model.words)
    sections: dict[str, Array] = {
        "counts": np.array(counts, np.uint64),
        "spelling": spelling,
        "offsets": offsets,
        "last": np.concatenate([[0], *(level.ids[:, -1] for level in model.orders)]).astype(_word_type(len(model.words))),
        "log_probs": _logarithms([level.log_probs for level in model.orders], floating),
        "back_offs": back_offs,
        "first": np.cumsum(np.concatenate([[1, counts[0]], *children])).astype(np.uint32),
        "links": _links(rows.suffixes, children, back_offs),
    }
    write_sections(path, {**{_PREFIX + part: array for part, array in sections.items()}, **(extra or {})})


def _links(suffixes: list[LongArray], children: list[LongArray], back_offs: Array) -> npt.NDArray[np.uint32]:
    """The suffix of every inner node, or what stands for it where that is no context."""
    links, stands_for, begin = [np.zeros(1, np.int64)], np.zeros(1, np.int64), 1
    for rows, numbers in zip(suffixes, children, strict=False):  # the highest order has suffixes, but neither children nor links
        links.append(stands_for[rows])
        nodes = np.arange(begin, begin + len(rows))
        stands_for = np.where((numbers > 0) | (back_offs[nodes] != 0), nodes, links[-1])
        begin += len(rows)
    return np.concatenate(links).astype(np.uint32)


def _logarithms(levels: list[DoubleArray], floating: np.dtype[Any]) -> Array:
    """Of all nodes, to base e; the node of the empty n-gram has 0."""
    values = (np.concatenate([[0.0], *levels]) * LN10).astype(floating)
    values[values == 0] = 0  # a negative zero has bits, by which the weight of a context is told from none
    return values


def _word_type(words: int) -> type[np.uint16 | np.uint32]:
    return np.uint16 if words <= 2**16 else np.uint32


@functools.cache
def _halves() -> memoryview:
    """The value of every float16 by its bits: Python reads no float16 from memory."""
    return np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32).data


def _looked_up(values: Array) -> memoryview:
    return values.view(np.uint16).data if values.dtype == np.float16 else values.data


def _part(sections: Mapping[str, Array], part: str, name: str) -> Array:
    array = sections.get(_PREFIX + part)
    if array is None or array.dtype.str[1:] not in _TYPES[part]:
        raise LanguageModelError(f"{name}: the section {_PREFIX + part} is missing, or not of the type {' or '.join(_TYPES[part])}")
    return array


def _check_sizes(arrays: Mapping[str, Array], counts: list[int], name: str) -> None:
    """Whether every array has the elements that the counts of n-grams demand."""
    if not 1 <= len(counts) <= MAX_ORDER:
        raise LanguageModelError(f"{name}: {len(counts)} orders of n-grams; 1 to {MAX_ORDER} can be used")
    nodes, inner = 1 + sum(counts), 1 + sum(counts[:-1])
    needed = {"offsets": counts[0] + 1, "last": nodes, "log_probs": nodes, "back_offs": inner, "first": inner + 1, "links": inner}
    for part, size in needed.items():
        if len(arrays[part]) != size:
            raise LanguageModelError(f"{name}: the section {_PREFIX + part} has {len(arrays[part])} elements, {size} are needed")
    if arrays["log_probs"].dtype != arrays["back_offs"].dtype:
        raise LanguageModelError(f"{name}: probabilities and back-off weights of different types")
