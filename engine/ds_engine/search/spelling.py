"""Words outside the lexicon, spelled freely: an automaton whose nodes grow as the search reaches them.

A free word is priced by a bigram of its symbols, estimated from the lexicon's own words, and by the language model as <unk>.
Without a lexicon everything is spelled freely and at no price, which is plain CTC prefix search (Graves et al. 2006).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np

from ds_engine.alphabet import Alphabet
from ds_engine.automaton import ROOT, Arcs, DoubleArray, Ending, NodeArray
from ds_engine.search.lexicon import MAX_WORD_SYMBOLS, NO_WORD, Lexicon

_FIRST_CAPACITY = 4096  # nodes; doubled when needed


@dataclass(frozen=True, slots=True, eq=False)
class SpellingModel:
    """A bigram over the letters of words. Letters are the alphabet's columns that may stand in a word."""

    letters: NodeArray  # [L] columns
    log_probs: DoubleArray  # [L + 1, L] natural log; the first row is the start of a word, -inf where a letter cannot follow
    log_ends: DoubleArray  # [L + 1] natural log of the word's end after each letter

    @classmethod
    def free(cls, alphabet: Alphabet) -> Self:
        """Every word is as good as any other."""
        letters = _letters(alphabet)
        allowed = np.where(_allowed(alphabet, letters), 0.0, -np.inf)
        return cls(letters, allowed, np.zeros(len(letters) + 1))

    @classmethod
    def estimate(cls, alphabet: Alphabet, lexicon: Lexicon) -> Self:
        """From the spellings of a lexicon, each counted once, with one count added everywhere."""
        letters = _letters(alphabet)
        place = np.zeros(len(alphabet.symbols) + 1, np.int64)  # of each column among the letters, from 1; the root's column is -1
        place[letters] = np.arange(1, len(letters) + 1)
        below = (lexicon.words != NO_WORD).astype(np.float64)  # words at or below each node
        for level in reversed(_levels(lexicon)):
            np.add.at(below, lexicon.parents[level], below[level])
        counts = np.where(_allowed(alphabet, letters), 1.0, 0.0)
        ends = np.ones(len(letters) + 1)
        nodes = np.arange(1, len(lexicon))
        np.add.at(counts, (place[lexicon.columns[lexicon.parents[nodes]]], place[lexicon.columns[nodes]] - 1), below[nodes])
        np.add.at(ends, place[lexicon.columns[nodes]], lexicon.words[nodes] != NO_WORD)
        ends[0] = 0.0
        total = np.maximum(counts.sum(axis=1) + ends, np.finfo(np.float64).tiny)  # 0: nothing in the alphabet may begin a word
        with np.errstate(divide="ignore"):
            return cls(letters, np.log(counts / total[:, None]), np.log(ends / total))


def _levels(lexicon: Lexicon) -> list[slice]:
    """The nodes of each level below the root: breadth first, every level is one piece."""
    levels, first, last = [], 1, int(lexicon.firsts[1])
    while last > first:
        levels.append(slice(first, last))
        first, last = last, int(lexicon.firsts[last])
    return levels


def _letters(alphabet: Alphabet) -> NodeArray:
    columns = range(len(alphabet.symbols))
    return np.array([column for column in columns if not alphabet.is_silent(column) and column != alphabet.separator], np.int64)


def _allowed(alphabet: Alphabet, letters: NodeArray) -> DoubleArray:
    """[L + 1, L]: 1 where a letter may follow: a marked one begins a word and stands nowhere else."""
    initial = np.array([alphabet.starts_word(column) for column in letters.tolist()], bool)
    marked = alphabet.separator is None
    allowed = np.ones((len(letters) + 1, len(letters)))
    allowed[0] = initial if marked else True
    allowed[1:] = ~initial
    return allowed


class Spelling:
    """The free words of one utterance, as an Automaton. Node 1 + block * L + letter is a child of `owner[block]`."""

    def __init__(
        self, model: SpellingModel, alphabet: Alphabet, unknown: int, weight: float, entry: float, known: Callable[[str], bool]
    ) -> None:
        """`entry` is charged on a word's first letter, `weight` scales the bigram, and a word that is `known` is refused."""
        self._model = model
        self._alphabet = alphabet
        self._unknown = unknown
        self._weight = weight
        self._known = known
        allowed = np.isfinite(model.log_probs)  # a weight of 0 must not turn what is not into a number
        self._costs = np.multiply(weight, model.log_probs, where=allowed, out=np.full(allowed.shape, -np.inf))
        self._costs[0] += entry
        self._factors = np.exp(self._costs)
        self.greatest = float(self._factors.max(initial=0.0))
        self._clear()

    def __len__(self) -> int:
        """The number of nodes."""
        return 1 + len(self._owners) * len(self._model.letters)

    def arcs(self, nodes: NodeArray) -> Arcs:
        """See Automaton. A node gets its children the first time it is asked for; a word of MAX_WORD_SYMBOLS gets none."""
        letters = len(self._model.letters)
        short = np.flatnonzero(self._lengths[nodes] < MAX_WORD_SYMBOLS)
        nodes = nodes[short]
        self._grow(nodes[self._children[nodes] == 0])
        targets = (self._children[nodes][:, None] + np.arange(letters)).ravel()
        columns = np.tile(self._model.letters, len(nodes))
        factors = self._factors[np.where(nodes == ROOT, 0, (nodes - 1) % letters + 1)].ravel()
        return Arcs(short.repeat(letters), columns, targets, np.ones(len(targets), bool), factors)

    def ending(self, node: int) -> Ending | None:
        """See Automaton."""
        path = self._path(node)
        spelling = tuple(int(self._model.letters[letter]) for letter in path)
        text = self._alphabet.word(spelling)
        if not text or self._refuses(text, spelling):
            return None
        rows = [0, *(letter + 1 for letter in path[:-1])]
        log_prob = self._model.log_probs[rows, path].sum() + self._model.log_ends[path[-1] + 1]
        return Ending(text, spelling, self._unknown, float(self._costs[rows, path].sum()), self._weight * float(log_prob))

    def spelling(self, node: int) -> tuple[int, ...]:
        """See Automaton."""
        return tuple(int(self._model.letters[letter]) for letter in self._path(node))

    def forget(self, live: NodeArray) -> NodeArray:
        """Forgets every node that is not on the way to one of these; gives their new numbers."""
        paths = [self._path(node) for node in live.tolist()]
        self._clear()
        nodes = np.zeros(len(paths), np.int64)
        for depth in range(max(map(len, paths), default=0)):
            deeper = np.array([depth < len(path) for path in paths])
            self._grow(nodes[deeper & (self._children[nodes] == 0)])
            letters = np.array([path[depth] if depth < len(path) else 0 for path in paths], np.int64)
            nodes = np.where(deeper, self._children[nodes] + letters, nodes)
        return nodes

    def _clear(self) -> None:
        self._children = np.zeros(_FIRST_CAPACITY, np.int64)  # of each node: the first of them, or 0
        self._lengths = np.zeros(_FIRST_CAPACITY, np.int16)  # of each node: symbols on the way there
        self._owners: list[int] = []  # of each block of children: the node

    def _refuses(self, text: str, spelling: tuple[int, ...]) -> bool:
        if self._known(text):
            return True
        return self._alphabet.bytes_mode and len(text.encode()) < len(spelling)  # the bytes of a character are not complete

    def _path(self, node: int) -> list[int]:
        letters, path = len(self._model.letters), []
        while node != ROOT:
            block, letter = divmod(node - 1, letters)
            path.append(letter)
            node = self._owners[block]
        return path[::-1]

    def _grow(self, barren: NodeArray) -> None:
        new = np.unique(barren)
        if not len(new):
            return
        letters = len(self._model.letters)
        first = 1 + len(self._owners) * letters
        after = first + len(new) * letters
        if after > len(self._children):
            more = max(len(self._children), after - len(self._children))
            self._children, self._lengths = np.pad(self._children, (0, more)), np.pad(self._lengths, (0, more))
        self._children[new] = first + np.arange(len(new)) * letters
        self._lengths[first:after] = (self._lengths[new] + 1).repeat(letters)
        self._owners.extend(new.tolist())
