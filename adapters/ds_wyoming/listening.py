"""Listening: an address in, connections handed to the server while the context is entered.

On leaving, nothing new is accepted, then the server is drained. TCP and Unix sockets listen until then; standard input and
output are one connection, and serving ends with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import socket
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ds_engine.errors import InputError
from ds_wyoming.address import Address, Stdio, Tcp, Unix
from ds_wyoming.server import Server
from ds_wyoming.settings import MAX_HEADER_BYTES

_STDIN, _STDOUT, _STDERR = 0, 1, 2  # file descriptors
_SETTLE_SECONDS = 0.1  # that a client which connects while we stop gets for its first word: then its utterance has begun, and ends well
_PROBE_SECONDS = 1.0  # that a server in our place has to take a connection


@dataclass(frozen=True, slots=True)
class Bound:
    """An address that a socket listens on, as the system tells it: numbers, and the real port."""

    address: str
    port: int

    def __str__(self) -> str:
        return str(Tcp(self.address, self.port))


@dataclass(frozen=True, slots=True)
class Listening:
    """See ds_plugin.adapter.Serving."""

    address: str
    ended: asyncio.Future[None]
    bound: tuple[Bound, ...] = ()  # empty where there is no network

    async def wait(self) -> None:
        await asyncio.shield(self.ended)


@asynccontextmanager
async def listening(address: Address, server: Server) -> AsyncIterator[Listening]:
    """Serves at the address while it is entered. Raises InputError where that is impossible."""
    match address:
        case Tcp():
            context = _tcp(address, server)
        case Unix():
            context = _unix(address, server)
        case Stdio():
            context = _stdio(address, server)
    async with context as serving:
        yield serving


@asynccontextmanager
async def _tcp(address: Tcp, server: Server) -> AsyncIterator[Listening]:
    with _cannot_listen(address):
        door = _Door(server)
        listener = await asyncio.start_server(door.accept, address.host, address.port, limit=MAX_HEADER_BYTES)
    bound = tuple(Bound(*each.getsockname()[:2]) for each in listener.sockets)
    async with _until_drained(listener, door):
        yield Listening(str(Tcp(address.host, bound[0].port)), _never(), bound)


@asynccontextmanager
async def _unix(address: Unix, server: Server) -> AsyncIterator[Listening]:
    with _cannot_listen(address):
        _remove_stale(address.path)
        door = _Door(server)
        listener = await asyncio.start_unix_server(door.accept, address.path, limit=MAX_HEADER_BYTES)
    try:
        async with _until_drained(listener, door):
            yield Listening(str(address), _never())
    finally:
        address.path.unlink(missing_ok=True)


@asynccontextmanager
async def _stdio(address: Stdio, server: Server) -> AsyncIterator[Listening]:
    with _own_pipes() as (stdin, stdout):
        with _cannot_listen(address):
            reader, writer = await _connect(stdin, stdout)
        conversation = server.serve(reader, writer)
        try:
            yield Listening(str(address), conversation)
        finally:
            await server.drain()


class _Door:
    """Where connections come in, until it is closed."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._last = -math.inf  # s, on the event loop's clock: when somebody came in

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """See Server.accept."""
        self._last = asyncio.get_running_loop().time()
        self._server.accept(reader, writer)

    async def close(self, listener: asyncio.Server) -> None:
        """Lets in nobody new, and the others end well."""
        await asyncio.sleep(0)  # whoever has connected is let in: the system resets those that nobody took
        listener.close()
        await asyncio.sleep(max(0.0, self._last + _SETTLE_SECONDS - asyncio.get_running_loop().time()))
        await self._server.drain()


@asynccontextmanager
async def _until_drained(listener: asyncio.Server, door: _Door) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await door.close(listener)


@contextmanager
def _cannot_listen(address: Address) -> Iterator[None]:
    try:
        yield
    except (OSError, OverflowError, ValueError) as error:  # a port over 65535; a host name or pipe that is none
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputError(f"wyoming.uri: cannot listen on {address}: {reason}") from error


def _remove_stale(path: Path) -> None:
    """Removes a socket that nobody listens on any more; raises OSError for anything else that is in the way."""
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise FileExistsError(None, "the file exists and is no socket")
    with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(ConnectionRefusedError):
        probe.settimeout(_PROBE_SECONDS)
        probe.connect(str(path))
        raise FileExistsError(None, "another server listens there")
    path.unlink()


@contextmanager
def _own_pipes() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Standard input and output for us alone: what anybody else prints meanwhile goes to standard error and breaks no frame."""
    sys.stdout.flush()
    with os.fdopen(os.dup(_STDIN), "rb", 0) as stdin, os.fdopen(os.dup(_STDOUT), "wb", 0) as stdout:
        os.dup2(_STDERR, _STDOUT)
        kept = os.dup(stdout.fileno())  # the pipe's transport closes what it is given
        try:
            yield stdin, stdout
        finally:
            sys.stdout.flush()
            os.dup2(kept, _STDOUT)
            os.close(kept)
            for shared in (_STDIN, _STDOUT):  # with whoever started us
                os.set_blocking(shared, True)


async def _connect(stdin: BinaryIO, stdout: BinaryIO) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MAX_HEADER_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), stdin)
    transport, protocol = await loop.connect_write_pipe(lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), stdout)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


def _never() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()
