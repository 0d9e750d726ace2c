"""The one grammar representation: a weighted, tagged word graph, in sub-graphs that call each other.

A front end (Home Assistant's templates, Rhasspy's sentences) builds it, the search walks its spoken side, and `matching` reads
intent, slots and the written side off the words that were said. A list of names is a graph of its own: whoever replaces it leaves
the others as they are. Calls may not form a circle, so every sentence has an end.

Spoken words are what the acoustic model's alphabet can write; making them so (case, digits, diacritics) is the front end's work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

START, FINAL = 0, 1  # nodes of every graph: where it begins, and where it ends


@dataclass(frozen=True, slots=True)
class Skip:
    """Nothing is said. `written` is text that appears all the same."""

    written: str = ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One word is said. `written` is what stands for it in the written sentence; None: the word itself, "": nothing."""

    word: str
    written: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """What the graph of this name says."""

    graph: str


@dataclass(frozen=True, slots=True)
class Wildcard:
    """One or more words of open speech."""


@dataclass(frozen=True, slots=True)
class Begin:
    """A slot begins here; what is written up to its End is its text. Nothing is said."""

    slot: str


@dataclass(frozen=True, slots=True)
class End:
    """The slot that began last ends here. `value` is the slot's; None: the text written since its Begin. Nothing is said."""

    value: str | None = None


@dataclass(frozen=True, slots=True)
class Set:
    """A slot that nobody says: it has this value wherever the path leads through here. Nothing is said."""

    slot: str
    value: str


Label = Skip | Spoken | Call | Wildcard | Begin | End | Set


@dataclass(frozen=True, slots=True)
class Arc:
    """An arc to `target`."""

    target: int
    label: Label
    weight: float = 0.0  # nats that the path gains (or, below 0, loses); a millionth is the smallest difference


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Graph:
    """The arcs that leave each node. It begins at START and ends at FINAL, which no arc leaves."""

    arcs: tuple[tuple[Arc, ...], ...]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Grammar:
    """Intents and the graphs of their sentences. Immutable, checked by `ds_engine.grammar.builder.grammar`, compared by identity."""

    name: str  # in a transcript's `matched`
    intents: Mapping[str, str]  # intent -> graph of its sentences
    graphs: Mapping[str, Graph]
    lists: frozenset[str] = frozenset()  # graphs whose first words are many and shared: the search keeps one trie for each
