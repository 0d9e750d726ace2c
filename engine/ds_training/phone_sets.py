"""The phones of accents.py in the letters of each synthesiser: tables, and the small functions that read them.

A table gives for a phone the letters of another set, separated by spaces; a language that lacks a sound gives its nearest, which is
where a foreign accent comes from. "1" after a vowel of a set that knows stress is added here.
"""

# ruff: noqa: RUF001, RUF002, SIM905  # phonetic letters look like others; tables of words

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ds_training.accents import VOWELS, bare

Table = Mapping[str, str]


def _table(text: str) -> dict[str, str]:
    """From "ʃ sh; aɪ a i; h" -> {"ʃ": "sh", "aɪ": "a i", "h": ""}."""
    rows = (entry.split() for entry in text.split(";"))
    return {row[0]: " ".join(row[1:]) for row in rows}


_SAME: dict[str, str] = {letter: letter for letter in "p b t d k f v s z h m n l w j".split()} | {
    "ɡ": "g",
    "x": "x",
    "ts": "t s",
    "dz": "d z",
}

ESPEAK: Table = _SAME | _table(  # the American English of espeak-ng
    "θ T; ð D; ʃ S; ʒ Z; tʃ tS; dʒ dZ; ŋ N; ɹ r; iː i:; i i; ɪ I; ɛ E; eɪ eI; æ a; ə @; ʌ V; ɚ 3; ɜː 3:; ɑː A:; ɔ 0; ɔː O:; oː o@"
    "; oʊ oU; ʊ U; uː u:; aɪ aI; aʊ aU; ɔɪ OI; a A:; e E; o O:; u u:; x h"
)
ESPEAK_WORLD: Table = _SAME | _table(  # what every language of espeak-ng has
    "θ T; ð D; ʃ S; ʒ Z; tʃ tS; dʒ dZ; ŋ N; ɹ r; iː i:; i i; ɪ i; ɛ e; eɪ e: i; æ a; ə @; ʌ a; ɚ @ r; ɜː @ r; ɑː a:; ɔ o; ɔː o:; oː o:"
    "; oʊ o: u; ʊ u; uː u:; aɪ a i; aʊ a u; ɔɪ o i; a a; e e; o o; u u"
)
AMERICAN: Table = _SAME | _table(  # festival's set "radio" and flite's "us"
    "θ th; ð dh; ʃ sh; ʒ zh; tʃ ch; dʒ jh; ŋ ng; ɹ r; h hh; j y; iː iy; i iy; ɪ ih; ɛ eh; eɪ ey; æ ae; ə ax; ʌ ah; ɚ er; ɜː er; ɑː aa"
    "; ɔ ao; ɔː ao; oː ao; oʊ ow; ʊ uh; uː uw; aɪ ay; aʊ aw; ɔɪ oy; a aa; e eh; o ao; u uw; x hh"
)
ITALIAN: Table = _SAME | _table(
    "θ t; ð d; ʃ S; ʒ dZ; tʃ tS; dʒ dZ; ts ts; dz dz; ŋ n; ɹ r; h; x k; iː i; i i; ɪ i; ɛ E; eɪ e i; æ a; ə a; ʌ a; ɚ e r; ɜː E r; ɑː a"
    "; ɔ O; ɔː O; oː o; oʊ o; ʊ u; uː u; aɪ a i; aʊ a u; ɔɪ o i; a a; e e; o o; u u"
)
CZECH: Table = _SAME | _table(
    "θ s; ð d; ʃ s~; ʒ z~; tʃ c~; dʒ dz~; ts c; dz dz; ŋ n*; ɹ r; w v; x ch; iː i:; i i; ɪ i; ɛ e; eɪ e j; æ e; ə e; ʌ a; ɚ e r; ɜː e: r"
    "; ɑː a:; ɔ o; ɔː o:; oː o:; oʊ o u; ʊ u; uː u:; aɪ a j; aʊ a u; ɔɪ o j; a a; e e; o o; u u"
)
FINNISH: Table = _SAME | _table(
    "θ t; ð d; z s; ʃ s; ʒ s; tʃ t s; dʒ d s; dz t s; ŋ N; ɹ r; w v; x h; iː i:; i i; ɪ i; ɛ e; eɪ e i; æ @; ə 7; ʌ a; ɚ 7 r; ɜː 7: r"
    "; ɑː a:; ɔ o; ɔː o:; oː o:; oʊ o u; ʊ u; uː u:; aɪ a i; aʊ a u; ɔɪ o i; a a; e e; o o; u u"
)
HINDI: Table = _SAME | _table(
    "t T; d D; θ th; ð dh; z j; ʃ sh; ʒ sh; tʃ ch; dʒ j; ts T s; dz j; ŋ n g; ɹ r; w v; x k; j y; iː iy; i ih; ɪ ih; ɛ eh; eɪ ee; æ eh"
    "; ə a; ʌ a; ɚ a r; ɜː a r; ɑː aa; ɔ aw; ɔː aw; oː oo; oʊ oo; ʊ uh; uː uw; aɪ ay; aʊ aw; ɔɪ oo y; a aa; e ee; o oo; u uh"
)


def letters(phones: Iterable[str], table: Table, stress: str = "", where: str = "vowel") -> list[str]:
    """The phones in a set's letters, `stress` after the first letter of a stressed vowel, or before it; unknown ones are left out."""
    found: list[str] = []
    for phone in phones:
        parts = table.get(bare(phone), "").split()
        if parts and stress and phone != bare(phone) and bare(phone) in VOWELS:
            parts[0] = parts[0] + stress if where == "vowel" else stress + parts[0]
        found += parts
    return found


def espeak_word(phones: Sequence[str], table: Table = ESPEAK) -> str:
    """A word for espeak-ng's `[[...]]`: bars keep its letters apart."""
    return "|".join(letters(phones, table, "'", "before"))


def american_word(phones: Sequence[str]) -> list[str]:
    """A word for the lexicons of festival and flite: every vowel says whether it is stressed."""
    return [
        letter + ("1" if phone != bare(phone) else "0") if bare(phone) in VOWELS else letter
        for phone in phones
        for letter in letters([phone], AMERICAN)
    ]
