"""What plugins hand over, checked: what they register, as a name and a value; what they return, or None where it cannot be used."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ds_engine.bias import Bias, Phrase
from ds_engine.transcript import Hypothesis, Transcript, Word
from ds_plugin.config import CONFIG_VARIABLE, Option, variables
from ds_plugin.vocabulary.source import Household, Sentences

_NAME = re.compile(r"[a-z][a-z0-9_]*")  # of a section and its options: it is part of environment variables, too


@dataclass(frozen=True, slots=True)
class Registration:
    """One thing that a plugin has registered."""

    name: str
    value: Any
    claims: frozenset[str]  # what nobody else may register then
    options: tuple[Option, ...] = ()  # of its section of the settings


def hosts_claims() -> set[str]:
    """What no section of a plugin's may be called: the host's sections, its settings at the top, and their variables."""
    from ds_plugin.host import HOST_OPTIONS

    names = {*HOST_OPTIONS, *(option.name for option in HOST_OPTIONS[""]), CONFIG_VARIABLE}
    return names.union(*(variables(section, options) for section, options in HOST_OPTIONS.items()))


def _factory(name: Any, factory: Any) -> Registration:
    if not isinstance(name, str) or not name or not callable(factory):
        raise TypeError(f"needed a name and a factory, got {name!r:.60} and {factory!r:.60}")
    return Registration(name, factory, frozenset({name}))


def _adapter(adapter: Any) -> Registration:
    from ds_plugin.adapter import Adapter

    if not isinstance(adapter, Adapter) or not _section(adapter.name, adapter.options):
        raise TypeError(f"needed an Adapter with a lower-case name and a tuple of such Options, got {adapter!r:.60}")
    return Registration(adapter.name, adapter, _section_claims(adapter.name, adapter.options), adapter.options)


def _options(section: Any, options: Any) -> Registration:
    if not _section(section, options):
        raise TypeError(f"needed a lower-case section and a tuple of such Options, got {section!r:.60} and {options!r:.60}")
    return Registration(section, options, _section_claims(section, options), options)


def _section(name: Any, options: Any) -> bool:
    named = isinstance(name, str) and _NAME.fullmatch(name) is not None and isinstance(options, tuple)
    return named and all(isinstance(each, Option) and _NAME.fullmatch(each.name) for each in options)


def _section_claims(name: str, options: tuple[Option, ...]) -> frozenset[str]:
    """The section and its variables, which no other section's may be: `[a_b] c` and `[a] b_c` have the same one."""
    used = variables(name, options)
    if len(set(used)) < len(used):
        raise TypeError(f"section {name!r:.60} has two options of the same variable")
    return frozenset({name, *used})


def _command(command: Any) -> Registration:
    import click

    if not isinstance(command, click.Command) or not command.name:
        raise TypeError(f"needed a click.Command with a name, got {command!r:.60}")
    return Registration(command.name, command, frozenset({command.name}))


CHECKS: Mapping[str, Callable[..., Registration]] = {
    "ds_register_model_family": _factory,
    "ds_register_decoder": _factory,
    "ds_register_audio_filter": _factory,
    "ds_register_adapter": _adapter,
    "ds_register_options": _options,
    "ds_register_command": _command,
}
"""What `register` takes, by hook. They raise TypeError, in the plugin's own call, for anything else."""


# The checks ask for the very type: isinstance would ask the object, which may be a proxy that raises.


def checked_bias(result: object) -> Bias | None:
    """A bias of phrases."""
    return result if type(result) is Bias and all(type(phrase) is Phrase for phrase in result.phrases) else None


def checked_transcript(result: object) -> Transcript | None:
    """A transcript whose parts have the types they should have."""
    if type(result) is Transcript and type(result.alternatives) is tuple and all(map(_sound, (result.best, *result.alternatives))):
        return result
    return None


def checked_household(result: object) -> Household | None:
    """A household whose parts have the types they should have, and whose sentences have names of their own."""
    if (
        type(result) is Household
        and type(result.phrases) is tuple
        and all(type(phrase) is Phrase for phrase in result.phrases)
        and type(result.sentences) is tuple
        and all(type(each) is Sentences and type(each.name) is str and type(each.language) is str for each in result.sentences)
        and len({each.name for each in result.sentences}) == len(result.sentences)
    ):
        return result
    return None


def _sound(hypothesis: object) -> bool:
    return (
        type(hypothesis) is Hypothesis
        and type(hypothesis.text) is str
        and _numbers(hypothesis.confidence)
        and type(hypothesis.words) is tuple
        and all(type(word) is Word and type(word.text) is str for word in hypothesis.words)
        and all(_numbers(word.start, word.end, word.confidence) for word in hypothesis.words)
    )


def _numbers(*values: object) -> bool:
    return all(isinstance(value, int | float) and math.isfinite(value) for value in values)


def nothing(result: object) -> None:
    """A notice's result: nobody asks for it."""
