"""One graph as the machine and the matching read it: which arcs leave a node by which word, and what comes next after silence.

Tables are kept for each Graph object, for as long as it lives, and filled node by node as somebody comes by: whoever replaces a list
pays for the list only. All threads share them; a race only does work twice. Arcs over which nobody reaches FINAL are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from ds_engine.grammar.graph import FINAL, Arc, Call, Graph, Spoken, Wildcard
from ds_engine.grammar.reach import Nature, Node, Reach, Steps, Weight, farthest, scaled

MAX_REMEMBERED = 200_000  # nodes that are reached in silence from others, of one graph
MAX_VARIANTS = 4  # of one graph's tables, for natures of the graphs that it calls


@dataclass(frozen=True, slots=True)
class Exits:
    """The arcs that leave a node, and the positions among them of each kind, in their order."""

    arcs: tuple[Arc, ...]
    words: Mapping[str, tuple[int, ...]]
    silent: tuple[int, ...]
    calls: tuple[int, ...]
    wildcards: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ways:
    """All that may come next at a node, at once or after silence, with the greatest weight of that silence."""

    spots: tuple[tuple[Exits, Weight], ...]  # where words are said
    calls: tuple[tuple[str, Node, Weight], ...]  # graph, node after it, settled; the weight includes what lies between
    inside: tuple[tuple[Node, Weight], ...]  # the node inside a wildcard, to which any word leads
    final: Weight | None  # None: FINAL is not reached


class Tables:
    """Of one graph. Beyond its nodes there is one inside each wildcard: `inside(node, place)`."""

    def __init__(self, arcs: tuple[tuple[Arc, ...], ...], reach: Reach) -> None:
        self.nature = reach.nature
        self.circle = reach.circle  # a node from which silence leads back to itself, or None
        self._arcs = arcs
        self._reach = reach
        self._exits: dict[Node, Exits] = {}
        self._settled: dict[Node, tuple[Node, Weight]] = {}
        self._ways: dict[Node, Ways] = {}
        self._remembered = 0  # roughly: a race may lose some

    def inside(self, node: Node, place: int) -> Node:
        """The node inside a wildcard, which has this place among those that leave a node."""
        return node + len(self._arcs) * (place + 1)

    def wildcard(self, node: Node) -> Arc | None:
        """The wildcard that a node lies inside; None for a node of the graph itself."""
        place, outside = divmod(node, len(self._arcs))
        exits = self.exits(outside) if place else None
        return exits.arcs[exits.wildcards[place - 1]] if exits else None

    def exits(self, node: Node) -> Exits:
        """The arcs of a node of the graph itself."""
        known = self._exits.get(node)
        return self._exits.setdefault(node, self._sorted(node)) if known is None else known

    def settled(self, node: Node) -> tuple[Node, Weight]:
        """Where one stands after the silence that leaves no choice, and its weight: all names of a list end at the same node."""
        known = self._settled.get(node)
        return self._settled.setdefault(node, self._settle(node)) if known is None else known

    def ways(self, node: Node) -> Ways:
        """All that may come next at a node."""
        known = self._ways.get(node)
        if known is None:
            reached = farthest(node, self._silence)
            if self._remembered + len(reached) > MAX_REMEMBERED:
                self._ways, self._remembered = {}, 0
            self._remembered += len(reached)
            known = self._ways.setdefault(node, self._gathered(reached))
        return known

    def _settle(self, node: Node) -> tuple[Node, Weight]:
        gained = 0
        while node < len(self._arcs):
            exits = self.exits(node)
            targets = {target for target, _ in self._silence(node)}
            if exits.words or exits.calls or exits.wildcards or len(targets) != 1:
                break
            gained += max(weight for _, weight in self._silence(node))
            node = targets.pop()
        return node, gained

    def _sorted(self, node: Node) -> Exits:
        words: dict[str, list[int]] = {}
        silent: list[int] = []
        calls: list[int] = []
        wildcards: list[int] = []
        for position, arc in enumerate(self._arcs[node]):
            if not self._reach.leads_on(arc):
                continue
            if isinstance(arc.label, Spoken):
                words.setdefault(arc.label.word, []).append(position)
            elif isinstance(arc.label, Call):
                calls.append(position)
            else:
                (wildcards if isinstance(arc.label, Wildcard) else silent).append(position)
        by_word = {word: tuple(positions) for word, positions in words.items()}
        return Exits(self._arcs[node], by_word, tuple(silent), tuple(calls), tuple(wildcards))

    def _silence(self, node: Node) -> Steps:
        """Nodes one silent arc away. A wildcard is silent where it is left."""
        around = self.wildcard(node)
        return self._reach.silence(node) if around is None else [(around.target, scaled(around.weight))]

    def _speaking(self, exits: Exits) -> Iterator[tuple[str, Arc]]:
        for arc in (exits.arcs[position] for position in exits.calls):
            if isinstance(arc.label, Call) and self._reach.nature_of(arc.label).speaks:
                yield arc.label.graph, arc

    def _gathered(self, reached: Mapping[Node, Weight]) -> Ways:
        spots: list[tuple[Exits, Weight]] = []
        calls: list[tuple[str, Node, Weight]] = []
        inside: list[tuple[Node, Weight]] = []
        for node, weight in reached.items():
            if self.wildcard(node) is not None:
                inside.append((node, weight))
                continue
            exits = self.exits(node)
            if exits.words:
                spots.append((exits, weight))
            inside += [(self.inside(node, place), weight) for place in range(len(exits.wildcards))]
            for callee, arc in self._speaking(exits):
                target, gained = self.settled(arc.target)
                calls.append((callee, target, weight + scaled(arc.weight) + gained))
        return Ways(tuple(spots), tuple(calls), tuple(inside), reached.get(FINAL))


_Variants = dict[frozenset[tuple[str, Nature]], Tables]
_known: WeakKeyDictionary[Graph, _Variants] = WeakKeyDictionary()


def tables(graph: Graph, natures: Mapping[str, Nature]) -> Tables:
    """The tables of a sound graph. `natures` are those of the graphs that it calls which are not USUAL."""
    variants: _Variants = _known.setdefault(graph, {})
    variant = frozenset(natures.items())
    made = variants.get(variant)
    if made is None:
        if len(variants) >= MAX_VARIANTS:
            variants.clear()
        made = variants.setdefault(variant, Tables(graph.arcs, Reach(graph.arcs, natures)))
    return made
