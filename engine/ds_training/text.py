"""Text as the model spells it: any line in, lower-case words of a-z and apostrophes out, separated by single spaces."""

from __future__ import annotations

import re
import unicodedata

LETTERS = " abcdefghijklmnopqrstuvwxyz'"
SYMBOLS = ("<blank>", *LETTERS)  # the index is the network's output: blank 0, space 1, a 2, ..., apostrophe 28

_INDEX = {symbol: index for index, symbol in enumerate(SYMBOLS)}
_UNITS = (  # noqa: SIM905  # a table of words
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905  # as above


def plain_text(line: str) -> str:
    """Lower case without accents, punctuation as spaces, whole numbers up to four digits as words."""
    decomposed = unicodedata.normalize("NFKD", line.lower().replace("\u2019", "'"))
    letters = "".join(symbol for symbol in decomposed if not unicodedata.combining(symbol))
    spelled = re.sub(r"(?<!\d)\d{1,4}(?!\d)", lambda match: f" {number_words(int(match.group()))} ", letters)
    words = re.sub(r"[^a-z' ]", " ", spelled).split()
    return " ".join(word for word in words if word.strip("'"))


def number_words(number: int) -> str:
    """0 to 9999 in words, without "and" or hyphens."""
    if number < 20:
        return _UNITS[number]
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = f" {number_words(number % size)}" if number % size else ""
            return f"{number_words(number // size)} {name}{rest}"
    return _TENS[number // 10 - 2] + (f" {_UNITS[number % 10]}" if number % 10 else "")


def encode(text: str) -> list[int]:
    """Plain text -> symbol indices. Raises ValueError at a symbol that the alphabet lacks."""
    try:
        return [_INDEX[letter] for letter in text]
    except KeyError as error:
        raise ValueError(f"text needs symbols of {LETTERS!r}, got {error.args[0]!r} in {text!r}") from None


def decode(path: list[int]) -> str:
    """The best symbol of each step -> text: repeats merged, blanks dropped, single spaces (greedy CTC)."""
    kept = [symbol for symbol, previous in zip(path, [0, *path], strict=False) if symbol and symbol != previous]
    return " ".join("".join(SYMBOLS[symbol] for symbol in kept).split())
