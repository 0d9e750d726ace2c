"""The host's side of an engine: turns the engine's observer calls into hook calls.

Notices of one utterance are told one after the other, in order, by a task of their own, so that a slow plugin delays neither the
speaker nor the engine. When more than MAX_NOTICES wait, partials are left out: the next one says it all again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ds_engine.observer import Preparation, Recording, UtteranceInfo
from ds_engine.transcript import Partial, Transcript

if TYPE_CHECKING:
    from ds_engine.stream import AudioFilterFactory
    from ds_plugin.hooks import Hooks

MAX_NOTICES = 64  # of one utterance that wait to be told
CLOSE_SECONDS = 5.0  # that slow plugins get to hear the rest once the host closes

_Notice = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class FallbackRule:
    """When plugins are asked for a better transcript, and how long the speaker waits for one."""

    enabled: bool = False
    below: float = 0.5  # confidence
    deadline: float = 3.0  # s


class HookObserver:
    """See ds_engine.observer.Observer."""

    def __init__(self, hooks: Hooks, filters: tuple[AudioFilterFactory, ...] = (), fallback: FallbackRule | None = None) -> None:
        self._hooks = hooks
        self._filters = filters
        self._fallback = fallback or FallbackRule()
        self._notices: dict[str, asyncio.Queue[_Notice | None]] = {}
        self._tellers: set[asyncio.Task[None]] = set()

    @property
    def rewrites(self) -> bool:
        """True where a transform or a fallback may still change the text at the end."""
        return self._asks_fallback or self._hooks.implemented("ds_transform_transcript")

    async def prepare(self, info: UtteranceInfo) -> Preparation:
        """Collects the bias and announces the utterance."""
        preparation = Preparation(await self._hooks.bias(info), self._filters, record=self._asks_fallback)
        self._notices[info.id] = asyncio.Queue()
        teller = asyncio.create_task(self._tell(self._notices[info.id]), name=f"notices of utterance {info.id}")
        self._tellers.add(teller)
        teller.add_done_callback(self._tellers.discard)
        self._put(info, lambda: self._hooks.started(info))
        return preparation

    def partial(self, info: UtteranceInfo, partial: Partial) -> None:
        """Passes a partial on, unless too many notices wait."""
        if self._notices[info.id].qsize() < MAX_NOTICES:
            self._put(info, lambda: self._hooks.partial(info, partial))

    async def complete(self, info: UtteranceInfo, transcript: Transcript, recording: Recording | None) -> Transcript:
        """Asks the fallback where confidence is low, then lets the transforms change the text."""
        if recording is not None and transcript.best.confidence < self._fallback.below:
            transcript = await self._hooks.fallback(info, transcript, recording, self._fallback.deadline) or transcript
        return await self._hooks.transform(info, transcript)

    def ended(self, info: UtteranceInfo, transcript: Transcript | None, error: BaseException | None) -> None:
        """Announces the transcript and the end."""
        if transcript is not None:
            self._put(info, lambda: self._hooks.final(info, transcript))
        self._put(info, lambda: self._hooks.ended(info, error))
        self._notices.pop(info.id).put_nowait(None)

    async def close(self) -> None:
        """Waits until everything has been told, at most CLOSE_SECONDS."""
        if self._tellers:
            _, late = await asyncio.wait(self._tellers, timeout=CLOSE_SECONDS)
            for teller in late:
                teller.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    @property
    def _asks_fallback(self) -> bool:
        return self._fallback.enabled and self._hooks.implemented("ds_fallback")

    def _put(self, info: UtteranceInfo, notice: _Notice) -> None:
        self._notices[info.id].put_nowait(notice)

    @staticmethod
    async def _tell(notices: asyncio.Queue[_Notice | None]) -> None:
        while (notice := await notices.get()) is not None:
            await notice()
