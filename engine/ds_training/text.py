"""Text as a network spells it: any line in, words of its alphabet out, separated by single spaces.

English is lower-case a to z with apostrophes, whole numbers in words; other languages bring their symbols. What cannot be written is a
ValueError, never dropped: text that lacks a word of its sound would be learnt.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from ds_engine.alphabet import Alphabet, Boundary, BoundaryRule

LETTERS = " abcdefghijklmnopqrstuvwxyz'"
SYMBOLS = ("<blank>", *LETTERS)  # the index is the network's output: blank 0, space 1, a 2, ..., apostrophe 28

_UNITS = (  # noqa: SIM905  # a table of words
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
).split()
_SCALES = ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905  # as above


def plain_text(line: str) -> str:
    """Lower case without accents, punctuation as spaces, whole numbers as words. Raises ValueError for a letter that is not of a to z."""
    decomposed = unicodedata.normalize("NFKD", line.lower().replace("\u2019", "'"))
    letters = "".join(symbol for symbol in decomposed if not unicodedata.combining(symbol))
    spelled = re.sub(r"[0-9]+", lambda match: f" {number_words(int(match.group()))} ", letters)
    if lost := next((symbol for symbol in spelled if symbol.isalnum() and not "a" <= symbol <= "z"), None):
        raise ValueError(f"the alphabet has no {lost!r}")
    words = re.sub(r"[^a-z' ]", " ", spelled).split()
    return " ".join(word for word in words if word.strip("'"))


def number_words(number: int) -> str:
    """A whole number in words, without "and" or hyphens; one that has no name, digit by digit."""
    if number < 20:
        return _UNITS[number]
    if number >= 1000 * _SCALES[0][0]:
        return " ".join(_UNITS[int(digit)] for digit in str(number))
    for size, name in _SCALES:
        if number >= size:
            rest = f" {number_words(number % size)}" if number % size else ""
            return f"{number_words(number // size)} {name}{rest}"
    return _TENS[number // 10 - 2] + (f" {_UNITS[number % 10]}" if number % 10 else "")


class Orthography:
    """How a language is written for a network: any line in, text of an alphabet out, and that text as columns of log-probs and back."""

    def __init__(self, symbols: Sequence[str] = SYMBOLS) -> None:
        """`symbols` by column, the blank first. Raises BundleError where they make no alphabet (see ds_engine.alphabet)."""
        self.alphabet = Alphabet(tuple(symbols), boundary=Boundary() if " " in symbols else Boundary(BoundaryRule.NONE, ""))
        self._english = tuple(symbols) == SYMBOLS
        self._columns = {symbol: column for column, symbol in enumerate(symbols) if column}

    def plain(self, line: str) -> str:
        """English as `plain_text` has it; else composed, small letters where there are no capitals, without punctuation.

        Raises ValueError for a letter or digit that the alphabet lacks, with accent and without.
        """
        if self._english:
            return plain_text(line)
        composed = unicodedata.normalize("NFC", line.replace("\u2019", "'"))
        small = composed if any(symbol.isupper() for symbol in self._columns) else composed.lower()
        return " ".join("".join(map(self._written, small)).split())

    def _written(self, character: str) -> str:
        bare = "".join(part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part))
        for form in (character, bare):
            if form and all(part in self._columns for part in form):
                return form
        if character.isalnum() or unicodedata.combining(character) or unicodedata.category(character)[0] == "M":
            raise ValueError(f"the alphabet has no {character!r}")
        return " "

    def encode(self, text: str) -> list[int]:
        """Text -> columns. Raises ValueError at a symbol that the alphabet lacks."""
        try:
            return [self._columns[letter] for letter in text]
        except KeyError as error:
            raise ValueError(f"text needs symbols of the alphabet, got {error.args[0]!r} in {text!r}") from None

    def decode(self, path: Sequence[int]) -> str:
        """The best symbol of each step -> text: repeats merged, blanks dropped, single spaces (greedy CTC)."""
        return self.alphabet.text(column for column, previous in zip(path, [0, *path], strict=False) if column != previous)


ENGLISH = Orthography()


def letters_of(texts: Iterable[str]) -> tuple[str, ...]:
    """The symbols of an alphabet for these texts: the blank, the space, and every letter in the order of Unicode."""
    composed = (unicodedata.normalize("NFC", text).lower() for text in texts)
    letters = {letter for text in composed for letter in text if letter == "'" or unicodedata.category(letter)[0] in "LM"}
    return (SYMBOLS[0], " ", *sorted(letters))
