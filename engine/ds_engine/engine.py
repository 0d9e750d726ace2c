"""The engine: shared recognizers, many utterances at once, on asyncio.

Utterances with something to do stand in one queue (`ready`); each worker takes the first (with as many others as its model steps
together), computes one turn in a thread and puts it back at the end, so that a minute of audio sent at once delays nobody's
live speech. A turn that hangs is given up, its utterance failed. The threads that `threads` keeps for this module are the
only ones that compute.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import logging
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ds_engine.audio import AudioFormat
from ds_engine.bias import Bias
from ds_engine.errors import BusyError, ClosedError, InternalError, TimeLimitError, as_speech_error, stack_of
from ds_engine.limits import Limits
from ds_engine.observer import Observer, SilentObserver, UtteranceInfo
from ds_engine.ready import Ready
from ds_engine.threads import Threads
from ds_engine.utterance import Utterance, compute

if TYPE_CHECKING:
    from ds_engine.listener import Endpointing
    from ds_engine.recognizer import Recognizer
    from ds_engine.stream import Stream

T = TypeVar("T")

_log = logging.getLogger(__name__)
_ids = itertools.count(1)


class Engine:
    """Serves utterances of one recognizer, or of others beside it. Use it as an async context manager, or call `start` and `close`."""

    def __init__(self, recognizer: Recognizer, limits: Limits | None = None, observer: Observer | None = None) -> None:
        self.recognizer = recognizer
        self.limits = limits or Limits()
        self._observer = observer or SilentObserver()
        self._utterances: set[Utterance] = set()
        self._opening = 0
        self._ready = Ready()
        self._threads = Threads(self.limits.workers, "ds-engine")
        self._workers: list[asyncio.Task[None]] = []
        self._computing: set[asyncio.Future[Any]] = set()
        self._closing = False
        self._idle = asyncio.Event()

    @property
    def utterances(self) -> int:
        """How many utterances are open."""
        return len(self._utterances) + self._opening

    def start(self) -> None:
        """Starts the workers."""
        self._workers = [asyncio.create_task(self._work(), name=f"ds-engine worker {i}") for i in range(self.limits.workers)]

    async def open(
        self,
        source: AudioFormat | None = None,
        bias: Bias | None = None,
        *,
        origin: str = "",
        endpointing: Endpointing | None = None,
        recognizer: Recognizer | None = None,
    ) -> Utterance:
        """Opens an utterance of PCM in `source`'s format. Raises BusyError or ClosedError where there is no place for it.

        `bias` is the caller's own for this utterance; what the host's bias sources say is added to it. With `endpointing` its
        events tell when speech starts and ends. `recognizer` may be another than the engine's own.
        """
        if self._closing or not self._workers:
            raise ClosedError("the engine is not running")
        if self.utterances >= self.limits.utterances:
            raise BusyError(f"utterances: {self.limits.utterances} are open already")
        chosen = recognizer or self.recognizer
        info = UtteranceInfo(f"{next(_ids):x}", source or AudioFormat(), chosen.language, origin, chosen.name)
        self._opening += 1
        try:
            return await self._opened(info, chosen, bias or Bias(), endpointing)
        finally:
            self._opening -= 1

    async def close(self) -> None:
        """Takes no new utterances, gives the open ones `shutdown_seconds` to finish, fails the rest and stops."""
        self._closing = True
        try:
            if self._utterances and self._workers:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._idle.wait(), self.limits.shutdown_seconds)
        finally:  # also where the wait was cancelled: whoever is in a hurry still wants everything stopped
            await self._stop()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def _opened(self, info: UtteranceInfo, recognizer: Recognizer, bias: Bias, endpointing: Endpointing | None) -> Utterance:
        preparation = await self._observer.prepare(info)

        def make() -> Stream:
            stream = recognizer.stream(info.source, bias.merged(preparation.bias), preparation.filters, self.limits)
            if endpointing is not None:
                stream.listen(endpointing)
            return stream

        try:
            stream = await self._new_stream(make)
        except asyncio.CancelledError:
            self._observer.ended(info, None, None)
            raise
        except Exception as error:  # noqa: BLE001 - a decoder or a filter may raise anything
            fault = as_speech_error(error, "opening")
            self._observer.ended(info, None, fault)
            raise fault from fault.__cause__
        utterance = Utterance(
            info=info,
            recognizer=recognizer,
            stream=stream,
            preparation=preparation,
            limits=self.limits,
            observer=self._observer,
            schedule=self._ready.put,
            forget=self._forget,
        )
        self._utterances.add(utterance)
        self._idle.clear()
        return utterance

    async def _new_stream(self, make: Callable[[], Stream]) -> Stream:
        """Made in a thread: a large bias takes a decoder a while, and others are speaking."""
        stream = None if self._closing else await self._in_thread(make)
        if self._closing or stream is None:
            raise ClosedError("the engine is not running")
        return stream

    async def _stop(self) -> None:
        for utterance in list(self._utterances):
            utterance.fail(ClosedError("the engine is shutting down"))
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, *self._computing, return_exceptions=True)  # the loop lives on while threads end
        self._workers = []
        self._threads.close()

    def _forget(self, utterance: Utterance) -> None:
        self._utterances.discard(utterance)
        if not self._utterances:
            self._idle.set()

    async def _work(self) -> None:
        while True:
            utterances = await self._ready.take()
            turns = [(utterance, turn) for utterance in utterances if (turn := utterance.next_turn()) is not None]
            if not turns:
                continue
            try:
                await self._in_thread(functools.partial(compute, [turn for _, turn in turns]))
            except TimeLimitError as error:
                self._give_up([utterance for utterance, _ in turns], error)
                continue
            for utterance, turn in turns:
                if isinstance(turn.error, InternalError):
                    _log.error("utterance %s: %s\n%s", utterance.info.id, turn.error, stack_of(turn.error.__cause__))
                utterance.settle(turn)

    @staticmethod
    def _give_up(utterances: list[Utterance], error: TimeLimitError) -> None:
        """Ends utterances whose turn hangs. Their streams stay with the thread; nobody else looks at them any more."""
        for utterance in utterances:
            _log.error("utterance %s: %s", utterance.info.id, error)
            utterance.fail(error)

    def _computed(self, computing: asyncio.Future[Any]) -> None:
        self._computing.discard(computing)
        if not computing.cancelled():
            computing.exception()  # asked for, so that asyncio does not complain where the asker has gone

    async def _in_thread(self, work: Callable[[], T]) -> T:
        computing = asyncio.ensure_future(self._threads.run(work, self.limits.turn_seconds))
        self._computing.add(computing)
        computing.add_done_callback(self._computed)
        return await asyncio.shield(computing)  # a thread cannot be cancelled, only waited for
