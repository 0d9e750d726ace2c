"""uvicorn inside our event loop: it listens on a socket of ours, leaves signals alone and is told when to stop.

What it does not bound is bounded here: a connection may be without a request only for HEAD_SECONDS, and of connections beyond
the limit as many again are answered 503, and the rest closed at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ds_plugin.config import ConfigError

if TYPE_CHECKING:
    from starlette.applications import Starlette

HEAD_SECONDS = 10.0  # in which a client must send the head of its first or next request
BACKLOG = 128  # connections that wait to be accepted


class HttpServer:
    """See ds_plugin.adapter.Serving."""

    def __init__(self, address: str, task: asyncio.Task[None]) -> None:
        self.address = address
        self._task = task

    async def wait(self) -> None:
        """Returns when the server has ended, which it only does when it is told to or fails."""
        await asyncio.shield(self._task)


@asynccontextmanager
async def serving(
    app: Starlette, bind: str, connections: int, grace_seconds: float, head_seconds: float = HEAD_SECONDS
) -> AsyncIterator[HttpServer]:
    """Serves while entered; leaving gives open requests `grace_seconds`. Raises ConfigError where it cannot listen."""
    listener = await _listen(bind)
    server = _Server(_config(app, connections, grace_seconds, head_seconds))
    task = asyncio.create_task(server.serve(sockets=[listener]), name="http server")
    try:
        yield HttpServer(_address(listener), task)
    finally:
        server.should_exit = True
        try:
            await task
        finally:
            await asyncio.gather(*server.server_state.tasks, return_exceptions=True)
            listener.close()


class _Server(uvicorn.Server):  # type: ignore[misc]  # mypy is told to skip uvicorn
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the host's signals are the host's


class _Connection(H11Protocol):  # type: ignore[misc]  # as above
    """uvicorn's, without endless waiting for a request."""

    def __init__(self, head_seconds: float, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._head_seconds = head_seconds

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if len(self.connections) > 2 * self.limit_concurrency:
            self.transport.abort()
        else:
            self._watch(self.cycle)

    def _watch(self, seen: object) -> None:
        self.loop.call_later(self._head_seconds, self._close_if_waiting, seen)

    def _close_if_waiting(self, seen: object) -> None:
        """Closes the connection where it waited for a request all the time, or for the rest of one that has been answered."""
        if self.transport.is_closing():
            return
        waiting = self.cycle is None or self.cycle.response_complete
        if waiting and seen is self.cycle:
            self.transport.close()
        else:
            self._watch(self.cycle if waiting else None)


def _config(app: Starlette, connections: int, grace_seconds: float, head_seconds: float) -> uvicorn.Config:
    def connection(**arguments: Any) -> _Connection:
        return _Connection(head_seconds, **arguments)

    make: Callable[..., asyncio.Protocol] = connection
    return uvicorn.Config(
        app,
        http=make,
        ws="none",
        lifespan="off",
        log_config=None,  # logging is the host's
        access_log=False,
        server_header=False,
        limit_concurrency=connections + 1,  # uvicorn refuses the one that reaches it
        timeout_graceful_shutdown=grace_seconds,
        backlog=BACKLOG,
    )


async def _listen(bind: str) -> socket.socket:
    name, colon, port = bind.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 0xFFFF:
        raise ConfigError(f"http.bind must be HOST:PORT, got {bind!r:.60}")
    try:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(name.strip("[]") or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return socket.create_server(found[0][4][:2], family=found[0][0], backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"http.bind: cannot listen on {bind:.60}: {reason}") from error


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
