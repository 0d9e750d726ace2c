"""Home Assistant's own sentences in four languages: what hassil recognises, the grammar recognises alike, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from hassil.expression import Alternative, Expression, Group, ListReference, Permutation, RuleReference, TextChunk
from hassil.intents import IntentData, Intents, RangeSlotList, TextSlotList
from hassil.recognize import recognize_all

from ds_engine.grammar.matching import match
from ds_engine.transcript import Match
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.grammars.templates import of_templates
from ds_plugin.number_words import decimal_words, number_words
from tests.ds_plugin.grammars.template_helpers import LetterReader

home_assistant_intents = pytest.importorskip("home_assistant_intents")

DOMAINS = ("light", "switch", "fan", "cover", "lock", "climate", "media_player", "sensor", "valve", "vacuum", "scene", "script", "todo")
NAMES = [
    {"in": f"{place} {domain.replace('_', ' ')}", "context": {"domain": domain}} for place in ("mondo", "Pelika") for domain in DOMAINS
]
LISTS = {"name": {"values": NAMES}, "area": {"values": ["zima", "Furbo Nook"]}, "floor": {"values": ["qarta"]}}
HERE = "here"  # the area of the satellite
SENTENCES = {"en": 200, "de": 10, "fr": 20, "nl": 15}
Slots = dict[str, Any]


@dataclass(frozen=True)
class Language:
    """The sentences of a language, for both."""

    name: str
    intents: Intents
    loaded: Loaded

    def sampled(self, count: int, seed: int) -> Iterator[tuple[str, str]]:
        """Sentences of random templates, and their intents."""
        rng = random.Random(seed)  # noqa: S311
        templates = [
            (name, block, each) for name, intent in self.intents.intents.items() for block in intent.data for each in block.sentences
        ]
        while count:
            intent, block, template = rng.choice(templates)
            try:
                text = "".join(self.said(template.expression, block, rng))
            except LookupError:  # nobody here has such a thing
                continue
            if not any(map(str.isdigit, text)):  # "1/2 an hour"
                count -= 1
                yield intent, " ".join(text.split())

    def said(self, expression: Expression, block: IntentData, rng: random.Random) -> Iterator[str]:
        """One way to say an expression."""
        match expression:
            case TextChunk():
                yield expression.text
            case Alternative():
                yield from self.said(rng.choice(expression.items), block, rng)
            case Permutation():
                for item in rng.sample(expression.items, len(expression.items)):
                    yield from self.said(item, block, rng)
            case Group():
                for item in expression.items:
                    yield from self.said(item, block, rng)
            case RuleReference():
                yield from self.said(self.intents.expansion_rules[expression.rule_name].expression, block, rng)
            case ListReference():
                yield from self.value(expression.list_name, block, rng)

    def value(self, name: str, block: IntentData, rng: random.Random) -> Iterator[str]:
        """One value of a list."""
        found = self.intents.slot_lists[name]
        if isinstance(found, RangeSlotList):
            number = rng.choice(list(found.get_numbers()))
            whole, _, fraction = str(number).partition(".")
            yield decimal_words(whole, fraction, self.name) if fraction else number_words(number, self.name)[0]
        elif isinstance(found, TextSlotList):
            domains = block.requires_context.get("domain", DOMAINS)
            yield from self.said(
                rng.choice([v.text_in for v in found.values if not v.context or v.context["domain"] in domains]), block, rng
            )
        else:
            yield "blub foo"

    def recognised(self, text: str) -> list[tuple[str, Slots, set[str]]]:
        """hassil's results: intent, slots, and which of these are wildcards."""
        results = recognize_all(text, self.intents, intent_context={"area": HERE}, language=self.name)
        return [
            (
                result.intent.name,
                {name: plain(entity.value) for name, entity in result.entities.items() if entity.value != HERE},
                {entity.name for entity in result.entities_list if entity.is_wildcard},
            )
            for result in results
        ]

    def matched(self, words: str) -> Match | None:
        """The grammar's result."""
        return match([self.loaded.grammar], words.split())


@cache
def language(name: str) -> Language:
    data = home_assistant_intents.get_intents(name)
    data["lists"] |= LISTS
    return Language(name, Intents.from_dict(data), of_templates("home", data, LetterReader(), name))


def plain(value: Any) -> Any:
    try:
        return abs(float(value))  # hassil forgets the multiplier of a range where another one has the same numbers
    except ValueError:
        return str(value)


def agrees(found: Match, result: tuple[str, Slots, set[str]]) -> bool:
    intent, slots, wildcards = result
    mine = {name: plain(value) for name, value in found.slots.items()}
    return found.intent == intent and mine.keys() == slots.keys() and all(mine[name] == slots[name] for name in mine.keys() - wildcards)


@pytest.mark.parametrize("name", SENTENCES)
def test_sentences_have_the_intent_and_slots_that_hassil_gives_them(name: str) -> None:
    tongue, reader = language(name), LetterReader()
    for intent, text in tongue.sampled(SENTENCES[name], seed=1):
        found = tongue.matched(reader(text).spoken)
        assert found is not None, f"{intent}: {text}"
        results = tongue.recognised(text)
        assert any(agrees(found, result) for result in results), f"{intent}: {text}: {found} is none of {results}"


@pytest.mark.parametrize("name", SENTENCES)
def test_what_is_written_is_recognised_by_hassil_too(name: str) -> None:
    tongue, reader = language(name), LetterReader()
    for _, text in tongue.sampled(SENTENCES[name] // 3, seed=2):
        found = tongue.matched(reader(text).spoken)
        assert found is not None
        assert any(agrees(found, result) for result in tongue.recognised(found.sentence)), f"{text}: {found}"


@pytest.mark.parametrize("name", SENTENCES)
def test_words_that_hassil_does_not_recognise_are_no_sentence(name: str) -> None:
    tongue, reader, rng = language(name), LetterReader(), random.Random(3)  # noqa: S311
    vocabulary = sorted({word for _, text in tongue.sampled(20, seed=4) for word in reader(text).spoken.split()})
    refused = 0
    for _, text in tongue.sampled(SENTENCES[name] // 2, seed=5):
        words = reader(text).spoken.split()
        for _ in range(rng.choice((1, 2))):
            place = rng.randrange(len(words) + 1)
            words[place : place + rng.choice((0, 1, 2))] = rng.choices(vocabulary, k=rng.choice((0, 1)))
        if not tongue.recognised(" ".join(words)):
            refused += 1
            assert tongue.matched(" ".join(words)) is None, words
    assert refused > SENTENCES[name] / 6


def test_most_of_the_sentences_fit_this_household() -> None:
    for name in SENTENCES:
        loaded = language(name).loaded
        assert loaded.unused < 200
        assert all("wildcard cannot be joined" in problem or "1/2" in problem for problem in loaded.problems), loaded.problems
