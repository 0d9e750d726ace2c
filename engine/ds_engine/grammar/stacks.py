"""Sets of items: where several ways through a grammar stand at once, and where each goes on once its graph is done.

An item is a place (a node of a graph) with a weight and the items that it returns to. Where several ways stand at the same place, they
are one item that returns to all that they return to (the graph-structured stack of Tomita 1987), so that a list that fifty templates
call is one item. Sets are kept relative: the greatest weight in a set is 0, and what was taken off stands beside the set. Equal sets
are the same object, so that nobody ever looks into the depths of two of them; where one was forgotten they merely count as two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ds_engine.grammar.graph import START
from ds_engine.grammar.reach import Node, Weight

Place = tuple[int, Node]  # number of the graph's unit, node
Member = tuple[int, Node, Weight, "Items"]  # a place, its weight, and what it returns to


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Items:
    """A set of items; compared by identity, and not to be printed: it holds others many times over."""

    members: frozenset[Member]

    def __iter__(self) -> Iterator[Member]:
        return iter(self.members)


Weighted = tuple[Weight, Items]  # what was taken off, and the set
Found = defaultdict[Place, list[Weighted]]  # ways to each place: their weights, and what they return to

SENTENCE = -1  # the unit to which a whole sentence returns
WHOLE = Items(frozenset({(SENTENCE, START, 0, Items(frozenset()))}))


class Stacks:
    """Makes sets of items and remembers them, so that equal sets are one; for any number of threads."""

    def __init__(self) -> None:
        self.size = 0  # items that are remembered; roughly, as a race may lose some
        self._known: dict[frozenset[Member], Items] = {}

    def gathered(self, found: Mapping[Place, Sequence[Weighted]]) -> Weighted:
        """The set of all places that were found."""
        return self._relative([(*place, *self.united(ways)) for place, ways in found.items()])

    def united(self, ways: Sequence[Weighted]) -> Weighted:
        """Several ways to one place as one."""
        if len(ways) == 1 or all(way == ways[0] for way in ways):
            return ways[0]
        best: dict[tuple[int, Node, Items], Weight] = {}
        for weight, returns in ways:
            for unit, node, more, behind in returns:
                best[unit, node, behind] = max(weight + more, best.get((unit, node, behind), weight + more))
        return self._relative([(unit, node, weight, behind) for (unit, node, behind), weight in best.items()])

    def _relative(self, items: Sequence[Member]) -> Weighted:
        top = max((weight for _, _, weight, _ in items), default=0)
        members = frozenset([(unit, node, weight - top, returns) for unit, node, weight, returns in items] if top else items)
        known = self._known.get(members)
        if known is None:
            known = self._known.setdefault(members, Items(members))
            self.size += len(members)
        return top, known
