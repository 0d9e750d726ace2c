"""What Home Assistant answers is not ours to trust: values of any shape in, texts and mappings out, with bounded remarks on the rest."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ds_engine.bias import MAX_PHRASE_LENGTH

MAX_REMARKS = 50  # on one household; of what is more, only the number is told
MAX_NAME_LENGTH = MAX_PHRASE_LENGTH  # characters
_UNSEEN = frozenset({"Cc", "Cs"})  # control characters, and halves of surrogate pairs, which no file can hold

Answer = Mapping[str, Any]


class Remarks:
    """Lines for people, each once, as far as anybody will read them."""

    def __init__(self) -> None:
        self._lines: dict[str, None] = {}

    def add(self, line: str) -> None:
        """One more."""
        self._lines[line] = None

    @property
    def lines(self) -> tuple[str, ...]:
        """All of them, or the first MAX_REMARKS and how many more there are."""
        some = tuple(self._lines)[:MAX_REMARKS]
        more = len(self._lines) - len(some)
        return (*some, f"and {more} more") if more else some


def mapping(value: object) -> Answer:
    """The value itself where it is a mapping, otherwise an empty one."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: object, what: str, remarks: Remarks) -> Iterator[Answer]:
    """The mappings of a list; what is none is skipped, with a remark."""
    if not isinstance(value, list | tuple):
        if value is not None:
            remarks.add(f"{what}: a list is needed, got {type(value).__name__}")
        return
    for each in value:
        if isinstance(each, Mapping):
            yield each
        else:
            remarks.add(f"{what}: an entry that is no mapping but {type(each).__name__} is skipped")


def texts(value: object) -> tuple[str, ...]:
    """The texts of a list, as `text` gives them, without those of which nothing is left."""
    return tuple(filter(None, map(text, value))) if isinstance(value, list | tuple) else ()


def text(value: object) -> str:
    """A text with single spaces, without what nobody sees; "" for what is no text."""
    if not isinstance(value, str):
        return ""
    seen = value if value.isprintable() else "".join(c if unicodedata.category(c) not in _UNSEEN else " " for c in value)
    return " ".join(seen.split())


def named(given: Iterable[object], what: str, remarks: Remarks) -> tuple[str, ...]:
    """The names among these, each once, as `text` gives them; those that are too long are left out, with a remark."""
    found = dict.fromkeys(filter(None, map(text, given)))
    for name in [name for name in found if len(name) > MAX_NAME_LENGTH]:
        remarks.add(f"{what}: a name of {len(name)} characters is left out, at most {MAX_NAME_LENGTH} are heard")
        del found[name]
    return tuple(found)
