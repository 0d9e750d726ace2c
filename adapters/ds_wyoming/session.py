"""One client's session: requests in, answers out, until the client leaves, errs, or the server stops.

The session reads and acts; each utterance is answered by tasks beside it, so that `describe` is answered and a vanished client
noticed at any time. Any fault ends the session: the client is told its code, and everything that it had open is dropped. A
client that has only ended its side of the connection still gets the answer to audio that it had stopped before.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field

from wyoming.error import Error
from wyoming.ping import Pong

from ds_engine.audio import AudioFormat
from ds_engine.errors import AudioError, AudioTooLongError, ClosedError, InternalError, LimitError, SpeechError, as_speech_error, stack_of
from ds_plugin.host import Host
from ds_wyoming.answer import Answer, Reply
from ds_wyoming.connection import Connection
from ds_wyoming.ending import Ending
from ds_wyoming.info import describe
from ds_wyoming.requests import SECOND_HAND, Asking, Chunk, Describing, Pinging, Request, Starting, Stopping, parse
from ds_wyoming.wav import HeaderSkipper

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Intake:
    """The utterance whose audio arrives. It is opened with its first byte: only then its format is certain."""

    announced: AudioFormat
    header: HeaderSkipper = field(init=False)
    answer: Answer | None = None
    taken: int = 0  # bytes of audio

    @property
    def over(self) -> bool:
        """True once the answer needs no more audio, although the client still sends some."""
        return self.answer is not None and self.answer.over

    def __post_init__(self) -> None:
        self.header = HeaderSkipper(self.announced)


class Session:
    """Serves one connection once."""

    def __init__(self, host: Host, connection: Connection, name: str, ending: Ending) -> None:
        self._host = host
        self._connection = connection
        self._name = name  # of the service
        self._ending = ending
        self._group = asyncio.TaskGroup()
        self._reading: asyncio.Task[None] | None = None
        self._asked = Asking()
        self._intake: _Intake | None = None
        self._answer: Answer | None = None  # the newest; those before it have gone out
        self._owing = True  # an answer to the next audio-stop, even if no audio comes before it
        self._leaving = False

    async def run(self) -> None:
        """Returns when the session is over, whatever ended it. Cancelled, it tells the client that the server stops."""
        try:
            await self._converse()
        except ExceptionGroup as errors:
            await self._report(errors.exceptions[0])
        except asyncio.CancelledError:
            await self._report(ClosedError("the server is shutting down"))
            raise

    def leave(self) -> None:
        """Ends the session as soon as no utterance needs more audio; what has been stopped is still answered."""
        self._leaving = True
        if self._reading and (self._intake is None or self._intake.over):
            self._reading.cancel()

    async def _converse(self) -> None:
        try:
            async with self._group:
                self._reading = self._group.create_task(self._read(), name="wyoming session")
        finally:
            if self._answer:
                await self._answer.abandon()
            self._answer = self._intake = None  # they refer to us: what they hold would live on until garbage is collected

    async def _read(self) -> None:
        while (event := await self._connection.read()) is not None:
            if (request := parse(event)) is not None:
                await self._act(request)
            await asyncio.sleep(0)  # what has arrived already is read without waiting; others' turn
        await self._abandon()

    async def _act(self, request: Request) -> None:
        match request:
            case Describing():
                await self._connection.send(describe(self._host.manifests, self._name, endpointing=self._ending.on))
            case Pinging(text=text):
                await self._connection.send(Pong(text))
            case Asking(language=language, model=model):
                self._host.choose(language, model)
                self._asked, self._owing = request, True
            case Starting(format=announced):
                await self._abandon()
                self._intake = _Intake(announced)
            case Chunk():
                await self._take(request)
            case Stopping():
                await self._stop()

    async def _take(self, chunk: Chunk) -> None:
        intake = self._intake = self._intake or _Intake(chunk.format)
        if chunk.format != intake.announced:
            raise AudioError(f"the chunk is {_said(chunk.format)}, its utterance {_said(intake.announced)}")
        await self._feed(intake, intake.header.feed(chunk.audio))

    async def _feed(self, intake: _Intake, audio: bytes) -> None:
        if not audio:
            return
        intake.answer = intake.answer or await self._open(intake.header.format)
        intake.taken += len(audio)
        if intake.over:
            await self._check_length(intake)
        else:
            await intake.answer.feed(audio)

    async def _check_length(self, intake: _Intake) -> None:
        """What comes after the end of speech is dropped, but not for ever. Raises AudioTooLongError."""
        seconds = self._host.engine.limits.utterance_seconds
        if intake.taken > intake.header.format.bytes_for(seconds):
            await self._answers_sent()
            raise AudioTooLongError(f"utterance_seconds: an utterance may last {seconds:g} s, and this one has been answered")

    async def _open(self, source: AudioFormat) -> Answer:
        await self._answers_sent()
        asked = self._asked
        endpointing = None if asked.origin == SECOND_HAND else self._ending.chosen(asked.sensitivity)  # it has been ended once
        utterance = await self._host.open(
            source, asked.bias, language=asked.language, model=asked.model, origin=asked.origin, endpointing=endpointing
        )
        self._answer = Answer(utterance, self._reply(utterance.info.language), self._group, self._speech_ended if endpointing else None)
        return self._answer

    def _speech_ended(self) -> None:
        """The utterance ends before its audio."""
        self._asked, self._owing = Asking(), False
        if self._leaving:
            self.leave()

    async def _stop(self) -> None:
        """Ends the utterance, unless the end of its speech has. A second stop ends none."""
        if self._intake is None or not self._intake.over:
            await self._finish(self._intake)
        self._intake = None
        if self._leaving:
            self.leave()

    async def _finish(self, intake: _Intake | None) -> None:
        """One without any audio is empty."""
        if intake:
            await self._feed(intake, intake.header.finish())
        if intake and intake.answer:
            intake.answer.finish()
        elif intake or self._owing:
            await self._answers_sent()
            await self._reply(self._host.choose(self._asked.language, self._asked.model).language).conclude("")
        self._asked, self._owing = Asking(), False

    async def _abandon(self) -> None:
        """Drops the utterance whose audio arrives, unless its speech has ended."""
        intake, self._intake = self._intake, None
        if intake and intake.answer and not intake.over:
            await intake.answer.abandon()

    async def _answers_sent(self) -> None:
        """Waits for the answer before, so that answers never mix."""
        if self._answer:
            await self._answer.sent()

    def _reply(self, language: str) -> Reply:
        return Reply(self._connection.send, language, self._asked.context)

    async def _report(self, error: Exception) -> None:
        """Tells the log and, if it is still there, the client."""
        if isinstance(error, OSError):
            _log.info("%s: gone (%s)", self._connection.peer, error)
            return
        fault = as_speech_error(error, "serving a connection")
        self._write_log(fault, caught=fault is not error)
        with contextlib.suppress(OSError):
            await self._connection.send(Error(str(fault), fault.code))

    def _write_log(self, fault: SpeechError, *, caught: bool) -> None:
        """What the engine raised it has logged itself; bad input is nobody's concern but the client's."""
        level = logging.WARNING if isinstance(fault, LimitError) else logging.INFO
        if caught and isinstance(fault, InternalError):
            _log.error("%s: %s\n%s", self._connection.peer, fault, stack_of(fault.__cause__))
        else:
            _log.log(level, "%s: %s: %s", self._connection.peer, fault.code, fault)


def _said(source: AudioFormat) -> str:
    return f"{source.rate} Hz, {8 * source.width} bit, {source.channels} channel(s)"
