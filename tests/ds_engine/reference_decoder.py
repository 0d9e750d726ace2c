"""A small decoder that shows automata, bias and decoder contract to fit together: CTC prefix search over `Layers` of tries.

A prefix is the words that are complete and the node of the one being said; its probability is the sum over all alignments, as
in Graves' prefix search. Slow and simple: dictionaries and log-adds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from ds_engine.alphabet import Alphabet
from ds_engine.automaton import NO_WORD, Arcs, Layers, NodeArray
from ds_engine.bias import Bias
from ds_engine.decoder import Timing
from ds_engine.features import FloatArray
from ds_engine.transcript import Hypothesis, Partial, Word

BEAM = 60  # prefixes kept
BETWEEN = -2  # the node between two words


class Trie:
    """An Automaton of words, every spelling of each a path."""

    def __init__(self, alphabet: Alphabet, words: Iterable[str]) -> None:
        self._words = tuple(words)
        self._children: list[dict[int, int]] = [{}]
        self._ends: list[int] = [NO_WORD]
        for index, word in enumerate(self._words):
            for spelling in alphabet.spell(word):
                self._ends[self._path(spelling)] = index

    def arcs(self, nodes: NodeArray) -> Arcs:
        found = [(i, column, target) for i, node in enumerate(nodes.tolist()) for column, target in sorted(self._children[node].items())]
        columns = np.array(found, np.int64).reshape(-1, 3).T
        return Arcs(columns[0], columns[1], columns[2])

    def words(self, nodes: NodeArray) -> NodeArray:
        return np.array([self._ends[node] for node in nodes.tolist()], np.int64)

    def word(self, index: int) -> str:
        return self._words[index]

    @property
    def size(self) -> int:
        return len(self._children)

    def _path(self, spelling: Iterable[int]) -> int:
        node = 0
        for column in spelling:
            if column not in self._children[node]:
                self._children[node][column] = len(self._children)
                self._children.append({})
                self._ends.append(NO_WORD)
            node = self._children[node][column]
        return node


@dataclass(frozen=True)
class _Prefix:
    words: tuple[str, ...] = ()
    node: int = BETWEEN
    last: int = -1  # column


@dataclass(frozen=True)
class _Score:
    blank: float = -math.inf
    symbol: float = -math.inf
    spans: tuple[tuple[int, int], ...] = ()  # rows of the words, the open one included

    @property
    def total(self) -> float:
        return float(np.logaddexp(self.blank, self.symbol))


@dataclass(frozen=True)
class _State:
    layers: Layers
    boosts: Mapping[str, float]
    rows: int = 0
    beams: Mapping[_Prefix, _Score] = field(default_factory=lambda: {_Prefix(): _Score(blank=0.0)})


class ReferenceDecoder:
    """See the module."""

    def __init__(self, alphabet: Alphabet, timing: Timing, base: Trie) -> None:
        self.alphabet = alphabet
        self.timing = timing
        self.base = base

    def start(self, bias: Bias) -> _State:
        boosts = {word: phrase.boost for phrase in bias.phrases for word in phrase.text.split()}
        return _State(Layers((self.base, Trie(self.alphabet, boosts))), boosts)

    def advance(self, state: _State, log_probs: FloatArray) -> _State:
        for row in log_probs.astype(np.float64):
            state = _State(state.layers, state.boosts, state.rows + 1, self._advanced(state, row))
        return state

    def partial(self, state: _State) -> Partial:
        best = self._ranked(state)[0][0]
        shared = _common([prefix.words for prefix in state.beams])
        return Partial(self.alphabet.join(self._said(state, best)), self.alphabet.join(shared))

    def finish(self, state: _State) -> tuple[Hypothesis, ...]:
        whole: dict[tuple[str, ...], Hypothesis] = {}
        for prefix, score in self._ranked(state):
            words = self._said(state, prefix)
            timed = tuple(Word(text, *self._seconds(span), 0.5) for text, span in zip(words, score.spans, strict=False))
            whole.setdefault(words, Hypothesis(self.alphabet.join(words), timed, min(1.0, math.exp(score.total)), score.total))
        return tuple(whole.values())

    def _advanced(self, state: _State, row: FloatArray) -> dict[_Prefix, _Score]:
        after: dict[_Prefix, _Score] = {}
        for prefix, score in state.beams.items():
            _add(after, prefix, blank=score.total + row[self.alphabet.blank], spans=score.spans)
            if prefix.last >= 0:
                _add(after, prefix, symbol=score.symbol + row[prefix.last], spans=_longer(score.spans, prefix, state.rows))
            for following, boost in self._following(state, prefix):
                before = score.blank if following.last == prefix.last else score.total
                _add(
                    after, following, symbol=before + boost + row[following.last], spans=_spans(score.spans, prefix, following, state.rows)
                )
        best = sorted(after.items(), key=lambda item: (-item[1].total, item[0].words, item[0].node))
        return dict(best[:BEAM])

    def _following(self, state: _State, prefix: _Prefix) -> Iterator[tuple[_Prefix, float]]:
        word = self._open(state, prefix)
        ended = (*prefix.words, word) if word else prefix.words
        boost = state.boosts.get(word, 0.0) if word else 0.0
        if prefix.node != BETWEEN:
            for _, column, target in _arcs(state.layers, np.array([prefix.node])):
                yield _Prefix(prefix.words, target, column), 0.0
        separator = self.alphabet.separator
        if separator is not None and word and prefix.node != BETWEEN:
            yield _Prefix(ended, BETWEEN, separator), boost
        if prefix.node == BETWEEN or (separator is None and word):
            for _, column, target in _arcs(state.layers, state.layers.roots()):
                yield _Prefix(ended, target, column), boost

    def _open(self, state: _State, prefix: _Prefix) -> str:
        if prefix.node == BETWEEN:
            return ""
        packed = int(state.layers.words(np.array([prefix.node]))[0])
        return "" if packed == NO_WORD else state.layers.word(packed)

    def _said(self, state: _State, prefix: _Prefix) -> tuple[str, ...]:
        word = self._open(state, prefix)
        return (*prefix.words, word) if word else prefix.words

    def _seconds(self, span: tuple[int, int]) -> tuple[float, float]:
        return self.timing.start(span[0]), self.timing.start(span[1] + 1)

    def _ranked(self, state: _State) -> list[tuple[_Prefix, _Score]]:
        return sorted(state.beams.items(), key=lambda item: (-item[1].total, item[0].words, item[0].node))


def _arcs(layers: Layers, nodes: NodeArray) -> Iterator[tuple[int, int, int]]:
    arcs = layers.arcs(nodes)
    return zip(arcs.sources.tolist(), arcs.columns.tolist(), arcs.targets.tolist(), strict=True)


def _add(
    beams: dict[_Prefix, _Score],
    prefix: _Prefix,
    *,
    blank: float = -math.inf,
    symbol: float = -math.inf,
    spans: tuple[tuple[int, int], ...],
) -> None:
    known = beams.get(prefix, _Score(spans=spans))
    better = spans if max(blank, symbol) > known.total else known.spans
    beams[prefix] = _Score(float(np.logaddexp(known.blank, blank)), float(np.logaddexp(known.symbol, symbol)), better)


def _longer(spans: tuple[tuple[int, int], ...], prefix: _Prefix, row: int) -> tuple[tuple[int, int], ...]:
    return spans if prefix.node == BETWEEN else (*spans[:-1], (spans[-1][0], row))


def _spans(spans: tuple[tuple[int, int], ...], before: _Prefix, after: _Prefix, row: int) -> tuple[tuple[int, int], ...]:
    if after.node == BETWEEN:
        return spans
    if before.node == BETWEEN or len(after.words) > len(before.words):
        return (*spans, (row, row))
    return _longer(spans, after, row)


def _common(all_words: list[tuple[str, ...]]) -> tuple[str, ...]:
    first, last = min(all_words), max(all_words)
    shared = 0
    while shared < min(len(first), len(last)) and first[shared] == last[shared]:
        shared += 1
    return first[:shared]
