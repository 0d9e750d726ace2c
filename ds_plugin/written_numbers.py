"""Numbers said in words, written in digits: text in, the same text with `50%` for "fifty percent" out.

Package text2num finds the numbers. It takes what it can get, so a number counts only where its words are what Unicode's rules say
for it. What could also mean something else stays as it is: two numbers in a row (a time, a year, a telephone number), a number
beside "point", "half" or "past", ordinals ("second"), a round "a hundred", and a number below ten without a unit ("lamp two").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from text_to_num import find_numbers  # type: ignore[import-untyped]  # it ships no type information

from ds_engine.errors import InputError
from ds_plugin.number_words import decimal_words, minus, number_words, primary
from ds_plugin.symbol_words import SYMBOLS

MIN_BARE = 10  # smaller numbers are written in digits before a unit only
MAX_WRITTEN = 999_999  # nobody commands more, and millions are found by halves: their words are many, some of them inflected
_UNITS = ("%", "°", "°c", "°f")  # symbols that are written for their words behind a number
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_BEFORE, _BEHIND = 2, 3  # words beside a number among which a fraction makes it none: quarter to ten, ten and a half

_Units = Mapping[tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class _Rules:
    """What one language says beside numbers. A number beside any of the words in `before`, `behind` and `fractions` is left."""

    units: _Units
    before: frozenset[str]
    behind: frozenset[str]
    fractions: frozenset[str]
    minus: str
    one: str = ""  # what may be left out before a hundred


@dataclass(frozen=True, slots=True)
class _Word:
    """One word of the text; a Token of text2num."""

    said: str  # in lower case
    start: int  # in the text, characters
    end: int
    parted: bool  # more than space stands before it
    in_unit: bool

    def text(self) -> str:
        return self.said

    def nt_separated(self, previous: _Word) -> bool:
        return self.parted

    def not_a_number_part(self) -> bool:
        return self.in_unit


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some of the words, and what is written for them."""

    first: int
    behind: int
    written: str


def written(text: str, language: str) -> str:
    """The text with its numbers in digits. `language` is a BCP 47 tag; text in one without rules here stays as it is."""
    rules = _RULES.get(primary(language))
    if rules is None:
        return text
    sentence = _Sentence.of(text, language, rules)
    parts, end = [], 0
    for piece in sentence.pieces():
        parts += [text[end : sentence.words[piece.first].start], piece.written]
        end = sentence.words[piece.behind - 1].end
    return "".join([*parts, text[end:]])


@dataclass(frozen=True, slots=True)
class _Sentence:
    """The words of a text, with what is found among them."""

    language: str
    rules: _Rules
    words: list[_Word]
    units: dict[int, tuple[int, str]]  # by their first word: how many words, and the symbol
    numbers: list[Any]  # text2num's: start, end, text, is_ordinal
    counted: set[int]  # words that are numbers, or part of one, in letters or digits

    @classmethod
    def of(cls, text: str, language: str, rules: _Rules) -> _Sentence:
        found = list(_WORD.finditer(text))
        said = [match[0].lower() for match in found]
        longest = max(map(len, rules.units))
        units = {place: unit for place in range(len(said)) if (unit := _unit(said[place : place + longest], rules.units))}
        inside = {place + offset for place, (count, _) in units.items() for offset in range(count)}
        ends = [0, *(match.end() for match in found)]
        words = [
            _Word(said[place], match.start(), match.end(), bool(text[ends[place] : match.start()].strip()), place in inside)
            for place, match in enumerate(found)
        ]
        numbers = find_numbers(words, primary(language), 0.0)
        names = _names(primary(language))
        counted = {place for number in numbers for place in range(number.start, number.end)}
        counted |= {place for place, word in enumerate(said) if word in names or any(map(str.isdigit, word))}
        return cls(language, rules, words, units, numbers, counted)

    def pieces(self) -> Iterator[_Piece]:
        """What can be written in digits, in order."""
        for number in self.numbers:
            first = None if number.is_ordinal else self._first(number.start, number.end, number.text)
            if first is not None and self._certain(first, number.end):
                a_hundred = first < number.start == number.end - 1
                yield from self._piece(first, number.end, number.text, MAX_WRITTEN + 1 if a_hundred else MIN_BARE)

    def _piece(self, first: int, behind: int, digits: str, least: int) -> Iterator[_Piece]:
        """The number with its unit and sign; without a unit only from `least` on."""
        count, unit = (0, "") if self._parted(behind) else self.units.get(behind, (0, ""))
        if self._word(first - 1, first) == self.rules.minus:
            if unit and not self._beside(first - 2, first - 1):
                yield _Piece(first - 1, behind + count, f"-{digits}{unit}")
        elif unit or not digits.isdigit() or int(digits) >= least:
            yield _Piece(first, behind + count, digits + unit)

    def _first(self, start: int, behind: int, digits: str) -> int | None:
        """Where a number's words begin: one word earlier in "a hundred". None where these are not its words."""
        ways = {_plain(way) for way in _ways(digits, self.language)}
        for first in (start - 1, start):
            words = _plain("".join(word.said for word in self.words[max(first, 0) : behind]))
            if first >= 0 and not self._parted_between(first, start) and (words in ways or self.rules.one + words in ways):
                return first
        return None

    def _certain(self, first: int, behind: int) -> bool:
        """True where nothing beside the words from `first` up to `behind` makes them part of something else."""
        rules = self.rules
        before = [self._word(place, first) for place in range(first - _BEFORE, first)]
        after = [self._word(place, behind - 1) for place in range(behind, behind + _BEHIND)]
        return not (
            self._beside(first - 1, first)
            or self._beside(behind, behind - 1)
            or before[-1] in rules.before
            or after[0] in rules.behind | {rules.minus}
            or rules.fractions.intersection(before + after)
        )

    def _beside(self, place: int, number: int) -> bool:
        """True where a word is (part of) a number, and nothing parts it from the word `number`."""
        return place in self.counted and bool(self._word(place, number))

    def _word(self, place: int, beside: int) -> str:
        """The word at a place; "" where there is none, or punctuation parts it from the word `beside`."""
        if not 0 <= place < len(self.words) or self._parted_between(*sorted((place, beside))):
            return ""
        return self.words[place].said

    def _parted_between(self, first: int, last: int) -> bool:
        return any(self._parted(place) for place in range(first + 1, last + 1))

    def _parted(self, place: int) -> bool:
        return place < len(self.words) and self.words[place].parted


def _unit(words: list[str], units: _Units) -> tuple[int, str] | None:
    """The longest unit that the words begin with: how many words, and its symbol."""
    for count in range(len(words), 0, -1):
        if symbol := units.get(tuple(words[:count])):
            return count, symbol
    return None


def _ways(digits: str, language: str) -> tuple[str, ...]:
    """How a number is said; nothing where that is unknown."""
    whole, _, fraction = digits.replace(",", ".").partition(".")
    if not whole.isdecimal() or not (fraction or "0").isdecimal() or int(whole) > MAX_WRITTEN:
        return ()
    try:
        return (decimal_words(whole, fraction, language),) if fraction else number_words(int(whole), language)
    except InputError:
        return ()


@cache
def _names(language: str) -> frozenset[str]:
    """The single words that are numbers, those that text2num does not know among them."""
    return frozenset(way for number in range(100) for way in number_words(number, language) if " " not in way)


def _plain(words: str) -> str:
    return "".join(filter(str.isalnum, words.casefold()))


def _units(language: str, also: Mapping[str, str]) -> _Units:
    said = {SYMBOLS[language][symbol]: symbol.upper() for symbol in _UNITS if symbol in SYMBOLS[language]}
    return {tuple(words.split()): symbol for words, symbol in {**said, **also}.items()}


_RULES: Mapping[str, _Rules] = {
    "en": _Rules(
        _units("en", {"per cent": "%", "degree": "°", "degree celsius": "°C", "degree fahrenheit": "°F"}),
        before=frozenset({"double", "negative", "o", "oh", "past", "point", "triple"}),
        behind=frozenset({"o", "oh", "past", "point"}),
        fractions=frozenset({"half", "halves", "quarter", "quarters", "third", "thirds"}),
        minus=minus("en"),
    ),
    "de": _Rules(
        _units("de", {}),
        before=frozenset({"einige", "komma", "mehrere", "nach", "paar", "punkt", "uhr", "vor"}),
        behind=frozenset({"komma", "nach", "punkt", "uhr", "vor"}),
        fractions=frozenset({"dreiviertel", "drittel", "halb", "halbe", "halben", "halbes", "viertel"}),
        minus=minus("de"),
        one="ein",
    ),
    "es": _Rules(
        _units("es", {"por cien": "%", "grado": "°", "grado celsius": "°C"}),
        before=frozenset({"coma", "la", "las", "punto", "y"}),
        behind=frozenset({"coma", "punto", "y"}),
        fractions=frozenset({"cuarto", "cuartos", "media", "medio", "tercio", "tercios"}),
        minus=minus("es"),
    ),
    "fr": _Rules(
        _units("fr", {"pourcent": "%", "degré": "°", "degré celsius": "°C"}),
        before=frozenset({"heure", "heures", "point", "virgule"}),
        behind=frozenset({"heure", "heures", "point", "virgule"}),
        fractions=frozenset({"demi", "demie", "quart", "quarts", "tiers"}),
        minus=minus("fr"),
    ),
}
LANGUAGES = frozenset(_RULES)
