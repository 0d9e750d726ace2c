"""Ranges: the numbers of a list, each with the ways to say it, its digits, and what its slot becomes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from ds_plugin.grammars.schema import FRACTIONS, NumberList
from ds_plugin.number_words import decimal_words, minus, number_words


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a range."""

    ways: tuple[str, ...]  # to say it
    digits: str
    value: str  # its digits too, or those of its product with the range's multiplier


def numbers(spec: NumberList, language: str) -> Iterator[Number]:
    """The numbers of a range, as hassil counts them. Raises InputError for a language without rules for numbers."""
    language = spec.language or language
    for whole in range(spec.start, spec.stop + 1, spec.step):
        for fraction in ("", *FRACTIONS[spec.fractions]):
            number = Decimal(whole) + Decimal(f"0.{fraction}" if fraction else "0")
            value = number if spec.multiplier is None else number * Decimal(repr(spec.multiplier))
            yield Number(_ways(number, language), _digits(number), _digits(value))


def _ways(number: Decimal, language: str) -> tuple[str, ...]:
    whole, _, fraction = _digits(abs(number)).partition(".")
    if not fraction:
        return number_words(int(number), language)
    words = decimal_words(whole, fraction, language)
    return (f"{minus(language)} {words}" if number < 0 else words,)


def _digits(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
