"""Sources while the host runs: each in a task of its own; what they publish is handed on, the newest only, one after the other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence

from ds_engine.errors import SpeechError, kind_and_place
from ds_plugin.vocabulary.source import Household, VocabularySource

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
        self._tasks = [asyncio.create_task(self._follow(source, languages), name=f"vocabulary of {source.name}") for source in self.sources]

    async def close(self) -> None:
        """Follows no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _follow(self, source: VocabularySource, languages: Sequence[str]) -> None:
        published: asyncio.Queue[Household] = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hand_on(source.name, published), name=f"what {source.name} publishes")
            await source.run(languages, published.put_nowait)

    async def _hand_on(self, name: str, published: asyncio.Queue[Household]) -> None:
        while True:
            household = await published.get()
            while not published.empty():
                household = published.get_nowait()
            try:
                await self._hear(name, household)
            except SpeechError as error:
                _log.warning("%s: %s", name, error)
            except Exception as error:  # noqa: BLE001 - a fault of ours must not end what follows
                _log.error("%s: %s", name, kind_and_place(error))
