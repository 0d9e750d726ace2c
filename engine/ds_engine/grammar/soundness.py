"""Whether one graph is sound by itself, whatever the graphs that it calls may be; examined once for each Graph object."""

from __future__ import annotations

from collections import deque
from weakref import WeakKeyDictionary

from ds_engine.errors import GrammarError
from ds_engine.grammar.graph import FINAL, START, Arc, Begin, Call, End, Graph, Label, Set, Skip, Spoken, Wildcard

MAX_WEIGHT = 1000.0  # nats of one arc, either way


_known: WeakKeyDictionary[Graph, frozenset[str]] = WeakKeyDictionary()


def called(graph: Graph) -> frozenset[str]:
    """The names of the graphs that a sound graph calls. Raises GrammarError, which says what is wrong but not in which graph."""
    known = _known.get(graph)
    if known is None:
        known = _known.setdefault(graph, _called(graph))
    return known


def _called(graph: Graph) -> frozenset[str]:
    if len(graph.arcs) <= FINAL:
        raise GrammarError(f"a graph has at least the nodes {START} and {FINAL}, and this one has {len(graph.arcs)} in all")
    if graph.arcs[FINAL]:
        raise GrammarError(f"an arc leaves the final node, to node {graph.arcs[FINAL][0].target!r:.40}")
    labels = set()
    for node, arcs in enumerate(graph.arcs):
        for arc in arcs:
            fault = _fault(arc, len(graph.arcs))
            if fault:
                raise GrammarError(f"an arc of node {node} {fault}")
            if type(arc.label) in _UNSAID:
                labels.add(arc.label)
    if any(isinstance(label, Begin | End) for label in labels):
        _check_slots(graph)
    return frozenset(label.graph for label in labels if isinstance(label, Call))


def _fault(arc: Arc, nodes: int) -> str:
    """What is wrong with an arc, or nothing."""
    if not isinstance(arc.target, int) or not 0 <= arc.target < nodes:
        return f"leads to node {arc.target!r:.40}, and there are {nodes}"
    if not isinstance(arc.weight, int | float) or not -MAX_WEIGHT <= arc.weight <= MAX_WEIGHT:
        return f"weighs {arc.weight!r:.40}, and a weight must lie within +-{MAX_WEIGHT} nats"
    return _label_fault(arc.label)


def _label_fault(label: Label) -> str:
    texts = _TEXTS.get(type(label))
    if texts is None:
        return f"has an unknown label: {label!r:.60}"
    for name, optional in texts:
        text = getattr(label, name)
        if not isinstance(text, str) and not (optional and text is None):
            return f"has a label whose {name} is no text: {label!r:.60}"
    if isinstance(label, Spoken) and label.word.split() != [label.word]:
        return f"says {label.word!r:.60}, and one word is needed"
    return "has a slot without a name" if isinstance(label, Begin | Set) and not label.slot.strip() else ""


_TEXTS: dict[type, tuple[tuple[str, bool], ...]] = {  # the texts of each label, and whether each may be None
    Skip: (("written", False),),
    Spoken: (("word", False), ("written", True)),
    Call: (("graph", False),),
    Wildcard: (),
    Begin: (("slot", False),),
    End: (("value", True),),
    Set: (("slot", False), ("value", False)),
}


_UNSAID = (Call, Begin, End)


def _check_slots(graph: Graph) -> None:
    """Every path must end what it begins: it is enough that all paths to a node have as many slots open."""
    depths = {START: 0}
    waiting = deque([START])
    while waiting:
        node = waiting.popleft()
        for arc in graph.arcs[node]:
            depth = depths[node] + (type(arc.label) is Begin) - (type(arc.label) is End)
            if depth < 0:
                raise GrammarError(f"a slot ends at node {node} that has not begun")
            if arc.target not in depths:
                waiting.append(arc.target)
            if depths.setdefault(arc.target, depth) != depth:
                raise GrammarError(f"node {arc.target} lies inside {depths[arc.target]} slots on one path and {depth} on another")
    if depths.get(FINAL, 0):
        raise GrammarError(f"{depths[FINAL]} slots that begin are not ended")
