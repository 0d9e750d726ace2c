"""Houses as Home Assistant tells of them: entities, devices, areas and floors in, results of websocket commands out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

EXPOSED = "homeassistant/expose_entity/list"
REGISTRY = "config/entity_registry/list"
ALIASES = "config/entity_registry/get_entries"
DEVICES = "config/device_registry/list"
AREAS = "config/area_registry/list"
FLOORS = "config/floor_registry/list"
SENTENCES = "conversation/sentences/list"
NEWEST, OLD = "2026.11.0", "2025.4.4"


@dataclass(frozen=True)
class Thing:
    """An entity; `registered` ones have an entry, of which `entry` are fields, and `aliases` as Home Assistant keeps them."""

    id: str
    name: str | None = None  # friendly_name
    aliases: Any = (None,)
    entry: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    exposed: bool = True
    registered: bool = True

    def state(self) -> dict[str, Any]:
        """What get_states tells of it."""
        named = {} if self.name is None else {"friendly_name": self.name}
        return {"entity_id": self.id, "state": "on", "attributes": {**self.attributes, **named}}


def house(
    things: Iterable[Thing],
    *,
    areas: Sequence[Any] = (),
    floors: Sequence[Any] = (),
    devices: Sequence[Any] = (),
    sentences: Sequence[Any] = (),
    version: str = NEWEST,
    state: str = "RUNNING",
    language: str = "en",
) -> dict[str, Any]:
    """The results of all commands, by command, as an administrator gets them."""
    known = [*things]
    registered = [thing for thing in known if thing.registered]
    return {
        "get_config": {"language": language, "version": version, "state": state},
        "get_states": [thing.state() for thing in known],
        EXPOSED: {"exposed_entities": {thing.id: {"conversation": True} for thing in known if thing.exposed}},
        REGISTRY: [{"entity_id": thing.id, "options": {}, **thing.entry} for thing in registered],
        ALIASES: {thing.id: {"entity_id": thing.id, "aliases": _list(thing.aliases)} for thing in registered},
        DEVICES: [*devices],
        AREAS: [*areas],
        FLOORS: [*floors],
        SENTENCES: {"trigger_sentences": [*sentences]},
    }


def area(area_id: str, name: str, *aliases: str) -> dict[str, Any]:
    """An entry of the area registry."""
    return {"area_id": area_id, "name": name, "aliases": [*aliases], "floor_id": None}


def floor(floor_id: str, name: str, *aliases: str) -> dict[str, Any]:
    """An entry of the floor registry."""
    return {"floor_id": floor_id, "name": name, "aliases": [*aliases], "level": 0}


def _list(aliases: Any) -> Any:
    return [*aliases] if isinstance(aliases, tuple) else aliases
