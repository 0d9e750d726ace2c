"""Why a phrase cannot be used, in words for its owner."""

from __future__ import annotations

from ds_plugin.vocabulary.phrases import Said


def unusable(text: str, said: Said) -> str:
    """Why a phrase cannot be used, and what its owner can do."""
    letters = "".join(filter(str.isalnum, said.lost))
    kept = [word for word in text.split() if not set(letters or word).isdisjoint(word + word.lower() + word.upper())]
    why = f"no letters for {letters!r:.40}" if letters else "nothing of it can be said"
    return f"{text!r:.80}: {why}; write how it is said, as in {(kept or [text])[0]:.40} = ..."
