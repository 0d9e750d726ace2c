"""Accents: how people with another first language say English, as rules on phones that a synthesiser is then made to say.

In goes a word's phones (those of phones.py; a stressed vowel, or a whole word's first phone, carries its mark: "ˈɛ"), out come the
phones of an accented speaker. A person is drawn from an accent once and keeps his or her habits: which of the rules, which of the
alternatives, and how often. The text stays what it was, so that a network learns to hear the word through the accent.

The tables follow what Swan and Smith (Learner English, 2nd ed., 2001) and Deterding (Singapore English, 2007) describe; the chances
are estimates.
"""

# ruff: noqa: RUF001, SIM905  # phonetic letters look like others; tables of words

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

STRESS = "ˈˌ"
PARTS: Mapping[str, str] = {
    "əl": "ə l", "ɔːɹ": "ɔː ɹ", "ɑːɹ": "ɑː ɹ", "oːɹ": "oː ɹ", "ɛɹ": "ɛ ɹ", "ɪɹ": "ɪ ɹ", "ʊɹ": "ʊ ɹ", "aɪɚ": "aɪ ɚ", "aɪə": "aɪ ə",
    "iə": "i ə", "n̩": "ə n", "ʔ": "t", "x": "k", "ɬ": "l", "ɡʲ": "ɡ", "ɐ": "ə", "ᵻ": "ɪ", "ɾ": "t",
}  # fmt: skip  # what the rules need not know: a phone of espeak-ng that is two, or rare, or a variant
VOWELS = frozenset("iː i ɪ ɛ eɪ æ ə ʌ ɚ ɜː ɑː ɔ ɔː oː oʊ ʊ uː aɪ aʊ ɔɪ a e o u".split())


@dataclass(frozen=True, slots=True)
class Rule:
    """Each of `phones` becomes one of the alternatives between bars ("=" is the phone itself, nothing is silence)."""

    phones: str  # separated by spaces
    becomes: str
    chance: float  # that a strong accent has it
    place: str = "any"  # "any", "onset" (a vowel follows), "coda" (none does), "cluster" (a consonant does), "last"


@dataclass(frozen=True, slots=True)
class Accent:
    """Rules in their order, and what becomes of the stress."""

    rules: tuple[Rule, ...]
    moved_stress: float = 0.0  # chance that a word of several vowels is stressed on another
    full_vowels: float = 0.0  # chance that unstressed schwas get the quality of a full vowel


_DEVOICED = tuple(Rule(voiced, mute, 0.6, "last") for voiced, mute in ("bp", "dt", "ɡk", "vf", "zs", "ðs"))
_FLAT_VOWELS = (
    Rule("ɪ", "iː|i", 0.5),
    Rule("iː", "ɪ|i", 0.25),
    Rule("ʊ", "uː", 0.5),
    Rule("uː", "ʊ", 0.2),
    Rule("ɔː ɑː", "ɔ", 0.3),
)

ACCENTS: Mapping[str, Accent] = {
    "mandarin": Accent(
        (
            Rule("θ", "s|s|f|t", 0.8),
            Rule("ð", "d|d|z|l", 0.75),
            Rule("v", "w|w|f", 0.5),
            Rule("ʃ", "s", 0.15),
            Rule("ʒ", "ɹ|dʒ|ʃ", 0.4),
            Rule("dʒ", "tʃ|z", 0.25),
            Rule("tʃ", "ts|ʃ", 0.15),
            Rule("z", "s|dz", 0.35),
            Rule("h", "x", 0.2),
            *_DEVOICED,
            Rule("l", "oʊ|ɚ||n", 0.4, "coda"),
            Rule("ɹ", "|ɚ|l", 0.3, "coda"),
            Rule("ɹ", "l|w|ʒ", 0.3, "onset"),
            Rule("l", "ɹ|n", 0.2, "onset"),
            Rule("n", "l", 0.12, "onset"),
            Rule("n", "ŋ|", 0.3, "last"),
            Rule("ŋ", "n|ŋ ɡ", 0.35, "last"),
            Rule("m", "n|ŋ", 0.15, "last"),
            Rule("p t k b d ɡ", "|= ə|= ə", 0.4, "last"),
            Rule("p t k b d ɡ s", "|= ə", 0.2, "cluster"),
            Rule("s z f v ʃ tʃ dʒ", "= ə|= ɪ", 0.15, "last"),
            *_FLAT_VOWELS,
            Rule("æ", "ɛ|ɛ|a|aɪ", 0.6),
            Rule("ɛ", "æ|eɪ|aɪ", 0.25),
            Rule("eɪ", "ɛ|iː|e", 0.3),
            Rule("oʊ", "ɔ|o|aʊ", 0.35),
            Rule("aʊ", "ɑː|oʊ", 0.25),
            Rule("aɪ", "a|æ", 0.15),
            Rule("ʌ", "a|ɑː", 0.5),
            Rule("ɔ ɔː", "oʊ|aʊ", 0.2),
            Rule("ɜː", "ə|ɚ", 0.3),
        ),
        moved_stress=0.2,
        full_vowels=0.4,
    ),
    "cantonese": Accent(
        (
            Rule("θ", "f|f|s|t", 0.8),
            Rule("ð", "d", 0.8),
            Rule("v", "w|f", 0.6),
            Rule("z ʒ", "s", 0.6),
            Rule("ʃ", "s", 0.4),
            Rule("ɹ", "l|w", 0.45, "onset"),
            Rule("n", "l", 0.25, "onset"),
            *_DEVOICED,
            Rule("l", "oʊ|uː|", 0.5, "coda"),
            Rule("ɹ", "", 0.6, "coda"),
            Rule("p t k b d ɡ", "", 0.45, "last"),
            Rule("t d k s", "", 0.4, "cluster"),
            *_FLAT_VOWELS,
            Rule("æ", "ɛ", 0.7),
            Rule("eɪ", "ɛ|iː", 0.3),
            Rule("oʊ", "ɔ|o", 0.3),
            Rule("ʌ", "a", 0.5),
            Rule("ɚ ɜː", "ə", 0.6),
        ),
        moved_stress=0.15,
        full_vowels=0.6,
    ),
    "german": Accent(
        (
            Rule("θ", "s|s|t|f", 0.7),
            Rule("ð", "z|d", 0.7),
            Rule("w", "v", 0.7),
            Rule("dʒ", "tʃ", 0.5),
            Rule("ʒ", "ʃ", 0.5),
            *_DEVOICED,
            Rule("ɹ", "", 0.3, "coda"),
            Rule("æ", "ɛ", 0.8),
            Rule("ʌ", "a|ɔ", 0.5),
            Rule("eɪ", "e|ɛ", 0.4),
            Rule("oʊ", "o|ɔ", 0.4),
            Rule("ɚ ɜː", "ə|a", 0.4),
        ),
        full_vowels=0.2,
    ),
    "spanish": Accent(
        (
            Rule("v", "b", 0.7),
            Rule("z", "s", 0.8),
            Rule("ʃ", "tʃ|s", 0.5),
            Rule("dʒ", "j|tʃ", 0.4, "onset"),
            Rule("ʒ", "ʃ|s", 0.5),
            Rule("j", "dʒ", 0.3),
            Rule("h", "x", 0.5),
            Rule("θ", "t|s|f", 0.5),
            Rule("ð", "d", 0.6),
            Rule("m", "n", 0.3, "last"),
            Rule("t d", "", 0.35, "last"),
            Rule("ŋ", "n", 0.4, "last"),
            *_FLAT_VOWELS,
            Rule("æ ʌ", "a", 0.8),
            Rule("ɚ ɜː", "e ɹ", 0.5),
            Rule("ɔ ɔː", "o", 0.6),
            Rule("eɪ", "e", 0.3),
            Rule("oʊ", "o", 0.6),
        ),
        moved_stress=0.15,
        full_vowels=0.7,
    ),
    "indian": Accent(
        (
            Rule("θ", "t", 0.8),
            Rule("ð", "d", 0.8),
            Rule("v", "w", 0.5),
            Rule("w", "v", 0.5),
            Rule("z", "s|dʒ", 0.3),
            Rule("ʒ", "dʒ|ʃ", 0.6),
            Rule("f", "p", 0.2),
            Rule("p t k", "b|d|ɡ", 0.05),
            Rule("eɪ", "e", 0.8),
            Rule("oʊ", "o", 0.8),
            Rule("æ", "ɛ|a", 0.4),
            Rule("ɔ ɔː", "ɑː", 0.5),
            Rule("ʌ", "ə|a", 0.5),
            Rule("ɚ ɜː", "ə ɹ|a ɹ", 0.7),
        ),
        moved_stress=0.3,
        full_vowels=0.4,
    ),
    "japanese": Accent(
        (
            Rule("θ", "s", 0.9),
            Rule("ð", "z|d", 0.8),
            Rule("v", "b", 0.6),
            Rule("l", "ɹ", 0.5, "onset"),
            Rule("ɹ", "l|w", 0.3, "onset"),
            Rule("f", "h", 0.3),
            Rule("ɹ", "|a", 0.6, "coda"),
            Rule("t d", "= o", 0.4, "last"),
            Rule("p b k ɡ f s z m l", "= u", 0.35, "last"),
            Rule("p b k ɡ s t d", "= u", 0.35, "cluster"),
            *_FLAT_VOWELS,
            Rule("æ ʌ", "a", 0.7),
            Rule("ə ɚ", "a", 0.4),
            Rule("ɜː", "a", 0.6),
            Rule("oʊ", "o", 0.5),
            Rule("eɪ", "e", 0.5),
        ),
        moved_stress=0.25,
        full_vowels=0.7,
    ),
    "slavic": Accent(
        (
            Rule("θ", "s|t|f", 0.7),
            Rule("ð", "z|d", 0.7),
            Rule("w", "v", 0.7),
            Rule("h", "x", 0.7),
            Rule("ŋ", "n|n k", 0.5, "last"),
            *_DEVOICED,
            *_FLAT_VOWELS,
            Rule("æ", "ɛ|a", 0.8),
            Rule("ʌ", "a", 0.7),
            Rule("ɚ ɜː", "ɛ ɹ|ɔ ɹ", 0.5),
            Rule("oʊ", "o", 0.6),
            Rule("eɪ", "ɛ|ɛ j", 0.5),
        ),
        moved_stress=0.15,
        full_vowels=0.4,
    ),
    "learner": Accent(  # of any language, children above all: sounds exchanged, endings lost, words read one by one
        (
            Rule("θ", "t|s|f", 0.5),
            Rule("ð", "d|z|v", 0.5),
            Rule("ɹ", "w|l", 0.3, "onset"),
            Rule("l", "w", 0.15, "onset"),
            Rule("ʃ", "s", 0.2),
            Rule("p t k b d ɡ s z", "", 0.25, "last"),
            Rule("t d s k", "", 0.25, "cluster"),
            *_FLAT_VOWELS,
            Rule("æ ʌ", "a|ɛ", 0.3),
            Rule("ɛ", "iː|æ", 0.15),
            Rule("aɪ eɪ", "ɪ|ɛ|aɪ|eɪ", 0.12),
        ),
        moved_stress=0.3,
        full_vowels=0.5,
    ),
}
WEIGHTS: Mapping[str, float] = {
    "mandarin": 10, "cantonese": 4, "german": 3, "spanish": 3, "indian": 3, "japanese": 3, "slavic": 2, "learner": 4,
}  # fmt: skip  # the recordings of the English model are of Mandarin speakers; its users may be anybody

_FULL = ("ɛ", "a", "ɔ", "ʌ")  # what an unreduced schwa may become


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody's habits: the rules that he or she has, with the alternative that is always taken, and how often."""

    accent: str
    habits: tuple[tuple[Rule, str, float], ...]
    moved_stress: float
    full_vowels: float

    @classmethod
    def draw(cls, rng: random.Random, accent: str | None = None, strength: float | None = None) -> Person:
        """Somebody with this accent, or any, of a strength from 0 to 1, or any."""
        name = accent or rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        much = rng.uniform(0.1, 0.8) if strength is None else strength
        kept = [rule for rule in ACCENTS[name].rules if rng.random() < much * min(1.0, 1.3 * rule.chance)]
        habits = tuple((rule, rng.choice(rule.becomes.split("|")), rng.uniform(0.5, 1.0)) for rule in kept)
        return cls(name, habits, much * ACCENTS[name].moved_stress, much * ACCENTS[name].full_vowels)

    def say(self, word: Sequence[str], rng: random.Random) -> tuple[str, ...]:
        """The word's phones as this person says them; never none at all."""
        phones = self._stress(simple(word), rng)
        for rule, becomes, often in self.habits:
            changed = [part for place in range(len(phones)) for part in _apply(rule, becomes, phones, place, rng.random() < often)]
            phones = changed or phones
        return tuple(phones)

    def _stress(self, phones: list[str], rng: random.Random) -> list[str]:
        full = rng.choice(_FULL) if rng.random() < self.full_vowels else "ə"
        plain = [full if phone == "ə" else phone for phone in phones]
        vowels = [place for place, phone in enumerate(plain) if bare(phone) in VOWELS]
        if len(vowels) < 2 or rng.random() >= self.moved_stress:
            return plain
        chosen = rng.choice(vowels)
        return [("ˈ" if place == chosen else "") + bare(phone) for place, phone in enumerate(plain)]


def simple(word: Sequence[str]) -> list[str]:
    """The phones without those of PARTS; the stress stays on the first part."""
    return [
        mark + part
        for phone in word
        for part, mark in zip(PARTS.get(bare(phone), bare(phone)).split(), (phone[: len(phone) - len(bare(phone))], "", ""), strict=False)
    ]


def bare(phone: str) -> str:
    """The phone without its stress."""
    return phone.lstrip(STRESS)


def _apply(rule: Rule, becomes: str, phones: Sequence[str], place: int, willing: bool) -> list[str]:  # noqa: FBT001  # a draw
    """The phone at this place after the rule."""
    phone = bare(phones[place])
    if not (willing and phone in rule.phones.split() and _stands(rule.place, phones, place)):
        return [phones[place]]
    mark = phones[place][: len(phones[place]) - len(phone)]
    parts = becomes.replace("=", phone).split()
    return [mark + parts[0], *parts[1:]] if parts else []


def _stands(where: str, phones: Sequence[str], place: int) -> bool:
    following = bare(phones[place + 1]) if place + 1 < len(phones) else ""
    match where:
        case "last":
            return not following
        case "onset":
            return following in VOWELS
        case "coda":
            return place > 0 and following not in VOWELS
        case "cluster":
            return bool(following) and following not in VOWELS
    return True
