"""Names that nobody has, spelled as they sound, and sentences about them: a seed in, text out.

A name is two or three syllables of letters that English says in one way: no silent letters, no doubled ones, no q, x or y, g only where
it is hard, c where k would be unusual, s and w only where they are themselves. Half of them end like names of people and places. Two
names always differ in two letters at least, because the vowel of an unstressed syllable cannot be heard.
"""

# ruff: noqa: SIM905  # tables of words

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence

LENGTHS = (4, 10)  # letters
APART = 2  # edits between any two names

_SINGLE = "bbbdddfffghhjkkkkllllmmmmnnnpppprrrrssssttttvwz"  # about as often as English words begin with them
_CLUSTERS = "br dr fr gr kr pr tr bl fl gl kl pl sl st sk sm sn sp ch sh th".split()  # at the beginning of a name
_VOWELS: tuple[str, ...] = (*"aaaeeiioou", "ee", "oo")
_CODAS: tuple[str, ...] = (*[""] * 10, *"nnmllrrsktdp")
_LAST_CODAS: tuple[str, ...] = (*[""] * 4, *"n l m s t d n l nd nt st sk rn rk mp".split())
_ENDINGS = "a o i en in on an el er ton son ford man berg land dor mar lin vin".split()
_VOWEL_LETTERS = "aeiou"
_SOFTENING = "ei"  # vowels that make a g soft
_WEAK = "swh"  # consonants that are other sounds, or none, between two vowels

CARRIERS = (
    "turn on the {} lamp|turn off the {} light|call {}|play {} in the kitchen|is {} at home|tell {} that dinner is ready"
    "|set the {} light to fifty percent|open the {} blinds|send a message to {}|where is {}|ask {} to come here|play music by {}"
    "|start the {} timer|remind {} about the meeting|what is the weather in {}|close the {} door|when does {} arrive|lock the {} gate"
    "|how far is it to {}|add {} to my list"
).split("|")


def invented_names(count: int, seed: int, known: Callable[[str], bool]) -> list[str]:
    """Distinct names, none of which is `known`."""
    rng = random.Random(seed)  # noqa: S311  # a draw that anybody can repeat
    names: list[str] = []
    while len(names) < count:
        name = _name(rng)
        if LENGTHS[0] <= len(name) <= LENGTHS[1] and _regular(name) and not known(name) and not any(_near(name, other) for other in names):
            names.append(name)
    return names


def sentences_about(names: Sequence[str]) -> Iterator[str]:
    """One sentence about each name, in turns."""
    for place, name in enumerate(names):
        yield CARRIERS[place % len(CARRIERS)].format(name)


def _name(rng: random.Random) -> str:
    return re.sub("k(?=[aoubdflmnprstv])", "c", _spoken(rng))


def _spoken(rng: random.Random) -> str:
    """A name with k for every k."""
    onsets = [rng.choice(_CLUSTERS if rng.random() < 1 / 3 else _SINGLE), *rng.choices(_SINGLE, k=rng.choice((0, 0, 1)))]
    syllables = "".join(onset + rng.choice(_VOWELS) + rng.choice(_CODAS) for onset in onsets)
    if rng.random() < 1 / 2:
        return syllables + rng.choice(_ENDINGS)
    return syllables + rng.choice(_SINGLE) + rng.choice(_VOWELS) + rng.choice(_LAST_CODAS)


def _regular(name: str) -> bool:
    """False where a letter is doubled, joins the one before to another sound, or is said otherwise than it is written."""
    for before, letter, after in zip(f" {name[:-1]}", name, f"{name[1:]} ", strict=True):
        doubled = letter == before and (letter not in "eo" or after == letter)
        joined = (letter == "h" and before not in " cst") or before + letter in {"ks", "np", "nb", "ts", "tz"}
        soft = letter == "g" and after in _SOFTENING
        weak = letter in _WEAK and before in _VOWEL_LETTERS and after in _VOWEL_LETTERS
        hiatus = letter in _VOWEL_LETTERS and before in _VOWEL_LETTERS and letter != before
        if doubled or joined or soft or weak or hiatus:
            return False
    return "oor" not in name and not name.endswith(("e", "oo", "u"))


def _near(one: str, other: str) -> bool:
    """True below APART edits, where one edit is a letter put for another, left out or put in."""
    if abs(len(one) - len(other)) >= APART:
        return False
    shared = 0
    while shared < min(len(one), len(other)) and one[shared] == other[shared]:
        shared += 1
    return one[shared + (len(one) >= len(other)) :] == other[shared + (len(other) >= len(one)) :]
