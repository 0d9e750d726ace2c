"""Areas and floors: Home Assistant's registries in, places with all their names out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ds_home_assistant.answers import Remarks, mappings, named, text, texts

AREAS = "config/area_registry/list"
FLOORS = "config/floor_registry/list"
MAX_PLACES = 2_000  # areas, and floors


@dataclass(frozen=True, slots=True)
class Place:
    """An area or a floor."""

    id: str
    names: tuple[str, ...]  # its name, and its aliases in alphabetical order


def areas_of(results: Mapping[str, Any], remarks: Remarks) -> tuple[Place, ...]:
    """All areas that have a name, by id."""
    return _places(results.get(AREAS), "area", remarks)


def floors_of(results: Mapping[str, Any], remarks: Remarks) -> tuple[Place, ...]:
    """All floors that have a name, by id."""
    return _places(results.get(FLOORS), "floor", remarks)


def _places(answer: object, kind: str, remarks: Remarks) -> tuple[Place, ...]:
    found = {}
    for entry in mappings(answer, f"{kind}s", remarks):
        place_id = text(entry.get(f"{kind}_id"))
        names = named((text(entry.get("name")), *sorted(texts(entry.get("aliases")))), f"{kind} {place_id}", remarks)
        if place_id and names:
            found[place_id] = Place(place_id, names)
        else:
            remarks.add(f"{kind}s: an entry without an id or a name is skipped")
    if len(found) > MAX_PLACES:
        remarks.add(f"{kind}s: {len(found)}; only {MAX_PLACES} are heard")
    return tuple(islice((found[place_id] for place_id in sorted(found)), MAX_PLACES))
