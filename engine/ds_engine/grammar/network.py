"""The graphs of one grammar in the order of their calls: checked as a whole, numbered, each with its tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from weakref import WeakKeyDictionary

from ds_engine.errors import GrammarError
from ds_engine.grammar.graph import FINAL, Grammar, Graph
from ds_engine.grammar.reach import USUAL
from ds_engine.grammar.soundness import called
from ds_engine.grammar.tables import Tables, tables

MAX_NODES = 500_000  # of all graphs of a grammar together
MAX_ARCS = 500_000  # of all graphs of a grammar together: about 200 MB and, to check them, one or two seconds
MAX_DEPTH = 100  # graphs that call each other, one inside the other


@dataclass(frozen=True, slots=True)
class Unit:
    """A graph of a grammar."""

    name: str
    tables: Tables
    calls: Mapping[str, int]  # numbers of the units that it calls; all are higher than its own
    listed: bool  # in Grammar.lists


@dataclass(frozen=True, slots=True)
class Network:
    """A grammar that has been checked."""

    units: tuple[Unit, ...]
    intents: Mapping[str, int]  # intent -> number of its unit


_known: WeakKeyDictionary[Grammar, Network] = WeakKeyDictionary()


def network(grammar: Grammar) -> Network:
    """The network of a grammar. Raises GrammarError, which names the grammar, the graph and what is wrong."""
    known = _known.get(grammar)
    if known is None:
        try:
            known = _known.setdefault(grammar, _checked(grammar))
        except GrammarError as error:
            raise GrammarError(f"grammar {grammar.name!r:.60}: {error}") from error
    return known


def _checked(grammar: Grammar) -> Network:
    _check_sizes(grammar)
    calls = {name: _called(name, graph) for name, graph in grammar.graphs.items()}
    _check_names(grammar, calls)
    callees_first = _ordered(calls)
    made = _tables(grammar, calls, callees_first)
    for intent, graph in grammar.intents.items():
        if not made[graph].nature.speaks:
            raise GrammarError(f"intent {intent!r:.60} can say nothing: {_reason(grammar, graph, calls, made)}")
    numbers = {name: number for number, name in enumerate(reversed(callees_first))}
    units = (Unit(name, made[name], {callee: numbers[callee] for callee in calls[name]}, name in grammar.lists) for name in numbers)
    return Network(tuple(units), {intent: numbers[graph] for intent, graph in grammar.intents.items()})


def _check_sizes(grammar: Grammar) -> None:
    for name, graph in grammar.graphs.items():
        if not isinstance(graph, Graph):
            raise GrammarError(f"graph {name!r:.60} is no Graph but {graph!r:.60}")
    nodes = sum(len(graph.arcs) for graph in grammar.graphs.values())
    arcs = sum(sum(map(len, graph.arcs)) for graph in grammar.graphs.values())
    if nodes > MAX_NODES or arcs > MAX_ARCS:
        raise GrammarError(f"a grammar has at most {MAX_NODES} nodes and {MAX_ARCS} arcs, and this one has {nodes} and {arcs}")


def _called(name: str, graph: Graph) -> frozenset[str]:
    try:
        return called(graph)
    except GrammarError as error:
        raise GrammarError(f"graph {name!r:.60}: {error}") from error


def _check_names(grammar: Grammar, calls: Mapping[str, frozenset[str]]) -> None:
    if not grammar.intents:
        raise GrammarError("it has no intents, so nothing can be said")
    wanted = [(f"intent {intent!r:.60} needs", graph) for intent, graph in grammar.intents.items()]
    wanted += [("the lists name", graph) for graph in grammar.lists]
    wanted += [(f"graph {name!r:.60} calls", graph) for name, callees in calls.items() for graph in sorted(callees)]
    for who, graph in wanted:
        if graph not in grammar.graphs:
            raise GrammarError(f"{who} graph {graph!r:.60}, which is not there")


def _ordered(calls: Mapping[str, frozenset[str]]) -> list[str]:
    """All names, callees before their callers."""
    try:
        order = list(TopologicalSorter({name: sorted(callees) for name, callees in calls.items()}).static_order())
    except CycleError as error:
        raise GrammarError(f"graphs call each other in a circle: {' -> '.join(map(repr, reversed(error.args[1])))}") from error
    depths: dict[str, int] = {}
    for name in order:
        depths[name] = 1 + max((depths[callee] for callee in calls[name]), default=0)
        if depths[name] > MAX_DEPTH:
            raise GrammarError(f"graph {name!r:.60}: calls lie {depths[name]} deep in each other, and {MAX_DEPTH} is the limit")
    return order


def _tables(grammar: Grammar, calls: Mapping[str, frozenset[str]], callees_first: Iterable[str]) -> dict[str, Tables]:
    made: dict[str, Tables] = {}
    for name in callees_first:
        natures = {callee: made[callee].nature for callee in calls[name] if made[callee].nature != USUAL}
        made[name] = tables(grammar.graphs[name], natures)
        circle = made[name].circle
        if circle is not None:
            raise GrammarError(f"graph {name!r:.60}: from node {circle} a path on which nothing is said leads back to it")
    return made


def _reason(grammar: Grammar, graph: str, calls: Mapping[str, frozenset[str]], made: Mapping[str, Tables]) -> str:
    """Why a graph says nothing: by itself, or because of one that it calls."""
    while tables(grammar.graphs[graph], {}).nature.speaks:  # it would, if all that it calls did
        graph = min(callee for callee in calls[graph] if not made[callee].nature.speaks)
    what = "says no word on any path" if made[graph].nature.alive else f"has no path to its final node {FINAL}"
    return f"graph {graph!r:.60} {what}"
