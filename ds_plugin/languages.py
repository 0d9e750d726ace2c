"""BCP 47 tags of languages: which of those that are offered serves the one that is wanted."""

from __future__ import annotations

from collections.abc import Iterable


def same_language(wanted: str, offered: str) -> bool:
    """True where two tags share their primary language: `EN_us` is served by `en`, and `en-GB` by `en-US`."""
    return _primary(wanted) == _primary(offered)


def best_language(wanted: str, offered: Iterable[str]) -> str | None:
    """The offered tag that serves the wanted one best: the very same, else the first of the same primary language, else None."""
    tags = list(offered)
    exact = [tag for tag in tags if _plain(tag) == _plain(wanted)]
    return next(iter([*exact, *(tag for tag in tags if same_language(wanted, tag))]), None)


def _plain(tag: str) -> str:
    return tag.replace("_", "-").strip().lower()


def _primary(tag: str) -> str:
    return _plain(tag).partition("-")[0].strip()
