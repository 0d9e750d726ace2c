"""The sentences of closed grammars as the search walks them: an automaton that grows with the places that an utterance reaches.

A place is a state of the grammars' machine. It has a root of its own, from which the words lead that may follow it, spelled in
tries: one of its literal words, and one of the lists that may begin there. Tries are compiled once and shared by every utterance;
here their nodes are copied one behind the other, when the first place of this utterance needs them. Roots of places where any word
may follow (wildcards) are gates into the open vocabulary, which lies in the layers above.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import cast

import numpy as np

from ds_engine.alphabet import Alphabet
from ds_engine.automaton import Arcs, BoolArray, Ending, NodeArray
from ds_engine.bias import Pronunciation
from ds_engine.grammar.machine import ListKey, Machine, State
from ds_engine.search.lexicon import LexiconAutomaton

WILDCARD = -5.0  # nats that a grammar's own word gains where a wildcard takes it; others pay what the language model says
MAX_NODES = 2**24  # of one utterance; what would lead beyond is not searched
MAX_TRIES = 20_000  # remembered
_FIRST_CAPACITY = 2**14  # nodes, and arcs


Spellings = Sequence[tuple[tuple[int, ...], str]]  # columns, and the word that they spell


class Speller:
    """Words and how they are said in, tries out."""

    def __init__(
        self, alphabet: Alphabet, pronunciations: Sequence[Pronunciation], compiled: Callable[[Spellings], LexiconAutomaton]
    ) -> None:
        self._alphabet = alphabet
        self._compiled = compiled
        self._said: dict[str, list[tuple[int, ...]]] = {}
        for each in pronunciations:
            self._said.setdefault(each.word, []).extend(alphabet.spell_together(each.spoken))

    def trie(self, words: Iterable[str]) -> LexiconAutomaton:
        """The words that the alphabet can write, and those that are said otherwise."""
        return self._compiled([(way, word) for word in words for way in (*self._alphabet.spell(word), *self._said.get(word, ()))])


class Tries:
    """Tries by their words, for any number of utterances and threads: a race only does work twice."""

    def __init__(self, machine: Machine, speller: Speller) -> None:
        self.machine = machine
        self._speller = speller
        self._known: dict[Hashable, tuple[LexiconAutomaton, frozenset[str]]] = {}

    def of(self, place: State) -> list[tuple[LexiconAutomaton, frozenset[str]]]:
        """Of the words that may follow at a place: tries and their words."""
        return [self._trie(words) for words in (place.words, place.lists) if words]

    def _trie(self, wanted: tuple[str, ...] | tuple[ListKey, ...]) -> tuple[LexiconAutomaton, frozenset[str]]:
        known = self._known.get(wanted)
        if known is None:
            words = self._words(wanted)
            if len(self._known) >= MAX_TRIES:
                self._known.clear()
            known = self._known[wanted] = self._speller.trie(sorted(words)), words
        return known

    def _words(self, wanted: tuple[str, ...] | tuple[ListKey, ...]) -> frozenset[str]:
        words: set[str] = set()
        for each in wanted:
            words.update((each,) if isinstance(each, str) else self.machine.first_words(each))
        return frozenset(words)


class ClosedAutomaton:
    """The places of one utterance: an Automaton, and the Constraint that goes with it."""

    greatest = 1.0  # look-ahead only takes away

    def __init__(self, tries: Tries) -> None:
        self.start = tries.machine.start
        self._machine = tries.machine
        self._tries = tries
        self._roots: dict[State, int] = {}
        self._words: dict[State, list[frozenset[str]]] = {}
        self._offsets: list[int] = []  # of the tries, ascending
        self._copied: list[LexiconAutomaton] = []
        self._places_of: dict[int, int] = {}  # by the trie's identity: its offset
        self._size = 0  # nodes
        self._arcs = 0
        self._nodes: dict[str, np.ndarray] = {
            "columns": np.zeros(_FIRST_CAPACITY, np.int64),
            "ends": np.zeros(_FIRST_CAPACITY, bool),
            "factors": np.zeros(_FIRST_CAPACITY),
            "firsts": np.zeros(_FIRST_CAPACITY, np.int64),
            "counts": np.zeros(_FIRST_CAPACITY, np.int64),
            "gates": np.zeros(_FIRST_CAPACITY, bool),
        }
        self._targets = np.zeros(_FIRST_CAPACITY, np.int64)
        self._any_gate = False

    def root(self, place: Hashable) -> int:
        """See Constraint."""
        known = self._roots.get(cast(State, place))
        return self._enter(cast(State, place)) if known is None else known

    def follow(self, place: Hashable, word: str, *, overlay: bool) -> tuple[Hashable, float] | None:
        """See Constraint. A word that a place has among its own does not come from the open vocabulary a second time."""
        place = cast(State, place)
        if (overlay and any(word in own for own in self._words[place])) or self._size > MAX_NODES:
            return None
        followed = self._machine.follow(place, word)
        return (followed[0], followed[1] - WILDCARD) if followed and overlay else followed

    def end(self, place: Hashable) -> float | None:
        """See Constraint."""
        return cast(State, place).final

    def gates(self, nodes: NodeArray) -> BoolArray:
        """True at packed nodes that are roots of places where any word may follow."""
        inside = (nodes < self._size) & self._any_gate
        found: BoolArray = self._nodes["gates"][np.where(inside, nodes, 0)] & inside
        return found

    def arcs(self, nodes: NodeArray) -> Arcs:
        """See Automaton."""
        columns, ends, factors, firsts, counts, _ = self._nodes.values()
        many = counts[nodes]
        last = many.cumsum()
        places = np.arange(last[-1] if len(last) else 0) + (firsts[nodes] - last + many).repeat(many)
        targets = self._targets[places]
        return Arcs(np.arange(len(nodes)).repeat(many), columns[targets], targets, ends[targets], factors[targets])

    def ending(self, node: int) -> Ending | None:
        """See Automaton."""
        trie, local = self._located(node)
        return trie.ending(local) if trie else None

    def spelling(self, node: int) -> tuple[int, ...]:
        """See Automaton."""
        trie, local = self._located(node)
        return trie.spelling(local) if trie else ()

    def _located(self, node: int) -> tuple[LexiconAutomaton | None, int]:
        """The trie in which a node lies and its number there; no trie for a root."""
        place = bisect_right(self._offsets, node) - 1
        local = node - self._offsets[place] if place >= 0 else 0
        return (self._copied[place], local) if place >= 0 and local < len(self._copied[place]) else (None, 0)

    def _enter(self, place: State) -> int:
        """Makes the root of a place."""
        known = self._tries.of(place)
        starts = [self._copy(trie) for trie, _ in known]
        self._words[place] = [words for _, words in known]
        targets = np.concatenate([self._children(start) for start in starts]) if starts else np.zeros(0, np.int64)
        root = self._grown(1)
        self._nodes["firsts"][root] = self._added(targets)
        self._nodes["counts"][root] = len(targets)
        self._nodes["gates"][root] = place.wildcard
        self._any_gate |= place.wildcard
        self._roots[place] = root
        return root

    def _children(self, node: int) -> NodeArray:
        first = self._nodes["firsts"][node]
        return self._targets[first : first + self._nodes["counts"][node]]

    def _copy(self, trie: LexiconAutomaton) -> int:
        """The offset of a trie's nodes here."""
        known = self._places_of.get(id(trie))
        if known is not None:
            return known
        tables = trie.tables
        offset = self._places_of[id(trie)] = self._grown(len(trie))
        inside = slice(offset, offset + len(trie))
        self._nodes["columns"][inside] = tables.columns
        self._nodes["ends"][inside] = tables.ends
        self._nodes["factors"][inside] = tables.factors
        self._nodes["firsts"][inside] = tables.firsts[:-1] - 1 + self._added(np.arange(offset + 1, offset + len(trie)))
        self._nodes["counts"][inside] = np.diff(tables.firsts)
        self._offsets.append(offset)
        self._copied.append(trie)
        return offset

    def _grown(self, more: int) -> int:
        """Room for more nodes: the first of them."""
        first = self._size
        self._size += more
        capacity = len(self._nodes["columns"])
        if self._size > capacity:
            added = max(capacity, self._size - capacity)
            self._nodes = {name: np.concatenate((values, np.zeros(added, values.dtype))) for name, values in self._nodes.items()}
        return first

    def _added(self, targets: NodeArray) -> int:
        """Where these targets of arcs now stand."""
        first = self._arcs
        self._arcs += len(targets)
        if self._arcs > len(self._targets):
            self._targets = np.concatenate((self._targets, np.zeros(max(len(self._targets), len(targets)), np.int64)))
        self._targets[first : self._arcs] = targets
        return first
