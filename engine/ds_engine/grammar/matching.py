"""From the words that were said to intent, slots and the written sentence: the best path through the grammars for exactly them.

The best is that of the greatest weight, then of the fewest words under wildcards. Where several are equal, the first grammar stands
first, then the first intent in it, then, where paths part, the arc that stands first in its node; where a called graph or a wildcard
could take more or fewer words, it takes more.

The written sentence is what the arcs write, its words separated by single spaces. A slot that occurs twice has the value of its last
End or Set on the path (an outer slot ends after those inside it, and what they write belongs to its text too).
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import NamedTuple

from ds_engine.grammar.graph import FINAL, START, Arc, Begin, Call, End, Grammar, Label, Set, Skip, Spoken, Wildcard
from ds_engine.grammar.machine import Machine
from ds_engine.grammar.reach import Node, Weight, scaled
from ds_engine.grammar.stacks import Place
from ds_engine.grammar.survival import survivors
from ds_engine.transcript import Match

MAX_WORDS = 500  # of a sentence, more are none: the work that a wildcard makes grows with their square

_Score = tuple[Weight, int]  # of a path: its weight, and minus the words under wildcards
_Place = tuple[Node, int]  # a node, and how many words were said before it


class _Move(NamedTuple):
    """A step of a path."""

    target: _Place
    label: Label | None  # None: one more word under a wildcard, or its end
    score: _Score


class _Best(NamedTuple):
    """The best path from a place to FINAL at a certain end."""

    score: _Score
    move: _Move | None  # with which it begins; None: the place is FINAL


def match(grammars: Sequence[Grammar], words: Sequence[str]) -> Match | None:
    """What these words are, or None where no grammar says exactly them. Who asks often keeps a machine, and asks `match_in`.

    Raises GrammarError for a grammar that is not sound.
    """
    return match_in(Machine(grammars), words)


def match_in(machine: Machine, words: Sequence[str]) -> Match | None:
    """What these words are in the grammars of a machine. It is quick where the machine has been walked with them before."""
    surviving = survivors(machine, words) if len(words) <= MAX_WORDS else None
    if surviving is None:
        return None
    chart = _Chart(machine, words, surviving)
    fitting = [entry for entry in machine.intents if len(words) in chart.ends(entry[2], 0)]
    grammar, intent, unit = max(fitting, key=lambda entry: chart.ends(entry[2], 0)[len(words)].score)  # the first of equals
    writing = _Writing()
    for label in chart.path(unit, 0, len(words)):
        writing.add(label)
    return Match(grammar, intent, _joined(writing.texts), writing.slots)


class _Chart:
    """The best ways of graphs over stretches of the words."""

    def __init__(self, machine: Machine, words: Sequence[str], surviving: Sequence[Container[Place]]) -> None:
        self._units = machine.units
        self._words = words
        self._surviving = surviving
        self._best: dict[int, dict[_Place, Mapping[int, _Best]]] = {}  # by unit, place and end

    def ends(self, unit: int, begin: int) -> Mapping[int, _Best]:
        """How a graph that begins before the word of this number may end: by the number of words before the end."""
        if (unit, START) not in self._surviving[begin] and self._units[unit].tables.nature.empty is None:
            return {}
        known = self._best.setdefault(unit, {})
        moves: dict[_Place, list[_Move]] = {}
        waiting = [(START, begin)]
        while waiting:
            place = waiting[-1]
            if place in known:
                waiting.pop()
            elif place in moves:
                known[place] = _best(place, moves.pop(place), known)
            else:
                moves[place] = self._moves(unit, *place)
                waiting += [move.target for move in moves[place]]
        return known[START, begin]

    def path(self, unit: int, begin: int, end: int) -> Iterator[Label | str]:
        """The labels of the best way over a stretch; for a word under a wildcard, the word."""
        place = START, begin
        while move := self._best[unit][place][end].move:
            if isinstance(move.label, Call):
                yield from self.path(self._units[unit].calls[move.label.graph], place[1], move.target[1])
            elif move.label is not None:
                yield move.label
            else:
                yield from self._words[place[1] : move.target[1]]
            place = move.target

    def _moves(self, unit: int, node: Node, begin: int) -> list[_Move]:
        """What may come next at a place, in the order of the arcs."""
        tables = self._units[unit].tables
        said = self._words[begin : begin + 1]
        around = tables.wildcard(node)
        if around is not None:
            moves = [
                *(_Move((node, begin + 1), None, (0, -1)) for _ in said),
                _Move((around.target, begin), None, (scaled(around.weight), 0)),
            ]
        else:
            exits = tables.exits(node)
            spoken = exits.words.get(said[0], ()) if said else ()
            wildcards = {position: tables.inside(node, place) for place, position in enumerate(exits.wildcards) if said}
            positions = sorted((*exits.silent, *exits.calls, *wildcards, *spoken))
            moves = [move for at in positions for move in self._over(exits.arcs[at], unit, begin, wildcards.get(at, node))]
        return [move for move in moves if self._leads_on(unit, move.target, begin)]

    def _over(self, arc: Arc, unit: int, begin: int, inside: Node) -> Iterator[_Move]:
        """What may come next over an arc; `inside` is the node inside it, if it is a wildcard."""
        weight = scaled(arc.weight)
        match arc.label:
            case Call(graph):
                ends = self.ends(self._units[unit].calls[graph], begin)
                for end in sorted(ends, reverse=True):
                    yield _Move((arc.target, end), arc.label, (weight + ends[end].score[0], ends[end].score[1]))
            case Spoken():
                yield _Move((arc.target, begin + 1), arc.label, (weight, 0))
            case Wildcard():
                yield _Move((inside, begin + 1), None, (0, -1))
            case _:
                yield _Move((arc.target, begin), arc.label, (weight, 0))

    def _leads_on(self, unit: int, place: _Place, begin: int) -> bool:
        """Whether a place after `begin` is worth a look."""
        node, end = place
        if end > begin:
            return (unit, self._units[unit].tables.settled(node)[0]) in self._surviving[end]
        exits = self._units[unit].tables.exits(node)
        if node == FINAL or exits.silent or exits.calls or exits.wildcards:
            return True
        return end < len(self._words) and self._words[end] in exits.words


def _best(place: _Place, moves: Sequence[_Move], known: Mapping[_Place, Mapping[int, _Best]]) -> dict[int, _Best]:
    """The best way from a place to each end, once those of the places after it are known."""
    node, begin = place
    found = {begin: _Best((0, 0), None)} if node == FINAL else {}
    for move in moves:
        weight, wild = move.score
        for end, following in known[move.target].items():
            score = weight + following.score[0], wild + following.score[1]
            if end not in found or score > found[end].score:
                found[end] = _Best(score, move)
    return found


class _Writing:
    """What a path writes, and its slots."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.slots: dict[str, str] = {}
        self._begun: list[tuple[str, int]] = []  # slots, and how many texts stood before them

    def add(self, label: Label | str) -> None:
        """The next label of the path, or a word under a wildcard."""
        match label:
            case str(word) | Spoken(word, None) | Skip(word) | Spoken(_, str(word)):
                self.texts.append(word)
            case Begin(slot):
                self._begun.append((slot, len(self.texts)))
            case End(value):
                slot, since = self._begun.pop()
                self.slots[slot] = _joined(self.texts[since:]) if value is None else value
            case Set(slot, value):
                self.slots[slot] = value


def _joined(texts: Sequence[str]) -> str:
    return " ".join(" ".join(texts).split())
