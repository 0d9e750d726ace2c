"""Guarded plugin calls: whatever a plugin does, its caller gets a value or a PluginError, in time.

Each plugin has one daemon thread, in which its synchronous functions run one after the other, and a record of its faults. A
call that raises (SystemExit and CancelledError included) or overruns its deadline is a fault, reported under the plugin's name;
after MAX_FAULTS within FAULT_SECONDS the plugin is disabled for good. Threads and coroutines that hang are never waited for,
neither by later calls nor at exit. What a plugin raised while it handled an utterance is reported by type and place only: its
message may hold speech.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import logging
import queue
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from ds_engine.errors import PluginError, kind_and_place

MAX_FAULTS = 3  # a plugin's within FAULT_SECONDS, before it is disabled
FAULT_SECONDS = 3600.0

_log = logging.getLogger(__name__)
_Outcome = tuple[Any, BaseException | None]  # what a function returned, or raised
_Job = tuple[Callable[[], Any], "concurrent.futures.Future[_Outcome]"]


class Guard:
    """The guard of one plugin. Its methods may be called from any thread."""

    def __init__(self, plugin: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.plugin = plugin
        self._clock = clock
        self.faults: list[str] = []  # the newest MAX_FAULTS
        self._fault_times: list[float] = []  # of the same
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._stuck = False  # the job that runs is overdue
        self._late: set[asyncio.Task[_Outcome]] = set()  # cancelled, but not over yet; asyncio itself would forget them

    @property
    def disabled(self) -> bool:
        """True once the plugin has had its chances."""
        return len(self.faults) == MAX_FAULTS and self._fault_times[-1] - self._fault_times[0] < FAULT_SECONDS

    def call(self, what: str, function: Callable[[], Any], deadline: float, *, private: bool = False) -> Any:
        """Runs a synchronous function in the plugin's thread and waits for it. Raises PluginError; `deadline` in seconds.

        `private`: the function sees speech, so that what it says when it raises is reported nowhere.
        """
        self._check(what)
        future = self._submit(function)
        try:
            result, error = future.result(deadline)
        except concurrent.futures.TimeoutError:
            raise self._overdue(what, deadline, future) from None
        if error is not None:
            raise self._raised(what, error, private=private) from None if private else error
        return result

    async def call_async(self, what: str, function: Callable[[], Any], deadline: float) -> Any:
        """As a private `call`, without blocking; what the function returns is awaited, on this loop, if it can be."""
        self._check(what)
        future = None if inspect.iscoroutinefunction(function) else self._submit(function)
        task = asyncio.create_task(_awaited(function, future), name=f"plugin {self.plugin}: {what}")
        try:
            await asyncio.wait({task}, timeout=deadline)
        finally:
            if not task.done():
                self._late.add(task)
                task.add_done_callback(self._late.discard)
                task.cancel()
        if not task.done():
            raise self._overdue(what, deadline, future)
        if task.cancelled():
            raise self._fault(what, "cancelled itself")
        result, error = task.result()
        if error is not None:
            raise self._raised(what, error, private=True) from None  # a chained error is logged with its message
        return result

    def refuse(self, what: str, why: str) -> PluginError:
        """Counts a fault for a result that makes no sense, and returns the error to raise."""
        return self._fault(what, why)

    def _check(self, what: str) -> None:
        if self.disabled:
            raise PluginError(f"plugin {self.plugin} is disabled after {MAX_FAULTS} faults ({what})")

    def _submit(self, function: Callable[[], Any]) -> concurrent.futures.Future[_Outcome]:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"plugin {self.plugin}", daemon=True)
                self._thread.start()
        future: concurrent.futures.Future[_Outcome] = concurrent.futures.Future()
        self._jobs.put((function, future))
        return future

    def _run(self) -> None:
        while True:
            function, future = self._jobs.get()
            if future.set_running_or_notify_cancel():
                outcome = _outcome(function)
                self._stuck = False
                future.set_result(outcome)

    def _overdue(self, what: str, deadline: float, future: concurrent.futures.Future[_Outcome] | None) -> PluginError:
        late = f"took longer than {deadline:g} s"
        if future is None or not future.cancel():
            self._stuck = future is not None and not future.done()
        elif not self._stuck:  # it never began, and those before it are in time still: many calls at once are nobody's fault
            _log.warning("plugin %s: %s %s, busy with other calls", self.plugin, what, late)
            return PluginError(f"plugin {self.plugin}: {what} {late}, busy with other calls")
        return self._fault(what, late)

    def _raised(self, what: str, error: BaseException, *, private: bool) -> PluginError:
        if not private:
            _log.debug("plugin %s: %s", self.plugin, what, exc_info=error)
        return self._fault(what, f"raised {kind_and_place(error) if private else _kind_and_message(error)}")

    def _fault(self, what: str, why: str) -> PluginError:
        self.faults = [*self.faults, f"{what} {why}"][-MAX_FAULTS:]
        self._fault_times = [*self._fault_times, self._clock()][-MAX_FAULTS:]
        _log.warning("plugin %s: %s %s%s", self.plugin, what, why, "; it is disabled now" if self.disabled else "")
        return PluginError(f"plugin {self.plugin}: {what} {why}")


def _outcome(function: Callable[[], Any]) -> _Outcome:
    try:
        return function(), None
    except BaseException as error:  # noqa: BLE001 - sys.exit in a plugin must not end the service
        return None, error


async def _awaited(function: Callable[[], Any], future: concurrent.futures.Future[_Outcome] | None) -> _Outcome:
    """What the function comes to: called here where it only makes a coroutine, in the plugin's thread otherwise."""
    task = asyncio.current_task()
    try:
        result, error = (function(), None) if future is None else await asyncio.wrap_future(future)
        return (await result, None) if inspect.isawaitable(result) else (result, error)
    except BaseException as error:
        if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
            raise
        return None, error


def _kind_and_message(error: BaseException) -> str:
    return " ".join(traceback.format_exception_only(type(error), error)[-1].split())  # survives a broken __str__
