"""Written text as it is spoken: any line in, its words out, as recognition is measured and language models are made with them."""

from __future__ import annotations

import re
import unicodedata

_NOT_SPOKEN = re.compile(r"[^\w\s']|_")


def normalise(text: str, *, keep_case: bool = False) -> str:
    """Words with single spaces, in composed Unicode (NFC), without punctuation but for apostrophes; lower-case unless that is kept."""
    text = unicodedata.normalize("NFC", text).replace("\u2019", "'")
    return " ".join(_NOT_SPOKEN.sub(_spoken, text if keep_case else text.lower()).split())


def _spoken(found: re.Match[str]) -> str:
    """Signs of vowels and the like belong to their letters, though they are none themselves (Devanagari, Thai, ...)."""
    return found[0] if unicodedata.category(found[0]).startswith("M") else " "
