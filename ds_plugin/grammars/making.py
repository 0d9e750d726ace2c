"""A graph of many values while it is made: paths of labels in, a graph that begins them together out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ds_engine.grammar.builder import GraphBuilder
from ds_engine.grammar.graph import FINAL, START, Graph, Label
from ds_plugin.grammars.compact import compacted
from ds_plugin.grammars.readings import Read, Readings

FEW = 8  # values of a list that needs no trie of its own in the search

MISSING, UNFIT, UNSAID = "is not given", "has no value that fits", "has no value that can be said"


@dataclass(frozen=True, slots=True)
class Built:
    """What became of a list, or of a list joined to letters."""

    name: str  # of its graph; that of another list of equal values, where there is one
    graph: Graph | None = None
    lack: str = ""  # why there is no graph
    uses: frozenset[str] = frozenset()  # lists that it is made of
    problems: tuple[str, ...] = ()
    large: bool = False  # more than FEW values


class Making:
    """A graph that is being made."""

    def __init__(self, reader: Read, uses: Iterable[str] = ()) -> None:
        self.builder = GraphBuilder()
        self.readings = Readings(reader)
        self.uses = set(uses)
        self._after: dict[tuple[int, Label], int] = {}
        self._values = 0

    def path(self, labels: Iterable[Label], source: int = START) -> int:
        """The node after these labels; paths that begin alike share their beginning."""
        for label in labels:
            key = (source, label)
            if key not in self._after:
                self._after[key] = self.builder.node()
                self.builder.add(source, label, self._after[key])
            source = self._after[key]
        return source

    def end(self, source: int, label: Label) -> None:
        """The last label of a value."""
        if (source, label) not in self._after:
            self._after[source, label] = FINAL
            self.builder.add(source, label, FINAL)
            self._values += 1

    def problem(self, text: str) -> None:
        """Notes what is left out, and where."""
        self.readings.problems[text] = None

    def built(self, name: str) -> Built:
        """What was made."""
        made = compacted(self.builder.build())
        uses, problems = frozenset(self.uses), tuple(self.readings.problems)
        if made is None:
            return Built(name, None, UNSAID, uses, problems)
        return Built(name, made.graph, "", uses, problems, self._values > FEW)
