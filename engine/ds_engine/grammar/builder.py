"""Building a grammar: arcs in, checked and immutable graphs out.

A front end makes one `GraphBuilder` for each graph, and hands the built ones to `grammar`, which refuses what nobody could say
or search.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ds_engine.errors import GrammarError
from ds_engine.grammar.graph import Arc, Grammar, Graph, Label, Skip, Spoken
from ds_engine.grammar.network import MAX_ARCS, MAX_NODES, network


class GraphBuilder:
    """A graph that grows. START and FINAL are there from the beginning."""

    def __init__(self) -> None:
        self._arcs: list[list[Arc]] = [[], []]
        self._size = 0

    def node(self) -> int:
        """A new node. Raises GrammarError above MAX_NODES."""
        if len(self._arcs) >= MAX_NODES:
            raise GrammarError(f"a grammar has at most {MAX_NODES} nodes, and one graph alone has more")
        self._arcs.append([])
        return len(self._arcs) - 1

    def add(self, source: int, label: Label, target: int, weight: float = 0.0) -> None:
        """An arc; `weight` is in nats. Raises GrammarError above MAX_ARCS, and for a source that is not there."""
        if not 0 <= source < len(self._arcs):
            raise GrammarError(f"an arc leaves node {source}, and there are {len(self._arcs)}")
        if self._size >= MAX_ARCS:
            raise GrammarError(f"a grammar has at most {MAX_ARCS} arcs, and one graph alone has more")
        self._size += 1
        self._arcs[source].append(Arc(target, label, weight))

    def words(self, source: int, text: str, target: int) -> None:
        """The words of a text, said one after the other; a text without words says nothing (Skip)."""
        words = text.split()
        if not words:
            self.add(source, Skip(), target)
        for word in words[:-1]:
            following = self.node()
            self.add(source, Spoken(word), following)
            source = following
        for word in words[-1:]:
            self.add(source, Spoken(word), target)

    def build(self) -> Graph:
        """The graph as it stands now."""
        return Graph(tuple(map(tuple, self._arcs)))


def grammar(name: str, intents: Mapping[str, str], graphs: Mapping[str, Graph], lists: Iterable[str] = ()) -> Grammar:
    """The grammar of these intents and graphs. Raises GrammarError, which names the grammar, the graph and what is wrong."""
    made = Grammar(name, dict(intents), dict(graphs), frozenset(lists))
    network(made)
    return made
