"""Batches made ahead in other processes: draws in, batches out in the same order, bit for bit as without.

The processes are fresh ones (nothing of a GPU or of threads is inherited) and hold no data: each has a pipe of its own, is handed a
draw, hands back its batch, and waits for the next one. A process that is killed thus never holds up the others, and all end with the one
that trains, however it ends. They leave SIGINT, which reaches a whole terminal, to that one.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from multiprocessing.connection import Connection

from ds_training.batches import Batch, Draw, Preparer

AHEAD = 2  # batches that have arrived before they are asked for, beside one in each process


class WorkerError(RuntimeError):
    """A process that makes batches has ended before its time: for want of memory, or by a signal to the whole group."""


def prepared(draws: Iterator[Draw], preparer: Preparer, workers: int) -> Generator[Batch, None, None]:
    """The batch of each draw; with `workers` above 0 by so many processes, which end when the iterator is closed. Raises WorkerError."""
    if not workers:
        yield from map(preparer, draws)
        return
    processes: list[_Worker] = []
    try:
        processes += (_Worker(preparer) for _ in range(workers))
        with closing(_ahead(_in_turn(draws, processes))) as batches:
            yield from batches
    finally:
        for process in processes:
            process.end()


def _ahead(batches: Iterator[Batch]) -> Generator[Batch, None, None]:
    """The same, fetched by a thread, so that they arrive while others are learnt from."""
    thread = ThreadPoolExecutor(1)
    try:
        coming = deque(thread.submit(next, batches, None) for _ in range(AHEAD))
        while (batch := coming.popleft().result()) is not None:
            coming.append(thread.submit(next, batches, None))
            yield batch
    finally:
        thread.shutdown(cancel_futures=True)


def _in_turn(draws: Iterator[Draw], processes: Sequence[_Worker]) -> Generator[Batch, None, None]:
    """Each process has one draw in hand; whoever hands back a batch gets the next."""
    busy: deque[_Worker] = deque()
    for number, draw in enumerate(draws):
        batch = busy.popleft().receive() if number >= len(processes) else None
        busy.append(processes[number % len(processes)])
        busy[-1].send(draw)
        if batch:
            yield batch
    for process in busy:
        yield process.receive()


class _Worker:
    """A process and this end of its pipe."""

    def __init__(self, preparer: Preparer) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, preparer), daemon=True)
        self._process.start()
        theirs.close()  # so that the pipe breaks when the process ends

    def send(self, draw: Draw) -> None:
        """Only to a process that has nothing to do: with both sides sending, neither would read."""
        try:
            _send(self._connection, draw)
        except OSError as error:
            raise self._gone() from error

    def receive(self) -> Batch:
        try:
            answer = pickle.loads(self._connection.recv_bytes())  # noqa: S301  # from a process of our own
        except (EOFError, OSError) as error:
            raise self._gone() from error
        if isinstance(answer, Exception):
            raise answer
        batch: Batch = answer
        return batch

    def _gone(self) -> WorkerError:
        self._process.join()
        return WorkerError(f"a process that makes batches has ended before its time (status {self._process.exitcode})")

    def end(self) -> None:
        self._process.terminate()
        self._process.join()
        self._connection.close()


def _work(connection: Connection, preparer: Preparer) -> None:
    """What the process does, until the other end of the pipe is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, OSError):
        while True:
            _send(connection, _made(preparer, pickle.loads(connection.recv_bytes())))  # noqa: S301  # as above


def _made(preparer: Preparer, draw: Draw) -> Batch | Exception:
    try:
        return preparer(draw)
    except Exception as error:  # noqa: BLE001  # whatever it is, the process that trains is to know
        return error


def _send(connection: Connection, item: object) -> None:
    connection.send_bytes(pickle.dumps(item, pickle.HIGHEST_PROTOCOL))
