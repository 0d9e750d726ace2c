"""Guarded plugin calls: whatever a plugin does, its caller gets a value or a PluginError, in time.

Each plugin has one daemon thread, in which its synchronous functions run one after the other, and a record of its faults. A
call that raises or overruns its deadline is a fault, reported under the plugin's name; after MAX_FAULTS the plugin is disabled
for good. A thread that hangs is never waited for, neither by later calls nor at exit.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import logging
import queue
import threading
from collections.abc import Callable
from typing import Any

from ds_engine.errors import PluginError

MAX_FAULTS = 3  # a plugin's, over its life, before it is disabled

_log = logging.getLogger(__name__)
_Job = tuple[Callable[[], Any], "concurrent.futures.Future[Any]"]


class Guard:
    """The guard of one plugin. Its methods may be called from any thread."""

    def __init__(self, plugin: str) -> None:
        self.plugin = plugin
        self.faults: list[str] = []
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def disabled(self) -> bool:
        """True once the plugin has had its chances."""
        return len(self.faults) >= MAX_FAULTS

    def call(self, what: str, function: Callable[[], Any], deadline: float) -> Any:
        """Runs a synchronous function in the plugin's thread and waits for it. Raises PluginError; `deadline` in seconds."""
        future = self._submit(what, function)
        try:
            return future.result(deadline)
        except concurrent.futures.TimeoutError as error:  # also what a function raises that ran into a timeout of its own
            raise self._fault(what, f"took longer than {deadline:g} s", future, error) from error
        except Exception as error:
            raise self._fault(what, _said(error), future, error) from error

    async def call_async(self, what: str, function: Callable[[], Any], deadline: float) -> Any:
        """As `call`, without blocking; what the function returns is awaited, on this loop, if it can be."""
        future: concurrent.futures.Future[Any] | None = None
        try:
            async with asyncio.timeout(deadline):
                if inspect.iscoroutinefunction(function):
                    self._check(what)
                    return await function()
                future = self._submit(what, function)
                result = await asyncio.wrap_future(future)
                return await result if inspect.isawaitable(result) else result
        except PluginError:
            raise
        except TimeoutError as error:
            raise self._fault(what, f"took longer than {deadline:g} s", future, error) from error
        except Exception as error:
            raise self._fault(what, _said(error), future, error) from error

    def refuse(self, what: str, why: str) -> PluginError:
        """Counts a fault for a result that makes no sense, and returns the error to raise."""
        return self._fault(what, why, None, None)

    def _submit(self, what: str, function: Callable[[], Any]) -> concurrent.futures.Future[Any]:
        self._check(what)
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"plugin {self.plugin}", daemon=True)
                self._thread.start()
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self._jobs.put((function, future))
        return future

    def _check(self, what: str) -> None:
        if self.disabled:
            raise PluginError(f"plugin {self.plugin} is disabled after {MAX_FAULTS} faults ({what})")

    def _run(self) -> None:
        while True:
            function, future = self._jobs.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(function())
            except BaseException as error:  # noqa: BLE001 - the caller gets it, SystemExit included
                future.set_exception(error)

    def _fault(self, what: str, why: str, future: concurrent.futures.Future[Any] | None, error: BaseException | None) -> PluginError:
        if future is not None:
            future.cancel()  # one that still waits behind a hanging call must not run later
        self.faults.append(f"{what} {why}")
        _log.warning("plugin %s: %s %s%s", self.plugin, what, why, "; it is disabled now" if self.disabled else "")
        _log.debug("plugin %s: %s", self.plugin, what, exc_info=error)
        return PluginError(f"plugin {self.plugin}: {what} {why}")


def _said(error: BaseException) -> str:
    return f"raised {type(error).__name__}: {error}"
