"""What a household is called and says, for a recogniser: a `Home` and the languages of the models in, phrases and sentences out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ds_engine.bias import MAX_PHRASES, Phrase
from ds_home_assistant.custom import Custom
from ds_home_assistant.entities import Entity
from ds_home_assistant.home import Home
from ds_home_assistant.intents import intents_language, templates
from ds_home_assistant.places import Place
from ds_home_assistant.triggers import fault, templates_of
from ds_plugin.languages import best_language
from ds_plugin.vocabulary.source import Household, ListValues, Sentences

# Nats of a name in open speech. 1,000 names that nobody chose one by one are heard in 1 of 200 commands without any of them at 0, in 3
# at 1 and in 4 at 2, while of those that are said 7, 9 and 12 % are found; the grammar finds 43 % (benchmarks/names.py). Who misses one
# boosts it in a vocabulary file: the higher boost holds.
BOOST = 0.0


def household_of(home: Home, languages: Sequence[str], custom: Custom | None = None) -> Household:
    """The household in the languages of the models.

    Home Assistant's own sentences stand there once for each of its languages that serves one of these, with the household's names as
    lists, and so do custom ones beside them; sentences of automations are for the models of Home Assistant's language, or for all where
    none has it.
    """
    lists = _lists(home)
    served: dict[str, str] = {}
    for language in languages:
        if (tag := intents_language(language)) is not None:
            served.setdefault(tag, language)
    builtin = (Sentences(f"sentences {tag}", templates(tag), lists, language) for tag, language in served.items())
    own = (
        Sentences(f"custom sentences {tag}", found, lists, language)
        for tag, language in served.items()
        if custom is not None and (found := custom.templates(tag, templates(tag))) is not None
    )
    return Household(tuple(_phrases(home)), (*builtin, *own, *_automations(home, languages)))


def _lists(home: Home) -> dict[str, ListValues]:
    """The lists that Home Assistant's agent makes of a household: what is said, and its context."""
    return {
        "name": [value for entity in home.entities for value in _values(entity)],
        "area": [{"in": name, "out": name} for area in home.areas for name in area.names],
        "floor": [{"in": name, "out": floor.names[0]} for floor in home.floors for name in floor.names],
    }


def _values(entity: Entity) -> Iterator[Mapping[str, Any]]:
    context = {"domain": entity.domain} | ({"device_class": entity.device_class} if entity.device_class else {})
    return ({"in": name, "out": name, "context": context} for name in entity.names)


def _automations(home: Home, languages: Iterable[str]) -> Iterator[Sentences]:
    sound = [sentence for sentence in home.sentences if not fault(sentence)]
    if sound:
        language = best_language(home.language, languages) or ""
        yield Sentences("automations", templates_of(sound, language or home.language), {}, language)


def _phrases(home: Home) -> Iterator[Phrase]:
    """Names for open speech, each once; where they are more than MAX_PHRASES, those that people need most."""
    used = {entity.area for entity in home.entities}
    controlled = [entity for entity in home.entities if entity.controlled]
    tiers: tuple[Iterable[Entity | Place], ...] = (
        home.floors,
        sorted(home.areas, key=lambda area: area.id not in used),
        controlled,
        home.entities,
    )
    names = dict.fromkeys(name for tier in tiers for each in tier for name in each.names)
    return (Phrase(name, BOOST) for name in islice(names, MAX_PHRASES))
