"""Keeping a vocabulary up to date while a service runs: changes on disk, and what sources publish, taken in by a thread of its own.

Reading a changed grammar may take seconds; whoever speaks meanwhile gets the vocabulary as it was. After a change the decoder is given
the new one once, so that what it prepares for it keeps no speaker waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import TypeVar

from ds_engine.bias import Bias
from ds_engine.errors import SpeechError, TimeLimitError, kind_and_place
from ds_engine.threads import Threads
from ds_plugin.vocabulary.contents import Refreshed
from ds_plugin.vocabulary.current import Vocabulary
from ds_plugin.vocabulary.published import Heard
from ds_plugin.vocabulary.source import Household

T = TypeVar("T")

WATCH_SECONDS = 5.0  # between two looks at the files
REFRESH_SECONDS = 300.0  # that reading everything may take, on small machines too

_log = logging.getLogger(__name__)


class Watch:
    """Looks after one vocabulary, on one event loop."""

    def __init__(self, vocabulary: Vocabulary, prepare: Callable[[Bias], object] | None = None, seconds: float = WATCH_SECONDS) -> None:
        """`prepare` is called in the thread with what the next utterance will be biased by, after each change."""
        self._vocabulary = vocabulary
        self._prepare = prepare or (lambda _bias: None)
        self._prepared = vocabulary.snapshot()
        self._seconds = seconds
        self._threads = Threads(1, "ds-vocabulary")
        self._reading = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to look, if there is anything to look at."""
        sources = self._vocabulary.sources
        if sources.vocabularies or sources.grammars:
            self._task = asyncio.create_task(self._watch(), name="vocabulary")

    async def refresh(self, *, anew: bool = False) -> Refreshed:
        """See Vocabulary.refresh. Raises TimeLimitError where it takes longer than REFRESH_SECONDS."""
        return await self._in_thread(lambda: self._vocabulary.refresh(anew=anew))

    async def hear(self, source: str, household: Household) -> Heard:
        """See Vocabulary.hear. Raises TimeLimitError where it takes longer than REFRESH_SECONDS."""
        return await self._in_thread(lambda: self._vocabulary.hear(source, household))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        def change() -> T:
            done = work()
            if (bias := self._vocabulary.snapshot()) is not self._prepared:
                self._prepared = bias
                with contextlib.suppress(Exception):  # a decoder that fails on it says so to whoever speaks
                    self._prepare(bias)
            return done

        self._reading += 1
        try:
            return await self._threads.run(change, REFRESH_SECONDS)
        except (TimeLimitError, asyncio.CancelledError):
            self._reading += 1  # its thread still reads
            raise
        finally:
            self._reading -= 1

    async def close(self) -> None:
        """Looks no more. A file that is being read is left to the thread that reads it, which the process does not wait for."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if not self._reading:
            self._threads.close()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            try:
                refreshed = await self.refresh()
            except SpeechError as error:
                _log.warning("vocabulary: %s", error)
            except Exception as error:  # noqa: BLE001 - a fault of ours must not end the watch
                _log.error("vocabulary: %s", kind_and_place(error))
            else:
                _report(refreshed)


def _report(refreshed: Refreshed) -> None:
    for failure in refreshed.failures:
        _log.warning("%s; what was read before stays", failure)
    if refreshed.changed:
        _log.info("read again: %s", ", ".join(map(str, refreshed.changed)))
