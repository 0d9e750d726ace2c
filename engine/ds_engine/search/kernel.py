"""The kernel: rows of log-probs in, a beam of hypotheses out, exact CTC prefix search with everything in arrays.

A hypothesis is a place in the automaton (the node of the word that is being said) and a history (the words before it); its
probability is split, as in Graves et al. (2006, "Connectionist temporal classification"), into alignments that end in a blank
and such that end in the node's own symbol. Probabilities are linear and carry the language model's weight already; every row
rescales them by their maximum and keeps the logarithm of the scale, so a row needs no exponentials or logarithms.

Where the alphabet has a separator, a hypothesis between two words stands at the node where the next word begins, and further
separators there change nothing: the probability of a text is the sum over all alignments that read like it once spaces are trimmed
and joined. Without a separator a word ends where the next one begins.

The state after a row does not depend on how the rows were cut into calls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ds_engine.alphabet import Alphabet
from ds_engine.automaton import PACKED_BITS, BoolArray, DoubleArray, Layers, NodeArray
from ds_engine.features import FloatArray
from ds_engine.search.language import FIRST, Language
from ds_engine.search.lattice import Lattice
from ds_engine.search.policy import SearchPolicy

NO_COLUMN = -1  # of a hypothesis that has no symbol yet
TINY = 1e-30  # least probability of a symbol: a row can rule nothing out for good
SURPRISE = 4.0  # nats by which the language model's verdict may exceed the look-ahead before a word's end is not even asked for


@dataclass(slots=True)
class Beam:
    """The hypotheses, one per place in every array."""

    nodes: NodeArray
    columns: NodeArray  # of the last symbol
    ends: BoolArray  # True where a word ends at the node
    histories: NodeArray
    keys: NodeArray  # what hypotheses at one node are joined by: contexts, or histories
    blank: DoubleArray  # probability of the alignments that end in a blank, relative to exp(scale)
    symbol: DoubleArray  # and of those that end in the symbol

    def take(self, where: NodeArray) -> Beam:
        """These hypotheses."""
        return Beam(*(getattr(self, name)[where] for name in Beam.__slots__))

    def with_others(self, other: Beam) -> Beam:
        """These hypotheses, then the others."""
        return Beam(*(np.concatenate((getattr(self, name), getattr(other, name))) for name in Beam.__slots__))


class Kernel:
    """The search of one utterance."""

    def __init__(
        self, alphabet: Alphabet, layers: Layers, language: Language, policy: SearchPolicy, lattice: Lattice | None = None
    ) -> None:
        self._layers = layers
        self._lattice = lattice
        self._language = language
        self._policy = policy
        self._separator = alphabet.separator
        self._blank = alphabet.blank
        self._ignored = sorted(alphabet.ignored - {alphabet.blank})
        self._spoken = [column for column in range(len(alphabet.symbols)) if not alphabet.is_silent(column)]
        self._drop = math.exp(-policy.threshold) * (1 - 1e-9)  # with a threshold of 0 the best itself must stay
        self._surprise = math.exp(min(policy.alpha * SURPRISE + max(policy.beta, 0.0) + language.greatest_boost, 600.0))
        self._greatest = layers.greatest
        self._scale = 0.0
        first = NO_COLUMN if self._separator is None else self._separator
        nodes, columns, histories = (np.full(1, value, np.int64) for value in (language.root(FIRST), first, FIRST))
        self.beam = Beam(nodes, columns, np.zeros(1, bool), histories, np.full(1, language.key(FIRST), np.int64), np.ones(1), np.zeros(1))

    def advance(self, log_probs: FloatArray) -> None:
        """Takes [rows, symbols], natural logarithms."""
        probs = np.fmax(np.exp(np.minimum(log_probs.astype(np.float64), 0.0)), TINY)  # fmax: a NaN is no probability either
        for column in self._ignored:  # one by one: numpy's sums depend on how many rows there are
            probs[:, self._blank] += probs[:, column]
        waits = (probs[:, self._blank] > self._policy.skip).tolist()
        if self._policy.blank_penalty:
            probs = _reweighed(probs, self._blank, math.exp(-self._policy.blank_penalty))
        blanks, greatest = probs[:, self._blank].tolist(), probs[:, self._spoken].max(axis=1, initial=TINY).tolist()
        for row, blank, highest, wait in zip(probs, blanks, greatest, waits, strict=True):
            self._row(row, blank, highest, wait=wait)

    def best(self) -> tuple[int, int]:
        """History and node of the likeliest hypothesis."""
        place = int((self.beam.blank + self.beam.symbol).argmax())
        return int(self.beam.histories[place]), int(self.beam.nodes[place])

    def score(self) -> float:
        """The natural logarithm of the likeliest hypothesis's probability."""
        return self._scale

    def histories(self) -> list[int]:
        """The histories of all hypotheses, repeats included."""
        return [int(history) for history in self.beam.histories]

    def weights(self) -> dict[int, float]:
        """The natural-log scores of the histories of all hypotheses."""
        histories, places = np.unique(self.beam.histories, return_inverse=True)
        masses = np.bincount(places, self.beam.blank + self.beam.symbol)
        return {history: math.log(mass) + self._scale for history, mass in zip(histories.tolist(), masses.tolist(), strict=True) if mass}

    def readings(self) -> list[tuple[int, float]]:
        """What the utterance may have been, if it ends here: histories and natural-log scores, best first.

        Hypotheses in the middle of a word are none, so there may be none at all.
        """
        totals: dict[int, float] = {}
        beam = self.beam
        rows = zip(beam.nodes.tolist(), beam.ends.tolist(), beam.histories.tolist(), (beam.blank + beam.symbol).tolist(), strict=True)
        for node, ends, before, total in rows:
            if ends:
                history, factor, _ = self._language.step(before, node)
            else:
                history, factor = before if node == self._language.root(before) else -1, 1.0
            if history >= 0:
                totals[history] = totals.get(history, 0.0) + total * factor
        weighed = [(history, total * self._language.end(history)) for history, total in totals.items()]
        scored = [(history, math.log(total) + self._scale) for history, total in weighed if total > 0]
        return sorted(scored, key=lambda reading: (-reading[1], reading[0]))

    def rename(self, histories: dict[int, int], nodes: NodeArray) -> None:
        """Takes new numbers of histories, and of this beam's nodes."""
        beam = self.beam
        beam.nodes = nodes
        beam.histories = np.array([histories[history] for history in beam.histories.tolist()], np.int64)
        beam.keys = np.array([self._language.key(history) for history in beam.histories.tolist()], np.int64)

    def _row(self, probs: DoubleArray, blank: float, highest: float, *, wait: bool) -> None:
        if self._lattice is not None:
            self._lattice.advance()
        beam = self.beam
        total = beam.blank + beam.symbol
        repeated = beam.symbol if self._separator is None else np.where(beam.columns == self._separator, total, beam.symbol)
        stay_symbol = repeated * probs[beam.columns]
        stay_blank = total * blank
        stay = Beam(beam.nodes, beam.columns, beam.ends, beam.histories, beam.keys, stay_blank, stay_symbol)
        if wait:
            self._keep(stay, prune=False)
            return
        limit = float((stay_blank + stay_symbol).max()) * self._drop
        grown = self._grown(probs, total, highest, limit)
        self._keep(_merged(stay, grown, recombine=self._policy.recombine) if len(grown.nodes) else stay, prune=True)

    def _grown(self, probs: DoubleArray, total: DoubleArray, highest: float, limit: float) -> Beam:
        """The hypotheses that come out of these by one more symbol. What falls below `limit` is left out."""
        beam = self.beam
        ended = self._ended(probs, total, limit)
        growing = np.flatnonzero(total * (highest * self._greatest) > limit)
        if self._separator is not None:
            extended = self._extended(beam.take(growing), probs, limit)
            return extended.with_others(ended) if len(ended.nodes) else extended
        return _distinct(self._extended(beam.take(growing).with_others(ended), probs, limit))

    def _extended(self, beam: Beam, probs: DoubleArray, limit: float) -> Beam:
        """One more symbol of the word that is being said (or the first of the next), the best `policy.beam` of them."""
        arcs = self._layers.arcs(beam.nodes)
        total = beam.blank + beam.symbol
        sources = arcs.sources
        before = np.where(arcs.columns == beam.columns[sources], beam.blank[sources], total[sources])  # a repeat needs a blank between
        mass = before * probs[arcs.columns] * arcs.factors
        limit = max(limit, float(mass.max(initial=0.0)) * self._drop)
        chosen = _highest(mass, limit, self._policy.beam)
        sources = sources[chosen]
        return Beam(
            arcs.targets[chosen],
            arcs.columns[chosen],
            arcs.ends[chosen],
            beam.histories[sources],
            beam.keys[sources],
            np.zeros(len(chosen)),
            mass[chosen],
        )

    def _ended(self, probs: DoubleArray, total: DoubleArray, limit: float) -> Beam:
        """The hypotheses whose word ends here: by a separator, or, without one, ready for the next word's first symbol."""
        beam, separator = self.beam, self._separator
        spoken = float(probs[separator]) if separator is not None else 1.0
        where = np.flatnonzero(beam.ends & (total * (spoken * self._surprise) > limit))
        found: dict[tuple[int, int], list[float]] = {}  # (key, column) -> history, blank, symbol
        rows = zip(*(getattr(beam, name)[where].tolist() for name in ("nodes", "columns", "histories", "blank", "symbol")), strict=True)
        for node, column, history, blank, symbol in rows:
            after, factor, key = self._language.step(history, node)
            if after < 0:
                continue
            masses = (0.0, (blank + symbol) * spoken * factor) if separator is not None else (blank * factor, symbol * factor)
            if self._lattice is not None and sum(masses) > limit:
                self._lattice.end(history, after, key, sum(masses))
            place = (key, column if separator is None else separator)
            known = found.get(place)
            if known is None or (known[0] != after and sum(masses) > known[1] + known[2]):
                found[place] = [after, *masses]
            elif known[0] == after:
                known[1] += masses[0]
                known[2] += masses[1]
        kept = [(*place, *values) for place, values in found.items() if separator is None or values[2] > limit]
        keys, columns, histories, blanks, symbols = np.array(kept, np.float64).reshape(-1, 5).T
        return Beam(
            np.array([self._language.root(int(history)) for history in histories], np.int64),
            columns.astype(np.int64),
            np.zeros(len(kept), bool),
            histories.astype(np.int64),
            keys.astype(np.int64),
            blanks,
            symbols,
        )

    def _keep(self, beam: Beam, *, prune: bool) -> None:
        """Drops what is too far behind or too many, and rescales."""
        total = beam.blank + beam.symbol
        highest = float(total.max())
        if prune:
            beam = beam.take(_highest(total, highest * self._drop, self._policy.beam))
        self._scale += math.log(highest)
        beam.blank *= 1 / highest
        beam.symbol *= 1 / highest
        self.beam = beam


def _highest(masses: DoubleArray, limit: float, most: int) -> NodeArray:
    """The places of at most `most` masses above the limit, in order of place."""
    above = np.flatnonzero(masses > limit)
    if len(above) <= most:
        return above
    return np.sort(above[masses[above].argpartition(len(above) - most)[len(above) - most :]])


def _reweighed(probs: DoubleArray, blank: int, factor: float) -> DoubleArray:
    """The rows with the blank's probability times `factor`, and the others as much greater as it became less."""
    lost = probs[:, blank] * (1 - factor)
    rows = probs / np.maximum(1 - lost, TINY)[:, None]
    rows[:, blank] *= factor
    return rows


def _merged(stay: Beam, grown: Beam, *, recombine: bool) -> Beam:
    """One beam of two. Equal histories at one node add up; of different ones with one key the likelier stays."""
    here = (stay.keys << PACKED_BITS) | stay.nodes
    there = (grown.keys << PACKED_BITS) | grown.nodes
    order = here.argsort()
    places = here.searchsorted(there, sorter=order)
    places[places == len(here)] = 0
    targets = order[places]
    known = here[targets] == there
    if not known.any():
        return stay.with_others(grown)
    joining, into = np.flatnonzero(known), targets[known]
    if recombine:
        same = grown.histories[joining] == stay.histories[into]
        _replace(stay, into[~same], grown, joining[~same])
        joining, into = joining[same], into[same]
    stay.blank[into] += grown.blank[joining]
    stay.symbol[into] += grown.symbol[joining]
    return stay.with_others(grown.take(np.flatnonzero(~known)))


def _replace(stay: Beam, into: NodeArray, grown: Beam, joining: NodeArray) -> None:
    """Another history takes the place where it is likelier."""
    better = grown.blank[joining] + grown.symbol[joining] > stay.blank[into] + stay.symbol[into]
    into, joining = into[better], joining[better]
    stay.histories = stay.histories.copy()
    stay.histories[into] = grown.histories[joining]
    stay.blank[into] = grown.blank[joining]
    stay.symbol[into] = grown.symbol[joining]


def _distinct(beam: Beam) -> Beam:
    """One hypothesis for each node and key, merged as in `_merged`: several word ends may lead to the same first symbol."""
    keys = (beam.keys << PACKED_BITS) | beam.nodes
    order = np.lexsort((-(beam.blank + beam.symbol), keys))
    firsts = np.flatnonzero(np.concatenate(([True], keys[order][1:] != keys[order][:-1])))[: len(order)]
    leaders = order[firsts].repeat(np.diff(np.append(firsts, len(order))))  # of each place in `order`: the likeliest of its group
    same = beam.histories[order] == beam.histories[leaders]
    merged = beam.take(order[firsts])
    for name in ("blank", "symbol"):
        masses = np.where(same, getattr(beam, name)[order], 0.0)
        setattr(merged, name, np.add.reduceat(masses, firsts) if len(firsts) else masses)
    return merged
