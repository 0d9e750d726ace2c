"""Home Assistant's own sentences: a model's language in, the templates that the package home-assistant-intents has for it out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from home_assistant_intents import get_intents, get_languages

_SAME = {"no": "nb", "iw": "he"}  # languages that have two tags
_PREFERRED = {"zh": "zh-cn", "zh-hans": "zh-cn", "zh-hant": "zh-hk"}  # where a tag leaves several, as Home Assistant has it


def intents_language(language: str) -> str | None:
    """The tag among the package's that serves a BCP 47 tag best: `en` for `en-GB`; None where there is none."""
    offered = {tag.lower(): tag for tag in get_languages()}
    return next((offered[tag] for tag in _serving(language) if tag in offered), None)


@cache
def templates(language: str) -> dict[str, Any]:
    """The data of a file of sentence templates: always the same object for a tag, which must be one of the package's."""
    data = get_intents(language) or {}
    return {key: value for key, value in data.items() if key != "responses"}


def _serving(language: str) -> Iterator[str]:
    """Tags that serve this one, the best first."""
    primary, *more = language.strip().lower().replace("_", "-").split("-")
    primary = _SAME.get(primary, primary)
    for tag in ("-".join([primary, *more]), *(f"{primary}-{part}" for part in reversed(more)), primary):
        yield _PREFERRED.get(tag, tag)
