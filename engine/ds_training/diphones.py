"""Festival's people of other languages made to speak English: phones in, festival's segments (letter, seconds, Hz) out.

They are recordings of one person each, cut into diphones; nothing but the sounds of their language can be said with them. Times and
melody are made here, from a table and by chance, because their own models know their own language only.
"""

# ruff: noqa: RUF001, SIM905  # phonetic letters look like others; tables of words

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ds_training.accents import VOWELS, bare
from ds_training.phone_sets import CZECH, FINNISH, HINDI, ITALIAN, Table, letters

Segment = tuple[str, float, float]  # letter of the voice's phone set, seconds, Hz at its start


@dataclass(frozen=True, slots=True)
class Diphones:
    """A voice of festival by its name there, and what its sounds are."""

    table: Table
    pitch: float  # Hz, mean
    pause: str = "#"
    stress: str = ""  # after the letter of a stressed vowel, where the set has one


DIPHONES: Mapping[str, Diphones] = {
    "lp_diphone": Diphones(ITALIAN, 185, stress="1"),
    "pc_diphone": Diphones(ITALIAN, 115, stress="1"),
    "czech_dita": Diphones(CZECH, 190),
    "czech_krb": Diphones(CZECH, 230),  # a child
    "czech_machac": Diphones(CZECH, 110),
    "czech_ph": Diphones(CZECH, 110),
    "suo_fi_lj_diphone": Diphones(FINNISH, 180),
    "hy_fi_mv_diphone": Diphones(FINNISH, 105),
    "hindi_NSK_diphone": Diphones(HINDI, 125, pause="pau"),
}

_SECONDS = {  # of read speech, for adults; the usual order of things rather than a measurement
    **dict.fromkeys("p t k b d ɡ".split(), 0.075),
    **dict.fromkeys("f s ʃ θ x ts tʃ".split(), 0.105),
    **dict.fromkeys("v z ʒ ð dʒ dz h".split(), 0.075),
    **dict.fromkeys("m n ŋ".split(), 0.075),
    **dict.fromkeys("l ɹ w j".split(), 0.065),
    **dict.fromkeys("ə ɪ i ʊ".split(), 0.075),
    **dict.fromkeys("eɪ aɪ aʊ ɔɪ oʊ iː uː ɑː ɔː oː ɜː æ".split(), 0.14),
}
_SECONDS_OTHERWISE = 0.1
_STRESSED, _LAST = 1.25, 1.4  # factors


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one person says one sentence."""

    stretch: float  # factor on the times
    evenness: float  # 0: stressed vowels are longer; 1: all alike, as in syllable-timed languages
    pitch: float  # Hz
    range: float  # share of the pitch by which stress raises it
    fall: float  # share of the pitch lost from the first sound to the last; below 0 it rises
    pauses: float  # chance of one between two words

    @classmethod
    def draw(cls, mean_pitch: float, rng: random.Random) -> Delivery:
        return cls(
            stretch=rng.uniform(0.85, 1.4),
            evenness=rng.random(),
            pitch=mean_pitch * rng.uniform(0.85, 1.25),
            range=rng.uniform(0.0, 0.3),
            fall=rng.uniform(-0.05, 0.35),
            pauses=rng.choice((0.0, 0.0, 0.1, 0.35)),
        )


def segments(words: Sequence[Sequence[str]], voice: Diphones, delivery: Delivery, rng: random.Random) -> list[Segment]:
    """A sentence of words of phones, with silence around it."""
    total = sum(len(word) for word in words)
    found, said = [(voice.pause, 0.15, delivery.pitch)], 0
    for word in words:
        for place, phone in enumerate(word):
            said += 1
            parts = letters([phone], voice.table, voice.stress)
            each = _seconds(phone, delivery, last=place == len(word) - 1 and said > total - 3) * rng.uniform(0.85, 1.15)
            raised = 1 + delivery.range * rng.uniform(0.6, 1.2) * (phone != bare(phone))
            hertz = delivery.pitch * raised * (1 + delivery.fall * (0.5 - said / total)) * rng.uniform(0.98, 1.02)
            found += [(part, each / len(parts), hertz) for part in parts]
        if rng.random() < delivery.pauses and said < total:
            found.append((voice.pause, rng.uniform(0.06, 0.35), delivery.pitch))
    return [*found, (voice.pause, 0.15, delivery.pitch)]


def _seconds(phone: str, delivery: Delivery, *, last: bool) -> float:
    length = _SECONDS.get(bare(phone), _SECONDS_OTHERWISE) * delivery.stretch
    if bare(phone) in VOWELS and phone != bare(phone):
        length *= 1 + (_STRESSED - 1) * (1 - delivery.evenness)
    return length * _LAST if last else length


def scheme(found: Sequence[Segment]) -> str:
    """Festival's utterance of them."""
    rows = " ".join(f"({letter} {seconds:.3f} (0 {hertz:.0f}))" for letter, seconds, hertz in found)
    return f"(Utterance Segments ({rows}))"
