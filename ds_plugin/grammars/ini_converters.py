"""Rhasspy's built-in converters (`!int`, `!upper` and so on), applied to known text when a grammar is made.

Slot values are text here, so a converter gives the text of what Rhasspy would put into its JSON: 20, 0.5, true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def _truth(value: Any) -> bool:
    try:
        return float(value) != 0
    except ValueError:
        return str(value).lower() != "false"


CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "int": int,
    "float": float,
    "bool": _truth,
    "upper": lambda value: str(value).upper(),
    "lower": lambda value: str(value).lower(),
}


def converted(text: str, converters: tuple[str, ...]) -> str:
    """The text with each of its words put through the converters, in their order.

    Raises ValueError for a word that one of them does not take, KeyError for a converter that is not in CONVERTERS.
    """
    return " ".join(_word(word, converters) for word in text.split()) if converters else text


def _word(word: str, converters: tuple[str, ...]) -> str:
    value: Any = word
    for name in converters:
        try:
            value = CONVERTERS[name](value)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"!{name} does not take '{value}'") from error
    return str(value).lower() if isinstance(value, bool) else str(value)
