"""Numbers in words: an integer and a language in, the ways to say it out, by the rules of Unicode's CLDR (package unicode-rbnf)."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from ds_engine.errors import InputError

if TYPE_CHECKING:
    from unicode_rbnf import FormatPurpose, RbnfEngine

MAX_NUMBER = 10**15  # either way; up to here the rules' arithmetic is exact
_CACHED = 65_536  # readings that are remembered
_YEARS = range(1100, 10_000)  # numbers that may also be said as a year is: nineteen eighty four
_ORDINAL_YEARS = {"ru"}  # languages whose years are no numbers but ordinals
_UNSAID = ("financial", "days")  # rules for cheques and calendars
_ALIASES = {"nb": "no"}  # tags whose rules stand under another name


@lru_cache(_CACHED)
def number_words(number: int, language: str) -> tuple[str, ...]:
    """Every way to say a number ("one hundred five", "one hundred and five"), the usual one first, words with single spaces.

    `language` is a BCP 47 tag. Raises InputError for a language without rules and a number beyond MAX_NUMBER.
    """
    ways = _formatted(number, language, "CARDINAL")
    if not ways:
        raise InputError(f"language {language!r:.40} has no rule for {number}")
    if number in _YEARS and primary(language) not in _ORDINAL_YEARS:
        ways += _formatted(number, language, "YEAR")
    if primary(language) == "en":
        ways += [f"a {way.removeprefix('one ')}" for way in ways if way.startswith(("one hundred", "one thousand"))]
    return tuple(dict.fromkeys(ways))


@lru_cache(_CACHED)
def year_words(number: int, language: str) -> str:
    """A year as it is said: nineteen eighty four. Raises InputError as `number_words` does."""
    ways = [] if primary(language) in _ORDINAL_YEARS else _formatted(number, language, "YEAR")
    return [*ways, *number_words(number, language)][0]


@lru_cache(_CACHED)
def ordinal_words(number: int, language: str) -> tuple[str, ...]:
    """Every way to say an ordinal: second. Raises InputError as `number_words` does, also where the language's rules have none."""
    ways = _formatted(number, language, "ORDINAL")
    if not ways:
        raise InputError(f"language {language!r:.40} has no rules for ordinals")
    return tuple(dict.fromkeys(ways))


def decimal_words(whole: str, fraction: str, language: str) -> str:
    """A decimal number by its digits before and after the point: one point five. Raises InputError as `number_words` does."""
    digits = [number_words(int(digit), language)[0] for digit in fraction]
    return " ".join([number_words(int(whole), language)[0], _point(language), *digits])


def minus(language: str) -> str:
    """What is said before a number below zero. Raises InputError as `number_words` does."""
    return number_words(-2, language)[0].removesuffix(number_words(2, language)[0]).strip()


def primary(language: str) -> str:
    """The language of a BCP 47 tag without its region: `pt` of `pt-BR`."""
    return _names(language)[-1]


@cache
def _point(language: str) -> str:
    """What is said for the decimal point: what stands between one and five in 1.5. Raises InputError where that is not one word."""
    for way in _formatted("1.5", language, "CARDINAL"):
        for one, five in itertools.product(number_words(1, language), number_words(5, language)):
            point = way.removeprefix(one).removesuffix(five).strip()
            if way.startswith(one) and way.endswith(five) and point and " " not in point:
                return point
    raise InputError(f"language {language!r:.40} has no rule for decimals")


def _names(language: str) -> tuple[str, ...]:
    """The names under which rules for a language are looked up: `pt_PT` before `pt`."""
    first, *rest = language.replace("_", "-").split("-")
    regions = [f"{first.lower()}_{part.upper()}" for part in rest if len(part) == 2]
    return (*regions, _ALIASES.get(first.lower(), first.lower()))


def _formatted(number: int | str, language: str, purpose: str) -> list[str]:
    from unicode_rbnf import FormatPurpose
    from unicode_rbnf.engine import RbnfError

    if isinstance(number, int) and abs(number) > MAX_NUMBER:
        raise InputError(f"a number to be said must lie within +-{MAX_NUMBER}")
    engine = _engine(language)
    try:
        found = engine.format_number(number, ruleset_names=_rulesets(engine, FormatPurpose[purpose]))
    except (RbnfError, ValueError):  # this language has no rule for it
        return []
    return [" ".join("".join(_plain(text)).split()) for text in found.text_by_ruleset.values()]


def _rulesets(engine: RbnfEngine, purpose: FormatPurpose) -> list[str]:
    """The rules for a purpose; those for counting without a noun first, the plural ones and those of more words last."""
    names = [
        name
        for name, rules in engine.rulesets.items()
        if not rules.is_private and purpose.from_ruleset_name(name) is purpose and not name.endswith(_UNSAID)
    ]
    return sorted(names, key=lambda name: ("verbose" in name, "plural" in name, "numbering" not in name))


@cache
def _engine(language: str) -> RbnfEngine:
    from unicode_rbnf import RbnfEngine

    supported = RbnfEngine.get_supported_languages()
    for name in _names(language):
        if name in supported:
            return RbnfEngine.for_language(name)
    raise InputError(f"no rules for saying numbers in language {language!r:.40}")


def _plain(text: str) -> Iterator[str]:
    """Without hyphens and commas, which part words, and soft hyphens, which do not."""
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        if category != "Cf":
            yield " " if category[0] in "PZ" else character
