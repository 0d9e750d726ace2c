"""The answer to one utterance: its events in, Wyoming's streaming events out.

While audio arrives, text that will not change any more goes out as `transcript-chunk`; at the end the rest follows, then the
whole text again as `transcript`, for clients that know no other. The chunks one after the other are exactly that text.

The end is the client's `audio-stop` or, where the utterance was opened with endpointing, the end of the speech if that comes
first. Audio then reaches the engine in blocks of one size, each decoded before the next, so that the text does not depend on how
far ahead of the speaker's end a client has sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.event import Eventable

from ds_engine.errors import SpeechError
from ds_engine.transcript import EndReason, Final, Partial, SpeechEnded
from ds_engine.utterance import Utterance
from ds_wyoming.text import tidy

BLOCK_SECONDS = 0.05  # of audio, where the end of speech is looked for; so much may be heard after it

_log = logging.getLogger(__name__)

Send = Callable[[Eventable], Awaitable[None]]


class Reply:
    """The messages of one answer, in their order."""

    def __init__(self, send: Send, language: str, context: dict[str, Any] | None = None) -> None:
        """`context` is what the client sent to have it back."""
        self._send = send
        self._language = language
        self._context = context
        self._begun = False
        self._sent = ""

    @property
    def sent(self) -> str:
        """What has gone out of the text."""
        return self._sent

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
        await self._send(Transcript(text, language=self._language, context=self._context))
        await self._send(TranscriptStop())

    async def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            await self._send(TranscriptStart(language=self._language, context=self._context))


class Answer:
    """Follows an utterance to its end and answers it, in tasks of the group; an error of the utterance is raised there."""

    def __init__(self, utterance: Utterance, reply: Reply, group: asyncio.TaskGroup, ended: Callable[[], None] | None) -> None:
        """`ended` is for an utterance with endpointing: it is called once its speech has ended, if that is before `finish`."""
        self.over = False  # True once the answer needs no more audio
        self._utterance = utterance
        self._reply = reply
        self._group = group
        self._ended = ended
        self._held = bytearray()  # audio that makes no whole block yet
        self._nothing_said = False
        self._following = group.create_task(self._follow(), name=f"answer to utterance {utterance.info.id}")

    async def feed(self, audio: bytes) -> None:
        """Passes audio on, until the answer is over; waits while the engine is behind."""
        if self._ended is None:
            await self._utterance.feed(audio)
            return
        self._held += audio
        size = self._utterance.info.source.bytes_for(BLOCK_SECONDS)
        while len(self._held) >= size and not self.over:
            block = bytes(self._held[:size])
            del self._held[:size]
            await self._utterance.feed(block)
            await self._utterance.drained()

    def finish(self) -> None:
        """No audio follows: let the answer be completed."""
        if not self.over:
            self.over = True
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
            if self._held:
                await self._utterance.feed(bytes(self._held))
            await self._utterance.finish()

    async def _follow(self) -> None:
        rewritten = self._utterance.rewrites  # then nothing is certain before the end
        async for event in self._utterance.events():
            match event:
                case Partial(stable=stable) if not rewritten:
                    await self._reply.show(stable)
                case SpeechEnded(reason=reason) if self._ended and not self.over:
                    self._nothing_said = reason is EndReason.NOTHING_SAID
                    self._held.clear()
                    self.finish()
                    self._ended()
                case Final(transcript=transcript):
                    await self._reply.conclude(self._reply.sent if self._nothing_said else transcript.text)  # noise may read like letters
