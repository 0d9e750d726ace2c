"""The queue of utterances with something to do: first come, first served, those of one model together where it steps several."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ds_engine.utterance import Utterance


class Ready:
    """Belongs to one event loop. Several workers may wait for it."""

    def __init__(self) -> None:
        self._utterances: deque[Utterance] = deque()
        self._filled = asyncio.Event()

    def put(self, utterance: Utterance) -> None:
        """Adds one at the end."""
        self._utterances.append(utterance)
        self._filled.set()

    async def take(self) -> list[Utterance]:
        """The first, and as many others that its model steps together with it; those of other models keep their places."""
        while not self._utterances:
            self._filled.clear()
            await self._filled.wait()
        recognizer = self._utterances[0].recognizer
        batch = [each for each in self._utterances if each.recognizer is recognizer][: recognizer.model.max_batch]
        for utterance in batch:
            self._utterances.remove(utterance)
        return batch
