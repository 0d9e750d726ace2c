"""Hosts, hooks and plugins for tests: small enough to fail in every way, and quick about it."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
import pytest

from ds_engine.audio import AudioFormat
from ds_engine.bias import Bias, Phrase
from ds_engine.limits import Limits
from ds_engine.manifest import Manifest, Section
from ds_engine.observer import Recording, UtteranceInfo
from ds_engine.recognizer import Recognizer
from ds_engine.stream import AudioFilterFactory
from ds_engine.transcript import Hypothesis, Partial, Transcript
from ds_plugin import hookimpl
from ds_plugin.adapter import Adapter
from ds_plugin.config import Option, Settings
from ds_plugin.hooks import Deadlines, Hooks
from ds_plugin.host import Host
from ds_plugin.observer import FallbackRule, HookObserver
from ds_plugin.plugins import Plugins
from tests.ds_engine.fakes import CHARACTERS, replaying, said
from tests.ds_plugin.sources import Source

SOON = 0.15  # s: enough for a plugin that answers at once, even beside a busy process
SHORT = Deadlines(SOON, SOON, SOON, SOON, SOON, SOON)
LONG = Deadlines(20, 20, 20, 20, 20, 20)

INFO = UtteranceInfo("1", AudioFormat(), "en", "test")
RECORDING = Recording(AudioFormat(), b"\1\2")


EITHER = pytest.mark.parametrize("either", ["sync", "async"])


def transcript(text: str = "", confidence: float = 0.9) -> Transcript:
    """A transcript of these words."""
    return Transcript(Hypothesis(text, (), confidence, 0.0))


def plugin(**functions: Callable[..., Any]) -> object:
    """A plugin of these hooks."""
    return type("Plugin", (), {name: staticmethod(hookimpl(function)) for name, function in functions.items()})()


def loaded(*objects: object, load_deadline: float = 20.0) -> Plugins:
    """These plugins, named one, two, three, ..."""
    plugins = Plugins(load_deadline)
    for name, each in zip(("one", "two", "three", "four"), objects, strict=False):
        report = plugins.add(name, lambda each=each: each)  # type: ignore[misc]
        assert not report.error
    return plugins


def hooked(*objects: object, deadlines: Deadlines = LONG) -> Hooks:
    """The façade over these plugins."""
    return Hooks(loaded(*objects), deadlines)


def hosted(
    *objects: object,
    deadlines: Deadlines = LONG,
    recognizer: Recognizer | None = None,
    limits: Limits | None = None,
    filters: tuple[AudioFilterFactory, ...] = (),
    fallback: FallbackRule | None = None,
) -> Host:
    """A host of these plugins, whose recognizer hears the audio that `said` writes."""
    observer = HookObserver(hooked(*objects, deadlines=deadlines), filters, fallback)
    return Host(recognizer or replaying(), MANIFEST, limits or Limits(), observer)


async def heard(host: Host, text: str = "hello") -> Transcript:
    """What the host makes of `text` being said."""
    async with await host.open() as utterance:
        await utterance.feed(said(text))
        return await utterance.finish()


MANIFEST = Manifest(
    name="replay",
    version="1",
    language="en",
    description="",
    license="CC0-1.0",
    family="replay",
    alphabet=CHARACTERS,
    acoustic=Section({}),
    calibration=Section({}),
    files={},
)


@dataclass(frozen=True)
class Case:
    """One hook: how the façade calls it, what a good plugin named by a letter does, and whose work shows in the outcome."""

    hook: str
    call: Callable[[Hooks], Any]
    good: Callable[[str, list[str]], Callable[..., Any]]
    shown: Callable[[Any, list[str]], set[str]]


def _registering(thing: Callable[[str], tuple[Any, ...]]) -> Callable[[str, list[str]], Callable[..., Any]]:
    def good(letter: str, log: list[str]) -> Callable[..., Any]:
        def implementation(register: Callable[..., None]) -> None:
            register(*thing(letter))

        return implementation

    return good


def _biasing(letter: str, log: list[str]) -> Callable[..., Any]:
    return lambda: Bias((Phrase(letter),))


def _transforming(letter: str, log: list[str]) -> Callable[..., Any]:
    def implementation(transcript: Transcript) -> Transcript:
        return transcript.with_text(transcript.text + letter)

    return implementation


def _logging(letter: str, log: list[str]) -> Callable[..., Any]:
    return lambda: log.append(letter)


def _names(outcome: Any, log: list[str]) -> set[str]:
    return set(outcome)


def _logged(outcome: Any, log: list[str]) -> set[str]:
    return set(log)


REGISTERING = (
    Case("ds_register_model_family", Hooks.model_families, _registering(lambda letter: (letter, print)), _names),
    Case("ds_register_decoder", Hooks.decoders, _registering(lambda letter: (letter, print)), _names),
    Case("ds_register_adapter", Hooks.adapters, _registering(lambda letter: (Adapter(letter, "", (), print),)), _names),  # type: ignore[arg-type]
    Case("ds_register_options", Hooks.options, _registering(lambda letter: (letter, (Option("uri", str, "", ""),))), _names),
    Case("ds_register_command", Hooks.commands, _registering(lambda letter: (click.Command(letter),)), _names),
    Case("ds_register_audio_filter", Hooks.audio_filters, _registering(lambda letter: (letter, print)), _names),
)
CONFIGURING = Case("ds_configure", lambda hooks: hooks.configure(Settings({})), _logging, _logged)
GIVING = Case(
    "ds_vocabulary_source",
    Hooks.vocabulary_sources,
    lambda letter, log: lambda: Source(letter),
    lambda sources, log: {source.name for source in sources},
)
ASKED = (
    Case("ds_bias", lambda hooks: hooks.bias(INFO), _biasing, lambda bias, log: {phrase.text for phrase in bias.phrases}),
    Case("ds_utterance_started", lambda hooks: hooks.started(INFO), _logging, _logged),
    Case("ds_partial", lambda hooks: hooks.partial(INFO, Partial("a", "")), _logging, _logged),
    Case("ds_final", lambda hooks: hooks.final(INFO, transcript("a")), _logging, _logged),
    Case("ds_utterance_ended", lambda hooks: hooks.ended(INFO, None), _logging, _logged),
    Case("ds_transform_transcript", lambda hooks: hooks.transform(INFO, transcript()), _transforming, lambda said, log: set(said.text)),
    Case("ds_fallback", lambda hooks: hooks.fallback(INFO, transcript(), RECORDING, 2 * hooks._deadlines.notice), _logging, _logged),
)


def as_either(either: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, or a coroutine function of the same arguments."""
    if either == "sync":
        return function

    @functools.wraps(function)  # pluggy looks at the arguments of the wrapped one
    async def implementation(**arguments: Any) -> Any:
        await asyncio.sleep(0)
        return function(**arguments)

    return implementation


async def outcome(case: Case, hooks: Hooks) -> Any:
    result = case.call(hooks)
    return await result if inspect.isawaitable(result) else result
