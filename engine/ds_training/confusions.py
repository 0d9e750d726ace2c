"""What is mistaken for what: pairs of said and found in; counts of characters, words or phones out, and where in a word errors are.

Units are counted along the alignment with the fewest edits (jiwer's). Where several alignments have as few, one of them is taken: a
single count may be off, the order of large ones is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import jiwer

Pair = tuple[str, str]  # what was said and what was found in its place; "" where nothing stands on a side


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often `found` stood where `said` was: "" on the left is an insertion, on the right a deletion."""

    said: str
    found: str
    count: int
    share: float  # of all errors


@dataclass(frozen=True, slots=True)
class Loss:
    """How often a unit was said, and how often something else or nothing was found in its place."""

    unit: str
    said: int
    lost: int

    @property
    def rate(self) -> float:
        return self.lost / self.said


@dataclass(frozen=True, slots=True)
class Confusions:
    """Most frequent first. `losses` are the units that went wrong most often, by count."""

    errors: int
    substitutions: tuple[Confusion, ...]
    deletions: tuple[Confusion, ...]
    insertions: tuple[Confusion, ...]
    losses: tuple[Loss, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Characters that stood at one place of their word, and how many of them were replaced or left out."""

    said: int
    lost: int

    @property
    def rate(self) -> float:
        return self.lost / max(1, self.said)


PLACES = ("beginning", "middle", "end", "word of one", "between words")


def of_characters(said: Sequence[str], found: Sequence[str], most: int) -> Confusions:
    """Spaces are characters, too: a lost one joins two words."""
    return _counted((pair for pairs in _characters(said, found) for pair in pairs), most)


def of_words(said: Sequence[str], found: Sequence[str], most: int) -> Confusions:
    """Whatever stands between spaces: words of texts, or phones (see phones.py)."""
    return _counted((pair for pairs in _pairs(jiwer.process_words(list(said), list(found))) for pair in pairs), most) if said else _NONE


def places(said: Sequence[str], found: Sequence[str]) -> dict[str, Place]:
    """Errors of characters by their place in the word, in the order of PLACES. Insertions belong to no character and are left out."""
    total, lost = Counter[str](), Counter[str]()
    for pairs in _characters(said, found):
        spoken = [pair for pair in pairs if pair[0]]
        for place, (letter, other) in zip(_places([letter for letter, _ in spoken]), spoken, strict=True):
            total[place] += 1
            lost[place] += letter != other
    return {place: Place(total[place], lost[place]) for place in PLACES}


def _characters(said: Sequence[str], found: Sequence[str]) -> Iterator[list[Pair]]:
    return _pairs(jiwer.process_characters(list(said), list(found))) if said else iter(())


def _pairs(output: jiwer.WordOutput) -> Iterator[list[Pair]]:
    """For each utterance its alignment, equal units included."""
    for said, found, chunks in zip(output.references, output.hypotheses, output.alignments, strict=True):
        pairs: list[Pair] = []
        for chunk in chunks:
            left, right = said[chunk.ref_start_idx : chunk.ref_end_idx], found[chunk.hyp_start_idx : chunk.hyp_end_idx]
            count = max(len(left), len(right))  # one of them is empty, or both are as long
            pairs += zip(left or [""] * count, right or [""] * count, strict=True)
        yield pairs


def _counted(pairs: Iterable[Pair], most: int) -> Confusions:
    counts = Counter(pairs)
    wrong = Counter({pair: count for pair, count in counts.items() if pair[0] != pair[1]})
    said, lost = Counter[str](), Counter[str]()
    for (unit, other), count in counts.items():
        said[unit] += count
        lost[unit] += count if unit != other else 0
    errors = wrong.total()
    kinds: dict[str, list[Confusion]] = {"substitutions": [], "deletions": [], "insertions": []}
    for (left, right), count in sorted(wrong.items(), key=lambda item: (-item[1], item[0])):
        kinds["insertions" if not left else "substitutions" if right else "deletions"].append(Confusion(left, right, count, count / errors))
    losses = [Loss(unit, said[unit], count) for unit, count in sorted(lost.items(), key=lambda item: (-item[1], item[0])) if unit and count]
    return Confusions(errors, **{kind: tuple(found[:most]) for kind, found in kinds.items()}, losses=tuple(losses[:most]))


_NONE = Confusions(0, (), (), (), ())


def _places(letters: Sequence[str]) -> Iterator[str]:
    """The place of each character of a text."""
    for index, letter in enumerate(letters):
        first = index == 0 or letters[index - 1] == " "
        last = index + 1 == len(letters) or letters[index + 1] == " "
        yield _place(letter, first=first, last=last)


def _place(letter: str, *, first: bool, last: bool) -> str:
    if letter == " ":
        return "between words"
    if first and last:
        return "word of one"
    return "beginning" if first else "end" if last else "middle"
