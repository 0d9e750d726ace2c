"""The automaton contract: what a search may spell, as an immutable base and small overlays on top of it.

A lexicon, a grammar or a handful of names is an automaton of its own over the alphabet's columns. A search walks several at
once: a node is packed into one integer with the layer it lies in (`Layers`), so that a household's names come and go without
the base being rebuilt, and a beam remains an array of integers. `arcs` takes and gives arrays, since a search asks for the
arcs of a whole beam at a time; `ending` is asked once for each word that a search really follows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

NodeArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
DoubleArray = npt.NDArray[np.float64]

ROOT = 0  # the node of every automaton at which a word (or a sentence) begins
NODE_BITS = 32  # of a packed node; the layer stands above them
MAX_LAYERS = 8
PACKED_BITS = NODE_BITS + (MAX_LAYERS - 1).bit_length()


@dataclass(frozen=True, slots=True)
class Arcs:
    """The arcs that leave some nodes: `sources[i]` is the position of arc i's node in what was asked for."""

    sources: NodeArray
    columns: NodeArray  # of the alphabet
    targets: NodeArray
    ends: BoolArray  # True where a word ends at the target
    factors: DoubleArray  # what following the arc multiplies a probability by: an advance on the language model's verdict


@dataclass(frozen=True, slots=True)
class Ending:
    """The word that ends at a node."""

    text: str
    spelling: tuple[int, ...]  # columns
    index: int  # of the word in the language model; the model's `unknown` for a word that it does not have
    advance: float = 0.0  # nats: the sum of the arcs' ln(factor) on the way here, to be exchanged for the real verdict
    price: float = 0.0  # nats that the word costs beyond the language model's verdict


class Automaton(Protocol):
    """An automaton over columns of the alphabet; nodes are integers from 0, the root, below 2**NODE_BITS."""

    @property
    def greatest(self) -> float:
        """The largest factor of any arc."""
        ...

    def arcs(self, nodes: NodeArray) -> Arcs:
        """All arcs that leave `nodes`."""
        ...

    def ending(self, node: int) -> Ending | None:
        """The word that ends at a node, or None where none may."""
        ...

    def spelling(self, node: int) -> tuple[int, ...]:
        """The columns on the way from the root to a node."""
        ...


def at_root(nodes: NodeArray) -> BoolArray:
    """True at ROOT."""
    found: BoolArray = nodes == ROOT
    return found


@dataclass(frozen=True, slots=True)
class Layers:
    """Several automata as one: layer 0 is the base, the others are overlays, whose roots the base's gates stand for as well."""

    automata: tuple[Automaton, ...]
    gates: Callable[[NodeArray], BoolArray] = at_root

    @property
    def greatest(self) -> float:
        """The largest factor of any arc."""
        return max(automaton.greatest for automaton in self.automata)

    def arcs(self, nodes: NodeArray) -> Arcs:
        """All arcs that leave packed `nodes`, layer by layer."""
        base, *overlays = self.automata
        if not overlays:
            return base.arcs(nodes)
        layers, local = nodes >> NODE_BITS, nodes & _NODE_MASK
        inside = np.flatnonzero(layers == 0)
        parts = [_part(base, 0, local[inside], inside)]
        gates = np.flatnonzero(self.gates(nodes))
        roots = np.full(len(gates), ROOT, np.int64)
        for layer, automaton in enumerate(overlays, 1):
            inside = np.flatnonzero(layers == layer)
            if len(inside) or len(gates):
                parts.append(_part(automaton, layer, np.concatenate((local[inside], roots)), np.concatenate((inside, gates))))
        return Arcs(*(np.concatenate([getattr(part, name) for part in parts]) for name in Arcs.__slots__))

    def ending(self, node: int) -> Ending | None:
        """The word that ends at a packed node, or None."""
        return self.automata[node >> NODE_BITS].ending(node & _NODE_MASK)

    def spelling(self, node: int) -> tuple[int, ...]:
        """The columns on the way to a packed node."""
        return self.automata[node >> NODE_BITS].spelling(node & _NODE_MASK)


_NODE_MASK = (1 << NODE_BITS) - 1


def _part(automaton: Automaton, layer: int, nodes: NodeArray, where: NodeArray) -> Arcs:
    """The arcs of an automaton's own nodes, which stand at these places of what was asked for."""
    arcs = automaton.arcs(nodes)
    return Arcs(where[arcs.sources], arcs.columns, arcs.targets | (layer << NODE_BITS), arcs.ends, arcs.factors)
