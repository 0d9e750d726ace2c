"""How a sentence is pronounced: plain text in, phones of American English out, as espeak-ng says it.

They are targets of a second CTC loss on the convolutions while training (hearing is learnt sooner than English spelling); no
bundle holds them.
"""

# ruff: noqa: RUF001  # phonetic letters look like others

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence

PHONES = (  # noqa: SIM905  # a table of phones
    "t n ɪ s ə d m ɹ l k ɛ z aɪ p æ ʌ f ɚ ð eɪ iː v w i uː b ᵻ ɑː h oʊ ŋ ɾ aʊ ɐ ɜː ʃ j ɡ ɔ ɔː θ tʃ dʒ"
    " əl ɔːɹ ɑːɹ oːɹ ʊ ɛɹ iə ɪɹ ɔɪ oː ʒ aɪɚ ʊɹ aɪə"
).split()  # International Phonetic Alphabet, without stress; their places, from 1 on, are the outputs beside the blank

_INDEX = {phone: index for index, phone in enumerate(PHONES, 1)}
_STRESS = "ˈˌ"


def espeak(lines: str) -> str:
    """What espeak-ng answers to lines of text: a line of words for each, phones with `_` between them."""
    command = ["espeak-ng", "-q", "-v", "en-us", "--ipa", "--sep=_"]
    return subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout  # noqa: S603  # our own words


def pronounce(texts: Sequence[str], ask: Callable[[str], str] = espeak, *, stress: bool = False) -> list[str]:
    """For each text its phones, separated by spaces, with stress if wanted. Raises ValueError where the answer is not line by line."""
    lines = ask("".join(f"{text}.\n" for text in texts)).splitlines()  # the full stop keeps lines apart
    if len(lines) != len(texts):
        raise ValueError(f"espeak-ng needs to give a line for each of {len(texts)} texts, got {len(lines)}")
    kept = "" if stress else _STRESS
    return [" ".join(phone.strip(kept) for phone in line.replace("_", " ").split()) for line in lines]


def encode_phones(phones: str) -> list[int]:
    """Phones separated by spaces -> indices from 1 on; the few that PHONES lacks are left out."""
    return [_INDEX[phone] for phone in phones.split() if phone in _INDEX]
