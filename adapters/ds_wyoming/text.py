"""Text as it goes over the wire: one line, trimmed, NFC, no control characters."""

from __future__ import annotations

import unicodedata

_UNSENDABLE = {"Cc", "Cs"}  # control characters; halves of surrogate pairs, which UTF-8 cannot write


def tidy(text: str) -> str:
    """The text in sendable form. Of a text and its beginning, the tidied beginning begins the tidied text."""
    kept = "".join(character for character in text if character.isspace() or unicodedata.category(character) not in _UNSENDABLE)
    return unicodedata.normalize("NFC", " ".join(kept.split()))
