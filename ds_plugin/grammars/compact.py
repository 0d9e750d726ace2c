"""A graph without what leads nowhere and what is there twice: acyclic graphs in, equal sentences in fewer nodes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ds_engine.grammar.graph import FINAL, START, Arc, Call, Graph, Skip

_SILENCE = Skip()


@dataclass(frozen=True, slots=True)
class Compacted:
    """A graph, and where its nodes were before."""

    graph: Graph
    nodes: Mapping[int, int]  # node before -> node now, of those from which FINAL is reached


def compacted(graph: Graph, name_of: Callable[[str], str | None] = lambda name: name) -> Compacted | None:
    """The graph with what remains of it, or None where no path does.

    `name_of` renames the graphs that are called; those for which it is None can say nothing, and neither can the paths that call them.
    """
    nodes: dict[int, int] = {FINAL: FINAL}
    known: dict[frozenset[Arc], int] = {}
    arcs: list[tuple[Arc, ...]] = [(), ()]
    for node in _deepest_first(graph):
        leaving = tuple(_leaving(graph.arcs[node], nodes, name_of))
        if node == START:
            arcs[START] = leaving
        elif len(leaving) == 1 and leaving[0].label == _SILENCE and not leaving[0].weight:
            nodes[node] = leaving[0].target
        elif leaving:
            nodes[node] = known.setdefault(frozenset(leaving), len(arcs))
            if nodes[node] == len(arcs):
                arcs.append(leaving)
    return Compacted(Graph(tuple(arcs)), {**nodes, START: START}) if arcs[START] else None


def _leaving(arcs: tuple[Arc, ...], nodes: Mapping[int, int], name_of: Callable[[str], str | None]) -> dict[Arc, None]:
    """What remains of a node's arcs, each once, in their order."""
    leaving: dict[Arc, None] = {}
    for arc in arcs:
        if arc.target not in nodes:
            continue
        label = arc.label
        if isinstance(label, Call):
            name = name_of(label.graph)
            if name is None:
                continue
            label = label if name == label.graph else Call(name)
        leaving[Arc(nodes[arc.target], label, arc.weight)] = None
    return leaving


def _deepest_first(graph: Graph) -> Iterator[int]:
    """The nodes that START reaches, without FINAL, each after those that it reaches."""
    seen = {START, FINAL}
    stack = [(START, iter(graph.arcs[START]))]
    while stack:
        node, arcs = stack[-1]
        target = next((arc.target for arc in arcs if arc.target not in seen), None)
        if target is None:
            stack.pop()
            yield node
        else:
            seen.add(target)
            stack.append((target, iter(graph.arcs[target])))
