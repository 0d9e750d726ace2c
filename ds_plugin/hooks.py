"""The typed façade over the hooks: the only caller of plugins, one method per hook.

Every implementation is called by itself, guarded and with a deadline, so that one that fails costs its own contribution only:
registrations are collected with collisions reported, biases are merged, notices go to everybody, transforms run in order with a
failure keeping the previous text, and the first fallback that answers wins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ds_engine.bias import Bias
from ds_engine.errors import PluginError
from ds_engine.transcript import Transcript

from ds_plugin.guarded_filter import GuardedFilter

if TYPE_CHECKING:
    import click
    from ds_engine.acoustic import ModelFamily
    from ds_engine.decoder import DecoderFactory
    from ds_engine.observer import Recording, UtteranceInfo
    from ds_engine.stream import AudioFilterFactory
    from ds_engine.transcript import Partial

    from ds_plugin.adapter import Adapter
    from ds_plugin.plugins import Implementation, Plugins

REGISTER_DEADLINE = 5.0  # s, for one plugin's registration hook
BIAS_DEADLINE = 0.2  # s, for one plugin: the speaker waits
NOTICE_DEADLINE = 1.0  # s, for one plugin and notice
TRANSFORM_DEADLINE = 0.5  # s, for one plugin: the speaker waits

T = TypeVar("T")


class Hooks:
    """Calls the plugins' hooks."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins

    def model_families(self) -> dict[str, ModelFamily]:
        """Model families by name."""
        return self._registered("ds_register_model_family", _by_name)

    def decoders(self) -> dict[str, DecoderFactory]:
        """Decoder factories by name."""
        return self._registered("ds_register_decoder", _by_name)

    def adapters(self) -> dict[str, Adapter]:
        """Adapters by name."""
        return self._registered("ds_register_adapter", lambda adapter: (adapter.name, adapter))

    def commands(self) -> dict[str, click.Command]:
        """Commands by name."""
        return self._registered("ds_register_command", lambda command: (command.name or "", command))

    def audio_filters(self) -> dict[str, AudioFilterFactory]:
        """Guarded audio filter factories by name: a filter that fails lets the audio through unchanged from then on."""
        filters: dict[str, AudioFilterFactory] = {}
        for plugin in self._plugins.implementations("ds_register_audio_filter"):
            for name, factory in self._collect(plugin, _by_name, set(filters)).items():
                filters[name] = GuardedFilter.factory(plugin.guard, name, factory)
        return filters

    async def bias(self, utterance: UtteranceInfo) -> Bias:
        """All plugins' biases as one; they are asked side by side."""
        calls = [
            self._checked(plugin, {"utterance": utterance}, BIAS_DEADLINE, Bias) for plugin in self._plugins.implementations("ds_bias")
        ]
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
            transcript = await self._checked(plugin, values, TRANSFORM_DEADLINE, Transcript) or transcript
        return transcript

    async def fallback(self, utterance: UtteranceInfo, transcript: Transcript, recording: Recording, deadline: float) -> Transcript | None:
        """The first transcript that a plugin offers; all of them together get `deadline` seconds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + deadline
        for plugin in self._plugins.implementations("ds_fallback"):
            values = {"utterance": utterance, "transcript": transcript, "recording": recording}
            if (left := end - loop.time()) <= 0:
                break
            if (offered := await self._checked(plugin, values, left, Transcript)) is not None:
                return offered
        return None

    def implemented(self, hook: str) -> bool:
        """True if any plugin implements the hook."""
        return bool(self._plugins.implementations(hook))

    def _registered(self, hook: str, entry: Callable[..., tuple[str, T]]) -> dict[str, T]:
        found: dict[str, T] = {}
        for plugin in self._plugins.implementations(hook):
            found.update(self._collect(plugin, entry, set(found)))
        return found

    def _collect(self, plugin: Implementation, entry: Callable[..., tuple[str, T]], taken: set[str]) -> dict[str, T]:
        """What one plugin registers; a name that is taken already is reported and left to its first owner."""
        found: dict[str, T] = {}

        def register(*values: Any) -> None:
            name, value = entry(*values)
            if name in taken or name in found:
                plugin.guard.refuse(plugin.hook, f"registers {name!r}, which exists already")
            else:
                found[name] = value

        try:
            plugin.guard.call(plugin.hook, plugin.bind({"register": register}), REGISTER_DEADLINE)
        except PluginError:
            return {}  # reported by the guard; half a registration is none
        return found

    async def _tell(self, hook: str, **values: Any) -> None:
        for plugin in self._plugins.implementations(hook):
            await self._checked(plugin, values, NOTICE_DEADLINE, object)

    @staticmethod
    async def _checked(plugin: Implementation, values: dict[str, Any], deadline: float, kind: type[T]) -> T | None:
        """One plugin's result if it is of this kind; None where it gave none, failed, or gave nonsense (both reported)."""
        try:
            result = await plugin.guard.call_async(plugin.hook, plugin.bind(values), deadline)
        except PluginError:
            return None
        if result is None or isinstance(result, kind):
            return result
        plugin.guard.refuse(plugin.hook, f"returned {type(result).__name__}, needed {kind.__name__}")
        return None


def _by_name(name: str, value: T) -> tuple[str, T]:
    return name, value
