"""The hooks, as signatures. docs/reference/hooks.md says for each how it is called, how results combine and what a failure does.

An implementation is a function of the same name, marked with `hookimpl`, in a module or object that an entry point of the group
`ds_plugin` names. It may leave out arguments that it has no use for. Where the return type says Awaitable, it may be
`def` or `async def`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click

    from ds_engine.acoustic import ModelFamily
    from ds_engine.bias import Bias
    from ds_engine.decoder import DecoderFactory
    from ds_engine.observer import Recording, UtteranceInfo
    from ds_engine.stream import AudioFilterFactory
    from ds_engine.transcript import Partial, Transcript
    from ds_plugin.adapter import Adapter
    from ds_plugin.config import Option, Values
    from ds_plugin.vocabulary.source import VocabularySource

PROJECT = "ds_plugin"  # pluggy's project name, and the entry-point group

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def ds_register_model_family(register: Callable[[str, ModelFamily], None]) -> None:
    """Add loaders of acoustic models, by the family name that stands in a bundle's manifest."""


@hookspec
def ds_register_decoder(register: Callable[[str, DecoderFactory], None]) -> None:
    """Add decoders, by the name that the setting `decoder` selects."""


@hookspec
def ds_register_adapter(register: Callable[[Adapter], None]) -> None:
    """Add adapters that `ds-plugin serve` can start."""


@hookspec
def ds_register_command(register: Callable[[click.Command], None]) -> None:
    """Add commands to the command line."""


@hookspec
def ds_register_audio_filter(register: Callable[[str, AudioFilterFactory], None]) -> None:
    """Add audio filters, by the name that the setting `audio_filters` selects."""


@hookspec
def ds_register_options(register: Callable[[str, tuple[Option, ...]], None]) -> None:
    """Add sections to the settings, beside those of the adapters."""


@hookspec
def ds_configure(settings: Mapping[str, Values], register: Callable[[object], None]) -> None:
    """Be told the values of your own sections; register what depends on them: objects with hooks. Raise ConfigError for a wrong value."""


@hookspec
def ds_vocabulary_source() -> VocabularySource | None:
    """Give a source of the household's vocabulary, which is followed as long as the host runs."""


@hookspec
def ds_bias(utterance: UtteranceInfo) -> Bias | Awaitable[Bias | None] | None:
    """Give the phrases that this utterance is likely to hold; answer from memory, the speaker is talking already."""


@hookspec
def ds_utterance_started(utterance: UtteranceInfo) -> Awaitable[None] | None:
    """Be told that somebody has begun to speak."""


@hookspec
def ds_partial(utterance: UtteranceInfo, partial: Partial) -> Awaitable[None] | None:
    """Be told what has been understood so far."""


@hookspec
def ds_final(utterance: UtteranceInfo, transcript: Transcript) -> Awaitable[None] | None:
    """Be told the transcript that went out."""


@hookspec
def ds_utterance_ended(utterance: UtteranceInfo, error: BaseException | None) -> Awaitable[None] | None:
    """Be told that the utterance is over, with the error that ended it if one did."""


@hookspec
def ds_transform_transcript(utterance: UtteranceInfo, transcript: Transcript) -> Transcript | Awaitable[Transcript | None] | None:
    """Change a transcript before it goes out; None leaves it as it is."""


@hookspec
def ds_fallback(
    utterance: UtteranceInfo, transcript: Transcript, recording: Recording, deadline: float
) -> Transcript | Awaitable[Transcript | None] | None:
    """Offer a better transcript where confidence was low, within `deadline` seconds; None passes on to the next plugin."""
