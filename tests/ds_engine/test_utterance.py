"""One utterance's verbs, from its callers' side: feed, finish, events, close, and what the observer is told of them."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np
import pytest

from ds_engine.audio import AudioFormat
from ds_engine.engine import Engine
from ds_engine.errors import AudioError, AudioTooLongError, ClosedError, SpeechError, TimeLimitError
from ds_engine.limits import Limits
from ds_engine.transcript import Event, Final, Partial, Transcript
from ds_engine.utterance import Utterance
from tests.ds_engine.fakes import Gate, GatedModel, Witness, cut, replaying, said, silence, turns, until

SECOND = silence(1.0)


@pytest.fixture(autouse=True)
async def quiet() -> AsyncIterator[None]:
    """Whatever a test starts has ended, and nothing complains behind its back."""
    faults: list[dict[str, Any]] = []
    loop, before = asyncio.get_running_loop(), asyncio.all_tasks()
    loop.set_exception_handler(lambda _, fault: faults.append(fault))
    yield
    gc.collect()
    await turns()
    assert asyncio.all_tasks() <= before | {asyncio.current_task()}
    assert faults == []


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()


@pytest.fixture
async def gated(gate: Gate, witness: Witness) -> AsyncIterator[Engine]:
    """An engine whose worker waits at a gate."""
    limits = Limits(workers=1, shutdown_seconds=0.01, queue_seconds=1.0, slice_seconds=0.5)
    async with Engine(replaying(GatedModel(gate)), limits, witness) as engine:
        yield engine
        gate.open()


async def told(utterance: Utterance) -> list[Event]:
    return [event async for event in utterance.events()]


async def test_what_is_fed_comes_back_as_a_transcript(engine: Engine, witness: Witness) -> None:
    async with await engine.open(origin="test") as utterance:
        for piece in cut(said("turn on"), [100, 7]):
            await utterance.feed(piece)
        transcript = await utterance.finish()
    assert transcript.text == "turn on"
    assert transcript.audio_seconds == pytest.approx(0.21)
    assert transcript.compute_seconds > 0
    assert witness.prepared == [utterance.info]
    assert utterance.info.origin == "test"
    assert witness.completed == [(utterance.info, transcript, None)]
    assert witness.ends == [(utterance.info, transcript, None)]
    assert engine.utterances == 0


async def test_events_tell_partials_and_then_the_final_last(engine: Engine, witness: Witness) -> None:
    utterance = await engine.open()
    events = asyncio.create_task(told(utterance))
    for piece in cut(said("turn on"), [640]):
        await utterance.feed(piece)
        await utterance.drained()
        await turns()
    transcript = await utterance.finish()
    *partials, final = await events
    assert final == Final(transcript)
    assert partials == [partial for _, partial in witness.partials]
    assert len(partials) > 2
    assert await told(utterance) == [partials[-1], final]  # whoever comes late gets the newest and the final
    assert utterance.partial == partials[-1]


async def test_a_slow_reader_of_events_sees_the_newest_only(engine: Engine) -> None:
    async with await engine.open() as utterance:
        events = utterance.events()
        await utterance.feed(said("tur"))
        first = await anext(events)
        for piece in cut(said("ning it on"), [640]):
            await utterance.feed(piece)
            await utterance.drained()
        newest = await anext(events)
        assert isinstance(first, Partial)
        assert newest == utterance.partial != first
        await events.aclose()  # type: ignore[attr-defined]


async def test_several_readers_of_events_are_told_the_same_end(engine: Engine) -> None:
    utterance = await engine.open()
    readers = [asyncio.create_task(told(utterance)) for _ in range(5)]
    await utterance.feed(said("on"))
    transcript = await utterance.finish()
    assert all(events[-1] == Final(transcript) for events in await asyncio.gather(*readers))


async def test_feeding_waits_while_the_queue_is_full(gated: Engine, gate: Gate) -> None:
    async with await gated.open() as utterance:
        await utterance.feed(SECOND)
        await until(gate.waiting.is_set)  # half a second is with the worker, half a second queued
        await utterance.feed(SECOND)
        waiting = asyncio.create_task(utterance.feed(SECOND))
        await turns()
        assert not waiting.done()
        gate.open()
        await waiting
        assert (await utterance.finish()).audio_seconds == 3.0


async def test_a_feed_that_is_cancelled_while_it_waits_leaves_nothing_behind(gated: Engine, gate: Gate) -> None:
    async with await gated.open() as utterance:
        await utterance.feed(SECOND * 3)
        waiting = asyncio.create_task(utterance.feed(SECOND))
        await turns()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        gate.open()
        assert (await utterance.finish()).audio_seconds == 3.0


async def test_a_finish_while_a_feed_waits_refuses_the_feed(gated: Engine, gate: Gate) -> None:
    async with await gated.open() as utterance:
        await utterance.feed(SECOND * 3)
        waiting = asyncio.create_task(utterance.feed(SECOND))
        await turns()
        finishing = asyncio.create_task(utterance.finish())
        await turns()
        gate.open()
        assert (await finishing).audio_seconds == 3.0
        with pytest.raises(ClosedError):
            await waiting


async def test_a_finish_that_is_cancelled_abandons_the_utterance(gated: Engine, gate: Gate, witness: Witness) -> None:
    utterance = await gated.open()
    await utterance.feed(SECOND)
    finishing = asyncio.create_task(utterance.finish())
    await until(gate.waiting.is_set)
    finishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await finishing
    assert witness.ends == [(utterance.info, None, None)]
    assert witness.completed == []
    assert gated.utterances == 0
    with pytest.raises(ClosedError):
        await told(utterance)


async def test_a_reader_of_events_may_be_cancelled_without_harm(engine: Engine) -> None:
    utterance = await engine.open()
    reader = asyncio.create_task(told(utterance))
    await turns()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    await utterance.feed(said("on"))
    assert (await utterance.finish()).text == "on"


async def test_closing_frees_everybody_who_waits(gated: Engine, gate: Gate, witness: Witness) -> None:
    utterance = await gated.open()
    await utterance.feed(SECOND * 3)
    waiting = [asyncio.create_task(wait) for wait in (utterance.feed(SECOND), told(utterance), utterance.finish())]
    await turns()
    await utterance.close()
    await utterance.close()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in ended] == [ClosedError] * 3
    await utterance.drained()
    assert witness.ends == [(utterance.info, None, None)]


async def test_leaving_the_block_without_finishing_abandons_the_utterance(engine: Engine, witness: Witness) -> None:
    async with await engine.open() as utterance:
        await utterance.feed(said("on"))
    assert witness.ends == [(utterance.info, None, None)]
    assert engine.utterances == 0


VERBS: list[Callable[[Utterance], Awaitable[Any]]] = [lambda utterance: utterance.feed(b""), lambda utterance: utterance.finish()]


@pytest.mark.parametrize("verb", VERBS)
async def test_a_finished_utterance_takes_nothing_more(engine: Engine, verb: Callable[[Utterance], Awaitable[Any]]) -> None:
    utterance = await engine.open()
    await utterance.finish()
    with pytest.raises(ClosedError, match="already ended"):
        await verb(utterance)


async def test_two_finishes_at_once_give_one_transcript_and_one_refusal(engine: Engine, witness: Witness) -> None:
    utterance = await engine.open()
    first, second = await asyncio.gather(utterance.finish(), utterance.finish(), return_exceptions=True)
    assert isinstance(first, Transcript)
    assert isinstance(second, ClosedError)
    assert len(witness.completed) == len(witness.ends) == 1


FAULTS: list[tuple[AudioFormat, bytes, type[SpeechError]]] = [
    (AudioFormat(width=4, floating=True), np.array([np.nan], "<f4").tobytes(), AudioError),
    (AudioFormat(), silence(60.5), AudioTooLongError),
]


@pytest.mark.parametrize(("source", "data", "kind"), FAULTS)
async def test_broken_and_endless_audio_end_the_utterance_with_their_error(
    engine: Engine, witness: Witness, source: AudioFormat, data: bytes, kind: type[SpeechError]
) -> None:
    utterance = await engine.open(source)
    events = asyncio.create_task(told(utterance))
    await utterance.feed(data)
    with pytest.raises(kind):
        await utterance.finish()
    for late in (events, utterance.feed(b""), utterance.finish()):
        with pytest.raises(kind):
            await late
    assert [type(error) for error in witness.errors] == [kind]
    assert engine.utterances == 0


async def test_an_error_does_not_grow_with_every_call_that_comes_late(engine: Engine) -> None:
    utterance = await engine.open()
    utterance.fail(TimeLimitError("late"))
    lengths = set()
    for _ in range(5):
        with pytest.raises(TimeLimitError) as caught:
            await utterance.feed(b"")
        lengths.add(len(caught.traceback))
    assert len(lengths) == 1


async def test_an_idle_utterance_fails_and_frees_its_place(witness: Witness) -> None:
    async with Engine(replaying(), Limits(idle_seconds=0.01), witness) as engine:
        utterance = await engine.open()
        with pytest.raises(TimeLimitError, match=r"idle_seconds: no audio for 0\.01 s"):
            await told(utterance)
        with pytest.raises(TimeLimitError):
            await utterance.finish()
        assert engine.utterances == 0
    assert [type(error) for error in witness.errors] == [TimeLimitError]


async def test_empty_feeds_do_not_keep_an_utterance_alive() -> None:
    async with Engine(replaying(), Limits(idle_seconds=0.01)) as engine, await engine.open() as utterance:

        async def feed_nothing() -> None:
            while True:
                await utterance.feed(b"")
                await asyncio.sleep(0)

        with pytest.raises(TimeLimitError):
            await feed_nothing()


async def test_an_utterance_that_waits_for_a_slow_worker_is_not_idle(gate: Gate) -> None:
    limits = Limits(workers=1, idle_seconds=0.01, shutdown_seconds=0.01)
    async with Engine(replaying(GatedModel(gate)), limits) as engine, await engine.open() as utterance:
        await utterance.feed(SECOND)
        passed = asyncio.Event()
        asyncio.get_running_loop().call_later(0.03, passed.set)
        await passed.wait()
        gate.open()
        assert (await utterance.finish()).audio_seconds == 1.0
