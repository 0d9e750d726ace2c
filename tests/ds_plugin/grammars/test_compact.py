"""What leads nowhere and what is there twice is left out of a graph, and no sentence with it."""

from __future__ import annotations

from ds_engine.grammar.graph import FINAL, START, Arc, Call, Graph, Skip, Spoken
from ds_plugin.grammars.compact import compacted


def graph(*arcs: tuple[int, object, int]) -> Graph:
    nodes: list[list[Arc]] = [[] for _ in range(1 + max(max(source, target) for source, _, target in arcs))]
    for source, label, target in arcs:
        nodes[source].append(Arc(target, Spoken(label) if isinstance(label, str) else label))  # type: ignore[arg-type]
    return Graph(tuple(map(tuple, nodes)))


def test_equal_ends_are_one_and_dead_ends_are_none() -> None:
    made = compacted(graph((0, "a", 2), (0, "b", 3), (2, "x", 4), (3, "x", 5), (4, Skip(), 1), (5, Skip(), 1), (0, "c", 6), (6, "d", 7)))
    assert made is not None
    assert made.graph.arcs == ((Arc(2, Spoken("a")), Arc(2, Spoken("b"))), (), (Arc(FINAL, Spoken("x")),))
    assert made.nodes == {START: START, FINAL: FINAL, 2: 2, 3: 2, 4: FINAL, 5: FINAL}


def test_silence_that_writes_or_weighs_stays() -> None:
    loud = Graph(((Arc(2, Spoken("a")), Arc(3, Spoken("b"))), (), (Arc(1, Skip("!")),), (Arc(1, Skip(), 0.5),)))
    made = compacted(loud)
    assert made is not None
    assert len(made.graph.arcs) == 4


def test_calls_are_renamed_and_those_that_say_nothing_lead_nowhere() -> None:
    names = {"a": "a", "b": "a", "c": None}
    made = compacted(graph((0, Call("a"), 1), (0, Call("b"), 1), (0, Call("c"), 1), (0, Call("d"), 1)), names.get)
    assert made is not None
    assert made.graph.arcs == ((Arc(FINAL, Call("a")),), ())
    assert compacted(graph((0, Call("c"), 1)), names.get) is None


def test_a_graph_without_a_path_is_none() -> None:
    assert compacted(Graph(((), ()))) is None
    assert compacted(graph((0, "a", 2), (1, Skip(), 1))) is None


def test_a_very_long_graph_needs_no_stack() -> None:
    count = 50_000
    made = compacted(graph(*((node if node != 1 else count + 1, "a", node + 1) for node in range(2, count)), (0, "a", 2), (count, "a", 1)))
    assert made is not None
    assert len(made.graph.arcs) == count + 1
