"""The engine's only view of its host: who is told of an utterance's life, and who may have a say in it.

`prepare` is asked once before the first byte, `complete` once with the decoded transcript; both bound their own time. `partial`
and `ended` are told and must return at once. The engine knows no plugins: the host implements this protocol over its hooks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ds_engine.bias import Bias

if TYPE_CHECKING:
    from ds_engine.audio import AudioFormat
    from ds_engine.stream import AudioFilterFactory
    from ds_engine.transcript import Partial, Transcript


@dataclass(frozen=True, slots=True)
class UtteranceInfo:
    """What is known of an utterance when it opens."""

    id: str  # unique within the process
    source: AudioFormat
    language: str  # of the model that listens, BCP 47
    origin: str = ""  # which adapter opened it
    model: str = ""  # that listens: its name and version


@dataclass(frozen=True, slots=True)
class Preparation:
    """What the host adds to an utterance at its start."""

    bias: Bias = field(default_factory=Bias)
    filters: tuple[AudioFilterFactory, ...] = ()
    record: bool = False  # keep the audio for `complete`


@dataclass(frozen=True, slots=True)
class Recording:
    """The audio of one utterance, kept in memory for `complete` only."""

    source: AudioFormat
    data: bytes


class Observer(Protocol):
    """What an engine calls, always on its event loop."""

    @property
    def rewrites(self) -> bool:
        """True where `complete` may change text that was stable already: then nothing is final before the end."""
        ...

    async def prepare(self, info: UtteranceInfo) -> Preparation:
        """Asked before the first byte."""
        ...

    def partial(self, info: UtteranceInfo, partial: Partial) -> None:
        """Told of every change of the text."""
        ...

    async def complete(self, info: UtteranceInfo, transcript: Transcript, recording: Recording | None) -> Transcript:
        """Asked for the transcript that goes out, given the decoded one."""
        ...

    def ended(self, info: UtteranceInfo, transcript: Transcript | None, error: BaseException | None) -> None:
        """Told once per utterance: with its transcript, with the error that ended it, or with neither where it was abandoned."""
        ...


class SilentObserver:
    """The observer of an engine without a host: adds nothing, changes nothing."""

    rewrites = False

    async def prepare(self, info: UtteranceInfo) -> Preparation:
        """Nothing to add."""
        return Preparation()

    def partial(self, info: UtteranceInfo, partial: Partial) -> None:
        """Nobody to tell."""

    async def complete(self, info: UtteranceInfo, transcript: Transcript, recording: Recording | None) -> Transcript:
        """The transcript as decoded."""
        return transcript

    def ended(self, info: UtteranceInfo, transcript: Transcript | None, error: BaseException | None) -> None:
        """Nobody to tell."""
