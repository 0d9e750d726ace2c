"""The language side of one utterance: which words a hypothesis is made of, and what the next one costs.

A history is a node in a tree of words; its context is what the language model and the phrases remember of it. Each step from a
history over the end of a word is computed once and remembered. Histories that no beam needs any more are forgotten from time
to time, so that memory follows the beam and not the utterance.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ds_engine.automaton import NODE_BITS, Ending, Layers
from ds_engine.lm.model import LanguageModel
from ds_engine.search.constraint import FREE, Constraint
from ds_engine.search.phrases import NOWHERE, Phrases
from ds_engine.search.policy import SearchPolicy

FIRST = 0  # the history before any word
_MOST = 600.0  # nats that a word may gain; what is above no longer fits into a probability


@dataclass(frozen=True, slots=True)
class Said:
    """A word of a history, and the columns that spelled it."""

    text: str
    spelling: tuple[int, ...]


class Step(NamedTuple):
    """A step from a history over the end of a word."""

    history: int  # after the word; -1: no word may end here
    factor: float  # what a probability is multiplied by
    key: int  # of the history


REFUSED = Step(-1, 0.0, -1)

_Context = tuple[Hashable, int, Hashable]  # of the language model, the phrases and the constraint


class Language:
    """Histories and contexts of one utterance. Histories are integers, a child's above its parent's."""

    def __init__(
        self,
        layers: Layers,
        model: LanguageModel | None,
        phrases: Phrases,
        policy: SearchPolicy,
        constraint: Constraint = FREE,
        overlays: SearchPolicy | None = None,
    ) -> None:
        """`overlays` weighs the words of the layers above the base, where they are weighed otherwise."""
        self._layers = layers
        self._model = model
        self._phrases = phrases
        self._policy = policy
        self._overlays = overlays or policy
        self._constraint = constraint
        self._contexts: list[_Context] = [(model.start if model else None, NOWHERE, constraint.start)]
        self._context_ids = {self._contexts[0]: 0}
        self._parents = [-1]
        self._said: list[Said | None] = [None]
        self._context_of = [0]
        self._verdicts = [(0.0, 0)]  # on the last word of each: its log-probability in its context, and its index
        self._steps: dict[tuple[int, int], Step] = {}  # by history and node
        self._children: dict[tuple[int, str], int] = {}  # (history, text) -> history: one history, however it was spelled

    def __len__(self) -> int:
        """How many histories are remembered."""
        return len(self._parents)

    @property
    def greatest_boost(self) -> float:
        """Nats that a phrase may bring its last word beyond the language model's verdict."""
        return self._phrases.greatest

    def step(self, history: int, node: int) -> Step:
        """What comes of the word that ends at a node, or REFUSED."""
        known = self._steps.get((history, node))
        if known is None:
            ending = self._layers.ending(node)
            known = REFUSED if ending is None else self._followed(history, ending, overlay=node >> NODE_BITS > 0)
            self._steps[history, node] = known
        return known

    def end(self, history: int) -> float:
        """What a probability is multiplied by where the utterance ends after a history; 0 where it must not end there."""
        context, phrase, place = self._contexts[self._context_of[history]]
        ended = self._constraint.end(place)
        if ended is None:
            return 0.0
        verdict = ended + self._phrases.end(phrase)
        if self._model is not None and self._policy.sentence_end:
            verdict += self._policy.alpha * self._model.end(context)
        return math.exp(min(verdict, _MOST))

    def root(self, history: int) -> int:
        """The node at which the word after a history begins."""
        return self._constraint.root(self.place(history))

    def place(self, history: int) -> Hashable:
        """Where the constraint stands after a history."""
        return self._contexts[self._context_of[history]][2]

    def key(self, history: int) -> int:
        """What hypotheses are joined by: the number of the history's context, or, in an exact search, the history."""
        return self._context_of[history] if self._policy.recombine else history

    def said(self, history: int, since: int = FIRST) -> list[Said]:
        """The words of a history after those of `since`, which must be among its ancestors."""
        words = []
        while history != since:
            said = self._said[history]
            if said is not None:
                words.append(said)
            history = self._parents[history]
        return words[::-1]

    def path(self, history: int, since: int = FIRST) -> list[int]:
        """The histories after `since` up to this one, one for each of `said`."""
        found = []
        while history != since:
            found.append(history)
            history = self._parents[history]
        return found[::-1]

    def parent(self, history: int) -> int:
        """The history before the last word."""
        return self._parents[history]

    def word(self, history: int) -> str:
        """The last word; nothing before any word."""
        said = self._said[history]
        return said.text if said else ""

    def support(self, history: int) -> float:
        """Nats by which the language model finds the last word likelier after the words before it than anywhere; 0 without a model."""
        log_prob, index = self._verdicts[history]
        return log_prob - self._model.advance(self._model.empty, index)[0] if self._model is not None else 0.0

    def ending(self, history: int) -> float:
        """The same of the utterance's end after a history."""
        context = self._contexts[self._context_of[history]][0]
        return self._model.end(context) - self._model.end(self._model.empty) if self._model is not None else 0.0

    def shared(self, histories: Iterable[int]) -> int:
        """The last history from which all of these descend (or which all of them are)."""
        live = sorted(set(histories))
        while len(live) > 1:  # a parent's number is below its child's: the highest cannot be an ancestor of the others
            parent = self._parents[live.pop()]
            place = _place(live, parent)
            if place is not None:
                live.insert(place, parent)
        return live[0]

    def forget(self, live: Iterable[int], root: int) -> dict[int, int]:
        """Keeps `root`, the histories in `live` (its descendants) and what lies between. Gives the new number of each one kept.

        Contexts are numbered anew as well; everything before `root` is forgotten.
        """
        kept = {root}
        for history in live:
            ancestor = history
            while ancestor not in kept:
                kept.add(ancestor)
                ancestor = self._parents[ancestor]
        order = sorted(kept)
        renamed = {old: new for new, old in enumerate(order)}
        contexts = [self._contexts[self._context_of[old]] for old in order]
        self._contexts = list(dict.fromkeys(contexts))
        self._context_ids = {context: number for number, context in enumerate(self._contexts)}
        self._context_of = [self._context_ids[context] for context in contexts]
        self._parents = [-1, *(renamed[self._parents[old]] for old in order[1:])]
        self._said = [None, *(self._said[old] for old in order[1:])]
        self._verdicts = [self._verdicts[old] for old in order]
        self._children = {
            (renamed[history], text): renamed[after]
            for (history, text), after in self._children.items()
            if history in renamed and after in renamed
        }
        self._steps = {}
        return renamed

    def _followed(self, history: int, ending: Ending, *, overlay: bool) -> Step:
        context, phrase, place = self._contexts[self._context_of[history]]
        allowed = self._constraint.follow(place, ending.text, overlay=overlay)
        if allowed is None:
            return REFUSED
        place, gain = allowed
        policy = self._overlays if overlay else self._policy
        gain += policy.beta + ending.price - ending.advance
        log_prob = 0.0
        if self._model is not None:
            log_prob, context = self._model.advance(context, ending.index)
            gain += policy.alpha * log_prob
        phrase, boost = self._phrases.follow(phrase, ending.text)
        after = self._children.get((history, ending.text))
        if after is None:
            after = self._children[history, ending.text] = len(self._parents)
            self._parents.append(history)
            self._said.append(Said(ending.text, ending.spelling))
            self._verdicts.append((log_prob, ending.index))
            self._context_of.append(self._context_id((context, phrase, place)))
        return Step(after, math.exp(min(gain + boost, _MOST)), self.key(after))

    def _context_id(self, context: _Context) -> int:
        number = self._context_ids.setdefault(context, len(self._contexts))
        if number == len(self._contexts):
            self._contexts.append(context)
        return number


def _place(ordered: list[int], value: int) -> int | None:
    """Where `value` belongs in a sorted list, or None where it stands in it already."""
    place = bisect_left(ordered, value)
    return None if place < len(ordered) and ordered[place] == value else place
