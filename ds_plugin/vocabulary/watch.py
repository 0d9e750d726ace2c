"""Keeping a vocabulary up to date while a service runs: changes on disk, and what sources publish, taken in by a thread of its own.

Reading a changed grammar may take seconds, and so may what the decoder makes of it: whoever speaks meanwhile gets the vocabulary as it
was. The decoder is given the new one before anybody else, so that what it prepares for it keeps no speaker waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import TypeVar

from ds_engine.bias import Bias
from ds_engine.errors import TimeLimitError
from ds_engine.threads import Threads
from ds_plugin.vocabulary.background import faults_logged
from ds_plugin.vocabulary.contents import Refreshed
from ds_plugin.vocabulary.current import Vocabulary, nothing
from ds_plugin.vocabulary.published import Heard
from ds_plugin.vocabulary.source import Household

T = TypeVar("T")

WATCH_SECONDS = 5.0  # between two looks at the files
REFRESH_SECONDS = 300.0  # that reading everything may take, on small machines too

_log = logging.getLogger(__name__)


class Watch:
    """Looks after one vocabulary, on one event loop."""

    def __init__(self, vocabulary: Vocabulary, prepare: Callable[[Bias], object] | None = None, seconds: float = WATCH_SECONDS) -> None:
        """`prepare` is called in the thread with what utterances will be biased by, before each change."""
        self._vocabulary = vocabulary
        self._prepares = prepare or nothing
        self._seconds = seconds
        self._threads = Threads(1, "ds-vocabulary")
        self._reading = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to look, if there is anything to look at."""
        sources = self._vocabulary.sources
        if sources.vocabularies or sources.grammars:
            self._task = asyncio.create_task(self._watch(), name="vocabulary")

    def prepare(self) -> None:
        """Makes ready for what is known already, in the thread of the caller."""
        self._prepare(self._vocabulary.snapshot())

    async def refresh(self, *, anew: bool = False) -> Refreshed:
        """See Vocabulary.refresh. Raises TimeLimitError where it takes longer than REFRESH_SECONDS."""
        return await self._in_thread(lambda prepare: self._vocabulary.refresh(anew=anew, prepare=prepare))

    async def hear(self, source: str, household: Household) -> Heard:
        """See Vocabulary.hear. Raises TimeLimitError where it takes longer than REFRESH_SECONDS."""
        return await self._in_thread(lambda prepare: self._vocabulary.hear(source, household, prepare))

    def _prepare(self, bias: Bias) -> None:
        # A decoder that fails on it says so to whoever speaks; one that exits must not end the service.
        with contextlib.suppress(Exception, SystemExit, asyncio.CancelledError):
            self._prepares(bias)

    async def _in_thread(self, work: Callable[[Callable[[Bias], None]], T]) -> T:
        given_up: list[TimeLimitError] = []

        def prepare(bias: Bias) -> None:
            self._prepare(bias)
            if given_up:  # others have read since: what comes so late must not take the place of theirs
                raise given_up[0]

        self._reading += 1
        try:
            return await self._threads.run(lambda: work(prepare), REFRESH_SECONDS)
        except TimeLimitError as error:
            given_up.append(error)
            self._reading += 1  # its thread still reads
            raise
        except asyncio.CancelledError:
            self._reading += 1
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
            with faults_logged(_log, "vocabulary"):
                _report(await self.refresh())


def _report(refreshed: Refreshed) -> None:
    for failure in refreshed.failures:
        _log.warning("%s; what was read before stays", failure)
    if refreshed.changed:
        _log.info("read again: %s", ", ".join(map(str, refreshed.changed)))
