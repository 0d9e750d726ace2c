"""The typed façade over the hooks: the only caller of plugins, one method per hook.

Every implementation is called by itself, guarded and with a deadline, so that one that fails costs its own contribution only:
registrations are collected with collisions reported, settings are handed to those who registered them, biases are merged, notices
go to everybody, transforms run in order with a failure keeping the previous text, and the first fallback that answers wins.
Registrations are made once, in the order in which the plugins were loaded, so that nobody can take a name from the built-ins; the
other hooks are called in pluggy's order.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import itertools
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ds_engine.bias import Bias
from ds_engine.errors import PluginError
from ds_plugin.checks import CHECKS, Registration, checked_bias, checked_transcript, hosts_claims, nothing
from ds_plugin.config import ConfigError
from ds_plugin.guarded_filter import GuardedFilter
from ds_plugin.guarded_source import GuardedSource

if TYPE_CHECKING:
    import click

    from ds_engine.acoustic import ModelFamily
    from ds_engine.decoder import DecoderFactory
    from ds_engine.observer import Recording, UtteranceInfo
    from ds_engine.stream import AudioFilterFactory
    from ds_engine.transcript import Partial, Transcript
    from ds_plugin.adapter import Adapter
    from ds_plugin.config import Option, Settings, Values
    from ds_plugin.guard import Guard
    from ds_plugin.plugins import Implementation, Plugins
    from ds_plugin.vocabulary.source import VocabularySource

_SECTIONS = ("ds_register_adapter", "ds_register_options")  # both name sections of the settings, which are one set of names

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """What one plugin gets for one call, in seconds."""

    registration: float = 20.0  # imports what it registers, on small machines too; ds_configure has as long
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
        self._registrations: dict[str, dict[str, tuple[Guard, Registration]]] = {}  # by hook and name, with whose it is

    def model_families(self) -> dict[str, ModelFamily]:
        """Model families by name."""
        return self._registered("ds_register_model_family")

    def decoders(self) -> dict[str, DecoderFactory]:
        """Decoder factories by name."""
        return self._registered("ds_register_decoder")

    def adapters(self) -> dict[str, Adapter]:
        """Adapters by name."""
        return self._registered("ds_register_adapter")

    def commands(self) -> dict[str, click.Command]:
        """Commands by name."""
        return self._registered("ds_register_command")

    def audio_filters(self) -> dict[str, AudioFilterFactory]:
        """Guarded audio filter factories by name: a filter that fails lets the audio through unchanged from then on."""
        found = self._registrations_of("ds_register_audio_filter").items()
        return {name: self._guarded_filter(guard, name, each.value) for name, (guard, each) in found}

    def options(self) -> dict[str, tuple[Option, ...]]:
        """Options by section: those of plugins that are no adapters."""
        return self._registered("ds_register_options")

    def configure(self, settings: Settings) -> None:
        """Hands every plugin the values of its own sections, before the first utterance. Raises ConfigError where one refuses a value.

        What a plugin registers then takes part from now on; being configured again replaces it.
        """
        for plugin in self._in_order_of_loading("ds_configure"):
            objects = self._configured(plugin, self._own_settings(plugin, settings))
            try:
                self._plugins.replace_configured(plugin.guard.plugin, objects)
            except PluginError as error:
                plugin.guard.refuse(plugin.hook, f"registers what cannot be: {error}")

    def vocabulary_sources(self) -> tuple[GuardedSource, ...]:
        """All plugins' sources of vocabulary, guarded, each under the name of its own or, where that is taken, of its plugin."""
        sources: dict[str, GuardedSource] = {}
        for plugin in self._in_order_of_loading("ds_vocabulary_source"):
            try:
                found = plugin.guard.call(plugin.hook, functools.partial(_source, plugin.bind({})), self._deadlines.registration)
            except PluginError:
                continue
            if found is not None:
                source, own = found
                name = _free(own, plugin.guard.plugin, sources)
                sources[name] = GuardedSource(plugin.guard, source, name, self._deadlines.registration)
        return tuple(sources.values())

    async def bias(self, utterance: UtteranceInfo) -> Bias:
        """All plugins' biases as one; they are asked side by side."""
        values = {"utterance": utterance}
        calls = [self._checked(plugin, values, self._deadlines.bias, checked_bias) for plugin in self._plugins.implementations("ds_bias")]
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
            transcript = await self._checked(plugin, values, self._deadlines.transform, checked_transcript) or transcript
        return transcript

    async def fallback(self, utterance: UtteranceInfo, transcript: Transcript, recording: Recording, deadline: float) -> Transcript | None:
        """The first transcript that a plugin offers; all of them together get `deadline` seconds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + deadline
        for plugin in self._plugins.implementations("ds_fallback"):
            if (left := end - loop.time()) <= 0:
                break
            values = {"utterance": utterance, "transcript": transcript, "recording": recording, "deadline": left}
            if (offered := await self._checked(plugin, values, left, checked_transcript)) is not None:
                return offered
        return None

    def implemented(self, hook: str) -> bool:
        """True if any plugin implements the hook."""
        return bool(self._plugins.implementations(hook))

    def _registered(self, hook: str) -> dict[str, Any]:
        return {name: registration.value for name, (_, registration) in self._registrations_of(hook).items()}

    def _registrations_of(self, hook: str) -> dict[str, tuple[Guard, Registration]]:
        """What a hook's plugins have registered, by name, and whose it is."""
        if hook not in self._registrations:
            self._register(_SECTIONS if hook in _SECTIONS else (hook,))
        return self._registrations[hook]

    def _register(self, hooks: tuple[str, ...]) -> None:
        """Collects the registrations of hooks that share their names."""
        self._registrations.update({hook: {} for hook in hooks})
        taken = hosts_claims() if hooks == _SECTIONS else set()
        for plugin in self._in_order_of_loading(*hooks):
            for registration in self._collect(plugin, frozenset(taken)):
                taken |= registration.claims
                self._registrations[plugin.hook][registration.name] = plugin.guard, registration

    def _in_order_of_loading(self, *hooks: str) -> list[Implementation]:
        """Who implements any of the hooks, whoever was loaded first before the others, whatever order they ask for."""
        order = {report.name: number for number, report in enumerate(self._plugins.loaded)}
        found = [plugin for hook in hooks for plugin in self._plugins.implementations(hook)]
        return sorted(found, key=lambda plugin: order[plugin.guard.plugin])

    def _collect(self, plugin: Implementation, taken: frozenset[str]) -> list[Registration]:
        """What one plugin registers; what is taken already is reported and left to its first owner."""
        found: list[Registration] = []

        def register(*values: Any) -> None:
            new = CHECKS[plugin.hook](*values)
            if clash := new.claims & taken.union(*(earlier.claims for earlier in found)):
                what = new.name if new.name in clash else min(clash)
                plugin.guard.refuse(plugin.hook, f"registers {what!r:.60}, which exists already")
            else:
                found.append(new)

        try:
            plugin.guard.call(plugin.hook, plugin.bind({"register": register}), self._deadlines.registration)
        except PluginError:
            return []  # reported by the guard; half a registration is none
        return found

    def _own_settings(self, plugin: Implementation, settings: Settings) -> dict[str, Values]:
        """The values of the sections that the plugin itself has registered; what the settings do not know has its default."""
        owned = [each for hook in _SECTIONS for guard, each in self._registrations_of(hook).values() if guard is plugin.guard]
        defaults = {each.name: {option.name: option.default for option in each.options} for each in owned}
        return copy.deepcopy({section: {**values, **settings.section(section)} for section, values in defaults.items()})

    def _configured(self, plugin: Implementation, settings: dict[str, Values]) -> list[object]:
        """What one plugin registers now that it knows its settings. Raises ConfigError where it refuses one."""
        found: list[object] = []
        function = plugin.bind({"settings": settings, "register": found.append})

        def tell() -> ConfigError | None:
            try:
                function()
            except ConfigError as error:
                return error  # the user's fault and no plugin's
            return None

        try:
            wrong = plugin.guard.call(plugin.hook, tell, self._deadlines.registration)
        except PluginError:
            return []
        if wrong is not None:
            raise wrong
        return found

    def _guarded_filter(self, guard: Guard, name: str, factory: AudioFilterFactory) -> AudioFilterFactory:
        return functools.partial(GuardedFilter, guard, name, factory, self._deadlines)

    async def _tell(self, hook: str, **values: Any) -> None:
        for plugin in self._plugins.implementations(hook):
            await self._checked(plugin, values, self._deadlines.notice, nothing)

    @staticmethod
    async def _checked(plugin: Implementation, values: dict[str, Any], deadline: float, check: Callable[[object], T | None]) -> T | None:
        """One plugin's result if it passes the check; None where it gave none, failed, or gave nonsense (both reported)."""
        try:
            result = await plugin.guard.call_async(plugin.hook, plugin.bind(values), deadline)
        except PluginError:
            return None
        checked = None if result is None else check(result)
        if checked is None and result is not None and check is not nothing:
            plugin.guard.refuse(plugin.hook, f"returned a {type(result).__name__} that cannot be used")
        return checked


def _free(own: str, plugin: str, taken: Container[str]) -> str:
    """The name of its own, or, where that is taken, with its plugin's, and a number where one plugin gives several."""
    names = itertools.chain([own, f"{own} ({plugin})"], (f"{own} ({plugin} {number})" for number in itertools.count(2)))
    return next(name for name in names if name not in taken)


def _source(give: Callable[[], Any]) -> tuple[VocabularySource, str] | None:
    """What a plugin gives, and its name. Raises TypeError, in the plugin's own call, for anything else."""
    source = give()
    if source is None:
        return None
    name = source.name
    if not isinstance(name, str) or not name or not callable(source.stored) or not callable(source.run):
        raise TypeError(f"needed a source of vocabulary with name, stored and run, got {source!r:.60}")
    return source, str(name)
