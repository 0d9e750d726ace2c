"""From a set of items to all that may come next: items out of graphs that are done, and into graphs that are called.

Units are numbered with callers before callees, so two passes are enough: from the highest number down, where a graph that is done
hands on to its callers, and from the lowest up, where a graph is entered once for all that call it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from ds_engine.grammar.graph import START
from ds_engine.grammar.network import Unit
from ds_engine.grammar.reach import Node, Weight
from ds_engine.grammar.stacks import SENTENCE, Found, Items, Stacks, Weighted
from ds_engine.grammar.tables import Ways


class Item(NamedTuple):
    """A place, and what may come next there."""

    unit: int
    node: Node
    ways: Ways
    weight: Weight
    returns: Items
    listed: bool  # in a list that has only just begun


@dataclass(frozen=True, slots=True)
class Expanded:
    """All that may come next."""

    items: tuple[Item, ...]  # ascending in their units
    lists: tuple[int, ...]  # units that begin here, ascending
    final: Weight | None  # of a sentence that ends here


class Expansion:
    """One use each."""

    def __init__(self, units: Sequence[Unit], stacks: Stacks) -> None:
        self._units = units
        self._stacks = stacks
        self._nodes: dict[int, dict[Node, list[Weighted]]] = {}  # by unit
        self._calls: defaultdict[int, Found] = defaultdict(lambda: defaultdict(list))  # by called unit: where it returns to
        self._seen: set[int] = set()  # called units whose words are not all under a list
        self._waiting: list[int] = []  # a heap of units that are to be entered
        self._items: list[Item] = []
        self._lists: list[int] = []
        self._final: Weight | None = None

    def of(self, items: Items) -> Expanded:
        """What may come next at these items."""
        for unit, node, weight, returns in items:
            self._nodes.setdefault(unit, {}).setdefault(node, []).append((weight, returns))
        self._leave()
        self._enter()
        return Expanded(tuple(self._items), tuple(self._lists), self._final)

    def _leave(self) -> None:
        """From the innermost graphs outwards: what is done goes on behind its calls."""
        waiting = [-unit for unit in self._nodes]
        heapify(waiting)
        while waiting:
            unit = -heappop(waiting)
            for node, ways in self._nodes[unit].items():
                weight, returns = self._stacks.united(ways)
                self._nodes[unit][node] = [(weight, returns)]
                silence = self._units[unit].tables.ways(node).final
                if silence is not None:
                    for caller in self._returned(weight + silence, returns):
                        heappush(waiting, -caller)

    def _returned(self, weight: Weight, returns: Items) -> list[int]:
        """Puts ways behind the calls. Returns the units that are new by it."""
        new = []
        for unit, node, more, behind in returns:
            if unit == SENTENCE:
                self._final = max(weight + more, weight + more if self._final is None else self._final)
                continue
            if unit not in self._nodes:
                self._nodes[unit] = {}
                new.append(unit)
            self._nodes[unit].setdefault(node, []).append((weight + more, behind))
        return new

    def _enter(self) -> None:
        """From the outermost graphs inwards: what is called begins."""
        self._waiting = sorted(self._nodes)
        while self._waiting:
            unit = heappop(self._waiting)
            for node, (way,) in self._nodes.get(unit, {}).items():
                self._add(unit, node, way, listed=False)
            if unit in self._calls:
                begins = self._units[unit].listed and unit in self._seen
                self._lists += [unit] * begins
                self._add(unit, START, self._stacks.gathered(self._calls[unit]), listed=begins or unit not in self._seen)

    def _add(self, unit: int, node: Node, way: Weighted, *, listed: bool) -> None:
        weight, returns = way
        ways = self._units[unit].tables.ways(node)
        self._items.append(Item(unit, node, ways, weight, returns, listed))
        for name, target, more in ways.calls:
            callee = self._units[unit].calls[name]
            if callee not in self._nodes and callee not in self._calls:
                heappush(self._waiting, callee)
            self._calls[callee][unit, target].append((weight + more, returns))
            if not listed:
                self._seen.add(callee)
