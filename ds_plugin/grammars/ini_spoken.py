"""How the words of Rhasspy's templates are said: definitions in, the same without what the acoustic model cannot write out.

A word that cannot be said takes its sequence with it, up to the alternative that it stands in, or else the sentence, rule or slot value;
each is reported once, by file, line and column.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from itertools import chain

from ds_engine.errors import GrammarError, InputError
from ds_plugin.grammars.ini_names import Definition
from ds_plugin.grammars.ini_template import Choice, Numbers, Piece, Problems, Reference, Source, Template, Text
from ds_plugin.spoken import Reading, number_words

MAX_RANGED = 100_000  # numbers in all ranges of a grammar that are not the same

Words = tuple[str, ...]


class Voice:
    """Words and numbers as they are said; each is looked up once."""

    def __init__(self, reader: Callable[[str], Reading], language: str) -> None:
        self._reader = reader
        self._language = language
        self._readings: dict[str, Reading] = {}
        self._numbers: dict[int, tuple[Words, ...]] = {}
        self._ranges: dict[range | tuple[int, ...], tuple[int, ...]] = {}
        self._ranged = 0

    def reading(self, text: str) -> Reading:
        """How a written word is said."""
        if text not in self._readings:
            self._readings[text] = self._reader(text) if text else Reading("")
        return self._readings[text]

    def words(self, text: str) -> Words:
        """The words that are said for a written one that can be said; none for "" and for punctuation."""
        return tuple(self.reading(text).spoken.split())

    def number(self, number: int) -> tuple[Words, ...]:
        """Every way to say a number, the usual one first; none where the language has no words for it or the alphabet no letters."""
        if number not in self._numbers:
            self._numbers[number] = self._ways(number)
        return self._numbers[number]

    def some(self, numbers: range | tuple[int, ...]) -> range | tuple[int, ...]:
        """Those of the numbers that can be said. Raises GrammarError above MAX_RANGED."""
        if numbers not in self._ranges:
            self._ranged += len(numbers)
            if self._ranged > MAX_RANGED:
                raise GrammarError(f"the ranges have more than {MAX_RANGED} numbers in all")
            self._ranges[numbers] = tuple(number for number in numbers if self.number(number))
        said = self._ranges[numbers]
        return numbers if len(said) == len(numbers) else said

    def _ways(self, number: int) -> tuple[Words, ...]:
        try:
            readings = [self.reading(way) for way in number_words(number, self._language)]
        except InputError:
            return ()
        return tuple(dict.fromkeys(tuple(reading.spoken.split()) for reading in readings if reading.spoken and not reading.lost))


def sayable(definitions: Mapping[str, Definition], voice: Voice, problems: Problems) -> dict[str, Definition]:
    """The definitions that can be said, in the same order (each after all that it refers to), without what cannot be said in them.

    A rule or a slot may be silence, a sentence may not.
    """
    said: dict[str, Definition] = {}
    speaking: set[str] = set()  # those of them that have words
    for name, definition in definitions.items():
        kept = []
        for template in definition.templates:
            if not (root := _Sieve(template.source, voice, said, problems).choice(template.root)):
                continue
            if _speaks(root, voice, speaking):
                speaking.add(name)
            elif name.startswith("["):
                problems.add(template.source, "nothing is said here; left out")
                continue
            kept.append(Template(template.source, root))
        if kept:
            said[name] = Definition(name, tuple(kept))
    return said


def _speaks(choice: Choice, voice: Voice, speaking: Container[str]) -> bool:
    """Whether a word is said anywhere in it."""
    for piece in chain.from_iterable(choice.options):
        match piece.content:
            case Text(text) if voice.words(text):
                return True
            case Reference(name) if name in speaking:
                return True
            case Choice() as inner if _speaks(inner, voice, speaking):
                return True
            case Numbers():
                return True
            case _:
                pass
    return False


class _Sieve:
    """Takes out of one template what cannot be said."""

    def __init__(self, source: Source, voice: Voice, said: Mapping[str, Definition], problems: Problems) -> None:
        self._source = source
        self._voice = voice
        self._said = said
        self._problems = problems

    def choice(self, choice: Choice) -> Choice | None:
        """What is left; None: nothing."""
        options = tuple(left for option in choice.options if (left := self._sequence(option)) is not None)
        return Choice(options) if options else None

    def _sequence(self, pieces: tuple[Piece, ...]) -> tuple[Piece, ...] | None:
        left = [self._piece(piece) for piece in pieces]  # all of them, so that all are reported
        return None if None in left else tuple(piece for piece in left if piece)

    def _piece(self, piece: Piece) -> Piece | None:
        match piece.content:
            case Text(text):
                if lost := self._voice.reading(text).lost:
                    self._leave(piece, f"'{text}' cannot be said: the model's alphabet has nothing for '{lost}'")
                return None if lost else piece
            case Numbers() as numbers:
                return self._numbers(piece, numbers)
            case Reference(name):
                if name not in self._said:
                    self._leave(piece, f"nothing of {name} can be said")
                return piece if name in self._said else None
            case Choice() as choice:
                left = self.choice(choice)
                return replace(piece, content=left) if left else None

    def _numbers(self, piece: Piece, numbers: Numbers) -> Piece | None:
        said = self._voice.some(numbers.numbers)
        if said is not numbers.numbers:
            lost = sorted({*numbers.numbers} - {*said})
            more = f" and {len(lost) - 1} more of {numbers.name}" if len(lost) > 1 else ""
            self._leave(piece, f"there are no words for the number {lost[0]}{more}")
        return replace(piece, content=Numbers(numbers.name, said)) if said else None

    def _leave(self, piece: Piece, why: str) -> None:
        self._problems.add(self._source, f"column {piece.column}: {why}; left out")
