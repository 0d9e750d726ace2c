"""A household as Home Assistant tells of it: results of its websocket commands in, names and sentences (a `Home`) out; JSON for disk.

entities    what is exposed to voice assistants, with all names (exposure)
places      areas and floors
triggers    sentences that start automations
answers     what keeps odd values out
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from ds_engine.errors import InputError
from ds_home_assistant import exposure, triggers
from ds_home_assistant.answers import Remarks, mapping, named, text
from ds_home_assistant.entities import ALIASES, DEVICES, REGISTRY, STATES, Entity, aliased, entities_of
from ds_home_assistant.places import AREAS, FLOORS, Place, areas_of, floors_of
from ds_home_assistant.triggers import triggers_of

CONFIG = "get_config"
COMMANDS: tuple[str, ...] = (CONFIG, STATES, exposure.LIST, REGISTRY, DEVICES, AREAS, FLOORS, triggers.LIST)
_WITHOUT = {  # command that may be refused -> what that leaves
    exposure.LIST: "names are those that the registry tells of, or that Home Assistant exposes by default",
    REGISTRY: "aliases are not known",
    DEVICES: "the parts that devices have in names, and where they are, are not known",
    AREAS: "areas are not known",
    FLOORS: "floors are not known",
    triggers.LIST: "sentences of automations are not known",
    ALIASES: "aliases are not known",
}
OPTIONAL: frozenset[str] = frozenset(_WITHOUT)
FORMAT = 1  # of what `to_json` gives

_Named = TypeVar("_Named", Entity, Place)


class HomeError(InputError):
    """What should describe a household does not."""

    code = "bad-home"


@dataclass(frozen=True, slots=True)
class Home:
    """What a household is called and says. All in a fixed order, so that equal households are equal."""

    language: str = ""  # Home Assistant's own, BCP 47
    entities: tuple[Entity, ...] = ()  # those that are exposed, by id
    areas: tuple[Place, ...] = ()
    floors: tuple[Place, ...] = ()
    sentences: tuple[str, ...] = ()  # templates that start automations
    remarks: tuple[str, ...] = ()  # what is missing or was left out, a line for each


def follow_up(results: Mapping[str, Any]) -> Mapping[str, dict[str, Any]]:
    """The fields of further commands, by the command, which depend on what those of COMMANDS gave; `home_of` takes their results, too."""
    ids = aliased(results)
    return {ALIASES: {"entity_ids": ids}} if ids else {}


def home_of(results: Mapping[str, Any]) -> Home:
    """The household that results of commands tell of, by command; those of OPTIONAL may be missing or None.

    An odd entry is skipped, with a remark. Raises HomeError where the states, without which there is no household, are no list.
    """
    if not isinstance(results.get(STATES), list | tuple):
        raise HomeError(f"{STATES} must give a list of states, got {type(results.get(STATES)).__name__}")
    remarks = Remarks()
    wanted = (*COMMANDS, *follow_up(results))
    for command, loss in _WITHOUT.items():
        if command in wanted and results.get(command) is None:
            remarks.add(f"{command} gave nothing (it may need an administrator's token, or a newer Home Assistant): {loss}")
    return Home(
        text(mapping(results.get(CONFIG)).get("language")),
        entities_of(results, remarks),
        areas_of(results, remarks),
        floors_of(results, remarks),
        triggers_of(results.get(triggers.LIST), remarks),
        remarks.lines,
    )


def to_json(home: Home) -> Any:
    """The home as plain values, which `of_json` takes, also after they were JSON text."""
    return {"format": FORMAT, **_plain(asdict(home))}


def of_json(value: Any) -> Home:
    """The home of which `to_json` made this. Raises HomeError for anything else."""
    try:
        home = Home(
            value["language"],
            _kept(Entity, value["entities"]),
            _kept(Place, value["areas"]),
            _kept(Place, value["floors"]),
            tuple(value["sentences"]),
            tuple(value["remarks"]),
        )
        same = to_json(home) == value and _is_sound(home)
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise HomeError(f"what was kept is no household: {type(error).__name__}") from error
    if not same:
        raise HomeError(f"what was kept is no household of format {FORMAT}")
    return home


def _kept(kind: type[_Named], entries: Any) -> tuple[_Named, ...]:
    return tuple(kind(**{**each, "names": tuple(each["names"])}) for each in entries)


def _is_sound(home: Home) -> bool:
    """True where every text is a text, and every name one that `home_of` might give."""
    entries: tuple[Entity | Place, ...] = (*home.entities, *home.areas, *home.floors)
    plain = [home.language, *home.sentences, *home.remarks, *(each.id for each in entries)]
    plain += (field for entity in home.entities for field in (entity.device_class, entity.area))
    names_are_sound = all(each.names and named(each.names, "", Remarks()) == each.names for each in entries)
    return names_are_sound and all(isinstance(field, str) for field in plain)


def _plain(value: Any) -> Any:
    """The value with lists for tuples, as JSON has them."""
    match value:
        case tuple():
            return [*map(_plain, value)]
        case dict():
            return {key: _plain(each) for key, each in value.items()}
    return value
