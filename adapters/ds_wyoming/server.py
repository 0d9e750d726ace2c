"""The server: connections in, sessions beside each other, as many as allowed; on leaving they may finish their utterances."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from wyoming.error import Error

from ds_engine.errors import BusyError
from ds_plugin.host import Host
from ds_wyoming.connection import Connection
from ds_wyoming.ending import Ending
from ds_wyoming.session import Session
from ds_wyoming.settings import WyomingSettings

_log = logging.getLogger(__name__)


class Server:
    """Serves connections, wherever they come from."""

    def __init__(self, host: Host, settings: WyomingSettings) -> None:
        self._host = host
        self._settings = settings
        self._ending = Ending(settings.endpoint)
        self._sessions: set[Session] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves a new connection, or says that there are too many; where even those pile up, drops it."""
        if len(self._tasks) < 2 * self._settings.connections:
            self.serve(reader, writer)
        else:
            writer.transport.abort()

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> asyncio.Task[None]:
        """Serves a connection in a task that ends with it and never fails."""
        task = asyncio.create_task(self._handle(Connection(reader, writer, self._settings)), name="wyoming connection")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def drain(self) -> None:
        """Ends all sessions: idle ones now, the others once their utterance is answered, or `shutdown_seconds` are over."""
        for session in self._sessions:
            session.leave()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._host.engine.limits.shutdown_seconds)
        late = list(self._tasks)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _handle(self, connection: Connection) -> None:
        try:
            if len(self._sessions) < self._settings.connections:
                await self._converse(connection)
            else:
                await self._refuse(connection)
        finally:
            await connection.close()

    async def _converse(self, connection: Connection) -> None:
        session = Session(self._host, connection, self._settings.name, self._ending)
        self._sessions.add(session)
        try:
            await session.run()
        finally:
            self._sessions.discard(session)

    async def _refuse(self, connection: Connection) -> None:
        busy = BusyError(f"connections: {self._settings.connections} are open already")
        _log.warning("%s: %s: %s", connection.peer, busy.code, busy)
        with contextlib.suppress(OSError):
            await connection.send(Error(str(busy), busy.code))
