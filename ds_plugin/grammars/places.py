"""Texts that remember where they were read, for messages that name file and line."""

from __future__ import annotations

from typing import Self


class Placed(str):
    """A text with its place, such as "lights.yaml, line 7"."""

    __slots__ = ("place",)
    place: str

    def __new__(cls, text: str, place: str) -> Self:
        """The text `text`, read at `place`."""
        placed = super().__new__(cls, text)
        placed.place = place
        return placed


def place_of(value: object, otherwise: str) -> str:
    """Where a value was read, or `otherwise` for what does not remember it."""
    return value.place if isinstance(value, Placed) else otherwise
