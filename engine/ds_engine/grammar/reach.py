"""What of a graph leads anywhere: the arcs over which FINAL is reached, and those over which it is reached in silence.

It depends on the graphs that it calls only by their nature: whether they say words, and whether they may say nothing. Weights are whole
numbers from here on, of 1/SCALE nats: sums are exact, so what is equal is found equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ds_engine.grammar.graph import FINAL, START, Arc, Call, Spoken, Wildcard

SCALE = 1_000_000  # steps of weight in a nat

Node = int
Weight = int  # steps
Steps = Iterable[tuple[Node, Weight]]


@dataclass(frozen=True, slots=True)
class Nature:
    """What a graph can say at all."""

    speaks: bool = True  # a sentence of words
    empty: Weight | None = None  # the greatest weight of a path on which nothing is said; None: there is no such path

    @property
    def alive(self) -> bool:
        """Whether any path ends."""
        return self.speaks or self.empty is not None


USUAL = Nature()


class Reach:
    """Of one graph's arcs. `natures` are those of called graphs that are not USUAL."""

    def __init__(self, arcs: tuple[tuple[Arc, ...], ...], natures: Mapping[str, Nature]) -> None:
        self._arcs = arcs
        self._natures = natures
        self._useful = bytearray(len(arcs))  # 1: FINAL is reached from this node
        self._find_useful()
        self._silent = {node: silent for node, leaving in enumerate(arcs) if (silent := tuple(self._silent_arcs(leaving)))}
        self.circle = deepest_first(self._silent, self.silence)[1]  # a node from which silence leads back to itself, or None
        self.nature = Nature(self._speaks(), farthest(START, self.silence).get(FINAL))

    def nature_of(self, call: Call) -> Nature:
        """The nature of a called graph."""
        return self._natures.get(call.graph, USUAL)

    def leads_on(self, arc: Arc) -> bool:
        """Whether FINAL is reached over an arc."""
        return bool(self._useful[arc.target]) and (not isinstance(arc.label, Call) or self.nature_of(arc.label).alive)

    def silence(self, node: Node) -> Steps:
        """Nodes one silent arc away."""
        return self._silent.get(node, ())

    def _silent_arcs(self, arcs: Iterable[Arc]) -> Steps:
        for arc in arcs:
            silence = None if isinstance(arc.label, Spoken | Wildcard) else 0
            if isinstance(arc.label, Call):
                silence = self.nature_of(arc.label).empty
            if silence is not None:
                yield arc.target, scaled(arc.weight) + silence

    def _speaks(self) -> bool:
        """Whether a word is said on any path from START to FINAL."""
        seen, waiting = {START}, [START]
        while waiting:
            for arc in filter(self.leads_on, self._arcs[waiting.pop()]):
                if isinstance(arc.label, Spoken | Wildcard) or (isinstance(arc.label, Call) and self.nature_of(arc.label).speaks):
                    return True
                if arc.target not in seen:
                    seen.add(arc.target)
                    waiting.append(arc.target)
        return False

    def _find_useful(self) -> None:
        """Most arcs lead to FINAL or to a higher number, so that one pass from above finds most nodes."""
        self._useful[FINAL] = 1
        late = []
        for node in range(len(self._arcs) - 1, -1, -1):
            if any(map(self.leads_on, self._arcs[node])):
                self._useful[node] = 1
            elif self._arcs[node]:
                late.append(node)
        sources: dict[Node, list[Node]] = {}
        for node in late:
            for arc in self._arcs[node]:
                if not isinstance(arc.label, Call) or self.nature_of(arc.label).alive:
                    sources.setdefault(arc.target, []).append(node)
        waiting = [target for target in sources if self._useful[target]]
        while waiting:
            for node in sources.pop(waiting.pop(), ()):
                self._useful[node] = 1
                waiting.append(node)


def scaled(weight: float) -> Weight:
    """A weight in steps."""
    return round(weight * SCALE) if weight else 0


def farthest(node: Node, silence: Callable[[Node], Steps]) -> dict[Node, Weight]:
    """Nodes that are reached in silence, and the greatest weight on the way. Silence has no circles."""
    weights = {node: 0}
    for source in reversed(deepest_first([node], silence)[0]):
        for target, weight in silence(source):
            weights[target] = max(weights.get(target, weights[source] + weight), weights[source] + weight)
    return weights


def deepest_first(nodes: Iterable[Node], silence: Callable[[Node], Steps]) -> tuple[list[Node], Node | None]:
    """All that is reached in silence, each node after those that it reaches, and a node of a circle where there is one."""
    order: list[Node] = []
    circle = None
    done: dict[Node, bool] = {}  # False: on the path that is being walked
    stack = [(node, False) for node in nodes]
    while stack:
        node, left = stack.pop()
        if left:
            order.append(node)
            done[node] = True
        elif node not in done:
            done[node] = False
            stack.append((node, True))
            stack.extend((target, False) for target, _ in silence(node))
        elif not done[node]:
            circle = node
    return order, circle
