"""Which of the places that the words passed through lead to the end of the sentence: found backwards, from the states of a machine.

Forwards, a hundred templates begin with "turn"; backwards only those remain that also end as the sentence did. A place is judged
almost without regard to who called its graph, so that some may remain that lead nowhere after all, but none is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence

from ds_engine.grammar.expansion import Item
from ds_engine.grammar.graph import START
from ds_engine.grammar.machine import Machine, State
from ds_engine.grammar.stacks import SENTENCE, Place
from ds_engine.grammar.tables import Tables


def survivors(machine: Machine, words: Sequence[str]) -> list[set[Place]] | None:
    """For each number of words said, the settled places from which the rest leads to the end; None where the words are no sentence."""
    states = [machine.start]
    for word in words:
        step = machine.follow(states[-1], word)
        if step is None:
            return None
        states.append(step[0])
    if states[-1].final is None:
        return None
    found = [_returning(states[-1], {(SENTENCE, START)})]
    later = set(found[0])
    for state, word in zip(states[-2::-1], reversed(words), strict=True):
        found.append(_returning(state, _speaking(machine, state, word, found[-1], later)))
        later |= found[-1]
    return found[::-1]


def _speaking(machine: Machine, state: State, word: str, after: Container[Place], later: Collection[Place]) -> set[Place]:
    """Places at which the word leads on, in their graph or in one that it calls and that comes back some time later."""
    found: set[Place] = set()
    involved = {unit for unit, _ in later}
    for item in reversed(state.items):  # called graphs come before those that call them
        if item.unit in involved and (
            _says(item, machine.units[item.unit].tables, word, after) or _calls(item, machine.units[item.unit].calls, found, later)
        ):
            found.add((item.unit, item.node))
    return found


def _says(item: Item, tables: Tables, word: str, after: Container[Place]) -> bool:
    for exits, _ in item.ways.spots:
        for position in exits.words.get(word, ()):
            if (item.unit, tables.settled(exits.arcs[position].target)[0]) in after:
                return True
    return any((item.unit, node) in after for node, _ in item.ways.inside)


def _calls(item: Item, numbers: Mapping[str, int], found: Container[Place], later: Container[Place]) -> bool:
    return any((item.unit, node) in later and (numbers[name], START) in found for name, node, _ in item.ways.calls)


def _returning(state: State, found: set[Place]) -> set[Place]:
    """These places, and those at which the graph may be left for one of them."""
    for item in state.items:  # graphs come before those that they call
        if item.ways.final is not None and any((unit, node) in found for unit, node, _, _ in item.returns):
            found.add((item.unit, item.node))
    return found
