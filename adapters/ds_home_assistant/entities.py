"""What a household has that can be spoken of: Home Assistant's states and registries in, entities with all their names out.

An entity of the registry has the names that stand among its aliases, where null is its full name; before Home Assistant 2026.4 the name
of its state came beside them. What is not in the registry has the name of its state.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ds_engine.bias import MAX_PHRASES
from ds_home_assistant.answers import Answer, Remarks, mapping, mappings, named, text, texts
from ds_home_assistant.exposure import Exposure

STATES = "get_states"
REGISTRY = "config/entity_registry/list"
DEVICES = "config/device_registry/list"
ALIASES = "config/entity_registry/get_entries"

MAX_NAMES = MAX_PHRASES  # of all entities together

CONTROLLED = frozenset(  # domains that do what they are told
    {"button", "climate", "cover", "fan", "humidifier", "input_boolean", "input_button", "lawn_mower", "light", "lock"}
    | {"media_player", "scene", "script", "switch", "todo", "vacuum", "valve", "water_heater"}
)
_NULL_SINCE = (2026, 4)  # the version that has null among aliases
_ENTITY_ID = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Entity:
    """Something with a name."""

    id: str
    names: tuple[str, ...]  # as people write them, each of at most MAX_NAME_LENGTH characters
    device_class: str = ""
    area: str = ""  # id of the area where it is

    @property
    def domain(self) -> str:
        """Such as `light`."""
        return self.id.partition(".")[0]

    @property
    def controlled(self) -> bool:
        """True for what can be told to do something."""
        return self.domain in CONTROLLED


def entities_of(results: Mapping[str, Any], remarks: Remarks) -> tuple[Entity, ...]:
    """All exposed entities that have a name, by id."""
    naming = _Naming(results)
    found = {}
    for state, entry in _exposed(results, remarks):
        entity_id = state["entity_id"]
        names = named(naming.names(state, entry), entity_id, remarks)
        if names:
            found[entity_id] = Entity(entity_id, names, _device_class(state), naming.area(entry))
    return _bounded([found[entity_id] for entity_id in sorted(found)], remarks)


def aliased(results: Mapping[str, Any]) -> list[str]:
    """The ids of exposed entities that are in the registry, which has further names for them."""
    return sorted({state["entity_id"] for state, entry in _exposed(results, Remarks()) if entry is not None})


def _exposed(results: Mapping[str, Any], remarks: Remarks) -> Iterator[tuple[Answer, Answer | None]]:
    """States that are exposed, each with its entry in the registry."""
    config = mapping(results.get("get_config"))
    exposure = Exposure(results, running=config.get("state", "RUNNING") == "RUNNING")
    registry = _by_id(mappings(results.get(REGISTRY), "entities", remarks), "entity_id")
    for state in mappings(results.get(STATES), "states", remarks):
        entity_id = state.get("entity_id")
        if not isinstance(entity_id, str) or not _ENTITY_ID.fullmatch(entity_id):
            remarks.add("states: an entry without an entity_id is skipped")
            continue
        entry = registry.get(entity_id)
        if exposure(entity_id, _device_class(state), entry):
            yield state, entry


class _Naming:
    """Names and places of entities."""

    def __init__(self, results: Mapping[str, Any]) -> None:
        answered = results.get(ALIASES)
        self._aliases: Answer = {
            entity_id: entry["aliases"]
            for entity_id, entry in mapping(answered).items()
            if isinstance(entry, Mapping) and isinstance(entry.get("aliases"), list | tuple)
        }
        self._devices = _by_id(mappings(results.get(DEVICES), "devices", Remarks()), "id")
        self._complete = _version(results) >= _NULL_SINCE or any(None in aliases for aliases in self._aliases.values())

    def names(self, state: Answer, entry: Answer | None) -> Iterator[object]:
        """Everything that this is called, and what else stands among its names."""
        aliases = self._aliases.get(state["entity_id"])
        if entry is None or aliases is None:
            yield _name(state)
        elif self._complete:
            yield from (self._full_name(state, entry) if alias is None else alias for alias in aliases)
        else:
            yield _name(state)
            yield from sorted(texts(aliases))  # Home Assistant has them in no order

    def area(self, entry: Answer | None) -> str:
        """The area of an entity, else of its device, else of the device that that is a part of."""
        device = self._device(mapping(entry).get("device_id"))
        owners = (mapping(entry), device, self._device(device.get("parent_device_id")))
        return next((area for owner in owners if (area := text(owner.get("area_id")))), "")

    def _full_name(self, state: Answer, entry: Answer) -> str:
        """The name of an entity after those of its device and of the device that that is a part of, as far as they are linked to it."""
        if "next_name_part" not in entry or not self._devices:  # before Home Assistant 2026.9 it was the state's; or devices are not known
            return _name(state)
        parts = [text(entry.get("original_name") if entry.get("name") is None else entry["name"])]
        device = self._device(entry.get("device_id"))
        if entry["next_name_part"] == "device":
            parts.append(_device_name(device))
            if device.get("next_name_part") == "parent_device":
                parts.append(_device_name(self._device(device.get("parent_device_id"))))
        return " ".join(filter(None, reversed(parts)))

    def _device(self, device_id: object) -> Answer:
        return self._devices.get(device_id, {}) if isinstance(device_id, str) else {}


def _by_id(entries: Iterable[Answer], key: str) -> dict[str, Answer]:
    return {entry[key]: entry for entry in entries if isinstance(entry.get(key), str)}


def _name(state: Answer) -> str:
    """What Home Assistant shows for a state."""
    return (
        text(mapping(state.get("attributes")).get("friendly_name")) or str(state["entity_id"]).partition(".")[2].replace("_", " ").strip()
    )


def _device_name(device: Answer) -> str:
    return text(device.get("name_by_user")) or text(device.get("name"))


def _device_class(state: Answer) -> str:
    return text(mapping(state.get("attributes")).get("device_class"))


def _version(results: Mapping[str, Any]) -> tuple[int, int]:
    """Year and month of Home Assistant's version; (0, 0) where they are not told."""
    found = re.match(r"(\d{4})\.(\d{1,2})\b", text(mapping(results.get("get_config")).get("version")), re.ASCII)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _bounded(entities: list[Entity], remarks: Remarks) -> tuple[Entity, ...]:
    """The entities with MAX_NAMES names; where they are more, those that do what they are told come first."""
    total = sum(len(entity.names) for entity in entities)
    if total <= MAX_NAMES:
        return tuple(entities)
    remarks.add(f"entities: {total} names; only {MAX_NAMES} are heard, first of all those of what can be controlled")
    kept, left = [], MAX_NAMES
    for entity in sorted(entities, key=lambda entity: not entity.controlled):
        left -= len(entity.names)
        if left < 0:
            break
        kept.append(entity)
    return tuple(sorted(kept, key=lambda entity: entity.id))
