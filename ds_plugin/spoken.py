"""Written names as they are spoken: text in, words that a model's alphabet can write out, and what had to be changed for that.

What the alphabet can write stays as it is, in lower case unless the alphabet has capitals. The rest is read: numbers and symbols
become words of the language, letters lose their diacritics, punctuation parts words. What is left after that is lost, and said so.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ds_engine.alphabet import Alphabet, BoundaryRule
from ds_engine.errors import InputError
from ds_plugin.number_words import decimal_words, minus, number_words, ordinal_words, primary, year_words
from ds_plugin.symbol_words import CURRENCIES, DECIMAL_POINT, LETTERS, ORDINALS, SAID, SILENT, SYMBOLS

__all__ = ["Reader", "Reading", "number_words"]

READING = 1  # the version of these rules, so that nobody takes from a cache what older ones read
MAX_READ_DIGITS = 6  # of a number; a longer one is read digit by digit
_CACHED = 65_536  # pieces of text whose reading is remembered
_BREAK = " "  # between words, while they are put together
_UNSEEN = frozenset({"Cf", "Cs"})  # categories that are no text: joiners, marks of direction, halves of surrogate pairs
_CURRENCY = re.compile(rf"([{CURRENCIES}])([-−]?\d[\d.,]*)")  # noqa: RUF001 - the real minus sign
_ABBREVIATION = re.compile(r"(?<![^\W_])([B-DF-HJ-NP-TV-XZ]{2,5})('?s)?(?![^\W_])")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a written text is said."""

    spoken: str  # words of the alphabet with single spaces; "" where nothing is left
    changes: tuple[str, ...] = ()  # what had to be read otherwise, for people: "é as e", "50 as fifty"
    lost: str = ""  # characters that can be neither written nor read out


class Reader:
    """Reads text for one alphabet and language. Immutable; two of the same `key` read alike."""

    def __init__(self, alphabet: Alphabet, language: str, known: Mapping[str, str] | None = None) -> None:
        """`language` is a BCP 47 tag; one without rules for numbers loses its digits, unless the alphabet has them.

        `known` are pieces of text as `written` gives them, and what is said for each; see `knowing`.
        """
        self._alphabet = alphabet
        self._known = known or {}
        self._language = language
        self._letter = _letters(alphabet)
        self._case = _case(alphabet)
        self._symbols = SYMBOLS.get(primary(language), {})
        self._symbol = _any_of(self._symbols)
        self._number = _number(language)
        self.key = _key(alphabet, language, self._known)  # the same for readers that read alike, for caches of what was read
        self._read: Callable[[str], Reading] = lru_cache(_CACHED)(self._piece)

    def __call__(self, text: str) -> Reading:
        """How `text` is said. Every word of the result can be written by the alphabet."""
        readings = [self._read(piece) for piece in self.written(text).split()]
        return Reading(
            " ".join(reading.spoken for reading in readings if reading.spoken),
            tuple(dict.fromkeys(change for reading in readings for change in reading.changes)),
            "".join(dict.fromkeys(character for reading in readings for character in reading.lost)),
        )

    def written(self, text: str) -> str:
        """The text as a transcript would have it: in composed Unicode (NFC) and the alphabet's case, with single spaces."""
        return unicodedata.normalize("NFC", " ".join(self._case(self._composed(text)).split()))

    def knowing(self, words: Iterable[tuple[str, str]]) -> Reader:
        """A reader that also reads those of these words that this one cannot: each as it is written, and how it is said."""
        known: dict[str, str] = {}
        for word, spoken in words:
            written, said = self.written(word), self(spoken)
            if len(written.split()) == 1 and self(written).lost and said.spoken and not said.lost:
                known.setdefault(written, said.spoken)
        return Reader(self._alphabet, self._language, known) if known else self

    def spelled_out(self, text: str) -> str:
        """The text with abbreviations letter by letter, a guess at how they are said: `t v` for "TV"; "" where it has none."""
        text, found = _ABBREVIATION.subn(lambda match: _BREAK.join([*match[1], *filter(None, [match[2]])]), self._composed(text))
        return self(text.replace(" 's", "'s")).spoken if found else ""

    def _composed(self, text: str) -> str:
        seen = "".join(character for character in text if unicodedata.category(character) not in _UNSEEN or self._letter(character))
        return unicodedata.normalize("NFC", seen).replace("\u2019", "'")

    def _piece(self, piece: str) -> Reading:
        """How it is said what stands between two spaces."""
        if known := self._known and (self._known.get(piece) or self._known.get(bare(piece))):
            return Reading(known, (f"{piece} as {known}",))
        piece = _unquoted(piece)
        if self._sayable(piece):
            return Reading(piece)
        notes = _Notes()
        spoken = "".join(self._parts(_CURRENCY.sub(r"\2\1", self._usual(piece)), notes))
        words = [_unquoted(word) for word in spoken.split()]
        for word in words:
            if not self._sayable(word):
                notes.lose(filter(str.isalnum, word))
        return Reading(" ".join(filter(self._sayable, words)), tuple(notes.changes), "".join(notes.lost))

    def _usual(self, piece: str) -> str:
        """Digits and symbols of other shapes as the usual ones: the superscript 2 as 2."""
        return "".join(character if self._letter(character) else self._case(_usual(character)) for character in piece)

    def _parts(self, piece: str, notes: _Notes) -> Iterator[str]:
        """What is said for numbers, and for what stands between them."""
        end = 0
        for found in self._number.finditer(piece):
            yield from self._between(piece[end : found.start()], notes)
            yield from self._numeral(found, notes)
            end = found.end()
        yield from self._between(piece[end:], notes)

    def _numeral(self, found: re.Match[str], notes: _Notes) -> Iterator[str]:
        if all(map(self._letter, filter(str.isdigit, found["digits"]))):
            numbers = _BREAK.join(_numbers(found["digits"], self._language))
            yield from self._between(numbers + (found["suffix"] or ""), notes)
            return
        try:
            said = self._said(found)
        except InputError:  # no rules for this language
            notes.lose(filter(str.isdigit, found["digits"]))
            yield _BREAK
        else:
            yield from self._word(found[0], said, notes)

    def _said(self, found: re.Match[str]) -> str:
        numbers = _numbers(found["digits"], self._language)
        if found["suffix"] and len(numbers) == 1 and _readable(numbers[0]):
            return ordinal_words(int(numbers[0]), self._language)[0]
        if _like_a_year(found["digits"]):
            return year_words(int(numbers[0]), self._language)
        said = [self._decimal(*number.split(".")) if "." in number else self._integer(number) for number in numbers]
        return " ".join([minus(self._language), *said] if found["sign"] else said)

    def _decimal(self, whole: str, fraction: str) -> str:
        try:
            return decimal_words(whole, fraction, self._language)
        except InputError:  # too long, or this language has no word for the point
            return f"{self._integer(whole)} {self._integer(fraction)}"

    def _integer(self, digits: str) -> str:
        numbers = [int(digits)] if _readable(digits) else map(int, digits)
        return " ".join(number_words(number, self._language)[0] for number in numbers)

    def _between(self, text: str, notes: _Notes) -> Iterator[str]:
        """What is said for symbols, and the letters between them."""
        end = 0
        for found in self._symbol.finditer(text):
            if not all(map(self._letter, found[0])):
                yield from self._spelled(text[end : found.start()], notes)
                yield from self._word(found[0], self._symbols[found[0].lower()], notes)
                end = found.end()
        yield from self._spelled(text[end:], notes)

    def _word(self, written: str, said: str, notes: _Notes) -> Iterator[str]:
        """What is said for something written, if the alphabet can write that."""
        trial = _Notes()
        spelled = "".join(self._spelled(self._case(said), trial))
        if trial.lost:
            notes.lose(character for character in written if character in SAID or unicodedata.category(character)[0] in "LNS")
            spelled = ""
        else:
            notes.change(written, spelled)
        yield from (_BREAK, spelled, _BREAK)

    def _spelled(self, text: str, notes: _Notes) -> Iterator[str]:
        """Letters of the alphabet for characters that are no numbers, and breaks for those that part words."""
        for character in text:
            folded = character if self._letter(character) else self._folded(character)
            if folded is None:
                notes.lose(character)
                folded = "" if character.isalpha() else _BREAK
            elif folded.strip() and unicodedata.normalize("NFC", folded) != character:
                notes.change(character, folded)
            yield folded

    def _folded(self, character: str) -> str | None:
        """The character in letters of the alphabet, a break, "" where it may go, None where it cannot be written."""
        category = unicodedata.category(character)
        apart = unicodedata.normalize("NFD", character)
        if all(map(self._letter, apart)):
            return apart
        if character == "'" or category[0] == "M":
            return ""
        if character not in SAID and (category[0] in "PZ" or category in {"Cc", "Sk"} or character in SILENT):
            return _BREAK
        bare = "".join(c for c in unicodedata.normalize("NFKD", LETTERS.get(character, character)) if not unicodedata.combining(c))
        folded = self._case("".join(LETTERS.get(letter, letter) for letter in bare))
        return folded if folded and all(map(self._letter, folded)) else None

    def _sayable(self, word: str) -> bool:
        """True for a word that the alphabet can write and that is more than marks."""
        return all(map(self._letter, word)) and any(map(str.isalnum, word)) and bool(self._alphabet.spell(word))


def bare(piece: str) -> str:
    """A piece of text without the punctuation around it."""
    return piece.strip("".join(filter(parting, piece)) + "'")


def parting(character: str) -> bool:
    """True for punctuation, as far as nobody says it."""
    return unicodedata.category(character)[0] == "P" and character not in SAID


class _Notes:
    """What is told of a piece of text: each thing once, in order."""

    def __init__(self) -> None:
        self.changes: dict[str, None] = {}
        self.lost: dict[str, None] = {}

    def change(self, written: str, said: str) -> None:
        self.changes[f"{written} as {said}"] = None

    def lose(self, characters: Iterable[str]) -> None:
        self.lost.update(dict.fromkeys(characters))


def _unquoted(word: str) -> str:
    return word.strip("'") if len(word) > 1 and word[0] == word[-1] == "'" else word


def _key(alphabet: Alphabet, language: str, known: Mapping[str, str]) -> str:
    silent = [column for column in range(len(alphabet.symbols)) if alphabet.is_silent(column)]
    boundary = (alphabet.boundary.rule.value, alphabet.boundary.symbol)
    parts = [READING, language, alphabet.symbols, silent, boundary, alphabet.bytes_mode, sorted(known.items())]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _letters(alphabet: Alphabet) -> Callable[[str], bool]:
    """Whether words may have a character. Bytes could write all of them; a model of bytes has learnt letters."""
    if alphabet.bytes_mode:
        return lambda character: character == "'" or unicodedata.category(character)[0] in "LM"
    marked = alphabet.boundary.symbol if alphabet.boundary.rule is BoundaryRule.WORD_INITIAL else ""
    heard = (column for column in range(len(alphabet.symbols)) if not alphabet.is_silent(column) and column != alphabet.separator)
    return frozenset(letter for column in heard for letter in alphabet.symbols[column].removeprefix(marked)).__contains__


def _case(alphabet: Alphabet) -> Callable[[str], str]:
    """How text is written in the alphabet: in lower case, in capitals where it has no others, or as it is where it has both."""
    known = "".join(symbol for column, symbol in enumerate(alphabet.symbols) if not alphabet.is_silent(column))
    if alphabet.bytes_mode or known == known.lower():
        return str.lower
    return str.upper if known == known.upper() else str


def _any_of(symbols: Iterable[str]) -> re.Pattern[str]:
    """Any of these, the longer first; one that ends in a letter is no beginning of a word."""
    patterns = [re.escape(symbol) + (r"(?![^\W\d_])" if symbol[-1].isalpha() else "") for symbol in sorted(symbols, key=len, reverse=True)]
    return re.compile("|".join(patterns) or r"(?!)", re.IGNORECASE)


def _number(language: str) -> re.Pattern[str]:
    suffix = ORDINALS.get(primary(language), r"(?!)")
    return re.compile(rf"(?P<sign>(?<![^\W_])[-−])?(?P<digits>\d+(?:[.,]\d+)*)(?:(?P<suffix>{suffix})(?![^\W_]))?", re.IGNORECASE)  # noqa: RUF001 - as above


def _numbers(digits: str, language: str) -> list[str]:
    """The numbers that digits with points and commas stand for, as Python writes them: 1,234.5 is one, and 1.2.3 are three."""
    group, point = (",", ".") if primary(language) in DECIMAL_POINT else (".", ",")
    if re.fullmatch(rf"\d{{1,3}}(\{group}\d{{3}})+(\{point}\d+)?", digits):
        digits = digits.replace(group, "")
    parts = re.split(r"[.,]", digits)
    return [".".join(parts)] if len(parts) == 2 else parts


def _readable(digits: str) -> bool:
    return len(digits) <= MAX_READ_DIGITS and (digits == "0" or int(digits[0]) > 0)


def _like_a_year(digits: str) -> bool:
    """True for nineteen eighty four, but not for two thousand five; 1,984 is no year."""
    return len(digits) == 4 and digits.isdecimal() and (1100 <= int(digits) < 2000 or 2010 <= int(digits) < 2100)


def _usual(character: str) -> str:
    if character in SILENT or unicodedata.category(character)[0] not in "NS":
        return character
    usual = unicodedata.normalize("NFKC", character)
    return character if "\N{FRACTION SLASH}" in usual else usual
