"""One utterance as the engine's callers hold it: feed bytes, follow events, await the transcript.

Bytes queue up here until a worker takes a turn; feeding waits while `queue_seconds` of audio are queued. Partials replace each
other, so a reader that is slow sees the newest text and nothing piles up. That speech has ended is told and no more: it is for the
caller to finish, who may have fed more by then, and may go on. An utterance ends exactly once, with a transcript,
with an error, or abandoned by `close`; whatever else happens to it afterwards changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ds_engine.errors import ClosedError, SpeechError, TimeLimitError, as_speech_error, kind_and_place, stack_of
from ds_engine.observer import Observer, Preparation, Recording, UtteranceInfo
from ds_engine.stream import Stream, acoustic_steps
from ds_engine.transcript import Event, Final, Partial, Progress, SpeechEnded, SpeechStarted, Transcript

if TYPE_CHECKING:
    from ds_engine.limits import Limits
    from ds_engine.recognizer import Recognizer

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Turn:
    """What a worker thread does for one utterance at a time, and what came of it."""

    stream: Stream
    data: bytes
    end: bool
    progress: list[Progress]
    final: Final | None = None
    error: SpeechError | None = None
    seconds: float = 0.0  # of computing


class Utterance:
    """An open utterance. Made by Engine.open; use it as an async context manager, or call `close`."""

    def __init__(
        self,
        *,
        info: UtteranceInfo,
        recognizer: Recognizer,
        stream: Stream,
        preparation: Preparation,
        limits: Limits,
        observer: Observer,
        schedule: Callable[[Utterance], None],
        forget: Callable[[Utterance], None],
    ) -> None:
        self.info = info
        self.recognizer = recognizer
        self._stream = stream
        self._limits = limits
        self._observer = observer
        self._schedule = schedule
        self._forget = forget
        self._recording: list[bytes] | None = [] if preparation.record else None
        self._pending: deque[memoryview] = deque()
        self._pending_bytes = 0
        self._ending = False
        self._queued = False  # waiting for a worker, or with one
        self._decoded: Final | None = None
        self._transcript: Transcript | None = None
        self._error: SpeechError | None = None
        self._over = False
        self._partial = Partial()
        self._speech: list[SpeechStarted | SpeechEnded] = []  # two at most
        self._compute_seconds = 0.0
        self._changed = asyncio.Event()  # set and replaced at every change
        self._idle = asyncio.get_running_loop().call_later(limits.idle_seconds, self._fail_idle)

    @property
    def partial(self) -> Partial:
        """What has been understood so far."""
        return self._partial

    @property
    def rewrites(self) -> bool:
        """True where the transcript may differ from text that was reported stable."""
        return self._observer.rewrites

    async def feed(self, data: bytes) -> None:
        """Queues bytes; waits while the queue is full. Raises the error that ended the utterance, if one did."""
        self._open_or_raise()
        limit = self._stream_bytes(self._limits.queue_seconds)
        await self._until(lambda: self._pending_bytes < limit)
        self._open_or_raise()
        if data:
            self._pending.append(memoryview(bytes(data)))
            self._pending_bytes += len(data)
            if self._recording is not None:
                self._recording.append(bytes(data))
            self._wake()
            self._rearm_idle()

    async def drained(self) -> None:
        """Waits until all that was fed has been decoded (up to a chunk that is not whole), or the utterance has ended."""
        await self._until(lambda: not (self._queued or self._pending))

    async def finish(self) -> Transcript:
        """Ends the audio and returns the transcript. Raises the error that ended the utterance, if one did."""
        self._open_or_raise()
        self._ending = True
        self._idle.cancel()
        self._wake()
        try:
            await self._until(lambda: self._decoded is not None)
            self._transcript = await self._completed()
        finally:
            self._end()
        return self._transcript

    async def events(self) -> AsyncIterator[Event]:
        """The newest partial whenever it changed, then the final. Raises the error that ended the utterance, if one did.

        An utterance that was opened with endpointing tells in between that speech has started, once, and that it has ended, once.
        """
        seen, told = Partial(), 0
        while True:
            while self._partial == seen and told == len(self._speech) and not self._over:
                await self._changed.wait()
            if told < len(self._speech):
                told += 1
                yield self._speech[told - 1]
            elif self._partial != seen:
                seen = self._partial
                yield seen
            elif self._transcript is not None:
                yield Final(self._transcript)
                return
            else:
                raise self._reason()

    async def close(self) -> None:
        """Ends the utterance, finished or not: what is queued is dropped, and its place is free at once."""
        self._end()

    def fail(self, error: SpeechError) -> None:
        """Ends the utterance with an error, which its next verb raises; what had ended already stays as it was."""
        self._end(error)

    def next_turn(self) -> Turn | None:
        """The next slice of work, at most `slice_seconds` of audio; None where the utterance has ended meanwhile."""
        if self._over:
            return None
        limit, data = self._stream_bytes(self._limits.slice_seconds), bytearray()
        while self._pending and len(data) < limit:
            piece = self._pending.popleft()
            room = limit - len(data)
            data += piece[:room]
            if len(piece) > room:
                self._pending.appendleft(piece[room:])
        self._pending_bytes -= len(data)
        return Turn(self._stream, bytes(data), self._ending and not self._pending, [])

    def settle(self, turn: Turn) -> None:
        """Takes in what a worker has done."""
        self._queued = False
        self._compute_seconds += turn.seconds
        if self._over:
            return
        if turn.error is not None:
            self.fail(turn.error)
            return
        for event in turn.progress:
            match event:
                case Partial():
                    self._partial = event
                    self._tell(self._observer.partial, event)
                case SpeechStarted() | SpeechEnded():
                    self._speech.append(event)
        self._decoded = turn.final
        if self._decoded is None and (self._pending or self._ending):
            self._wake()
        self._notify()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()

    async def _completed(self) -> Transcript:
        if self._over or self._decoded is None:
            raise self._reason()
        decoded = replace(self._decoded.transcript, compute_seconds=self._compute_seconds)
        recording = None if self._recording is None else Recording(self.info.source, b"".join(self._recording))
        completed = decoded
        try:
            completed = await self._observer.complete(self.info, decoded, recording)
        except Exception as error:  # noqa: BLE001 - whatever it was, the utterance has ended with it
            self.fail(as_speech_error(error, "completing"))
        if self._over:  # or it was closed meanwhile, and the observer told so
            raise self._reason()
        return completed

    def _end(self, error: SpeechError | None = None) -> None:
        """The one place where an utterance ends; nothing in it waits, so nothing can come between."""
        if self._over:
            return
        self._over, self._error = True, error
        self._idle.cancel()
        self._pending.clear()
        self._recording = None
        self._forget(self)
        self._tell(self._observer.ended, self._transcript, error)
        self._notify()

    def _tell(self, notice: Callable[..., None], *what: object) -> None:
        try:
            notice(self.info, *what)
        except Exception as error:  # noqa: BLE001 - a fault of the host must not end the worker that tells it
            _log.error("utterance %s: the observer raised %s\n%s", self.info.id, kind_and_place(error), stack_of(error))

    def _open_or_raise(self) -> None:
        if self._over or self._ending:
            raise self._reason()

    def _reason(self) -> SpeechError:
        # Without its old traceback: the same error is raised for every call that comes late, and would grow with each.
        return self._error.with_traceback(None) if self._error is not None else ClosedError("this utterance has already ended")

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not (self._over or reached()):
            await self._changed.wait()

    def _wake(self) -> None:
        if not self._queued:
            self._queued = True
            self._schedule(self)

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _stream_bytes(self, seconds: float) -> int:
        return max(1, self.info.source.bytes_for(seconds))

    def _rearm_idle(self) -> None:
        self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(self._limits.idle_seconds, self._fail_idle)

    def _fail_idle(self) -> None:
        if self._queued:  # what was said still waits for a worker: we are slow, the speaker is not idle
            self._rearm_idle()
        else:
            self.fail(TimeLimitError(f"idle_seconds: no audio for {self._limits.idle_seconds:g} s"))


def compute(turns: list[Turn]) -> None:
    """Does the turns, in a worker thread; utterances that share a model are stepped together. Never raises."""
    began = time.perf_counter()
    for turn in turns:
        with _blaming(turn):
            turn.stream.push(turn.data)
    while ready := [turn for turn in turns if turn.error is None and turn.stream.ready]:
        _step(ready)
    for turn in turns:
        if turn.error is None:
            with _blaming(turn):
                _conclude(turn)
    for turn in turns:
        turn.seconds = (time.perf_counter() - began) / len(turns)


def _step(turns: list[Turn]) -> None:
    """One acoustic step together; where that fails, each alone, so that only the one at fault ends."""
    try:
        steps = acoustic_steps([turn.stream for turn in turns])
    except Exception as error:  # noqa: BLE001 - see _blaming
        if len(turns) == 1:
            turns[0].error = as_speech_error(error, "decoding")
            return
        for turn in turns:
            _step([turn])
        return
    for turn, step in zip(turns, steps, strict=True):
        with _blaming(turn):
            turn.stream.stepped(*step)


def _conclude(turn: Turn) -> None:
    turn.progress = turn.stream.changes()
    if turn.end:
        turn.final = turn.stream.finish()


@contextlib.contextmanager
def _blaming(turn: Turn) -> Iterator[None]:
    """A bug of ours, or a plugin that exits, must end this utterance and no other."""
    try:
        yield
    except (Exception, SystemExit) as error:  # noqa: BLE001
        turn.error = as_speech_error(error, "decoding")
