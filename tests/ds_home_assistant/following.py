"""A source that runs as the host would have it run, and what came of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ds_home_assistant.address import parse_uri
from ds_home_assistant.custom_files import CustomFiles
from ds_home_assistant.pace import Pace
from ds_home_assistant.source import HomeAssistantSource
from ds_home_assistant.store import Store
from ds_plugin.vocabulary.source import Household
from tests.ds_home_assistant.fake import SECONDS, TOKEN, FakeHomeAssistant, until

FAST = Pace(
    connect=5,
    answer=5,
    linger=0.2,
    settle=0.02,
    settle_most=0.3,
    poll=60,
    files=0.02,
    starting=0.02,
    starting_most=60,
    retry=0.01,
    retry_most=0.04,
    denied=0.02,
)


@dataclass
class Following:
    """A source that runs, and what it has published."""

    source: HomeAssistantSource
    stored: Household | None
    published: list[Household] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        """Those that hold now."""
        return names(self.published[-1] if self.published else self.stored)

    async def knows(self, *wanted: str) -> None:
        await until(lambda: set(wanted) <= self.names)


def names(known: Household | None) -> set[str]:
    return {phrase.text for phrase in known.phrases} if known else set()


def source_of(uri: str, folder: Path, pace: Pace = FAST, token: str = TOKEN, custom: tuple[Path, ...] = ()) -> HomeAssistantSource:
    return HomeAssistantSource(parse_uri(uri), token, Store(folder / "home.json", uri), CustomFiles(custom), pace)


@asynccontextmanager
async def following(
    uri: str, folder: Path, pace: Pace = FAST, token: str = TOKEN, custom: tuple[Path, ...] = ()
) -> AsyncIterator[Following]:
    """Runs a source as the host does; nothing of it may be left at the end."""
    source = source_of(uri, folder, pace, token, custom)
    follows = Following(source, source.stored(["en"]))
    task = asyncio.create_task(source.run(["en"], follows.published.append))
    try:
        yield follows
    finally:
        assert not task.done()  # whatever happened
        task.cancel()
        await asyncio.wait({task}, timeout=SECONDS)
        assert task.cancelled()


async def kept(uri: str, folder: Path, follows: Following) -> None:
    """Waits until all that is known is on disk."""
    await until((folder / "home.json").exists)
    await until(lambda: names(source_of(uri, folder).stored(["en"])) == follows.names)


NOWHERE = "http://127.0.0.1:9"  # nobody listens there: the port is reserved


def said(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    """What the log of the package says."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("ds_home") and record.levelno >= level]


async def known_before(fake: FakeHomeAssistant, folder: Path) -> str:
    """Runs once, so that everything is on disk; gives the address."""
    async with fake.serving() as uri, following(uri, folder) as follows:
        await follows.knows("Kitchen lamp")
        await until((folder / "home.json").exists)
    return uri
