"""A guard gives a value or a PluginError in time, whatever the plugin does."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ds_engine.errors import PluginError
from ds_plugin.guard import FAULT_SECONDS, MAX_FAULTS, Guard
from tests.ds_engine.fakes import until
from tests.ds_plugin.helpers import SOON

WICKED: list[BaseException] = [
    ValueError("secret"),
    TimeoutError("secret"),
    PluginError("secret"),
    SystemExit("secret"),
    KeyboardInterrupt("secret"),
    asyncio.CancelledError("secret"),
    concurrent.futures.CancelledError("secret"),
    StopIteration("secret"),
    GeneratorExit("secret"),
]


@pytest.fixture
def guard() -> Guard:
    return Guard("odd")


@pytest.fixture
def stuck() -> Iterator[Callable[[], object]]:
    """A function that hangs until the test is over."""
    over = threading.Event()
    yield lambda: over.wait(60)
    over.set()


def raising(error: BaseException) -> Callable[[], Any]:
    def function() -> None:
        raise error

    return function


def raising_async(error: BaseException) -> Callable[[], Any]:
    async def function() -> None:
        await asyncio.sleep(0)
        raise error

    return function


class _Unprintable(Exception):  # noqa: N818 - not an error that anybody raises
    def __str__(self) -> str:
        raise RuntimeError


def test_a_function_runs_in_a_daemon_thread_of_the_plugin(guard: Guard) -> None:
    thread = guard.call("asking", threading.current_thread, 20)
    assert thread.name == "plugin odd"
    assert thread.daemon
    assert guard.call("asking", threading.current_thread, 20) is thread


@pytest.mark.parametrize("error", WICKED, ids=lambda error: type(error).__name__)
def test_whatever_a_function_raises_its_caller_gets_a_plugin_error(guard: Guard, error: BaseException) -> None:
    with pytest.raises(PluginError, match=f"^plugin odd: asking raised .*{type(error).__name__}: secret$"):
        guard.call("asking", raising(error), 20)
    assert guard.call("asking", lambda: 5, 20) == 5


@pytest.mark.parametrize("make", [raising, raising_async])
@pytest.mark.parametrize("error", WICKED, ids=lambda error: type(error).__name__)
async def test_whatever_is_raised_beside_the_loop_ends_neither_it_nor_the_caller(
    guard: Guard, make: Callable[[BaseException], Callable[[], Any]], error: BaseException
) -> None:
    with pytest.raises(PluginError, match=r"^plugin odd: asking raised") as caught:
        await guard.call_async("asking", make(error), 20)
    assert "secret" not in str(caught.value)
    assert await guard.call_async("asking", lambda: 5, 20) == 5


async def test_what_a_plugin_says_of_an_utterance_is_logged_nowhere(guard: Guard, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(PluginError) as caught:
        await guard.call_async("ds_final", raising(ValueError("secret")), 20)
    assert caught.value.__cause__ is None
    assert "ds_final raised ValueError (test_guard.py, line " in caplog.text
    assert "secret" not in caplog.text


def test_what_a_plugin_says_when_it_loads_is_told(guard: Guard, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(PluginError) as caught:
        guard.call("loading", raising(ValueError("two\nlines")), 20)
    assert str(caught.value) == "plugin odd: loading raised ValueError: two lines"
    assert isinstance(caught.value.__cause__, ValueError)


def test_an_error_that_cannot_be_printed_is_reported_all_the_same(guard: Guard) -> None:
    with pytest.raises(PluginError, match="_Unprintable"):
        guard.call("loading", raising(_Unprintable()), 20)


def test_a_function_that_hangs_is_given_up_and_its_plugin_disabled(guard: Guard, stuck: Callable[[], object]) -> None:
    for _ in range(MAX_FAULTS):
        with pytest.raises(PluginError, match=r"asking took longer than 0\.01 s"):
            guard.call("asking", stuck, 0.01)
    assert guard.disabled
    with pytest.raises(PluginError, match="disabled after 3 faults"):
        guard.call("asking", lambda: 5, 20)
    assert len(guard.faults) == MAX_FAULTS


async def test_a_function_that_hangs_does_not_hold_the_loop(guard: Guard, stuck: Callable[[], object]) -> None:
    for _ in range(MAX_FAULTS):
        with pytest.raises(PluginError, match="took longer"):
            await guard.call_async("asking", stuck, 0.01)
    with pytest.raises(PluginError, match="disabled"):
        await guard.call_async("asking", stuck, 0.01)


async def test_a_coroutine_that_never_returns_is_cancelled(guard: Guard) -> None:
    cancelled = asyncio.Event()

    async def never() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(PluginError, match="took longer"):
        await guard.call_async("asking", never, 0.01)
    await cancelled.wait()


async def test_a_coroutine_that_will_not_be_cancelled_holds_nobody(guard: Guard) -> None:
    release = asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()

    with pytest.raises(PluginError, match="took longer"):
        await guard.call_async("asking", stubborn, 0.01)
    release.set()
    await until(lambda: not guard._late)


async def test_a_coroutine_that_cancels_itself_has_failed(guard: Guard) -> None:
    async def suicidal() -> None:
        task = asyncio.current_task()
        assert task
        task.cancel()
        await asyncio.sleep(0)

    with pytest.raises(PluginError, match="cancelled itself"):
        await guard.call_async("asking", suicidal, 20)


async def test_a_caller_that_is_cancelled_takes_its_call_along(guard: Guard, stuck: Callable[[], object]) -> None:
    with pytest.raises(PluginError):
        await guard.call_async("asking", stuck, 0.01)  # the thread is busy now
    calls: list[int] = []
    waiting = asyncio.create_task(guard.call_async("asking", lambda: calls.append(1), 20))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await until(lambda: not guard._late)
    assert len(guard.faults) == 1
    assert not calls


async def test_what_a_function_returns_is_awaited(guard: Guard) -> None:
    async def answer() -> int:
        return 5

    assert await guard.call_async("asking", answer, 20) == 5
    assert await guard.call_async("asking", lambda: answer(), 20) == 5  # noqa: PLW0108 - a plain function that makes a coroutine


async def test_a_call_that_waits_behind_calls_in_time_is_no_fault(guard: Guard) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        go_on.wait(60)

    in_time = asyncio.create_task(guard.call_async("slow", slow, 60))
    await asyncio.to_thread(begun.wait, 60)
    with pytest.raises(PluginError, match="busy with other calls"):
        await guard.call_async("asking", lambda: 5, 0.01)
    go_on.set()
    await in_time
    assert not guard.faults
    assert await guard.call_async("asking", lambda: 5, 20) == 5


def test_a_call_given_up_before_it_began_never_runs(guard: Guard) -> None:
    release, calls = threading.Event(), list[str]()
    with pytest.raises(PluginError):
        guard.call("hanging", lambda: release.wait(60), SOON / 10)
    with pytest.raises(PluginError):
        guard.call("late", lambda: calls.append("late"), SOON / 10)
    release.set()
    guard.call("next", lambda: calls.append("next"), 20)
    assert calls == ["next"]


def test_a_refused_result_counts_as_a_fault(guard: Guard, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(MAX_FAULTS):
        assert str(guard.refuse("asking", "returned nonsense")) == "plugin odd: asking returned nonsense"
    assert guard.disabled
    assert "it is disabled now" in caplog.text


def test_rare_faults_are_forgiven() -> None:
    now = iter([0.0, 10.0, FAULT_SECONDS, FAULT_SECONDS + 1, FAULT_SECONDS + 2])
    guard = Guard("clumsy", lambda: next(now))
    for _ in range(3):
        guard.refuse("a hook", "gave nonsense")
    assert not guard.disabled
    for _ in range(2):
        guard.refuse("a hook", "gave nonsense")
    assert guard.disabled
    assert len(guard.faults) == MAX_FAULTS
