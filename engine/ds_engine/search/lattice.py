"""The word lattice of one utterance: ends of words in, as the search finds them; posteriors of words out.

The search joins hypotheses that the language model cannot tell apart and keeps the likelier one's words, so its beam alone shows
neither what a word was up against nor how narrowly it won. Here every history keeps the best end that its last word had: how likely,
and in which row. Histories of one key whose words ended at about the same time were joined somewhere; whatever follows one could
have followed the other. So what the histories in a beam are worth is handed back from history to history, at each divided among
those that were joined there. (Wessel et al., 2001, "Confidence measures for large vocabulary continuous speech recognition", do it
over all paths of a word graph.)

The posteriors after a row do not depend on how the rows were cut into calls.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ds_engine.search.confidence import Belief
from ds_engine.search.language import FIRST

SHARPNESS = 0.85  # exponent of likelihoods: rows of log-probs are not as independent as the search takes them to be
JOINED_ROWS = 4  # words of one key that end no further apart were joined
LEAST = 2e-3  # posterior that is still handed back

Weights = Mapping[int, float]  # history -> natural-log score of what is alive of it


class Histories(Protocol):
    """What a lattice asks about histories; see ds_engine.search.language.Language."""

    def key(self, history: int) -> int:
        """What hypotheses are joined by."""
        ...

    def parent(self, history: int) -> int:
        """The history before the last word."""
        ...

    def word(self, history: int) -> str:
        """The last word."""
        ...

    def support(self, history: int) -> float:
        """Nats by which the language model finds the last word likelier after the words before it than anywhere."""
        ...

    def ending(self, history: int) -> float:
        """The same of the utterance's end after a history."""
        ...


@dataclass(slots=True)
class _End:
    """Where the last word of a history ended best."""

    before: int  # history
    key: int
    row: int  # counted from 1
    log_mass: float


class Lattice:
    """The ends of words of one utterance; see the kernel for what keys and masses are."""

    def __init__(self, histories: Histories) -> None:
        self._histories = histories
        self._ends: dict[int, _End] = {}
        self._of_key: dict[int, dict[int, _End]] = {}  # the same
        self._row = 0

    def advance(self) -> None:
        """The next row begins."""
        self._row += 1

    def end(self, before: int, after: int, key: int, mass: float) -> None:
        """In this row a word ends that leads from one history to another, which is joined by `key`.

        `mass`, above 0, is relative to the row's likeliest hypothesis: so it can be compared with one of another row, from which there
        is more or less still to be said.
        """
        log_mass = math.log(mass)
        known = self._ends.get(after)
        if known is None:
            end = self._ends[after] = _End(before, key, self._row, log_mass)
            self._of_key.setdefault(key, {})[after] = end
        elif log_mass > known.log_mass:
            known.row, known.log_mass = self._row, log_mass

    def beliefs(self, weights: Weights, paths: Sequence[Sequence[int]], root: int) -> list[list[Belief]]:
        """What is believed of the words of each path, and of the utterance's end after them.

        A path is one history after the other, the first of them one word after `root`; an empty one ends at `root`.
        """
        wanted = {history for path in paths for history in path}
        places = self._places(self._posteriors(weights, root), {self._histories.word(history) for history in wanted})
        known = {history: Belief(self._share(history, places), self._histories.support(history)) for history in wanted}
        ends = (Belief(1.0, self._histories.ending(path[-1] if path else root)) for path in paths)
        return [[*(known[history] for history in path), end] for path, end in zip(paths, ends, strict=True)]

    def alive(self, weights: Weights, root: int) -> list[int]:
        """The histories after `root` that beliefs in the words after it rest on."""
        return [history for history in self._posteriors(weights, root) if self._descends(history, root)]

    def rename(self, histories: Mapping[int, int]) -> None:
        """Takes new numbers of histories, FIRST among them; others are forgotten."""
        kept = {new: self._ends[old] for old, new in histories.items() if new != FIRST and old in self._ends}
        self._of_key = {}
        for new, end in kept.items():
            end.before, end.key = histories[end.before], self._histories.key(new)
            self._of_key.setdefault(end.key, {})[new] = end
        self._ends = kept

    def _posteriors(self, weights: Weights, root: int) -> dict[int, float]:
        """Of each history, where at least LEAST: how probable it is that what was said begins with it or with what says the same there."""
        waiting = _shares(weights)
        order = [-history for history in waiting]  # those with the highest number first: a parent's number is below its child's
        heapq.heapify(order)
        found: dict[int, float] = {}
        while order:
            history = -heapq.heappop(order)
            for joined, before, part in self._joined(history, waiting.pop(history)):
                found[joined] = found.get(joined, 0.0) + part
                if before in waiting:
                    waiting[before] += part
                elif before > root:
                    waiting[before] = part
                    heapq.heappush(order, -before)
        return found

    def _joined(self, history: int, share: float) -> Iterable[tuple[int, int, float]]:
        """A history and those that were joined to it, what stood before their last words, and their parts of the share.

        Only what began before `history` counts, so that handing back comes to an end.
        """
        end = self._ends.get(history)
        if end is None:
            return ((history, self._histories.parent(history), share),)
        row, there = end.row, self._of_key[end.key].items()
        near = [(other, one.before, one.log_mass) for other, one in there if abs(one.row - row) <= JOINED_ROWS and one.before < history]
        if len(near) == 1:
            return ((history, end.before, share),)
        most = max([log_mass for _, _, log_mass in near])
        powers = [math.exp(SHARPNESS * (log_mass - most)) for _, _, log_mass in near]
        unit, least = share / sum(powers), LEAST * sum(powers) / share
        return [(other, before, power * unit) for (other, before, _), power in zip(near, powers, strict=True) if power >= least]

    def _places(self, posteriors: Mapping[int, float], words: Container[str]) -> dict[str, list[tuple[int, int, float]]]:
        """Where these words are: the row after which each began, the one in which it ended, and its posterior."""
        places: dict[str, list[tuple[int, int, float]]] = {}
        for history, posterior in posteriors.items():
            word = self._histories.word(history)
            if word in words:
                places.setdefault(word, []).append((*self._rows(history), posterior))
        return places

    def _share(self, history: int, places: Mapping[str, Iterable[tuple[int, int, float]]]) -> float:
        """The posterior of the same word in any rows that are also this one's."""
        begin, end = self._rows(history)
        overlapping = (there for first, last, there in places.get(self._histories.word(history), ()) if first < end and begin < last)
        return min(1.0, math.fsum(overlapping))

    def _rows(self, history: int) -> tuple[int, int]:
        """The row before the last word, and its last; what came before may have ended best later than this word did."""
        end = self._end_row(history)
        return min(self._end_row(self._before(history)), end - 1), end

    def _end_row(self, history: int) -> int:
        """One that has not ended lasts until now."""
        end = self._ends.get(history)
        return end.row if end else self._row * (history != FIRST)

    def _before(self, history: int) -> int:
        end = self._ends.get(history)
        return end.before if end else self._histories.parent(history)

    def _descends(self, history: int, root: int) -> bool:
        while history > root:
            history = self._before(history)
        return history == root


def _shares(weights: Weights) -> dict[int, float]:
    """Weights as probabilities; FIRST, which has no words, and what is below LEAST are left out."""
    most = max(weights.values(), default=0.0)
    powers = {history: math.exp(SHARPNESS * (weight - most)) for history, weight in weights.items()}
    total = sum(powers.values())
    return {history: power / total for history, power in powers.items() if power >= LEAST * total and history != FIRST}
