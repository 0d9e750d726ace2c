"""What Home Assistant answers becomes a home: names, exposure, places, and whatever is odd among them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_home_assistant.answers import MAX_NAME_LENGTH, MAX_REMARKS
from ds_home_assistant.entities import MAX_NAMES, Entity
from ds_home_assistant.home import COMMANDS, OPTIONAL, Home, HomeError, follow_up, home_of, of_json, to_json
from ds_home_assistant.places import MAX_PLACES, Place
from ds_home_assistant.triggers import MAX_SENTENCES
from tests.ds_home_assistant.houses import (
    ALIASES,
    AREAS,
    DEVICES,
    EXPOSED,
    FLOORS,
    OLD,
    REGISTRY,
    SENTENCES,
    Thing,
    area,
    floor,
    house,
)


def names(results: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {entity.id: entity.names for entity in home_of(results).entities}


def only(thing: Thing, **more: Any) -> tuple[str, ...]:
    """The names of the only entity of a house."""
    return names(house([thing], **more)).get(thing.id, ())


# names


def test_null_among_aliases_is_the_name_of_the_state() -> None:
    assert only(Thing("light.a", "Grandma's lamp", (None, "reading light"))) == ("Grandma's lamp", "reading light")


def test_without_null_only_the_aliases_are_names() -> None:
    assert only(Thing("light.a", "Grandma's lamp", ("reading light",))) == ("reading light",)


def test_an_entity_without_aliases_is_not_spoken_of() -> None:
    assert only(Thing("light.a", "Grandma's lamp", ())) == ()


def test_before_null_the_name_of_the_state_came_beside_aliases() -> None:
    assert only(Thing("light.a", "Grandma's lamp", ("z", "b")), version=OLD) == ("Grandma's lamp", "b", "z")
    assert only(Thing("light.a", "Grandma's lamp", ()), version=OLD) == ("Grandma's lamp",)


def test_null_tells_a_new_home_assistant_whatever_its_version_is() -> None:
    things = [Thing("light.a", "A", (None,)), Thing("light.b", "B", ())]
    assert names(house(things, version="")) == {"light.a": ("A",)}


@pytest.mark.parametrize("version", ["2026.4.0", "2026.10.4", "2026.11.0b3", "2027.1.0.dev202611210230"])
def test_versions_that_have_null(version: str) -> None:
    assert only(Thing("light.a", "A", ()), version=version) == ()


@pytest.mark.parametrize("version", ["2026.3.4", "2024.3.3", "0.118.5", "latest", "٢٠٢٦.٩", None, 7])
def test_versions_that_do_not_or_that_are_none(version: Any) -> None:
    assert only(Thing("light.a", "A", ()), version=version) == ("A",)


def test_what_is_not_in_the_registry_has_the_name_of_its_state() -> None:
    assert only(Thing("light.a", "Lamp", registered=False)) == ("Lamp",)
    assert only(Thing("light.tall_lamp", None, registered=False)) == ("tall lamp",)


def test_where_aliases_are_not_known_the_name_of_the_state_is_one() -> None:
    results = house([Thing("light.a", "Lamp", (None, "other"))])
    del results[ALIASES]
    assert names(results) == {"light.a": ("Lamp",)}
    assert any("aliases are not known" in remark for remark in home_of(results).remarks)


@pytest.mark.parametrize(
    ("entry", "full"),
    [
        ({"name": "Lamp", "original_name": "Light", "next_name_part": None}, "Lamp"),
        ({"name": None, "original_name": "Light", "next_name_part": None}, "Light"),
        ({"name": None, "original_name": "Light", "next_name_part": "device"}, "Shelly Channel 1 Light"),
        ({"name": None, "original_name": None, "next_name_part": "device"}, "Shelly Channel 1"),
        ({"name": "Lamp", "original_name": None, "next_name_part": "area"}, "Lamp"),
    ],
)
def test_a_full_name_follows_the_links_to_devices(entry: dict[str, Any], full: str) -> None:
    devices = [
        {"id": "parent", "name": "SHSW-25", "name_by_user": "Shelly", "next_name_part": "area"},
        {"id": "child", "name": "Channel 1", "name_by_user": None, "parent_device_id": "parent", "next_name_part": "parent_device"},
    ]
    thing = Thing("light.a", "what the state says", (None,), {"device_id": "child", **entry})
    assert only(thing, devices=devices) == (full,)


def test_without_devices_the_name_of_the_state_is_the_full_one() -> None:
    results = house([Thing("light.a", "Shelly Light", (None,), {"device_id": "d", "original_name": "Light", "next_name_part": "device"})])
    results[DEVICES] = None
    assert names(results) == {"light.a": ("Shelly Light",)}


def test_a_device_that_is_not_linked_to_its_parent_stands_alone() -> None:
    devices = [
        {"id": "parent", "name": "Shelly"},
        {"id": "child", "name": "Channel", "parent_device_id": "parent", "next_name_part": "area"},
    ]
    thing = Thing("light.a", "x", (None,), {"device_id": "child", "original_name": "Light", "next_name_part": "device"})
    assert only(thing, devices=devices) == ("Channel Light",)


@pytest.mark.parametrize(
    ("given", "heard"),
    [
        ("  Tall \t lamp\n", ("Tall lamp",)),
        ("Lampe 💡", ("Lampe 💡",)),
        ("客厅灯", ("客厅灯",)),
        ("Lamp (old) [2] {x} <y>|z", ("Lamp (old) [2] {x} <y>|z",)),
        ("50 % 1.5", ("50 % 1.5",)),
        ("Tall\x00lamp", ("Tall lamp",)),
        ("half \ud83d of a pair\x07", ("half of a pair",)),
        ("a\N{ZERO WIDTH JOINER}b", ("a\N{ZERO WIDTH JOINER}b",)),
        ("", ()),
        (" \n ", ()),
        (7, ()),
        ({"de": "Lampe"}, ()),
        ("x" * (MAX_NAME_LENGTH + 1), ()),
        ("x" * MAX_NAME_LENGTH, ("x" * MAX_NAME_LENGTH,)),
    ],
)
def test_names_of_every_kind(given: Any, heard: tuple[str, ...]) -> None:
    assert only(Thing("light.a", "Lamp", ("always", given))) == ("always", *heard)
    assert only(Thing("light.a", "Lamp", ("always", given)), version=OLD) == ("Lamp", *sorted(["always", *heard]))
    assert home_of(house([], areas=[area("k", "Kitchen", given)])).areas == (Place("k", ("Kitchen", *heard)),)


@pytest.mark.parametrize("given", [None, 7, "", " ", {"de": "Lampe"}])
def test_a_state_without_a_name_has_that_of_its_id(given: Any) -> None:
    assert only(Thing("light.tall_lamp", given, registered=False)) == ("tall lamp",)


def test_a_name_that_is_too_long_is_remarked() -> None:
    [remark] = home_of(house([Thing("light.a", "x" * 300)])).remarks
    assert remark == "light.a: a name of 300 characters is left out, at most 200 are heard"


def test_the_same_name_twice_is_one_name() -> None:
    assert only(Thing("light.a", "Lamp", (None, "Lamp", " Lamp "))) == ("Lamp",)


def test_two_entities_may_have_the_same_name() -> None:
    assert names(house([Thing("light.a", "Lamp"), Thing("switch.a", "Lamp")])) == {"light.a": ("Lamp",), "switch.a": ("Lamp",)}


# exposure


def test_only_exposed_entities_are_spoken_of() -> None:
    assert names(house([Thing("light.a", "A"), Thing("light.b", "B", exposed=False)])) == {"light.a": ("A",)}


def test_what_is_exposed_to_others_only_is_not() -> None:
    results = house([Thing("light.a", "A", exposed=False)])
    results[EXPOSED]["exposed_entities"]["light.a"] = {"cloud.alexa": True, "conversation": False}  # as old versions have it
    assert names(results) == {}


def test_without_the_list_the_registry_tells_what_was_chosen() -> None:
    def chosen(*, exposed: bool) -> dict[str, Any]:
        return {"options": {"conversation": {"should_expose": exposed}}}

    results = house([Thing("light.a", "A", entry=chosen(exposed=False)), Thing("sensor.b", "B", entry=chosen(exposed=True))])
    del results[EXPOSED]
    assert names(results) == {"sensor.b": ("B",)}


@pytest.mark.parametrize("registered", [True, False])
def test_without_the_list_defaults_hold_for_what_nobody_has_chosen(*, registered: bool) -> None:
    things = [
        Thing("light.a", "A", registered=registered),
        Thing("lock.b", "B", registered=registered),
        Thing("sensor.warm", "C", attributes={"device_class": "temperature"}, registered=registered),
        Thing("sensor.power", "D", attributes={"device_class": "power"}, registered=registered),
        Thing("binary_sensor.door", "E", attributes={"device_class": "door"}, registered=registered),
        Thing("binary_sensor.plain", "F", registered=registered),
    ]
    results = house(things)
    del results[EXPOSED]
    assert [*names(results)] == ["binary_sensor.door", "light.a", "sensor.warm"]


@pytest.mark.parametrize("entry", [{"entity_category": "config"}, {"hidden_by": "user"}])
def test_what_is_hidden_or_a_setting_is_not_exposed_by_default(entry: dict[str, Any]) -> None:
    results = house([Thing("light.a", "A", entry=entry)])
    del results[EXPOSED]
    assert names(results) == {}


@pytest.mark.parametrize(("state", "heard"), [("RUNNING", {}), ("STARTING", {"light.a": ("A",)})])
def test_while_home_assistant_starts_its_list_is_not_complete(state: str, heard: dict[str, Any]) -> None:
    assert names(house([Thing("light.a", "A", exposed=False)], state=state)) == heard


# places


def test_an_entity_is_where_it_or_its_device_or_the_device_of_that_is() -> None:
    things = [
        Thing("light.a", "A", entry={"area_id": "hall", "device_id": "child"}),
        Thing("light.b", "B", entry={"area_id": None, "device_id": "child"}),
        Thing("light.c", "C", entry={"device_id": "own"}),
        Thing("light.d", "D", entry={"device_id": "nowhere"}),
        Thing("light.e", "E", entry={"area_id": "hall", "device_id": "own"}),
    ]
    devices = [
        {"id": "parent", "area_id": "attic"},
        {"id": "child", "area_id": None, "parent_device_id": "parent"},
        {"id": "own", "area_id": "bath", "parent_device_id": "parent"},
    ]
    assert [entity.area for entity in home_of(house(things, devices=devices)).entities] == ["hall", "attic", "bath", "", "hall"]


def test_devices_that_are_parts_of_each_other_do_no_harm() -> None:
    devices = [{"id": "a", "parent_device_id": "b", "next_name_part": "parent_device"}, {"id": "b", "parent_device_id": "a"}]
    thing = Thing("light.a", "A", entry={"device_id": "a", "name": "Lamp", "next_name_part": "device"})
    assert only(thing, devices=devices) == ("Lamp",)


def test_areas_and_floors_have_their_aliases() -> None:
    home = home_of(house([], areas=[area("k", "Kitchen", "galley", " "), area("b", "Bath")], floors=[floor("g", "Ground", "downstairs")]))
    assert home.areas == (Place("b", ("Bath",)), Place("k", ("Kitchen", "galley")))
    assert home.floors == (Place("g", ("Ground", "downstairs")),)


def test_aliases_in_another_order_are_the_same_home() -> None:
    first, second = (home_of(house([], areas=[area("k", "Kitchen", *aliases)])) for aliases in (("a", "b"), ("b", "a")))
    assert first == second


def test_states_in_another_order_are_the_same_home() -> None:
    things = [Thing("light.a", "A"), Thing("light.b", "B")]
    assert home_of(house(things)) == home_of(house(reversed(things)))


def test_a_house_without_floors_or_names_is_a_home() -> None:
    results = house([])
    results[FLOORS] = None
    home = home_of(results)
    assert (home.entities, home.areas, home.floors) == ((), (), ())
    assert home.remarks == (
        f"{FLOORS} gave nothing (it may need an administrator's token, or a newer Home Assistant): floors are not known",
    )


# sentences


def test_sentences_of_automations_are_kept_once() -> None:
    home = home_of(house([], sentences=["movie time", "[please] play {song}", "movie  time"]))
    assert home.sentences == ("[please] play {song}", "movie time")


@pytest.mark.parametrize(
    "sentence", ["open (the door", "{anything}", "[really] {anything}", "(go|{where})", "turn on <name>", "a" * 6000, "...", "[maybe]"]
)
def test_a_sentence_that_cannot_be_listened_for_is_left_out_with_a_remark(sentence: str) -> None:
    home = home_of(house([], sentences=[sentence, "movie time"]))
    assert home.sentences == ("movie time",)
    [remark] = home.remarks
    assert remark.startswith("sentence of an automation: ")
    assert len(remark) < 250


@pytest.mark.parametrize("sentence", ["set it to {0..100:percent}", "{0..100:percent}", "(go|come) {where}", "{a} and {b}", "(one;{two})"])
def test_a_sentence_with_a_word_of_its_own_is_kept(sentence: str) -> None:
    assert home_of(house([], sentences=[sentence])).sentences == (sentence,)


# odd answers


def test_states_are_all_that_must_be_there() -> None:
    home = home_of({"get_states": [Thing("light.a", "Lamp").state()]})
    assert [entity.names for entity in home.entities] == [("Lamp",)]
    assert home.language == ""
    assert len(home.remarks) == len(OPTIONAL - {ALIASES})


@pytest.mark.parametrize("states", [None, {}, "states", 7])
def test_without_states_there_is_no_home(states: Any) -> None:
    with pytest.raises(HomeError, match="get_states must give a list of states, got"):
        home_of(house([]) | {"get_states": states})


def test_odd_entries_are_skipped_and_remarked() -> None:
    results = house([Thing("light.a", "Lamp")], areas=[None, area("k", "Kitchen"), {"area_id": "x"}, {"area_id": ["k"], "name": "Hall"}])
    results["get_states"] += [
        None,
        7,
        {},
        {"entity_id": 5},
        {"entity_id": "no id"},
        {"entity_id": "LIGHT.A"},
        {"entity_id": "light.a b"},
        {"entity_id": "light.b", "attributes": 3},
    ]
    results[REGISTRY] += [[], {"entity_id": []}, {"entity_id": "light.b", "device_id": {}, "options": []}]
    results[EXPOSED]["exposed_entities"] |= {"light.b": {"conversation": True}, "light.a b": {"conversation": True}}
    results[ALIASES] |= {"light.b": None, "light.c": {"aliases": "none"}}
    results[DEVICES] += [None, {"id": None}]
    home = home_of(results)
    assert [(entity.id, entity.names) for entity in home.entities] == [("light.a", ("Lamp",)), ("light.b", ("b",))]
    assert home.areas == (Place("k", ("Kitchen",)),)
    assert any(remark.startswith("states: ") for remark in home.remarks)
    assert any(remark.startswith("areas: ") for remark in home.remarks)


def test_an_odd_answer_is_remarked_and_the_rest_is_used() -> None:
    results = house([Thing("light.a", "Lamp")]) | {AREAS: "none", FLOORS: 7, REGISTRY: {}, EXPOSED: [], SENTENCES: [], "get_config": None}
    home = home_of(results)
    assert [entity.names for entity in home.entities] == [("Lamp",)]
    assert "areas: a list is needed, got str" in home.remarks


def test_remarks_are_bounded() -> None:
    home = home_of(house([], sentences=[f"({number}" for number in range(MAX_REMARKS + 30)]))
    assert len(home.remarks) == MAX_REMARKS + 1
    assert home.remarks[-1] == "and 30 more"


def test_names_are_bounded_and_those_of_what_can_be_controlled_stay() -> None:
    things = [Thing(f"light.l{number}", f"lamp {number}") for number in range(1000)]
    home = home_of(house([*(Thing(f"sensor.s{number}", f"sensor {number}") for number in range(MAX_NAMES)), *things]))
    assert sum(len(entity.names) for entity in home.entities) == MAX_NAMES
    assert sum(entity.controlled for entity in home.entities) == len(things)
    assert home.remarks == (
        f"entities: {MAX_NAMES + 1000} names; only {MAX_NAMES} are heard, first of all those of what can be controlled",
    )


def test_places_and_sentences_are_bounded() -> None:
    areas = [area(f"a{number}", f"area {number}") for number in range(MAX_PLACES + 1)]
    home = home_of(house([], areas=areas, sentences=[f"do {number}" for number in range(MAX_SENTENCES + 1)]))
    assert (len(home.areas), len(home.sentences), len(home.remarks)) == (MAX_PLACES, MAX_SENTENCES, 2)


# further commands


def test_aliases_are_asked_for_of_exposed_entities_in_the_registry() -> None:
    results = house([Thing("light.a", "A"), Thing("light.b", "B", exposed=False), Thing("light.c", "C", registered=False)])
    assert follow_up(results) == {ALIASES: {"entity_ids": ["light.a"]}}


@pytest.mark.parametrize("results", [{}, {"get_states": None}, house([])])
def test_nothing_more_is_asked_where_nothing_is_known(results: dict[str, Any]) -> None:
    assert follow_up(results) == {}


def test_all_that_is_optional_is_a_command() -> None:
    assert OPTIONAL - {ALIASES} < {*COMMANDS}
    assert {*COMMANDS} - OPTIONAL == {"get_config", "get_states"}


# on disk

FULL = Home(
    "en",
    (Entity("light.a", ("Lamp", "Lämpchen 💡"), "outlet", "k"), Entity("scene.b", ("Party",))),
    (Place("k", ("Kitchen", "galley")),),
    (Place("g", ("Ground",)),),
    ("movie time",),
    ("a remark",),
)


@pytest.mark.parametrize("home", [FULL, Home()])
def test_a_home_comes_back_from_disk(home: Home) -> None:
    assert of_json(json.loads(json.dumps(to_json(home)))) == home


DEEP: list[Any] = []
for _ in range(100_000):
    DEEP = [DEEP]

BROKEN: list[Any] = [
    None,
    [],
    {},
    "home",
    7,
    *({key: value for key, value in to_json(FULL).items() if key != missing} for missing in to_json(FULL)),
    *(to_json(FULL) | {key: odd} for key in to_json(FULL) for odd in (None, 7.5, [1], [None], ["x", 2], {"a": 1}, [{"id": "x"}])),
    to_json(FULL) | {"more": 1},
    to_json(FULL) | {"language": DEEP},
    to_json(FULL) | {"areas": [{"id": "k", "names": []}]},
    to_json(FULL) | {"areas": [{"id": "k", "names": "ab"}]},
    to_json(FULL) | {"areas": [{"id": "k", "names": [""]}]},
    to_json(FULL) | {"areas": [{"id": "k", "names": ["x" * 201]}]},
    to_json(FULL) | {"areas": [{"id": "k", "names": ["two  spaces"]}]},
    to_json(FULL) | {"areas": [{"id": 5, "names": ["x"]}]},
    to_json(FULL) | {"entities": [{"id": "light.a", "names": ["x"], "device_class": None, "area": ""}]},
]


@pytest.mark.parametrize("value", BROKEN, ids=range(len(BROKEN)))
def test_what_was_kept_otherwise_is_no_home(value: Any) -> None:
    with pytest.raises(HomeError, match="what was kept is no household"):
        of_json(value)


# anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
IDS = st.sampled_from(["light.a", "sensor.b", "k", "d", "x (y)", None])
NAMES = ("attributes", "friendly_name", "device_class", "aliases", "name", "original_name", "next_name_part", "id", "options")
MORE = ("entity_id", "area_id", "floor_id", "device_id", "parent_device_id", "conversation", "exposed_entities", "trigger_sentences")
KEYS = st.sampled_from([*NAMES, *MORE, "should_expose"])
VALUES = IDS | st.lists(IDS, max_size=3) | st.dictionaries(KEYS, IDS, max_size=3) | JSON
ENTRIES = st.lists(st.dictionaries(KEYS, VALUES, max_size=6) | JSON, max_size=3)
ANSWERS = st.dictionaries(
    st.sampled_from([*COMMANDS, ALIASES]), ENTRIES | st.dictionaries(IDS.filter(bool) | KEYS, VALUES | ENTRIES, max_size=3)
)
STATES = st.lists(st.fixed_dictionaries({"entity_id": IDS, "attributes": st.dictionaries(KEYS, VALUES, max_size=3)}) | JSON, max_size=3)


@settings(deadline=None, max_examples=60)
@given(ANSWERS, STATES)
def test_whatever_is_answered_it_is_a_home(answers: dict[str, Any], states: list[Any]) -> None:
    results = {**answers, "get_states": states}
    follow_up(results)
    home = home_of(results)
    assert of_json(json.loads(json.dumps(to_json(home)))) == home


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*COMMANDS, ALIASES]), JSON))
def test_whatever_is_answered_it_is_a_home_or_none(answers: dict[str, Any]) -> None:
    follow_up(answers)
    if isinstance(answers.get("get_states"), list):
        assert isinstance(home_of(answers), Home)
    else:
        with pytest.raises(HomeError):
            home_of(answers)


@given(JSON)
def test_whatever_was_kept_it_is_a_home_or_none(value: Any) -> None:
    with pytest.raises(HomeError):
        of_json(value)
