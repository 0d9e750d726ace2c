"""Watching the vocabulary's files while a service runs: a change on disk becomes one of the vocabulary, in a thread of its own.

Reading a changed grammar may take seconds; whoever speaks meanwhile gets the vocabulary as it was.
"""

from __future__ import annotations

import asyncio
import logging

from ds_engine.errors import SpeechError, kind_and_place
from ds_engine.threads import Threads
from ds_plugin.vocabulary.contents import Refreshed
from ds_plugin.vocabulary.current import Vocabulary

WATCH_SECONDS = 5.0  # between two looks at the files
REFRESH_SECONDS = 300.0  # that reading everything may take, on small machines too

_log = logging.getLogger(__name__)


class Watch:
    """Looks after one vocabulary, on one event loop."""

    def __init__(self, vocabulary: Vocabulary, seconds: float = WATCH_SECONDS) -> None:
        self._vocabulary = vocabulary
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
        self._reading += 1
        refreshed = await self._threads.run(lambda: self._vocabulary.refresh(anew=anew), REFRESH_SECONDS)
        self._reading -= 1  # not where it was given up: its thread still reads
        return refreshed

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
