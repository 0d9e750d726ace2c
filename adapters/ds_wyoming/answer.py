"""The answer to one utterance: its events in, Wyoming's streaming events out.

While audio arrives, text that will not change any more goes out as `transcript-chunk`; at the end the rest follows, then the
whole text again as `transcript`, for clients that know no other. The chunks one after the other are exactly that text.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.event import Eventable

from ds_engine.errors import SpeechError
from ds_engine.transcript import Final, Partial
from ds_engine.utterance import Utterance
from ds_wyoming.text import tidy

_log = logging.getLogger(__name__)

Send = Callable[[Eventable], Awaitable[None]]


class Reply:
    """The messages of one answer, in their order."""

    def __init__(self, send: Send, language: str) -> None:
        self._send = send
        self._language = language
        self._begun = False
        self._sent = ""

    async def show(self, stable: str) -> None:
        """Sends what is new in a text that will only grow."""
        text = tidy(stable)
        if text.startswith(self._sent) and len(text) > len(self._sent):
            await self._begin()
            await self._send(TranscriptChunk(text[len(self._sent) :]))
            self._sent = text

    async def conclude(self, text: str) -> None:
        """Sends the rest and the whole."""
        await self._begin()
        await self.show(text)
        text = tidy(text)
        if text != self._sent:
            _log.warning("the decoder changed text that it had called stable; the transcript differs from the chunks sent before")
        await self._send(Transcript(text, language=self._language))
        await self._send(TranscriptStop())

    async def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            await self._send(TranscriptStart(language=self._language))


class Answer:
    """Follows an utterance to its end and answers it, in tasks of the group; an error of the utterance is raised there."""

    def __init__(self, utterance: Utterance, reply: Reply, group: asyncio.TaskGroup) -> None:
        self._utterance = utterance
        self._reply = reply
        self._group = group
        self._following = group.create_task(self._follow(), name=f"answer to utterance {utterance.info.id}")

    async def feed(self, audio: bytes) -> None:
        """Passes audio on; waits while the engine is behind."""
        await self._utterance.feed(audio)

    def finish(self) -> None:
        """No audio follows: let the answer be completed."""
        self._group.create_task(self._finish())

    async def sent(self) -> None:
        """Waits until the answer has gone out, or never will."""
        await asyncio.wait({self._following})

    async def abandon(self) -> None:
        """Drops the utterance, unless it has been answered; its place is free at once."""
        self._following.cancel()
        await self._utterance.close()

    async def _finish(self) -> None:
        with contextlib.suppress(SpeechError):  # `_follow` meets it too
            await self._utterance.finish()

    async def _follow(self) -> None:
        rewritten = self._utterance.rewrites  # then nothing is certain before the end
        async for event in self._utterance.events():
            match event:
                case Partial(stable=stable) if not rewritten:
                    await self._reply.show(stable)
                case Final(transcript=transcript):
                    await self._reply.conclude(transcript.text)
