"""Worker threads that can be given up: a call in, its result out, or TimeLimitError once its deadline has passed.

Nobody can stop a thread that hangs, in a plugin's decoder for example. So the threads are daemons, which the end of the process
does not wait for, and one whose call is overdue is replaced: the others go on at full strength, and should it come back some day, it
finds that it is no longer needed.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ds_engine.errors import TimeLimitError

T = TypeVar("T")


@dataclass(slots=True)
class _Job:
    work: Callable[[], Any]
    result: concurrent.futures.Future[Any] = field(default_factory=concurrent.futures.Future)
    thread: threading.Thread | None = None  # that runs it
    finished: bool = False
    overdue: bool = False


class Threads:
    """A fixed number of threads with one queue. Belongs to the event loop on which `run` is awaited."""

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = name
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads: set[threading.Thread] = set()
        self._deciding = threading.Lock()  # whether a job has finished or is overdue: never both

    async def run(self, work: Callable[[], T], deadline: float) -> T:
        """Calls `work` in a thread. Raises what it raises, or TimeLimitError after `deadline` seconds, waiting for a thread included."""
        while len(self._threads) < self._count:
            self._add_thread()
        job = _Job(work)
        self._jobs.put(job)
        result = asyncio.wrap_future(job.result)
        await asyncio.wait({result}, timeout=deadline)
        if not result.done():
            self._give_up(job)
            result.cancel()
            raise TimeLimitError(f"turn_seconds: computing took longer than {deadline:g} s")
        returned: T = result.result()
        return returned

    def close(self) -> None:
        """Ends the threads and waits for them, but for those that were given up."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._threads = set()

    def _add_thread(self) -> None:
        thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
        self._threads.add(thread)
        thread.start()

    def _give_up(self, job: _Job) -> None:
        with self._deciding:
            job.overdue = not job.finished and not job.result.cancel()
        if job.overdue:  # it runs: in a thread that is of no more use
            self._threads = {thread for thread in self._threads if thread is not job.thread}

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.thread = threading.current_thread()
            if not job.result.set_running_or_notify_cancel():
                continue
            outcome = _outcome(job.work)
            with self._deciding:
                job.finished = True
            if job.overdue:
                return
            _settle(job.result, *outcome)


def _outcome(work: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return work(), None
    except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it
        return None, error


def _settle(result: concurrent.futures.Future[Any], value: Any, error: BaseException | None) -> None:
    if error is None:
        result.set_result(value)
    else:
        result.set_exception(error)
