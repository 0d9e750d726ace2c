"""Accents on phones."""

# ruff: noqa: RUF001, S311, SIM905  # phonetic letters look like others; draws that anybody can repeat; tables of words

from __future__ import annotations

import random

import pytest

from ds_training.accents import ACCENTS, PARTS, VOWELS, WEIGHTS, Person, Rule, bare, simple
from ds_training.phone_sets import AMERICAN, CZECH, ESPEAK, ESPEAK_WORLD, FINNISH, HINDI, ITALIAN, Table
from ds_training.phones import PHONES

THREE, WEATHER, BAD = ("θ", "ɹ", "ˈiː"), ("w", "ˈɛ", "ð", "ɚ"), ("b", "ˈæ", "d")


def with_habits(*habits: tuple[Rule, str]) -> Person:
    return Person("test", tuple((rule, becomes, 1.0) for rule, becomes in habits), moved_stress=0.0, full_vowels=0.0)


def test_a_phone_becomes_the_alternative_that_the_person_has_chosen() -> None:
    said = with_habits((Rule("θ ð", "s|z", 1.0), "s")).say(THREE, random.Random(1))
    assert said == ("s", "ɹ", "ˈiː")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("any", "d ə ˈɪ d ə z d ə d ə"),
        ("last", "d ˈɪ d z d d ə"),
        ("onset", "d ə ˈɪ d z d d"),
        ("coda", "d ˈɪ d ə z d ə d ə"),
        ("cluster", "d ˈɪ d ə z d ə d"),
    ],
)
def test_a_rule_holds_at_its_place_alone(place: str, said: str) -> None:
    assert " ".join(with_habits((Rule("d", "= ə", 1.0, place), "= ə")).say("d ˈɪ d z d d".split(), random.Random(1))) == said


def test_a_sound_may_be_lost_but_never_a_whole_word() -> None:
    lost = with_habits((Rule("b æ d", "", 1.0), ""))
    assert lost.say(("d", "ə"), random.Random(1)) == ("ə",)
    assert lost.say(BAD, random.Random(1)) == BAD


def test_stress_stays_with_the_vowel_that_replaces_another_or_moves_to_one() -> None:
    assert with_habits((Rule("æ", "a j", 1.0), "a j")).say(BAD, random.Random(1)) == ("b", "ˈa", "j", "d")
    mover = Person("test", (), moved_stress=1.0, full_vowels=0.0)
    stressed = {mover.say(WEATHER, random.Random(seed)) for seed in range(20)}
    assert stressed == {("w", "ˈɛ", "ð", "ɚ"), ("w", "ɛ", "ð", "ˈɚ")}


def test_a_strong_accent_changes_more_than_a_weak_one_and_none_changes_nothing() -> None:
    def changed(strength: float) -> int:
        rng = random.Random(1)
        people = [Person.draw(rng, "mandarin", strength) for _ in range(100)]
        return sum(person.say(word, rng) != word for person in people for word in (THREE, WEATHER, BAD))

    assert changed(0.0) == 0
    assert 0 < changed(0.3) < changed(1.0)


def test_phones_that_are_two_are_taken_apart_behind_their_stress() -> None:
    assert simple(["f", "ˈoːɹ"]) == ["f", "ˈoː", "ɹ"]
    assert simple(["b", "ˈɔ", "ɾ", "əl"]) == ["b", "ˈɔ", "t", "ə", "l"]


def _named() -> set[str]:
    """Every phone that can be asked of a synthesiser: those of words, and those that rules put in their place."""
    rules = [rule for accent in ACCENTS.values() for rule in accent.rules]
    replaced = {part for rule in rules for part in rule.becomes.replace("|", " ").split()} - {"="}
    return replaced | {part for phone in PHONES for part in simple([phone])}


@pytest.mark.parametrize("accent", ACCENTS)
def test_rules_name_phones_that_exist_and_accents_have_a_weight(accent: str) -> None:
    assert WEIGHTS[accent] > 0
    for rule in ACCENTS[accent].rules:
        assert set(rule.phones.split()) <= _named() - set(PARTS)
        assert 0 < rule.chance <= 1
        assert rule.place in {"any", "onset", "coda", "cluster", "last"}


@pytest.mark.parametrize("table", [AMERICAN, CZECH, ESPEAK, ESPEAK_WORLD, FINNISH, HINDI, ITALIAN])
def test_every_phone_has_its_letters_in_every_set(table: Table) -> None:
    assert {bare(phone) for phone in _named()} <= set(table)
    assert all(table[phone] for phone in VOWELS)
