"""Sources while the host runs: each in a task of its own; what they publish is handed on, the newest only, one after the other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any

from ds_plugin.vocabulary.background import faults_logged
from ds_plugin.vocabulary.source import Household, Publish, VocabularySource

STOP_SECONDS = 2.0  # that sources get to end once they are cancelled

Hear = Callable[[str, Household], Awaitable[None]]

_log = logging.getLogger(__name__)


class Following:
    """Follows sources on one event loop."""

    def __init__(self, sources: Iterable[VocabularySource], hear: Hear) -> None:
        self.sources = tuple(sources)
        self._hear = hear
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, languages: Sequence[str]) -> None:
        """Begins; `languages` are those of the models that are offered."""
        for source in self.sources:
            published: asyncio.Queue[Household] = asyncio.Queue()
            self._begin(source.run(languages, _into(published)), f"vocabulary of {source.name}")
            self._begin(self._hand_on(source.name, published), f"what {source.name} publishes")

    async def close(self) -> None:
        """Follows no more. A source that does not end within STOP_SECONDS is left behind."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            done, left = await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
            await asyncio.gather(*done, return_exceptions=True)
            for task in left:
                _log.warning("%s does not end when it is cancelled", task.get_name())
        self._tasks = []

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def _hand_on(self, name: str, published: asyncio.Queue[Household]) -> None:
        while True:
            household = await published.get()
            while not published.empty():
                household = published.get_nowait()
            with faults_logged(_log, name):
                await self._hear(name, household)


def _into(published: asyncio.Queue[Household]) -> Publish:
    loop = asyncio.get_running_loop()

    def publish(household: Household) -> None:
        loop.call_soon_threadsafe(published.put_nowait, household)

    return publish
