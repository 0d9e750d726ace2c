"""Which entities voice assistants may know: Home Assistant's answers in, a yes or no for each entity out.

An administrator is told which are exposed. Everybody is told the choice of an entity that is in the registry. Where neither is known,
Home Assistant's own defaults hold (its module `homeassistant/exposed_entities`): while it starts it has not applied them yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ds_home_assistant.answers import Answer, mapping

LIST = "homeassistant/expose_entity/list"
_ASSISTANT = "conversation"

_DOMAINS = {"climate", "cover", "fan", "humidifier", "light", "media_player", "scene", "switch", "todo", "vacuum", "water_heater"}
_DEVICE_CLASSES = {
    "binary_sensor": {"door", "garage_door", "lock", "motion", "opening", "presence", "window"},
    "sensor": {"aqi", "carbon_dioxide", "carbon_monoxide", "humidity", "pm10", "pm25", "temperature", "volatile_organic_compounds"},
}


class Exposure:
    """What is exposed to voice assistants."""

    def __init__(self, results: Mapping[str, Any], *, running: bool) -> None:
        """`running`: Home Assistant has started, so that whatever is exposed is in its list."""
        listed = mapping(results.get(LIST)).get("exposed_entities")
        self._listed = listed if isinstance(listed, Mapping) else None
        self._complete = running and self._listed is not None

    def __call__(self, entity_id: str, device_class: str, entry: Answer | None) -> bool:
        """True for an entity that is exposed; `entry` is what the registry has of it."""
        if mapping(mapping(self._listed).get(entity_id)).get(_ASSISTANT) is True:
            return True
        chosen = mapping(mapping(mapping(entry).get("options")).get(_ASSISTANT)).get("should_expose")
        if isinstance(chosen, bool):
            return chosen
        return not self._complete and _by_default(entity_id, device_class, mapping(entry))


def _by_default(entity_id: str, device_class: str, entry: Answer) -> bool:
    domain = entity_id.partition(".")[0]
    if entry.get("entity_category") is not None or entry.get("hidden_by") is not None:
        return False
    return domain in _DOMAINS or device_class in _DEVICE_CLASSES.get(domain, ())
