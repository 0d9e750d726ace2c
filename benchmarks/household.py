"""A household that does not exist, and what its people say: a seed in, names and commands with their meaning out.

Commands are drawn from Home Assistant's English sentence templates (package home-assistant-intents, parsed by hassil) with the names
of the household, numbers as words. `meanings` asks hassil itself what a sentence means, so that nothing here is judged by our own reader.
"""

from __future__ import annotations

import importlib.resources
import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hassil.expression import Alternative, Expression, Group, ListReference, Permutation, RuleReference, TextChunk
from hassil.intents import IntentData, Intents, RangeSlotList, TextSlotList, TextSlotValue, WildcardSlotList
from hassil.recognize import recognize_all

from ds_training.sentences import ROOMS, device_name
from ds_training.text import number_words

ENTITIES, AREAS = 200, 12
FLOORS = ("first floor", "upstairs", "downstairs", "basement")
WORDS = (2, 12)  # of a command
MOST_DRAWS = 100_000  # for one set; a household whose templates are used up

_KINDS = {  # domain -> what its devices are called, by the end of the name; the rest are switches
    "light": "lamp light lights chandelier bulb spotlight tree",
    "cover": "blinds curtains shades awning gate shutter window door",
    "fan": "fan humidifier",
    "climate": "heater thermostat conditioner fireplace",
    "media_player": "television tv speaker radio bar projector",
    "lock": "lock",
    "vacuum": "vacuum",
    "lawn_mower": "mower",
}
_DOMAINS = {noun: domain for domain, nouns in _KINDS.items() for noun in nouns.split()}

USUAL = {  # intent -> how often it is drawn: what people ask for most
    "HassTurnOn": 10,
    "HassTurnOff": 10,
    "HassLightSet": 6,
    "HassGetState": 5,
    "HassStartTimer": 4,
    "HassClimateSetTemperature": 3,
    "HassSetVolume": 3,
    "HassClimateGetTemperature": 2,
    "HassSetPosition": 2,
    "HassSetVolumeRelative": 2,
    "HassCancelTimer": 1,
    "HassFanSetSpeed": 1,
    "HassGetCurrentDate": 1,
    "HassGetCurrentTime": 1,
    "HassGetWeather": 1,
    "HassIncreaseTimer": 1,
    "HassMediaNext": 1,
    "HassMediaPause": 1,
    "HassMediaPlayerMute": 1,
    "HassMediaUnpause": 1,
    "HassTimerStatus": 1,
    "HassVacuumReturnToBase": 1,
    "HassVacuumStart": 1,
}
WITH_WILDCARDS = {  # intents of which a part is open speech
    "HassBroadcast": 1,
    "HassListAddItem": 1,
    "HassMediaSearchAndPlay": 1,
    "HassShoppingListAddItem": 1,
    "HassShoppingListCompleteItem": 1,
    "HassStartTimer": 1,
}
_SAID = {  # list -> what is said in its place
    "message": "dinner is ready|it is time to go|come down please|the taxi is here|i am home",
    "search_query": "jazz music|the evening news|some rock songs|the beatles|piano music",
    "timer_name": "pizza|laundry|tea|homework|bread",
    "timer_command": "turn off the heater|close the garage door|open the window",
}
_ITEMS = "milk|olive oil|apples|brown bread|paper towels|eggs|two bottles of wine|washing powder|coffee|tomatoes"
_TODO_LISTS = ("packing list", "birthday list", "garden jobs")

Slots = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Household:
    """Names by domain, and its areas and floors."""

    entities: Mapping[str, str]  # name -> domain
    areas: Sequence[str]
    floors: Sequence[str]

    @classmethod
    def invent(cls, seed: int) -> Household:
        """ENTITIES names of devices, as ds_training.sentences invents them, a few lists, and AREAS areas."""
        rng = random.Random(seed)  # noqa: S311  # a draw that anybody can repeat
        areas = rng.sample([room for room in ROOMS if room not in FLOORS], AREAS)
        entities: dict[str, str] = dict.fromkeys(_TODO_LISTS, "todo")
        while len(entities) < ENTITIES:
            name = device_name(rng)
            if name not in areas:
                entities[name] = _DOMAINS.get(name.split()[-1], "switch")
        return cls(entities, areas, FLOORS)

    def templates(self) -> dict[str, Any]:
        """Home Assistant's English sentence templates with the lists of this household."""
        data: dict[str, Any] = json.loads((importlib.resources.files("home_assistant_intents") / "data" / "en.json").read_text("utf-8"))
        names = [{"in": name, "out": name, "context": {"domain": domain}} for name, domain in self.entities.items()]
        lists = {"name": {"values": names}, "area": {"values": list(self.areas)}, "floor": {"values": list(self.floors)}}
        return {**data, "lists": {**data["lists"], **lists}}


class Sampler:
    """Draws commands of a household."""

    def __init__(self, templates: Mapping[str, Any], seed: int) -> None:
        self._intents = Intents.from_dict(dict(templates))
        self._rng = random.Random(seed)  # noqa: S311  # a draw that anybody can repeat

    def commands(self, count: int, usual: Mapping[str, int], *, wildcards: bool = False) -> list[str]:
        """Distinct commands; each has an open part where `wildcards` are wanted, and none otherwise. Ends where there are not as many."""
        found: dict[str, None] = {}
        for _ in range(MOST_DRAWS):
            if len(found) == count:
                return list(found)
            drawn = self._drawn(self._rng.choices(list(usual), list(usual.values()))[0])
            if drawn and drawn.open == wildcards and drawn.sayable:
                found[drawn.text] = None
        raise SystemExit(f"only {len(found)} of {count} commands could be drawn")

    def _drawn(self, intent: str) -> _Drawn | None:
        block = self._rng.choice(self._intents.intents[intent].data)
        pieces: list[str] = []
        drawn = _Draw(self._intents, block, self._rng)
        drawn.walk(self._rng.choice(block.sentences).expression, pieces)
        return None if drawn.empty else _Drawn(" ".join("".join(pieces).split()), drawn.open)


@dataclass(frozen=True, slots=True)
class _Drawn:
    text: str
    open: bool  # has a wildcard

    @property
    def sayable(self) -> bool:
        """True where all is written in letters, and not too long."""
        return re.fullmatch("[a-z' ]+", self.text) is not None and WORDS[0] <= len(self.text.split()) <= WORDS[1]


class _Draw:
    """One sentence of one block."""

    def __init__(self, intents: Intents, block: IntentData, rng: random.Random) -> None:
        self._intents, self._block, self._rng = intents, block, rng
        self.open = False
        self.empty = False  # a list has no value that fits

    def walk(self, node: Expression, pieces: list[str]) -> None:
        match node:
            case TextChunk():
                pieces.append(node.original_text.lower())
            case Alternative():
                self.walk(self._rng.choice(node.items), pieces)
            case Permutation():
                for item in self._rng.sample(node.items, len(node.items)):
                    pieces.append(" ")
                    self.walk(item, pieces)
                pieces.append(" ")
            case RuleReference():
                self.walk(self._intents.expansion_rules[node.rule_name].expression, pieces)
            case ListReference():
                self._fill(node.list_name, pieces)
            case Group():
                for item in node.items:
                    self.walk(item, pieces)

    def _fill(self, name: str, pieces: list[str]) -> None:
        match self._intents.slot_lists.get(name):
            case RangeSlotList() as numbers:
                pieces.append(number_words(self._rng.randrange(numbers.start, numbers.stop + 1, numbers.step)))
            case TextSlotList() as texts:
                fitting = [value for value in texts.values if _fits(value, self._block)]
                self.empty |= not fitting
                if fitting:
                    self.walk(self._rng.choice(fitting).text_in, pieces)
            case WildcardSlotList():
                self.open = True
                pieces.append(self._rng.choice(_SAID.get(name, _ITEMS).split("|")))
            case _:
                self.empty = True


def _fits(value: TextSlotValue, block: IntentData) -> bool:
    """False for a device of a domain that a block is not about."""
    domain = (value.context or {}).get("domain")
    wanted, unwanted = (_domains(context) for context in (block.requires_context, block.excludes_context))
    return domain is None or ((not wanted or domain in wanted) and domain not in unwanted)


def _domains(context: Mapping[str, Any] | None) -> Sequence[str]:
    found = (context or {}).get("domain", ())
    return (found,) if isinstance(found, str) else tuple(found)


class Meanings:
    """What hassil takes a sentence for."""

    def __init__(self, templates: Mapping[str, Any]) -> None:
        self._intents = Intents.from_dict(dict(templates))

    def of(self, text: str) -> list[tuple[str, Slots]]:
        """Intents with their slots, as text: every way to take it."""
        context = {"area": {"value": "", "text": ""}}  # somebody says it somewhere: sentences about "here" are allowed
        found = recognize_all(text, self._intents, intent_context=context, language="en")
        return [(each.intent.name, {name: str(entity.value).strip() for name, entity in each.entities.items()}) for each in found]
