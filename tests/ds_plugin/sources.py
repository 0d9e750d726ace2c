"""Sources of vocabulary for tests: what they publish, and how they end, is for the test to say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ds_engine.bias import Phrase
from ds_plugin.vocabulary.source import Household, Publish, Sentences

Run = Callable[[Publish], Awaitable[None]]


def names(*texts: str, boost: float = 1.0) -> Household:
    """A household of these names."""
    return Household(tuple(Phrase(text, boost) for text in texts))


def sentences(*templates: str, called: str = "own", language: str = "", **lists: Any) -> Sentences:
    """Sentences of one intent."""
    return Sentences(called, {"intents": {"Do": {"data": [{"sentences": [*templates]}]}}}, lists, language)


async def forever(_publish: Publish) -> None:
    """Publishes nothing, until it is cancelled."""
    await asyncio.Event().wait()


class Source:
    """A source that says what it is given to say."""

    def __init__(self, name: str = "home", stored: Callable[[], Any] = lambda: None, run: Run = forever) -> None:
        self.name = name
        self.languages: list[Sequence[str]] = []  # that it was told
        self.publish: Publish | None = None  # once it runs
        self._stored = stored
        self._run = run

    def stored(self, languages: Sequence[str]) -> Household | None:
        self.languages.append(languages)
        household: Household | None = self._stored()
        return household

    async def run(self, languages: Sequence[str], publish: Publish) -> None:
        self.languages.append(languages)
        self.publish = publish
        await self._run(publish)

    @property
    def told(self) -> Publish:
        """What publishes, where the source runs already."""
        assert self.publish is not None
        return self.publish
