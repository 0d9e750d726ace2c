"""One utterance as the engine's callers hold it: feed bytes, follow events, await the transcript.

Bytes queue up here until a worker takes a turn; feeding waits while `queue_seconds` of audio are queued. Partials replace each
other, so a reader that is slow sees the newest text and nothing piles up. An utterance ends exactly once, with a transcript,
with an error, or abandoned by `close`; whatever else happens to it afterwards changes nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ds_engine.errors import ClosedError, InternalError, SpeechError, TimeLimitError
from ds_engine.observer import Observer, Preparation, Recording, UtteranceInfo
from ds_engine.stream import Stream, advance_together
from ds_engine.transcript import Event, Final, Partial, Transcript

if TYPE_CHECKING:
    from ds_engine.limits import Limits


@dataclass(slots=True)
class Turn:
    """What a worker thread does for one utterance at a time, and what came of it."""

    stream: Stream
    data: bytes
    end: bool
    partials: list[Partial]
    final: Final | None = None
    error: SpeechError | None = None
    seconds: float = 0.0  # of computing


class Utterance:
    """An open utterance. Made by Engine.open; use it as an async context manager, or call `close`."""

    def __init__(
        self,
        *,
        info: UtteranceInfo,
        stream: Stream,
        preparation: Preparation,
        limits: Limits,
        observer: Observer,
        schedule: Callable[[Utterance], None],
        forget: Callable[[Utterance], None],
    ) -> None:
        self.info = info
        self._stream = stream
        self._limits = limits
        self._observer = observer
        self._schedule = schedule
        self._forget = forget
        self._recording: list[bytes] | None = [] if preparation.record else None
        self._pending: deque[bytes] = deque()
        self._pending_bytes = 0
        self._ending = False
        self._queued = False  # waiting for a worker, or with one
        self._decoded: Final | None = None
        self._transcript: Transcript | None = None
        self._error: BaseException | None = None
        self._closed = False
        self._partial = Partial()
        self._compute_seconds = 0.0
        self._changed = asyncio.Condition()
        self._idle = asyncio.get_running_loop().call_later(limits.idle_seconds, self._fail_idle)
        self._failing: asyncio.Future[None] | None = None

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
        async with self._changed:
            await self._changed.wait_for(lambda: self._over or self._pending_bytes < limit)
        self._open_or_raise()
        if data:
            self._pending.append(bytes(data))
            self._pending_bytes += len(data)
            if self._recording is not None:
                self._recording.append(bytes(data))
            self._wake()
        self._rearm_idle()

    async def finish(self) -> Transcript:
        """Ends the audio and returns the transcript. Raises the error that ended the utterance, if one did."""
        self._open_or_raise()
        self._ending = True
        self._idle.cancel()
        self._wake()
        try:
            async with self._changed:
                await self._changed.wait_for(lambda: self._over or self._decoded is not None)
            if self._decoded is None:
                raise self._error or _ended()
            decoded = replace(self._decoded.transcript, compute_seconds=self._compute_seconds)
            recording = None if self._recording is None else Recording(self.info.source, b"".join(self._recording))
            self._transcript = await self._observer.complete(self.info, decoded, recording)
        finally:
            await self.close()
        return self._transcript

    async def events(self) -> AsyncIterator[Event]:
        """The newest partial whenever it changed, then the final. Raises the error that ended the utterance, if one did."""
        seen = Partial()
        while True:
            async with self._changed:
                while not self._over and self._partial == seen:
                    await self._changed.wait()
            if self._partial != seen:
                seen = self._partial
                yield seen
            elif self._transcript is not None:
                yield Final(self._transcript)
                return
            else:
                raise self._error or _ended()

    async def close(self) -> None:
        """Ends the utterance, finished or not: what is queued is dropped, and its place is free at once."""
        if self._closed:
            return
        self._closed = True
        self._idle.cancel()
        self._pending.clear()
        self._forget(self)
        self._observer.ended(self.info, self._transcript, self._error)
        await self._notify()

    async def fail(self, error: SpeechError) -> None:
        """Ends the utterance with an error, which its next verb raises; what had ended already stays as it was."""
        if not self._over:
            self._error = error
            await self.close()

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

    async def settle(self, turn: Turn) -> None:
        """Takes in what a worker has done."""
        self._queued = False
        self._compute_seconds += turn.seconds
        if self._over:
            return
        if turn.error is not None:
            await self.fail(turn.error)
            return
        for partial in turn.partials:
            self._partial = partial
            self._observer.partial(self.info, partial)
        self._decoded = turn.final
        if self._decoded is None and (self._pending or self._ending):
            self._wake()
        await self._notify()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    @property
    def _over(self) -> bool:
        return self._closed or self._error is not None

    def _open_or_raise(self) -> None:
        if self._error is not None:
            raise self._error
        if self._closed or self._ending:
            raise _ended()

    def _wake(self) -> None:
        if not self._queued:
            self._queued = True
            self._schedule(self)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _stream_bytes(self, seconds: float) -> int:
        return max(1, self.info.source.bytes_for(seconds))

    def _rearm_idle(self) -> None:
        self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(self._limits.idle_seconds, self._fail_idle)

    def _fail_idle(self) -> None:
        error = TimeLimitError(f"idle_seconds: no audio for {self._limits.idle_seconds:g} s")
        self._failing = asyncio.ensure_future(self.fail(error))  # kept: the loop holds tasks only weakly


def _ended() -> ClosedError:
    return ClosedError("this utterance has already ended")


def compute(turns: list[Turn]) -> None:
    """Does the turns, in a worker thread; utterances that share a model are stepped together. Never raises."""
    began = time.perf_counter()
    for turn in turns:
        _guarded([turn], lambda turn=turn: turn.stream.push(turn.data))  # type: ignore[misc]
    while ready := [turn for turn in turns if turn.error is None and turn.stream.ready]:
        _guarded(ready, lambda ready=ready: advance_together([turn.stream for turn in ready]))  # type: ignore[misc]
    for turn in turns:
        if turn.error is None:
            _guarded([turn], lambda turn=turn: _conclude(turn))  # type: ignore[misc]
        turn.seconds = (time.perf_counter() - began) / len(turns)


def _conclude(turn: Turn) -> None:
    turn.partials = turn.stream.changes()
    if turn.end:
        turn.final = turn.stream.finish()


def _guarded(turns: list[Turn], work: Callable[[], None]) -> None:
    try:
        work()
    except SpeechError as error:
        _blame(turns, error)
    except Exception as error:  # noqa: BLE001 - a bug of ours must end these utterances and no others
        fault = InternalError(f"{type(error).__name__} while decoding")
        fault.__cause__ = error
        _blame(turns, fault)


def _blame(turns: list[Turn], error: SpeechError) -> None:
    for turn in turns:
        turn.error = error
