"""The automaton contract: what a search may spell, as an immutable base and small overlays on top of it.

A lexicon, a grammar or a handful of names is an automaton of its own over the alphabet's columns. A search walks several at
once: a node is packed into one integer with the layer it lies in (`Layers`), so that a household's names come and go without
the base being rebuilt, and a beam remains an array of integers. All verbs take and give arrays, since a search asks for the
arcs of a whole beam at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

NodeArray = npt.NDArray[np.int64]

ROOT = 0  # the node of every automaton at which a word (or a sentence) begins
NO_WORD = -1  # what `words` gives for a node at which none ends
_NODE_BITS = 32  # of a packed node; the layer stands above them


@dataclass(frozen=True, slots=True)
class Arcs:
    """The arcs that leave some nodes: `sources[i]` is the position of arc i's node in what was asked for."""

    sources: NodeArray
    columns: NodeArray  # of the alphabet
    targets: NodeArray


class Automaton(Protocol):
    """An immutable automaton over columns of the alphabet; nodes are integers from 0, the root."""

    def arcs(self, nodes: NodeArray) -> Arcs:
        """All arcs that leave `nodes`, in the order of the nodes and of columns within each."""
        ...

    def words(self, nodes: NodeArray) -> NodeArray:
        """The word that ends at each node, as an index into the automaton's own words, or NO_WORD."""
        ...

    def word(self, index: int) -> str:
        """The text of a word."""
        ...


@dataclass(frozen=True, slots=True)
class Layers:
    """Several automata as one: layer 0 is the base, the others are overlays. Nodes and words are packed with their layer."""

    automata: tuple[Automaton, ...]

    def roots(self) -> NodeArray:
        """The root of every layer: where a word may begin."""
        return _pack(np.arange(len(self.automata)), np.int64(ROOT))

    def arcs(self, nodes: NodeArray) -> Arcs:
        """All arcs that leave `nodes`, layer by layer."""
        parts = []
        for layer, where in self._split(nodes):
            arcs = self.automata[layer].arcs(_unpack(nodes[where]))
            parts.append(Arcs(where[arcs.sources], arcs.columns, _pack(np.int64(layer), arcs.targets)))
        return Arcs(*(_joined([getattr(part, name) for part in parts]) for name in ("sources", "columns", "targets")))

    def words(self, nodes: NodeArray) -> NodeArray:
        """The packed word that ends at each node, or NO_WORD."""
        words = np.full(len(nodes), NO_WORD, np.int64)
        for layer, where in self._split(nodes):
            found = self.automata[layer].words(_unpack(nodes[where]))
            words[where] = np.where(found == NO_WORD, NO_WORD, _pack(np.int64(layer), found))
        return words

    def word(self, packed: int) -> str:
        """The text of a packed word."""
        return self.automata[packed >> _NODE_BITS].word(packed & ((1 << _NODE_BITS) - 1))

    def _split(self, nodes: NodeArray) -> Sequence[tuple[int, NodeArray]]:
        layers = nodes >> _NODE_BITS
        return [(int(layer), np.flatnonzero(layers == layer)) for layer in np.unique(layers)]


def _pack(layer: NodeArray | np.int64, node: NodeArray | np.int64) -> NodeArray:
    return np.asarray((layer << _NODE_BITS) | node, dtype=np.int64)


def _unpack(nodes: NodeArray) -> NodeArray:
    return nodes & ((1 << _NODE_BITS) - 1)


def _joined(parts: list[NodeArray]) -> NodeArray:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)
