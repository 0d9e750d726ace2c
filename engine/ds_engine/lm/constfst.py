"""A list of words as an OpenFst ConstFst: the minimal acyclic automaton at the end of a DeepSpeech or Coqui scorer, read and written.

Layout, little-endian (const-fst.h and fst.h of OpenFst 1.6.7): magic, "const", "standard", version and flags, properties, start
state, numbers of states and arcs; then the states of 20 bytes (f32 final weight, +inf where no word ends; first arc; arcs; two
counts of epsilons) and the arcs of 16 (labels in and out, f32 weight, target), each list at a multiple of 16 bytes of the file.
Labels count from 1. Here the arcs of a state stand as they do in the file, sorted by label where it was made properly.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ds_engine.errors import LanguageModelError

BoolArray = npt.NDArray[np.bool_]
LabelArray = npt.NDArray[np.int32]
LongArray = npt.NDArray[np.int64]

MAX_LABELS = 255  # of one word; a longer way is a circle, or as bad
ALIGNMENT = 16  # bytes, of the file
_ALIGNED_VERSION, _VERSION, _ALIGNED = 1, 2, 4  # the last is a flag, which version 1 implies; others mean tables of symbols
# Acceptor without weights and epsilons, deterministic, sorted by label and topologically, acyclic (properties.h)
_PROPERTIES = 0xA56A5A950001
_HEAD = struct.Struct("<ii5si8siiQqqq")  # magic, length and name of the type, of the arcs' type, version, flags, properties, ...
_MAGIC, _TYPE, _ARC_TYPE = 2125659606, b"const", b"standard"
_STATES = np.dtype([("weight", "<f4"), ("first", "<u4"), ("arcs", "<u4"), ("input_epsilons", "<u4"), ("output_epsilons", "<u4")])
_ARCS = np.dtype([("label", "<i4"), ("output", "<i4"), ("weight", "<f4"), ("target", "<i4")])


@dataclass(frozen=True, slots=True, eq=False)
class ConstFst:
    """An automaton; words are the ways from `start` to states that are final."""

    start: int
    finals: BoolArray  # [states]
    firsts: LongArray  # [states], the first arc
    counts: LongArray  # [states], arcs
    labels: LabelArray  # [arcs], from 1
    targets: LabelArray  # [arcs], states

    @classmethod
    def read(cls, content: bytes, offset: int, name: str) -> ConstFst:
        """The automaton in the end of a file that begins at byte `offset`; `name` is for messages. Raises LanguageModelError."""
        if len(content) < _HEAD.size:
            raise LanguageModelError(f"{name}: ends before its list of words")
        magic, length, kind, arc_length, arc_kind, version, flags, _, start, states, arcs = _HEAD.unpack_from(content)
        if (magic, length, kind, arc_length, arc_kind) != (_MAGIC, len(_TYPE), _TYPE, len(_ARC_TYPE), _ARC_TYPE):
            raise LanguageModelError(f"{name}: its list of words is no ConstFst")
        if (version, flags) not in {(_ALIGNED_VERSION, 0), (_ALIGNED_VERSION, _ALIGNED), (_VERSION, 0), (_VERSION, _ALIGNED)}:
            raise LanguageModelError(f"{name}: its list of words is of version {version}, flags {flags}")
        alignment = 1 if (version, flags) == (_VERSION, 0) else ALIGNMENT
        first_state = _aligned(offset + _HEAD.size, alignment) - offset
        first_arc = _aligned(offset + first_state + states * _STATES.itemsize, alignment) - offset
        if not (0 <= start < states and arcs >= 0 and first_arc + arcs * _ARCS.itemsize <= len(content)):
            raise LanguageModelError(f"{name}: its list of words claims {states} states and {arcs} arcs")
        stored = np.frombuffer(content, _STATES, states, first_state)
        ways = np.frombuffer(content, _ARCS, arcs, first_arc)
        firsts, counts = stored["first"].astype(np.int64), stored["arcs"].astype(np.int64)
        made = cls(start, np.isfinite(stored["weight"]), firsts, counts, ways["label"], ways["target"])
        if np.any(made.firsts + made.counts > arcs) or np.any((made.targets < 0) | (made.targets >= states) | (made.labels < 1)):
            raise LanguageModelError(f"{name}: the arcs of its list of words lead nowhere")
        return made

    @classmethod
    def of(cls, words: Iterable[str]) -> ConstFst:
        """The smallest automaton of some words, each written as the characters whose code points are its labels."""
        states = _minimal(sorted(set(words)))[::-1]  # turned round, each stands before those it leads to
        counts = np.array([len(arcs) for _, arcs in states])
        flat = np.array([arc for _, arcs in states for arc in arcs], np.int32).reshape(-1, 2)
        finals = np.array([final for final, _ in states])
        return cls(0, finals, np.cumsum(counts) - counts, counts, flat[:, 0], np.int32(len(states) - 1) - flat[:, 1])

    def write(self, offset: int) -> bytes:
        """The automaton as the end of a file that begins at byte `offset`."""
        states, arcs = np.zeros(len(self.finals), _STATES), np.zeros(len(self.labels), _ARCS)
        states["weight"], states["first"], states["arcs"] = np.where(self.finals, 0.0, np.inf), self.firsts, self.counts
        arcs["label"], arcs["output"], arcs["target"] = self.labels, self.labels, self.targets
        names = _MAGIC, len(_TYPE), _TYPE, len(_ARC_TYPE), _ARC_TYPE
        content = _HEAD.pack(*names, _ALIGNED_VERSION, _ALIGNED, _PROPERTIES, self.start, len(states), len(arcs))
        for part in (states, arcs):
            content += bytes(-(offset + len(content)) % ALIGNMENT) + part.tobytes()
        return content

    def count(self, most: int) -> tuple[int, int]:
        """How many words there are, and how many beginnings of words; nothing is spelled for it.

        Raises LanguageModelError where the beginnings and the labels of all words are more than `most`, or a word has more than MAX_LABELS.
        """
        ways = np.zeros(len(self.finals), np.float64)  # to each state, by as many labels as levels are behind us
        ways[self.start] = 1.0
        words = beginnings = labels = 0.0
        for length in range(1, MAX_LABELS + 2):
            states = np.flatnonzero(ways)
            beginnings += float(np.sum(ways[states] * self.counts[states]))
            if beginnings + labels > most:  # before an array of that size is made
                break
            arcs, sources = self._arcs(states)
            if not arcs.size:
                return int(words), int(beginnings)
            if length > MAX_LABELS:
                raise LanguageModelError(f"a list with words of more than {MAX_LABELS} labels")
            ways = np.bincount(self.targets[arcs], ways[states[sources]], len(ways)).astype(np.float64, copy=False)
            ended = float(ways[self.finals].sum())
            words, labels = words + ended, labels + length * ended
        raise LanguageModelError(f"a list of words that spells more than {most} labels")

    def words(self, most: int) -> Iterator[tuple[LongArray, LabelArray]]:
        """All words by length: int64 [n] places, in the order of the arcs, among all words; int32 [n, length] labels.

        Raises LanguageModelError as `count` does, before anything is spelled.
        """
        self.count(most)
        states, levels = np.array([self.start]), list[_Level]()
        while True:
            arcs, sources = self._arcs(states)
            if not arcs.size:
                break
            states = self.targets[arcs].astype(np.int64)
            levels.append(_Level(sources, self.labels[arcs], self.finals[states]))
        places = _places(levels)
        for length, level in enumerate(levels, 1):
            here = np.flatnonzero(level.ends)
            spelled = np.empty((len(here), length), np.int32)
            at = here
            for column in range(length, 0, -1):
                spelled[:, column - 1] = levels[column - 1].labels[at]
                at = levels[column - 1].parents[at]
            yield places[length - 1][here], spelled

    def _arcs(self, states: LongArray) -> tuple[LongArray, LongArray]:
        """All arcs of some states, and for each the position of its state among them."""
        counts = self.counts[states]
        sources = np.repeat(np.arange(len(states)), counts)
        return (self.firsts[states] - np.cumsum(counts) + counts)[sources] + np.arange(len(sources)), sources


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """The beginnings of words of one length: the beginning that each goes on from, its last label, and whether it is a word."""

    parents: LongArray
    labels: LabelArray
    ends: BoolArray


def _places(levels: list[_Level]) -> list[LongArray]:
    """How many words stand before each beginning."""
    within = list[LongArray]()  # words that begin so
    for number in range(len(levels) - 1, -1, -1):
        words = levels[number].ends.astype(np.int64)
        if within:
            words += np.bincount(levels[number + 1].parents, within[-1], len(words)).astype(np.int64)
        within.append(words)
    places, before = list[LongArray](), np.zeros(1, np.int64)
    for level, words in zip(levels, reversed(within), strict=True):
        running = np.cumsum(words) - words
        eldest = np.searchsorted(level.parents, level.parents)  # the first of the same parent
        places.append(before[level.parents] + running - running[eldest])
        before = places[-1] + level.ends
    return places


def _minimal(words: list[str]) -> list[tuple[bool, tuple[tuple[int, int], ...]]]:
    """Sorted words -> states, each final or not and with its arcs (label, state); the first state is the last.

    States that nothing tells apart are one: a state is finished when the words have moved past it, after all it leads to.
    """
    known: dict[tuple[bool, tuple[tuple[int, int], ...]], int] = {}
    finals, arcs = [False], list[list[tuple[int, int]]]([[]])  # of the states on the way of the last word
    last = ""
    for word in [*words, ""]:
        shared = _shared(last, word)
        for depth in range(len(last), shared, -1):
            state = finals.pop(), tuple(arcs.pop())
            arcs[-1].append((ord(last[depth - 1]), known.setdefault(state, len(known))))
        for _ in range(shared, len(word)):
            finals.append(False)
            arcs.append([])
        finals[-1] |= bool(word)
        last = word
    return [*known, (False, tuple(arcs[0]))]


def _shared(first: str, second: str) -> int:
    """How many characters two words begin with alike."""
    most = min(len(first), len(second))
    return next((place for place in range(most) if first[place] != second[place]), most)


def _aligned(offset: int, alignment: int) -> int:
    return offset + -offset % alignment
