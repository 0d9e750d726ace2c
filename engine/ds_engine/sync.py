"""The synchronous façade: the same engine for callers without an event loop, such as OVOS and the DeepSpeech API.

One thread runs one event loop for as long as the façade is open; every method waits there for its asynchronous namesake, and
may be called from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ds_engine.errors import ClosedError

if TYPE_CHECKING:
    from ds_engine.audio import AudioFormat
    from ds_engine.bias import Bias
    from ds_engine.engine import Engine
    from ds_engine.transcript import Transcript
    from ds_engine.utterance import Utterance

T = TypeVar("T")


class SyncEngine:
    """An Engine that runs in a thread of its own. `make` builds it there, since it belongs to that thread's loop."""

    def __init__(self, make: Callable[[], Engine]) -> None:
        self._loop = asyncio.new_event_loop()
        self._stopped = False
        self._stopping = threading.Lock()  # nothing may be handed to a loop that will not run it
        self._thread = threading.Thread(target=self._run, name="ds-engine loop", daemon=True)
        self._thread.start()
        try:
            self._engine = self._await(self._start(make))
        except BaseException:
            self._stop()
            raise

    def open(self, source: AudioFormat | None = None, bias: Bias | None = None, *, origin: str = "") -> SyncUtterance:
        """See Engine.open."""
        return SyncUtterance(self._await(self._engine.open(source, bias, origin=origin)), self._await)

    def close(self) -> None:
        """See Engine.close. Closing twice is harmless."""
        with contextlib.suppress(ClosedError):
            self._await(self._engine.close())
        self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @staticmethod
    async def _start(make: Callable[[], Engine]) -> Engine:
        engine = make()
        engine.start()
        return engine

    def _await(self, work: Coroutine[Any, Any, T]) -> T:
        with self._stopping:
            if self._stopped:
                work.close()
                raise ClosedError("the engine is not running")
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except CancelledError as error:
            raise ClosedError("the engine was closed meanwhile") from error

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.run_until_complete(_cancel_the_rest())
        self._loop.close()

    def _stop(self) -> None:
        with self._stopping:
            if not self._stopped:
                self._stopped = True
                self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


async def _cancel_the_rest() -> None:
    """Frees callers in other threads that still wait for something."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


class SyncUtterance:
    """An Utterance for callers without an event loop; a context manager, too."""

    def __init__(self, utterance: Utterance, wait: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self._utterance = utterance
        self._wait = wait

    @property
    def text(self) -> str:
        """What has been understood so far; the rest of it may still change."""
        return self._utterance.partial.text

    def feed(self, data: bytes) -> None:
        """See Utterance.feed."""
        self._wait(self._utterance.feed(data))

    def finish(self) -> Transcript:
        """See Utterance.finish."""
        transcript: Transcript = self._wait(self._utterance.finish())
        return transcript

    def close(self) -> None:
        """See Utterance.close."""
        self._wait(self._utterance.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
