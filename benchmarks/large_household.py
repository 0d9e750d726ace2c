"""A household of thousands of names while people speak: what it takes to hear of it, and how long whoever speaks waits.

    python benchmarks/large_household.py [--names 5000] [--renames 3]

Invented names as phrases and in Home Assistant's English sentences, as a source publishes them. Prints, for the first time and for each
rename: seconds until utterances have the names; in ms the opening of utterances meanwhile (median, worst) and right afterwards, and the
longest stall of the event loop. The collector is tuned as in `ds-plugin serve`. Needs the package home-assistant-intents.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from typing import Any

from home_assistant_intents import get_intents

from benchmarks.grammar import household
from ds_engine.bias import Phrase
from ds_plugin.commands.serve import settle
from ds_plugin.config import Schema
from ds_plugin.hooks import Hooks
from ds_plugin.host import HOST_OPTIONS, Host
from ds_plugin.plugins import Plugins
from ds_plugin.vocabulary.source import Household, Publish, Sentences

TICK = 0.001  # s between two looks at the event loop
PAUSE = 0.01  # s between two utterances that are opened meanwhile


class Source:
    """A ds_plugin.vocabulary.source.VocabularySource that publishes what it is told."""

    name = "household"
    publish: Publish

    def stored(self, languages: Any) -> None:
        """Nothing was known before."""

    async def run(self, languages: Any, publish: Publish) -> None:
        """Hands `publish` out, and stays."""
        self.publish = publish
        await asyncio.Event().wait()


class Stalls:
    """How long the event loop lets others wait."""

    def __init__(self) -> None:
        self._worst = 0.0

    async def watch(self) -> None:
        """Never returns."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK)
            self._worst = max(self._worst, time.perf_counter() - before - TICK)

    def take(self) -> float:
        """The longest since the last call, in ms."""
        worst, self._worst = self._worst, 0.0
        return 1000 * worst


def household_of(count: int, renamed: str) -> Household:
    """Invented names, one of which is `renamed`."""
    lists = household(count)
    lists["name"][count // 2] = {"in": renamed, "context": {"domain": "light"}}
    names = [*(value["in"] for value in lists["name"]), *lists["area"], *lists["floor"]]
    return Household(tuple(Phrase(name) for name in names), (Sentences("sentences en", get_intents("en") or {}, lists, "en"),))


async def opening(host: Host) -> float:
    """The time that it takes, in ms."""
    began = time.perf_counter()
    utterance = await host.open()
    taken = time.perf_counter() - began
    await utterance.close()
    return 1000 * taken


async def heard(host: Host, source: Source, new: Household, name: str, stalls: Stalls) -> None:
    """Measures one publication."""
    stalls.take()
    began, meanwhile = time.perf_counter(), []
    source.publish(new)
    while not any(phrase.text == name for phrase in host.vocabulary.snapshot().phrases):
        meanwhile.append(await opening(host))
        await asyncio.sleep(PAUSE)
    seconds = time.perf_counter() - began
    stall, after = stalls.take(), [await opening(host) for _ in range(3)]
    print(
        f"{name}: {seconds:.2f} s; opening meanwhile {statistics.median(meanwhile):.1f} ms, worst {max(meanwhile):.0f};"
        f" afterwards {', '.join(f'{each:.1f}' for each in after)} ms; longest stall {stall:.0f} ms"
    )


async def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure a large household.")
    parser.add_argument("--names", type=int, default=5000)
    parser.add_argument("--renames", type=int, default=3)
    options = parser.parse_args()
    source, plugins = Source(), Plugins.discover()
    plugins.add("source", lambda: _plugin(source))
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache  # nothing was compiled before
        async with Host.load(Schema(HOST_OPTIONS).load(), Hooks(plugins)) as host:
            settle()
            stalls = Stalls()
            watching = asyncio.create_task(stalls.watch())
            await asyncio.sleep(TICK)
            for name in ("first", *(f"renamed {chr(ord('a') + number)}" for number in range(options.renames))):
                await heard(host, source, household_of(options.names, name), name, stalls)
            watching.cancel()


def _plugin(source: Source) -> object:
    from ds_plugin.hookspecs import hookimpl

    return type("Plugin", (), {"ds_vocabulary_source": staticmethod(hookimpl(lambda: source))})()


if __name__ == "__main__":
    asyncio.run(main())
