"""How an engine ends: open utterances may finish for a while, then fail, and nothing stays behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from ds_engine.engine import Engine
from ds_engine.errors import ClosedError
from ds_engine.limits import Limits
from tests.ds_engine.fakes import Gate, GatedModel, Witness, replaying, said, silence, turns, until

BRIEF = Limits(workers=1, shutdown_seconds=0.01)


@pytest.fixture(autouse=True)
async def nothing_stays() -> AsyncIterator[None]:
    before = set(threading.enumerate())
    yield
    await turns()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert set(threading.enumerate()) <= before


async def test_open_utterances_may_finish_while_the_engine_closes() -> None:
    engine = Engine(replaying(), Limits(shutdown_seconds=20))
    engine.start()
    utterances = [await engine.open() for _ in range(3)]
    closing = asyncio.create_task(engine.close())
    await turns()
    with pytest.raises(ClosedError, match="not running"):
        await engine.open()
    for utterance in utterances:
        assert not closing.done()
        await utterance.feed(said("on"))
        assert (await utterance.finish()).text == "on"
    await closing


async def test_utterances_that_do_not_finish_in_time_fail() -> None:
    witness = Witness()
    engine = Engine(replaying(), BRIEF, witness)
    engine.start()
    silent, listening = await engine.open(), await engine.open()
    await silent.feed(said("on"))
    reading = asyncio.ensure_future(anext(listening.events()))
    await engine.close()
    for late in (reading, silent.finish(), silent.feed(b""), listening.finish()):
        with pytest.raises(ClosedError, match="shutting down"):
            await late
    assert [type(error) for error in witness.errors] == [ClosedError] * 2


async def test_a_finish_that_waits_for_a_stuck_worker_fails_at_shutdown() -> None:
    gate = Gate()
    engine = Engine(replaying(GatedModel(gate)), BRIEF)
    engine.start()
    utterance = await engine.open()
    await utterance.feed(silence(1))
    finishing = asyncio.create_task(utterance.finish())
    await until(gate.waiting.is_set)
    closing = asyncio.create_task(engine.close())
    with pytest.raises(ClosedError, match="shutting down"):
        await finishing
    assert not closing.done()
    gate.open()
    await closing


async def test_closing_may_be_cancelled_and_still_stops_everything() -> None:
    engine = Engine(replaying(), Limits(shutdown_seconds=60))
    engine.start()
    utterance = await engine.open()
    closing = asyncio.create_task(engine.close())
    await turns()
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    with pytest.raises(ClosedError):
        await utterance.finish()


async def test_closing_twice_at_once_and_again_is_harmless() -> None:
    engine = Engine(replaying(), BRIEF)
    engine.start()
    await engine.open()
    await asyncio.gather(engine.close(), engine.close())
    await engine.close()
    assert engine.utterances == 0
