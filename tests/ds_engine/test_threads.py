from __future__ import annotations

import asyncio
import threading

import pytest

from ds_engine.bias import Bias
from ds_engine.decoder import DecoderState
from ds_engine.engine import Engine
from ds_engine.errors import TimeLimitError
from ds_engine.greedy import GreedyDecoder
from ds_engine.limits import Limits
from ds_engine.threads import Threads
from ds_engine.transcript import Hypothesis
from ds_engine.utterance import Utterance
from tests.ds_engine.fakes import CHARACTERS, ReplayModel, replaying, said

SOON = 0.05  # s


async def test_a_result_and_an_exception_come_back_to_whoever_asked() -> None:
    threads = Threads(2, "test")
    assert await threads.run(lambda: 42, 5.0) == 42
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0, 5.0)
    threads.close()


async def test_no_more_calls_run_at_once_than_there_are_threads() -> None:
    threads, both = Threads(2, "test"), threading.Barrier(2)
    names = await asyncio.gather(*(threads.run(lambda: (both.wait(5), threading.current_thread())[1], 5.0) for _ in range(6)))
    assert len(set(names)) == 2
    threads.close()
    assert not any(thread.is_alive() for thread in names)


async def test_a_call_that_hangs_is_given_up_and_its_thread_replaced() -> None:
    threads, gate = Threads(1, "test"), threading.Event()
    hanging: list[threading.Thread] = []

    def hang() -> None:
        hanging.append(threading.current_thread())
        gate.wait()

    with pytest.raises(TimeLimitError, match="turn_seconds"):
        await threads.run(hang, SOON)
    assert await threads.run(threading.current_thread, 5.0) is not hanging[0]
    threads.close()
    assert hanging[0].is_alive()
    gate.set()
    hanging[0].join(5)
    assert not hanging[0].is_alive()


async def test_a_call_that_found_no_thread_in_time_never_runs() -> None:
    threads, gate, ran = Threads(1, "test"), threading.Event(), threading.Event()
    first = asyncio.ensure_future(threads.run(gate.wait, 5.0))
    await asyncio.sleep(0)
    with pytest.raises(TimeLimitError):
        await threads.run(ran.set, SOON)
    gate.set()
    assert await first
    assert await threads.run(lambda: "still here", 5.0) == "still here"
    threads.close()
    assert not ran.is_set()


class Hanging(GreedyDecoder):
    """Hangs on the first utterance that it is given, where it is told to."""

    def __init__(self, gate: threading.Event, *, opening: bool) -> None:
        super().__init__(CHARACTERS, ReplayModel().timing)
        self._gate = gate
        self._opening = opening
        self._first = True

    def start(self, bias: Bias) -> DecoderState:
        self._hang(now=self._opening)
        return super().start(bias)

    def finish(self, state: DecoderState) -> tuple[Hypothesis, ...]:
        self._hang(now=not self._opening)
        return super().finish(state)

    def _hang(self, *, now: bool) -> None:
        if now and self._first:
            self._first = False
            self._gate.wait()


async def text_of(engine: Engine, data: bytes) -> str:
    utterance: Utterance
    async with await engine.open() as utterance:
        await utterance.feed(data)
        return (await utterance.finish()).text


@pytest.mark.parametrize("opening", [True, False])
async def test_a_decoder_that_hangs_ends_its_utterance_and_the_engine_goes_on_and_stops(opening: bool) -> None:  # noqa: FBT001
    gate = threading.Event()
    limits = Limits(workers=1, turn_seconds=SOON, shutdown_seconds=5.0)
    async with Engine(replaying(decoder=Hanging(gate, opening=opening)), limits) as engine:
        with pytest.raises(TimeLimitError, match="turn_seconds"):
            await text_of(engine, said("lost"))
        assert engine.utterances == 0
        assert await text_of(engine, said("on")) == "on"
    gate.set()
