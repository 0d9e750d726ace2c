"""The constraint contract: which words may follow which, beyond what a language model finds likely.

A place is where one stands after the words so far; the search carries it in the context of every history. Without a constraint every
word may follow every other and all words begin at ROOT.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol

from ds_engine.automaton import ROOT


class Constraint(Protocol):
    """Places and the steps between them."""

    @property
    def start(self) -> Hashable:
        """The place before any word."""
        ...

    def root(self, place: Hashable) -> int:
        """The packed node at which the next word begins."""
        ...

    def follow(self, place: Hashable, word: str, *, overlay: bool) -> tuple[Hashable, float] | None:
        """The place after a word and the nats that it gains, or None where it may not follow.

        `overlay` tells that the word came from a layer above the base.
        """
        ...

    def end(self, place: Hashable) -> float | None:
        """The nats gained where the utterance ends here, None where it must not."""
        ...


class _Free:
    """No constraint."""

    start = None

    def root(self, place: Hashable) -> int:
        return ROOT

    def follow(self, place: Hashable, word: str, *, overlay: bool) -> tuple[Hashable, float] | None:
        return None, 0.0

    def end(self, place: Hashable) -> float | None:
        return 0.0


FREE: Constraint = _Free()
