"""Grammars as one deterministic automaton over words: states that a search walks, made only as far as somebody goes.

It is the subset construction over graphs that call each other: a state is the set of places at which the words so far may have
arrived (`stacks`), with all that may come next (`expansion`). The gain of a word is the difference that it makes to the best way so
far, silence that follows without a choice included: with the gain at the end, the gains of a sentence add up to the greatest weight
of any path that says it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ds_engine.grammar.expansion import Expanded, Expansion, Item
from ds_engine.grammar.graph import START, Grammar
from ds_engine.grammar.network import Unit, network
from ds_engine.grammar.reach import SCALE, scaled
from ds_engine.grammar.stacks import WHOLE, Found, Items, Stacks

MAX_REMEMBERED = 500_000  # items, words and steps of one machine, about 60 MB; what is forgotten is made again


class ListKey(NamedTuple):
    """A list of one machine's grammars."""

    grammar: int  # its place among them
    name: str  # of the graph


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Where one stands after some words. Equal states of a machine are the same object, unless one was forgotten meanwhile."""

    words: tuple[str, ...]  # that may follow, ascending; without those with which one of the lists begins
    lists: tuple[ListKey, ...]  # that may begin here, ascending
    wildcard: bool  # any word may follow
    final: float | None  # nats that a sentence gains that ends here; None: none does
    items: tuple[Item, ...] = field(repr=False)  # all places at which one may stand, ascending in their units


Step = tuple[State, float] | None


class _Memory:
    """What a machine remembers."""

    def __init__(self) -> None:
        self.stacks = Stacks()
        self.states: dict[Items, State] = {}
        self.steps: dict[tuple[State, str], Step] = {}
        self.entries = 0  # items and words of all states; roughly, as a race may lose some

    @property
    def size(self) -> int:
        return self.stacks.size + self.entries + len(self.states) + len(self.steps)


class Machine:
    """The automaton of some grammars together; for any number of threads, a race only does work twice.

    Raises GrammarError for a grammar that was not made by `ds_engine.grammar.builder.grammar` and is not sound.
    """

    def __init__(self, grammars: Sequence[Grammar], remembered: int = MAX_REMEMBERED, wildcard: float = 0.0) -> None:
        """`wildcard` is what every word under a wildcard gains, in nats."""
        self._wildcard = scaled(wildcard)
        self._remembered = remembered
        self.units: list[Unit] = []  # of all grammars, numbered through
        self.intents: list[tuple[str, str, int]] = []  # grammar, intent, number of its unit
        self._keys: list[ListKey] = []  # of each unit
        self._first_words: dict[ListKey, tuple[str, ...]] = {}
        self._beginnings: dict[int, tuple[Mapping[str, object], ...]] = {}
        self._memory = _Memory()
        for place, grammar in enumerate(grammars):
            self._add(place, grammar)
        self._numbers = {key: unit for unit, key in enumerate(self._keys)}
        starts: Found = defaultdict(list, {(unit, START): [(0, WHOLE)] for _, _, unit in self.intents})
        self.start = self._state(self._memory, self._memory.stacks.gathered(starts)[1])

    def follow(self, state: State, word: str) -> Step:
        """The state after a word and the nats that it gains, or None where it may not follow."""
        memory = self._memory
        try:
            return memory.steps[state, word]
        except KeyError:
            if memory.size > self._remembered:
                self._memory = memory = _Memory()
            return memory.steps.setdefault((state, word), self._followed(memory, state, word))

    def first_words(self, key: ListKey) -> tuple[str, ...]:
        """The words with which a list begins, ascending."""
        known = self._first_words.get(key)
        if known is None:
            words: set[str] = set().union(*self._begins(self._numbers[key]))
            known = self._first_words.setdefault(key, tuple(sorted(words)))
        return known

    def _add(self, place: int, grammar: Grammar) -> None:
        made = network(grammar)
        first = len(self.units)
        for unit in made.units:
            self.units.append(replace(unit, calls={name: first + callee for name, callee in unit.calls.items()}))
            self._keys.append(ListKey(place, unit.name))
        self.intents += [(grammar.name, intent, first + number) for intent, number in made.intents.items()]

    def _followed(self, memory: _Memory, state: State, word: str) -> Step:
        found: Found = defaultdict(list)
        for unit, _, ways, weight, returns, _ in state.items:
            for exits, silence in ways.spots:
                for position in exits.words.get(word, ()):
                    arc = exits.arcs[position]
                    node, gained = self.units[unit].tables.settled(arc.target)
                    found[unit, node].append((weight + silence + scaled(arc.weight) + gained, returns))
            for node, silence in ways.inside:
                found[unit, node].append((weight + silence + self._wildcard, returns))
        if not found:
            return None
        gain, items = memory.stacks.gathered(found)
        return self._state(memory, items), gain / SCALE

    def _state(self, memory: _Memory, items: Items) -> State:
        known = memory.states.get(items)
        if known is None:
            expanded = Expansion(self.units, memory.stacks).of(items)
            known = memory.states.setdefault(items, self._described(expanded))
            memory.entries += len(expanded.items) + len(known.words)
        return known

    def _described(self, expanded: Expanded) -> State:
        listed = [words for unit in expanded.lists for words in self._begins(unit)]
        spots = [exits.words for item in expanded.items if not item.listed for exits, _ in item.ways.spots]
        return State(
            words=tuple(sorted(word for word in set().union(*spots) if not any(word in words for words in listed))),
            lists=tuple(sorted(self._keys[unit] for unit in expanded.lists)),
            wildcard=any(item.ways.inside for item in expanded.items),
            final=None if expanded.final is None else expanded.final / SCALE,
            items=expanded.items,
        )

    def _begins(self, number: int) -> tuple[Mapping[str, object], ...]:
        """Tables whose keys are the words with which a graph begins."""
        known = self._beginnings.get(number)
        if known is None:
            unit = self.units[number]
            ways = unit.tables.ways(START)
            found: list[Mapping[str, object]] = [exits.words for exits, _ in ways.spots]
            found += [words for name, _, _ in ways.calls for words in self._begins(unit.calls[name])]
            known = self._beginnings.setdefault(number, tuple({id(words): words for words in found}.values()))
        return known
