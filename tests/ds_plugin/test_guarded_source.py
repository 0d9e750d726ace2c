"""A source that fails in any way publishes no more, what it published before stays, and the service goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ds_engine.bias import Bias, Phrase
from ds_plugin.checks import checked_household
from ds_plugin.guard import MAX_FAULTS, Guard
from ds_plugin.guarded_source import GuardedSource
from ds_plugin.vocabulary.source import Household, Publish, Sentences
from tests.ds_engine.fakes import turns
from tests.ds_plugin.sources import Run, Source, names, sentences

HOME = names("lamp")


class Text(str):
    """A text that is not quite one."""

    __slots__ = ()


NONSENSE: list[Any] = [
    "lamp",
    5,
    {},
    Bias((Phrase("lamp"),)),
    (Phrase("lamp"),),
    Household,
    Household([Phrase("lamp")]),  # type: ignore[arg-type]
    Household(("lamp",)),  # type: ignore[arg-type]
    Household((None,)),  # type: ignore[arg-type]
    Household((), [sentences("go")]),  # type: ignore[arg-type]
    Household((), ({"go": {}},)),  # type: ignore[arg-type]
    Household((), (Sentences(None, {}),)),  # type: ignore[arg-type]
    Household((), (Sentences("a", {}, language=None),)),  # type: ignore[arg-type]
    Household((), (Sentences(Text("a"), {}),)),
    Household((), (sentences("go"), sentences("run"))),  # of one name
    Household(5),  # type: ignore[arg-type]
    type("Household", (Household,), {})(),
]


def guarded(source: Any, guard: Guard | None = None, seconds: float = 20.0) -> GuardedSource:
    return GuardedSource(guard or Guard("odd"), source, "home", seconds)


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Set once the test is over: what hangs lets go."""
    event = threading.Event()
    yield event
    event.set()


async def published(run: Run, guard: Guard) -> list[Household]:
    """All that comes through until the source ends."""
    found: list[Household] = []
    await guarded(Source(run=run), guard).run(("en",), found.append)
    return found


async def test_a_sound_source_is_passed_on_and_told_the_languages() -> None:
    source, guard = Source(stored=lambda: HOME), Guard("odd")
    assert guarded(source, guard).stored(["en", "de"]) is HOME
    assert guarded(Source(), guard).stored(["en"]) is None

    async def twice(publish: Publish) -> None:
        publish(HOME)
        await asyncio.sleep(0)
        publish(Household())

    assert await published(twice, guard) == [HOME, Household()]
    assert source.languages == [("en", "de")]
    assert guard.faults == []


@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
async def test_nonsense_is_refused_and_what_comes_after_it_is_not(nonsense: Any) -> None:
    assert checked_household(nonsense) is None

    async def both(publish: Publish) -> None:
        publish(nonsense)
        publish(HOME)

    guard = Guard("odd")
    assert await published(both, guard) == [HOME]
    assert guard.faults == ["vocabulary source must publish a Household of Phrases and Sentences"]
    assert guarded(Source(stored=lambda: nonsense), guard).stored(()) is None
    assert len(guard.faults) == 2


async def test_nonsense_without_end_disables_the_plugin_and_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    async def flood(publish: Publish) -> None:
        for _ in range(1000):
            publish("lamp")  # type: ignore[arg-type]
        publish(HOME)

    guard = Guard("odd")
    assert await published(flood, guard) == []
    assert guard.disabled
    assert len([record for record in caplog.records if record.name == "ds_plugin.guard"]) == MAX_FAULTS


@pytest.mark.parametrize(
    "error",
    [ValueError("lamp"), SystemExit(3), asyncio.CancelledError(), KeyboardInterrupt(), GeneratorExit(), BaseException("lamp")],
    ids=lambda error: type(error).__name__,
)
async def test_one_that_raises_has_ended_and_what_it_published_stays(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    async def raising(publish: Publish) -> None:
        publish(HOME)
        raise error

    def fail() -> None:
        raise error

    guard = Guard("odd")
    assert await published(raising, guard) == [HOME]
    assert guarded(Source(stored=fail), guard).stored(()) is None
    assert len(guard.faults) == 2
    assert "lamp" not in guard.faults[0]
    assert "plugin odd: vocabulary source" in caplog.text


async def test_one_that_returns_at_once_is_at_no_fault() -> None:
    async def nothing(_: Publish) -> None:
        return

    guard = Guard("odd")
    assert await published(nothing, guard) == []
    assert guard.faults == []


@pytest.mark.parametrize("run", [lambda languages, publish: None, lambda: None, None, 5])
async def test_one_whose_run_is_no_coroutine_is_at_fault(run: Any) -> None:
    guard, source = Guard("odd"), Source()
    source.run = run  # type: ignore[method-assign]
    await guarded(source, guard).run((), lambda _: None)
    [fault] = guard.faults
    assert fault.startswith("vocabulary source raised TypeError")


async def test_being_cancelled_is_no_fault() -> None:
    guard = Guard("odd")
    running = asyncio.create_task(published(Source()._run, guard))
    await turns()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert guard.faults == []


async def test_one_that_raises_when_it_is_cancelled_is_reported() -> None:
    async def sulking(_: Publish) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ZeroDivisionError

    guard = Guard("odd")
    running = asyncio.create_task(published(sulking, guard))
    await turns()
    running.cancel()
    await asyncio.wait({running})
    assert guard.faults[0].startswith("vocabulary source raised ZeroDivisionError")


def test_one_that_hangs_in_what_is_stored_is_left_behind(over: threading.Event) -> None:
    guard = Guard("odd")
    assert guarded(Source(stored=lambda: over.wait(60)), guard, 0.05).stored(()) is None
    assert guard.faults == ["vocabulary source took longer than 0.05 s"]


def test_one_of_a_disabled_plugin_is_not_asked() -> None:
    guard, source = Guard("odd"), Source(stored=lambda: HOME)
    for _ in range(MAX_FAULTS):
        guard.refuse("ds_bias", "is not wanted")
    assert guarded(source, guard).stored(()) is None
    assert source.languages == []


@pytest.mark.parametrize("household", [Household(), HOME, Household((), (sentences("go"), sentences("go", called="b"))), names()])
def test_sound_households_are_sound(household: Household) -> None:
    assert checked_household(household) is household
