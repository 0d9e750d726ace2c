"""Sources are followed while the host runs: the newest that they published counts, whatever they do, and they end with it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator

import pytest

from ds_engine.errors import TimeLimitError
from ds_plugin.guard import Guard
from ds_plugin.guarded_source import GuardedSource
from ds_plugin.vocabulary import following as module
from ds_plugin.vocabulary.following import Following
from ds_plugin.vocabulary.source import Household, Publish
from tests.ds_engine.fakes import turns, until
from tests.ds_plugin.sources import Run, Source, names


class Hearing:
    """What is heard, in order; hearing waits where a test wants it to, and raises where it has something to raise."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Household]] = []
        self.begun: list[str] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.faults: list[Exception] = []

    async def __call__(self, source: str, household: Household) -> None:
        self.begun.append(source)
        await self.may_go_on.wait()
        if self.faults:
            raise self.faults.pop()
        self.heard.append((source, household))

    @property
    def texts(self) -> list[str]:
        return [phrase.text for _, household in self.heard for phrase in household.phrases]


@pytest.fixture(autouse=True)
async def quiet() -> AsyncIterator[None]:
    """No task is left behind."""
    yield
    await turns()
    assert asyncio.all_tasks() == {asyncio.current_task()}


def guarded(source: Source) -> GuardedSource:
    return GuardedSource(Guard("plugin"), source, source.name, 20.0)


def publishing(*households: Household) -> Run:
    """Publishes them one after the other, and goes on until it is cancelled."""

    async def run(publish: Publish) -> None:
        for household in households:
            publish(household)
        await asyncio.Event().wait()

    return run


async def test_what_is_published_is_heard_under_the_sources_name_for_all_languages() -> None:
    hearing = Hearing()
    sources = [Source("one", run=publishing(names("lamp"))), Source("two", run=publishing(names("hall")))]
    following = Following(sources, hearing)
    following.start(("en", "de"))
    await until(lambda: len(hearing.heard) == 2)
    await following.close()
    assert sorted(hearing.heard, key=lambda each: each[0]) == [("one", names("lamp")), ("two", names("hall"))]
    assert [source.languages for source in sources] == [[("en", "de")]] * 2


async def test_of_a_thousand_in_a_row_the_last_counts_and_few_are_read() -> None:
    hearing = Hearing()
    hearing.may_go_on.clear()
    source = Source(run=publishing(names("first")))
    following = Following([source], hearing)
    following.start(("en",))
    await until(lambda: bool(hearing.begun))
    for number in range(1000):
        source.told(names(f"lamp {number}"))
        if number % 100 == 0:
            await asyncio.sleep(0)
    await turns()
    hearing.may_go_on.set()
    await until(lambda: len(hearing.heard) == 2)
    await turns()
    await following.close()
    assert hearing.texts == ["first", "lamp 999"]


async def test_what_one_source_keeps_busy_delays_only_its_own() -> None:
    """Hearing one after the other is for whoever hears; here nobody stands in a queue behind another."""
    hearing = Hearing()
    hearing.may_go_on.clear()
    following = Following([Source("one", run=publishing(names("a"))), Source("two", run=publishing(names("b")))], hearing)
    following.start(())
    await until(lambda: len(hearing.begun) == 2)
    await following.close()


@pytest.mark.parametrize("fault", [TimeLimitError("too slow"), ZeroDivisionError("the lamp in the bedroom")])
async def test_a_household_that_cannot_be_heard_is_told_and_the_next_one_is(fault: Exception, caplog: pytest.LogCaptureFixture) -> None:
    hearing = Hearing()
    hearing.faults.append(fault)
    source = Source(run=publishing(names("lamp")))
    following = Following([source], hearing)
    following.start(())
    await until(lambda: not hearing.faults)
    source.told(names("hall"))
    await until(lambda: hearing.texts == ["hall"])
    await following.close()
    [told] = [record for record in caplog.records if record.name == module.__name__]
    assert told.getMessage().startswith("home: ")
    assert "bedroom" not in told.getMessage()
    assert told.levelno == (logging.WARNING if isinstance(fault, TimeLimitError) else logging.ERROR)


@pytest.mark.parametrize("error", [None, ValueError(), SystemExit(3), asyncio.CancelledError(), BaseException()], ids=repr)
async def test_a_source_that_has_ended_may_still_publish_and_harms_no_other(error: BaseException | None) -> None:
    async def ending(publish: Publish) -> None:
        publish(names("lamp"))
        if error is not None:
            raise error

    hearing, source, other = Hearing(), Source("ending", run=ending), Source("other")
    following = Following([guarded(source), guarded(other)], hearing)
    following.start(())
    await until(lambda: hearing.texts == ["lamp"])
    await turns()
    source.told(names("late"))
    await until(lambda: hearing.texts == ["lamp", "late"])
    other.told(names("hall"))
    await until(lambda: hearing.texts == ["lamp", "late", "hall"])
    await following.close()


async def test_a_source_may_publish_from_a_thread_of_its_own() -> None:
    hearing, source = Hearing(), Source()
    following = Following([source], hearing)
    following.start(())
    await until(lambda: source.publish is not None)
    thread = threading.Thread(target=source.told, args=(names("lamp"),))
    thread.start()
    await until(lambda: hearing.texts == ["lamp"])
    thread.join()
    await following.close()


async def test_what_is_published_after_the_end_is_heard_by_nobody() -> None:
    hearing, source = Hearing(), Source()
    following = Following([source], hearing)
    following.start(())
    await until(lambda: source.publish is not None)
    await following.close()
    source.told(names("late"))
    await turns()
    assert hearing.begun == []


async def test_closing_while_a_household_is_heard_waits_for_nothing() -> None:
    hearing = Hearing()
    hearing.may_go_on.clear()
    following = Following([Source(run=publishing(names("lamp")))], hearing)
    following.start(())
    await until(lambda: bool(hearing.begun))
    await asyncio.wait_for(following.close(), 5)
    await following.close()
    assert hearing.heard == []


async def test_a_source_that_does_not_let_go_is_left_behind(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(module, "STOP_SECONDS", 0.01)
    may_end = asyncio.Event()

    async def stubborn(_: Publish) -> None:
        while not may_end.is_set():
            try:
                await may_end.wait()
            except asyncio.CancelledError:
                continue

    following = Following([Source("stubborn", run=stubborn), Source("other")], Hearing())
    following.start(())
    await turns()
    await asyncio.wait_for(following.close(), 5)
    assert "vocabulary of stubborn does not end when it is cancelled" in caplog.messages
    may_end.set()
    await turns()


async def test_without_sources_there_is_nothing_to_follow() -> None:
    following = Following([], Hearing())
    following.start(("en",))
    await following.close()


async def test_one_that_was_never_started_can_be_closed() -> None:
    await Following([Source()], Hearing()).close()
