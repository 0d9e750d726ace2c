"""The typed façade over the hooks: the only caller of plugins, one method per hook.

Every implementation is called by itself, guarded and with a deadline, so that one that fails costs its own contribution only:
registrations are collected with collisions reported, biases are merged, notices go to everybody, transforms run in order with a
failure keeping the previous text, and the first fallback that answers wins. Registrations are made once, in the order in which the
plugins were loaded, so that nobody can take a name from the built-ins; the other hooks are called in pluggy's order.
"""

from __future__ import annotations

import asyncio
import functools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ds_engine.bias import Bias, Phrase
from ds_engine.errors import PluginError
from ds_engine.transcript import Hypothesis, Transcript, Word
from ds_plugin.guarded_filter import GuardedFilter

if TYPE_CHECKING:
    import click

    from ds_engine.acoustic import ModelFamily
    from ds_engine.decoder import DecoderFactory
    from ds_engine.observer import Recording, UtteranceInfo
    from ds_engine.stream import AudioFilterFactory
    from ds_engine.transcript import Partial
    from ds_plugin.adapter import Adapter
    from ds_plugin.guard import Guard
    from ds_plugin.plugins import Implementation, Plugins

_NAME = re.compile(r"[a-z][a-z0-9_]*")  # of an adapter: it names settings and environment variables, too

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """What one plugin gets for one call, in seconds."""

    registration: float = 20.0  # imports what it registers, on small machines too
    bias: float = 0.2  # the speaker waits
    notice: float = 1.0
    transform: float = 0.5  # the speaker waits
    filter_start: float = 1.0  # making a filter
    filter_block: float = 0.1  # a block of 10 ms; a filter that needs nearly as much could not keep up anyway


class Hooks:
    """Calls the plugins' hooks."""

    def __init__(self, plugins: Plugins, deadlines: Deadlines | None = None) -> None:
        self._plugins = plugins
        self._deadlines = deadlines or Deadlines()
        self._registrations: dict[str, dict[str, Any]] = {}

    def model_families(self) -> dict[str, ModelFamily]:
        """Model families by name."""
        return self._registered("ds_register_model_family", _named_factory)

    def decoders(self) -> dict[str, DecoderFactory]:
        """Decoder factories by name."""
        return self._registered("ds_register_decoder", _named_factory)

    def adapters(self) -> dict[str, Adapter]:
        """Adapters by name."""
        return self._registered("ds_register_adapter", _named_adapter)

    def commands(self) -> dict[str, click.Command]:
        """Commands by name."""
        return self._registered("ds_register_command", _named_command)

    def audio_filters(self) -> dict[str, AudioFilterFactory]:
        """Guarded audio filter factories by name: a filter that fails lets the audio through unchanged from then on."""
        return self._registered("ds_register_audio_filter", _named_factory, self._guarded_filter)

    async def bias(self, utterance: UtteranceInfo) -> Bias:
        """All plugins' biases as one; they are asked side by side."""
        values = {"utterance": utterance}
        calls = [self._checked(plugin, values, self._deadlines.bias, _bias) for plugin in self._plugins.implementations("ds_bias")]
        return Bias().merged(*(bias for bias in await asyncio.gather(*calls) if bias is not None))

    async def started(self, utterance: UtteranceInfo) -> None:
        """Tells everybody."""
        await self._tell("ds_utterance_started", utterance=utterance)

    async def partial(self, utterance: UtteranceInfo, partial: Partial) -> None:
        """Tells everybody."""
        await self._tell("ds_partial", utterance=utterance, partial=partial)

    async def final(self, utterance: UtteranceInfo, transcript: Transcript) -> None:
        """Tells everybody."""
        await self._tell("ds_final", utterance=utterance, transcript=transcript)

    async def ended(self, utterance: UtteranceInfo, error: BaseException | None) -> None:
        """Tells everybody."""
        await self._tell("ds_utterance_ended", utterance=utterance, error=error)

    async def transform(self, utterance: UtteranceInfo, transcript: Transcript) -> Transcript:
        """The transcript after every transform in turn."""
        for plugin in self._plugins.implementations("ds_transform_transcript"):
            values = {"utterance": utterance, "transcript": transcript}
            transcript = await self._checked(plugin, values, self._deadlines.transform, _transcript) or transcript
        return transcript

    async def fallback(self, utterance: UtteranceInfo, transcript: Transcript, recording: Recording, deadline: float) -> Transcript | None:
        """The first transcript that a plugin offers; all of them together get `deadline` seconds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + deadline
        for plugin in self._plugins.implementations("ds_fallback"):
            values = {"utterance": utterance, "transcript": transcript, "recording": recording}
            if (left := end - loop.time()) <= 0:
                break
            if (offered := await self._checked(plugin, values, left, _transcript)) is not None:
                return offered
        return None

    def implemented(self, hook: str) -> bool:
        """True if any plugin implements the hook."""
        return bool(self._plugins.implementations(hook))

    def _registered(
        self, hook: str, entry: Callable[..., tuple[str, Any]], guarded: Callable[[Guard, str, Any], Any] | None = None
    ) -> dict[str, Any]:
        if hook not in self._registrations:
            found: dict[str, Any] = {}
            for plugin in reversed(self._plugins.implementations(hook)):  # pluggy calls the last one first
                own = self._collect(plugin, entry, set(found))
                found.update({name: guarded(plugin.guard, name, value) for name, value in own.items()} if guarded else own)
            self._registrations[hook] = found
        return dict(self._registrations[hook])

    def _collect(self, plugin: Implementation, entry: Callable[..., tuple[str, Any]], taken: set[str]) -> dict[str, Any]:
        """What one plugin registers; a name that is taken already is reported and left to its first owner."""
        found: dict[str, Any] = {}

        def register(*values: Any) -> None:
            name, value = entry(*values)
            if name in taken or name in found:
                plugin.guard.refuse(plugin.hook, f"registers {name!r:.60}, which exists already")
            else:
                found[name] = value

        try:
            plugin.guard.call(plugin.hook, plugin.bind({"register": register}), self._deadlines.registration)
        except PluginError:
            return {}  # reported by the guard; half a registration is none
        return found

    def _guarded_filter(self, guard: Guard, name: str, factory: AudioFilterFactory) -> AudioFilterFactory:
        return functools.partial(GuardedFilter, guard, name, factory, self._deadlines)

    async def _tell(self, hook: str, **values: Any) -> None:
        for plugin in self._plugins.implementations(hook):
            await self._checked(plugin, values, self._deadlines.notice, _nothing)

    @staticmethod
    async def _checked(plugin: Implementation, values: dict[str, Any], deadline: float, check: Callable[[object], T | None]) -> T | None:
        """One plugin's result if it passes the check; None where it gave none, failed, or gave nonsense (both reported)."""
        try:
            result = await plugin.guard.call_async(plugin.hook, plugin.bind(values), deadline)
        except PluginError:
            return None
        checked = None if result is None else check(result)
        if checked is None and result is not None and check is not _nothing:
            plugin.guard.refuse(plugin.hook, f"returned a {type(result).__name__} that cannot be used")
        return checked


def _named_factory(name: str, factory: Any) -> tuple[str, Any]:
    if not isinstance(name, str) or not name or not callable(factory):
        raise TypeError(f"needed a name and a factory, got {name!r:.60} and {factory!r:.60}")
    return name, factory


def _named_adapter(adapter: Any) -> tuple[str, Any]:
    from ds_plugin.adapter import Adapter
    from ds_plugin.config import Option
    from ds_plugin.host import HOST_OPTIONS

    sound = isinstance(adapter, Adapter) and all(isinstance(option, Option) for option in adapter.options)
    if not sound or not _NAME.fullmatch(adapter.name) or adapter.name in HOST_OPTIONS:
        raise TypeError(f"needed an Adapter whose name is lower-case and no section of the settings, got {adapter!r:.60}")
    return adapter.name, adapter


def _named_command(command: Any) -> tuple[str, Any]:
    import click

    if not isinstance(command, click.Command) or not command.name:
        raise TypeError(f"needed a click.Command with a name, got {command!r:.60}")
    return command.name, command


# The checks ask for the very type: isinstance would ask the object, which may be a proxy that raises.


def _bias(result: object) -> Bias | None:
    return result if type(result) is Bias and all(type(phrase) is Phrase for phrase in result.phrases) else None


def _transcript(result: object) -> Transcript | None:
    if type(result) is Transcript and type(result.alternatives) is tuple and all(map(_sound, (result.best, *result.alternatives))):
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


def _nothing(result: object) -> None:
    """A notice's result: nobody asks for it."""
