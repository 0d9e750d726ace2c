"""The lexicon: words and their spellings in, a trie as flat arrays out, and the trie as an automaton of the search.

Nodes are numbered breadth first, so that the children of a node are consecutive and a beam is expanded with two `repeat`s. The
best log-probability of any word below a node is its look-ahead; along an arc a hypothesis is charged the difference, and at the
end of the word the language model's real verdict replaces the sum (Ortmanns, Ney & Eiden 1996, "Language-model look-ahead").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ds_engine.alphabet import Alphabet
from ds_engine.automaton import Arcs, DoubleArray, Ending, NodeArray
from ds_engine.errors import LanguageModelError

NO_WORD = -1
MAX_NODES = 2**31 - 1
_KINDS = {  # of a stored lexicon: number of the nodes' own columns (but the root's), of their children, their words, look-ahead
    "lexicon.columns": ("u1", "u2", "u4"),
    "lexicon.children": ("u1", "u2", "u4"),
    "lexicon.words": ("i4",),
    "lexicon.look_ahead": ("f2",),
}
SECTIONS = tuple(_KINDS)
MAX_WORD_SYMBOLS = 100  # a longer word is left out
_NEVER = -1e30  # nats


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """A trie over the alphabet's columns. Arrays have one entry per node, `firsts` one more; they may lie in a mapped file."""

    columns: npt.NDArray[np.int32]  # of the arc that leads here; the root's is -1
    parents: npt.NDArray[np.int32]
    firsts: npt.NDArray[np.int32]  # the children of node i are firsts[i] .. firsts[i + 1] - 1
    words: npt.NDArray[np.int32]  # index of the word that ends here, or NO_WORD
    look_ahead: npt.NDArray[np.float32]  # greatest natural-log probability of a word at or below the node

    @classmethod
    def compile(cls, spellings: Iterable[tuple[Sequence[int], int]], log_probs: npt.NDArray[np.float32]) -> Self:
        """Builds the trie of (columns, word index) pairs; `log_probs[index]` is each word's natural-log probability.

        Where two words share a spelling, the likelier one stands. Raises LanguageModelError above MAX_NODES.
        """
        usable = [(columns, word) for columns, word in spellings if 0 < len(columns) <= MAX_WORD_SYMBOLS]
        if not usable:
            return cls.assemble(
                [np.zeros(0, np.int32)], [np.zeros(0, np.int32)], np.full(1, NO_WORD, np.int32), np.full(1, -np.inf, np.float32)
            )
        words = np.array([word for _, word in usable], np.int32)
        lengths = np.array([len(columns) for columns, _ in usable], np.int32)
        table = np.full((len(usable), int(lengths.max())), -1, np.int32)
        table[np.arange(table.shape[1]) < lengths[:, None]] = np.concatenate([np.asarray(columns, np.int32) for columns, _ in usable])
        order = np.lexsort((-log_probs[words], *table.T[::-1]))
        return cls._from_sorted(table[order], lengths[order], words[order], log_probs)

    @classmethod
    def _from_sorted(
        cls,
        table: npt.NDArray[np.int32],
        lengths: npt.NDArray[np.int32],
        words: npt.NDArray[np.int32],
        log_probs: npt.NDArray[np.float32],
    ) -> Self:
        """`table` holds the spellings in order, padded with -1; equal ones stand together, the likeliest first."""
        differs = table[1:] != table[:-1]
        shared = np.where(differs.any(axis=1), differs.argmax(axis=1), table.shape[1])  # symbols shared with the row before
        shared = np.concatenate(([0], np.minimum(shared, lengths[:-1])))
        levels_columns, levels_parents, ends = [], [], []
        above = np.zeros(len(table), np.int64)  # the node of each row at the level above
        count = 1
        for level in range(table.shape[1]):
            inside = lengths > level
            begins = inside & (shared <= level)
            nodes = count - 1 + np.cumsum(begins)  # of each row that reaches this level
            rows = np.flatnonzero(begins)
            levels_columns.append(table[rows, level])
            levels_parents.append(above[rows].astype(np.int32))
            complete = np.flatnonzero(lengths == level + 1)[::-1]  # so that the likeliest, which stands first, is written last
            ends.append((nodes[complete], words[complete]))
            above = np.where(inside, nodes, above)
            count += len(rows)
        if count > MAX_NODES:
            raise LanguageModelError(f"lexicon: at most {MAX_NODES} nodes, got {count}")
        word_at = np.full(count, NO_WORD, np.int32)
        look_ahead = np.full(count, -np.inf, np.float32)
        for nodes, indices in ends:
            word_at[nodes] = indices
            np.maximum.at(look_ahead, nodes, log_probs[indices])
        return cls.assemble(levels_columns, levels_parents, word_at, look_ahead)

    @classmethod
    def assemble(
        cls,
        columns: list[npt.NDArray[np.int32]],
        parents: list[npt.NDArray[np.int32]],
        words: npt.NDArray[np.int32],
        look_ahead: npt.NDArray[np.float32],
    ) -> Self:
        """Joins the levels below the root (level by level, breadth first) and lets look-ahead rise from leaves to root."""
        all_parents = np.concatenate([np.zeros(1, np.int32), *parents])
        last = len(all_parents)
        for level in reversed(parents):
            np.maximum.at(look_ahead, level, look_ahead[last - len(level) : last])
            last -= len(level)
        counts = np.bincount(all_parents[1:], minlength=len(all_parents))
        firsts = np.concatenate(([1], 1 + np.cumsum(counts))).astype(np.int32)
        return cls(np.concatenate([np.full(1, -1, np.int32), *columns]), all_parents, firsts, words, look_ahead)

    @classmethod
    def of_words(cls, alphabet: Alphabet, words: Iterable[tuple[str, int]], log_probs: npt.NDArray[np.float32]) -> Self:
        """The lexicon of (text, index) pairs in every spelling; what the alphabet cannot write is left out."""
        return cls.compile(((spelling, index) for word, index in words for spelling in alphabet.spell(word)), log_probs)

    def __len__(self) -> int:
        """The number of nodes."""
        return len(self.columns)

    def spelling(self, node: int) -> tuple[int, ...]:
        """The columns on the way from the root to a node."""
        columns = []
        while node:
            columns.append(int(self.columns[node]))
            node = int(self.parents[node])
        return tuple(reversed(columns))

    def holds(self, columns: Sequence[int]) -> bool:
        """True where a word of this spelling is in it."""
        node = 0
        for column in columns:
            first, last = int(self.firsts[node]), int(self.firsts[node + 1])
            node = first + int(self.columns[first:last].searchsorted(column))
            if node == last or self.columns[node] != column:
                return False
        return bool(self.words[node] != NO_WORD)

    def sections(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays by name, as small as they can be, to be stored beside a language model."""
        return {
            "lexicon.columns": _smallest(self.columns[1:]),
            "lexicon.children": _smallest(np.diff(self.firsts)),
            "lexicon.words": self.words,
            "lexicon.look_ahead": self.look_ahead.astype(np.float16),
        }

    @classmethod
    def of_sections(cls, sections: Mapping[str, npt.NDArray[Any] | None], columns: int, words: int) -> Self:
        """The lexicon that `sections` gave, for an alphabet and a model of this size, its look-ahead rounded.

        Raises LanguageModelError where it is none.
        """
        stored = [_section(sections, name, kinds) for name, kinds in _KINDS.items()]
        above, children, word_at, look_ahead = stored
        count = len(children)
        if len(above) + 1 != count or int(children.sum(dtype=np.int64)) != count - 1 or count > MAX_NODES:
            raise _contradiction()
        parents = np.concatenate((np.zeros(1, np.int32), np.arange(count, dtype=np.int32).repeat(children)))
        firsts = np.concatenate((np.ones(1, np.int32), 1 + np.cumsum(children, dtype=np.int32)))
        arcs = np.concatenate((np.full(1, -1, np.int32), above.astype(np.int32)))
        lexicon = cls(arcs, parents, firsts, word_at, look_ahead.astype(np.float32))
        _check(lexicon, columns, words)
        return lexicon


def _smallest(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Whole numbers from 0 in the narrowest type that holds them."""
    return values.astype(np.min_scalar_type(int(values.max(initial=0))))


def _section(sections: Mapping[str, npt.NDArray[Any] | None], name: str, kinds: tuple[str, ...]) -> npt.NDArray[Any]:
    array = sections.get(name)
    if array is None or array.ndim != 1 or array.dtype.str[1:] not in kinds:
        raise LanguageModelError(f"{name} is missing or of the wrong kind")
    return array


def _contradiction() -> LanguageModelError:
    return LanguageModelError("lexicon: its arrays contradict each other, the alphabet or the language model")


def _check(lexicon: Lexicon, columns: int, words: int) -> None:
    """Every index must lie inside, parents before their children, siblings in the order of their columns."""
    count = len(lexicon.columns)
    whole = (
        len(lexicon.words) == len(lexicon.look_ahead) == count
        and bool((lexicon.firsts[:-1] > np.arange(count)).all())
        and bool((lexicon.columns[1:] >= 0).all())
        and bool((lexicon.columns < columns).all())
        and bool(((lexicon.columns[2:] > lexicon.columns[1:-1]) | (lexicon.parents[2:] > lexicon.parents[1:-1])).all())
        and lexicon.words[0] == NO_WORD
        and bool((lexicon.words < words).all())
        and bool((lexicon.words >= NO_WORD).all())
        and bool((lexicon.look_ahead < np.inf).all())  # nor may one be NaN
    )
    if not whole:
        raise _contradiction()


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """A lexicon's nodes as the search asks for them; the children of node i are firsts[i] .. firsts[i + 1] - 1."""

    columns: NodeArray
    firsts: NodeArray
    ends: npt.NDArray[np.bool_]
    factors: DoubleArray


class LexiconAutomaton:
    """A lexicon as the search walks it: look-ahead weighted with alpha, words with the language model's indices."""

    def __init__(
        self,
        lexicon: Lexicon,
        texts: Sequence[str],
        advances: DoubleArray,
        indices: npt.NDArray[np.int64] | None = None,
        prices: DoubleArray | None = None,
    ) -> None:
        """`advances` [nodes] are nats charged from the root to each node (the root's is 0).

        `texts` are the words by the lexicon's index; `indices` the language model's index of each, or None where they are the same;
        `prices` the nats that each gains (or, below 0, costs) beyond the model's verdict, or None for nothing.
        """
        self._lexicon = lexicon
        self._texts = texts
        self._advances = advances
        self._indices = indices
        self._prices = prices
        self._endings: dict[int, Ending | None] = {}
        self.tables = Tables(
            lexicon.columns.astype(np.int64),
            lexicon.firsts.astype(np.int64),
            lexicon.words != NO_WORD,
            np.exp(advances - np.maximum(advances[lexicon.parents], _NEVER)),  # two words of probability 0 differ in nothing
        )
        self.greatest = float(self.tables.factors.max(initial=0.0, where=np.arange(len(lexicon)) > 0))

    def __len__(self) -> int:
        """The number of nodes."""
        return len(self._lexicon)

    def arcs(self, nodes: NodeArray) -> Arcs:
        """See Automaton."""
        tables = self.tables
        firsts = tables.firsts[nodes]
        counts = tables.firsts[nodes + 1] - firsts
        ends = counts.cumsum()
        targets = np.arange(ends[-1] if len(ends) else 0) + (firsts - ends + counts).repeat(counts)
        sources = np.arange(len(nodes)).repeat(counts)
        return Arcs(sources, tables.columns[targets], targets, tables.ends[targets], tables.factors[targets])

    def ending(self, node: int) -> Ending | None:
        """See Automaton. Answers are remembered, one for each word that was ever reached."""
        if node not in self._endings:
            self._endings[node] = self._ending(node)
        return self._endings[node]

    def spelling(self, node: int) -> tuple[int, ...]:
        """See Automaton."""
        return self._lexicon.spelling(node)

    def _ending(self, node: int) -> Ending | None:
        word = int(self._lexicon.words[node])
        if word == NO_WORD:
            return None
        index = word if self._indices is None else int(self._indices[word])
        price = 0.0 if self._prices is None else float(self._prices[word])
        return Ending(self._texts[word], self.spelling(node), index, float(self._advances[node]), price)


def unweighted(spellings: Sequence[tuple[tuple[int, ...], str]]) -> LexiconAutomaton:
    """Words by their spellings, for a search without a language model."""
    words = sorted({word for _, word in spellings})
    numbers = {word: number for number, word in enumerate(words)}
    lexicon = Lexicon.compile(((spelling, numbers[word]) for spelling, word in spellings), np.zeros(len(words), np.float32))
    return LexiconAutomaton(lexicon, words, np.zeros(len(lexicon)), np.zeros(len(words), np.int64))
