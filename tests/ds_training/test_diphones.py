"""Segments for voices of other languages."""

# ruff: noqa: RUF001, S311, SIM905  # phonetic letters look like others; draws that anybody can repeat; tables of words

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from ds_training.diphones import DIPHONES, Delivery, scheme, segments
from ds_training.phone_sets import american_word, espeak_word

BAD, THE, TIME = ("b", "ˈæ", "d"), ("ð", "ə"), ("t", "ˈaɪ", "m")
CALM = Delivery(stretch=1.0, evenness=1.0, pitch=100.0, range=0.0, fall=0.0, pauses=0.0)


def test_a_sentence_is_its_sounds_in_the_letters_of_the_voice_between_two_pauses() -> None:
    found = segments([THE, TIME], DIPHONES["lp_diphone"], CALM, random.Random(1))
    assert [letter for letter, _, _ in found] == "# d a t a1 i m #".split()
    assert [letter for letter, _, _ in segments([THE], DIPHONES["hindi_NSK_diphone"], CALM, random.Random(1))] == "pau dh a pau".split()


def test_stress_lengthens_and_raises_unless_the_delivery_is_even() -> None:
    def vowel(delivery: Delivery) -> tuple[float, float]:
        _, seconds, hertz = segments([BAD, THE], DIPHONES["czech_ph"], delivery, random.Random(1))[2]
        return seconds, hertz

    lively = replace(CALM, evenness=0.0, range=0.3)
    assert vowel(lively)[0] == pytest.approx(1.25 * vowel(CALM)[0])
    assert vowel(lively)[1] > 1.15 * vowel(CALM)[1]


def test_a_slow_speaker_takes_longer_and_a_halting_one_pauses_between_words() -> None:
    words = [BAD, TIME, THE]
    usual, slow, halting = (
        segments(words, DIPHONES["czech_ph"], delivery, random.Random(1))
        for delivery in (CALM, replace(CALM, stretch=2.0), replace(CALM, pauses=1.0))
    )
    assert sum(seconds for _, seconds, _ in slow) > 1.8 * sum(seconds for _, seconds, _ in usual) - 0.3
    assert [letter for letter, _, _ in halting].count("#") == 4


@pytest.mark.parametrize("name", DIPHONES)
def test_every_draw_is_sayable(name: str) -> None:
    rng = random.Random(3)
    found = segments([BAD, TIME], DIPHONES[name], Delivery.draw(DIPHONES[name].pitch, rng), rng)
    assert all(0.01 < seconds < 0.5 and 60 < hertz < 420 for _, seconds, hertz in found)


def test_festival_is_given_letters_times_and_pitch() -> None:
    assert scheme([("#", 0.15, 120.4), ("a1", 0.1, 131.0)]) == "(Utterance Segments ((# 0.150 (0 120)) (a1 0.100 (0 131))))"


def test_words_for_the_english_synthesisers_carry_their_stress() -> None:
    assert espeak_word(TIME) == "t|'aI|m"
    assert american_word(TIME) == ["t", "ay1", "m"]
    assert american_word(THE) == ["dh", "ax0"]
