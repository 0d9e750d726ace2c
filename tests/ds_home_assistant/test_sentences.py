"""A home becomes a household: what Home Assistant's agent would recognise is what the grammar writes, with the same slots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from hassil.intents import Intents, SlotList, TextSlotList
from hassil.recognize import recognize_all
from hassil.util import remove_punctuation
from home_assistant_intents import get_intents, get_languages
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.bias import MAX_PHRASES, Phrase
from ds_engine.errors import GrammarError
from ds_engine.grammar.machine import Machine
from ds_engine.grammar.matching import match, match_in
from ds_engine.transcript import Match
from ds_home_assistant.entities import Entity
from ds_home_assistant.home import Home, home_of
from ds_home_assistant.intents import intents_language
from ds_home_assistant.sentences import BOOST, household_of
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.grammars.templates import of_templates, with_lists
from ds_plugin.vocabulary.source import Household, Sentences
from tests.ds_home_assistant.houses import ALIASES, AREAS, EXPOSED, FLOORS, OLD, Thing, area, floor, house
from tests.ds_plugin.vocabulary.households import ENGLISH

FARM = house(
    [
        Thing("light.grandma", "Grandma's Lamp", (None, "reading light")),
        Thing("light.two", "Lamp 2"),
        Thing("light.old", "Lamp (old) [x]"),
        Thing("light.spots", "Kitchen: Spots!", (None, "Spots")),
        Thing("light.picture", "Barn Light 💡"),
        Thing("light.kitchen", "厨房灯"),
        Thing("light.kueche", "Küche", ("Küche", "Stove Light")),
        Thing("fan.attic", "Attic Fan", registered=False),
        Thing("cover.blinds", "Blinds", (None,), attributes={"device_class": "blind"}),
        Thing("cover.garage", "Garage", (None,), attributes={"device_class": "garage"}),
        Thing("lock.gate", "Gate"),
        Thing("climate.stove", "Stove"),
        Thing("media_player.tv", "TV"),
        Thing("todo.jobs", "Garden Jobs"),
        Thing("light.hidden", "Secret Lamp", exposed=False),
    ],
    areas=[area("k", "Kitchen", "galley"), area("b", "Bathroom"), area("g", "Großes Zimmer")],
    floors=[floor("u", "Upper Floor", "upstairs"), floor("c", "Cellar")],
    sentences=["movie time", "[please] play {song} now", "set mood to {0..100:percent}"],
)
FLAT = house(
    [Thing("switch.kettle", "Kettle", ("tea",)), Thing("light.only", None, registered=False), Thing("scene.party", "Party", ())],
    areas=[area("l", "Living Room")],
    version=OLD,
)
HERE = "here"  # the area of whoever speaks
HOUSES = {"farm": FARM, "flat": FLAT}

SPOKEN = {
    "farm": [
        "turn on grandma's lamp",
        "turn on the reading light",
        "turn off lamp two",
        "turn on lamp old x",
        "switch on the kitchen spots",
        "turn off barn light",
        "set grandma's lamp to fifty percent",
        "turn on the stove light",
        "turn on the attic fan",
        "open the blinds",
        "close the garage",
        "lock the gate",
        "turn off the tv",
        "turn on the lights in the galley",
        "turn off the lights in the kitchen",
        "turn off all the lights upstairs",
        "turn on the lights in the cellar",
        "turn on kitchen lights",
        "set the brightness in the bathroom to ten percent",
        "what time is it",
        "set a timer for five minutes",
        "add milk and honey to garden jobs",
        "never mind",
    ],
    "flat": ["turn on the kettle", "turn off tea", "turn on only", "turn on the lights in the living room", "cancel my timer"],
}


def agents_lists(results: Mapping[str, Any]) -> dict[str, SlotList]:
    """The lists that Home Assistant's own agent makes (2026.11; without a registry entry's links to devices)."""
    newest = results["get_config"]["version"] != OLD
    names = []
    for state in results["get_states"]:
        entity_id, attributes = state["entity_id"], state["attributes"]
        if entity_id not in results[EXPOSED]["exposed_entities"]:
            continue
        context = {"domain": entity_id.split(".")[0]}
        if "device_class" in attributes:
            context["device_class"] = attributes["device_class"]
        shown = attributes.get("friendly_name") or entity_id.split(".")[1].replace("_", " ")
        entry = results[ALIASES].get(entity_id)
        called = [shown] if entry is None else [shown if alias is None else alias for alias in entry["aliases"]]
        called += [] if newest or entry is None else [shown]
        names += [(remove_punctuation(name).strip(), name, context) for name in called]
    areas = [(name, name) for entry in results[AREAS] for name in (entry["name"], *entry["aliases"])]
    floors = [(name, entry["name"]) for entry in results[FLOORS] for name in (entry["name"], *entry["aliases"])]
    return {
        "name": TextSlotList.from_tuples(names, allow_template=False),
        "area": TextSlotList.from_tuples(areas, allow_template=False),
        "floor": TextSlotList.from_tuples(floors, allow_template=False),
    }


@cache
def english() -> Intents:
    return Intents.from_dict(get_intents("en") or {})


@cache
def compiled() -> Loaded:
    """Home Assistant's English sentences, which no household changes."""
    return of_templates("home", household_of(Home(), ["en"]).sentences[0].templates, ENGLISH, "en")


@cache
def heard(name: str) -> Loaded:
    return filled(home_of(HOUSES[name]))


@cache
def machine(name: str) -> Machine:
    return Machine([heard(name).grammar])


def understood(name: str, words: str) -> Match | None:
    """What a sentence means in a house."""
    return match_in(machine(name), words.split())


def plain(value: Any) -> Any:
    """A slot's value; numbers however they are written."""
    try:
        return float(value)
    except ValueError:
        return str(value).strip()


def filled(home: Home) -> Loaded:
    return with_lists(compiled(), household_of(home, ["en"]).sentences[0].lists, ENGLISH)


def automations(household: Household) -> Sentences | None:
    return next((sentences for sentences in household.sentences if sentences.name == "automations"), None)


def said(results: Mapping[str, Any], text: str) -> Match | None:
    """What a sentence of an automation is matched as."""
    sentences = automations(household_of(home_of(results), ["en"]))
    return match([of_templates("own", sentences.templates, ENGLISH, "en").grammar], text.split()) if sentences else None


# names in Home Assistant's sentences


@pytest.mark.parametrize("name", HOUSES)
def test_the_lists_are_those_of_home_assistants_agent(name: str) -> None:
    mine = household_of(home_of(HOUSES[name]), ["en"]).sentences[0].lists
    theirs = agents_lists(HOUSES[name])
    assert {*mine} == {*theirs}
    for key, slot_list in theirs.items():
        assert isinstance(slot_list, TextSlotList)
        wanted = {(value.text_in.text.strip(), value.value_out, str(value.context or {})) for value in slot_list.values}  # type: ignore[attr-defined]
        values = [value for value in mine[key] if isinstance(value, Mapping)]
        found = {(remove_punctuation(value["in"]).strip(), value["out"], str(value.get("context", {}))) for value in values}
        assert found == wanted


@pytest.mark.parametrize(("name", "words"), [(name, words) for name, sentences in SPOKEN.items() for words in sentences])
def test_what_is_written_means_the_same_to_home_assistant(name: str, words: str) -> None:
    found = understood(name, words)
    assert found is not None
    here = {"area": {"value": HERE, "text": HERE}}
    results = recognize_all(found.sentence, english(), slot_lists=agents_lists(HOUSES[name]), intent_context=here, language="en")
    theirs = [(result.intent.name, {key: plain(entity.value) for key, entity in result.entities.items()}) for result in results]
    mine = {key: plain(value) for key, value in found.slots.items()}
    assert (found.intent, mine) in [(intent, {key: value for key, value in slots.items() if value != HERE}) for intent, slots in theirs]


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("turn on grandma's lamp", "turn on Grandma's Lamp"),
        ("turn off lamp two", "turn off Lamp 2"),
        ("turn on lamp old x", "turn on Lamp (old) [x]"),
        ("turn off barn light", "turn off Barn Light 💡"),
        ("turn off all the lights upstairs", "turn off all the lights upstairs"),
        ("turn on the lights in the galley", "turn on the lights in the galley"),
    ],
)
def test_names_are_written_as_people_write_them(words: str, written: str) -> None:
    found = understood("farm", words)
    assert found is not None
    assert found.sentence == written


@pytest.mark.parametrize("words", ["turn on secret lamp", "turn on nothing", "lock grandma's lamp", "turn on the lights in the pantry"])
def test_what_the_house_does_not_have_is_no_sentence(words: str) -> None:
    assert understood("farm", words) is None


def test_sentences_for_what_nobody_has_are_left_out() -> None:
    assert heard("flat").unused > heard("farm").unused > 0
    assert understood("flat", "lock the gate") is None


def test_a_name_that_the_model_cannot_write_is_a_problem_and_no_failure() -> None:
    assert any("厨房灯" in problem for problem in heard("farm").problems)


def test_an_empty_house_has_sentences_that_need_nothing_of_it() -> None:
    empty = Machine([filled(home_of(house([]))).grammar])
    assert match_in(empty, ["set", "a", "timer", "for", "five", "minutes"]) is not None
    assert match_in(empty, ["turn", "on", "the", "lights", "in", "the", "kitchen"]) is None


def test_a_renamed_entity_is_heard_without_compiling_again() -> None:
    first, second = (household_of(home_of(house([Thing("light.a", name)])), ["en"]).sentences[0] for name in ("Lamp", "Snorkelwack"))
    assert first.templates is second.templates
    assert (first.name, first.language, {*first.lists}) == (second.name, second.language, {*second.lists})
    assert match([with_lists(compiled(), second.lists, ENGLISH).grammar], ["turn", "on", "the", "snorkelwack"]) is not None


def test_equal_homes_are_equal_households() -> None:
    assert household_of(home_of(FARM), ["en", "de"]) == household_of(home_of(FARM), ["en", "de"])


# languages


@pytest.mark.parametrize(
    ("language", "tag"),
    {
        "en": "en",
        "en-GB": "en",
        "EN_us": "en",
        "de-AT": "de",
        "de-CH": "de-CH",
        "pt-PT": "pt",
        "pt-br": "pt-BR",
        "no": "nb",
        "zh": "zh-CN",
        "zh-Hant": "zh-HK",
        "zh-Hant-TW": "zh-TW",
        "zh-SG": "zh-CN",
        "sr-Latn-RS": "sr-Latn",
        "sr": "sr",
        "iw": "he",
        "tlh": None,
        "": None,
        "-": None,
        "e": None,
    }.items(),
)
def test_the_best_of_home_assistants_languages(language: str, tag: str | None) -> None:
    assert intents_language(language) == tag


def test_every_language_of_home_assistant_serves_itself() -> None:
    assert [intents_language(tag) for tag in get_languages()] == get_languages()


def test_sentences_stand_there_once_for_each_language() -> None:
    household = household_of(home_of(FLAT), ["en-US", "de", "en-GB", "tlh", "no"])
    assert [(each.name, each.language) for each in household.sentences] == [
        ("sentences en", "en-US"),
        ("sentences de", "de"),
        ("sentences nb", "no"),
    ]
    assert household.sentences[0].lists == household.sentences[1].lists


def test_without_a_known_language_there_are_phrases_alone() -> None:
    household = household_of(home_of(FLAT), ["tlh"])
    assert household.sentences == ()
    assert household.phrases
    assert household_of(Home(), []) == Household()


# sentences of automations


def test_sentences_of_automations_are_matched() -> None:
    assert said(FARM, "movie time") == Match("own", "SentenceTrigger", "movie time", {})
    assert said(FARM, "please play some jazz now") == Match("own", "SentenceTrigger", "please play some jazz now", {"song": "some jazz"})
    found = said(FARM, "set mood to twenty")
    assert found is not None
    assert found.sentence == "set mood to 20"
    assert said(FARM, "play some jazz") is None


def test_names_in_braces_are_open_speech_there_even_those_of_lists() -> None:
    found = said(
        house([Thing("light.a", "Lamp")], areas=[area("k", "Kitchen")], sentences=["dance with {name} in {area}"]), "dance with me in paris"
    )
    assert found is not None
    assert found.slots == {"name": "me", "area": "paris"}


def test_a_broken_sentence_does_not_harm_the_others() -> None:
    assert said(house([], sentences=["(", "{x}", "movie time"]), "movie time") is not None
    assert automations(household_of(Home("en", sentences=("(", "{x}", "movie time")), ["en"])) == automations(
        household_of(Home("en", sentences=("movie time",)), ["en"])
    )


@pytest.mark.parametrize(
    ("language", "models", "given"),
    [("en", ["en-GB"], "en-GB"), ("en-GB", ["de", "en"], "en"), ("fr", ["de", "en"], ""), ("", ["en"], ""), ("de", ["en", "de"], "de")],
)
def test_sentences_of_automations_are_for_home_assistants_language(language: str, models: list[str], given: str) -> None:
    sentences = automations(household_of(home_of(house([], sentences=["movie time"], language=language)), models))
    assert sentences is not None
    assert sentences.language == given


def test_a_house_without_them_has_no_such_sentences() -> None:
    assert automations(household_of(home_of(FLAT), ["en"])) is None


# names in open speech


def test_every_name_is_a_phrase_once_and_what_people_need_most_stands_first() -> None:
    things = [
        Thing("sensor.x", "Outside"),
        Thing("light.y", "Lamp", entry={"area_id": "k"}),
        Thing("switch.z", "Lamp"),
        Thing("fan.f", "Cellar"),
    ]
    household = household_of(
        home_of(house(things, areas=[area("a", "Attic"), area("k", "Kitchen", "galley")], floors=[floor("c", "Cellar")])), []
    )
    assert household.phrases == tuple(Phrase(name, BOOST) for name in ("Cellar", "Kitchen", "galley", "Attic", "Lamp", "Outside"))


def test_phrases_are_bounded() -> None:
    entities = [*(Entity(f"sensor.s{number}", (f"sensor {number}",)) for number in range(MAX_PHRASES)), Entity("light.a", ("Lamp",))]
    phrases = household_of(Home(entities=tuple(entities)), []).phrases
    assert len(phrases) == MAX_PHRASES
    assert phrases[0].text == "Lamp"


# anything at all

NAMES = st.text(max_size=12) | st.text("ab [](){}<>|:.'", max_size=12)
TEMPLATES = st.text("ab {}[]()<>|;:.0-,\\", max_size=14)


@settings(deadline=None)
@given(st.lists(NAMES, max_size=4), st.lists(TEMPLATES, max_size=3))
def test_whatever_a_house_is_called_it_is_a_household_whose_parts_are_sound(names: list[str], sentences: list[str]) -> None:
    things = [Thing(f"light.l{number}", name, tuple(names), registered=bool(number % 2)) for number, name in enumerate(names)]
    home = home_of(house(things, areas=[area("a", name, *names) for name in names], sentences=sentences))
    for each in _compiled(household_of(home, ["tlh"])):
        assert each.grammar.intents


def _compiled(household: Household) -> Iterator[Loaded]:
    for sentences in household.sentences:
        try:
            yield with_lists(of_templates("own", sentences.templates, ENGLISH, "en"), sentences.lists, ENGLISH)
        except GrammarError as error:
            assert "no sentence can be said" in str(error)  # noqa: PT017
