"""Our server as people run it: a process with `ds-plugin serve wyoming`, on a free port."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

SECONDS = 30.0  # in which it must listen, and end

_COMMAND = (sys.executable, "-c", "from ds_plugin.cli import main; main()", "serve", "wyoming", "--uri")


@dataclass(slots=True)
class Server:
    """A running one. `said` is what it has printed so far, line by line."""

    process: Process
    host: str = "127.0.0.1"
    port: int = 0
    said: list[str] = field(default_factory=list)

    async def listening(self) -> None:
        """Waits for the line that names the address."""
        line = await asyncio.wait_for(self._line(), SECONDS)
        while not line.startswith("wyoming listens on "):
            assert line, self.said
            line = await asyncio.wait_for(self._line(), SECONDS)
        self.port = int(line.rpartition(":")[2])

    async def read(self) -> None:
        """Keeps what it prints until it ends."""
        while await self._line():
            pass

    async def _line(self) -> str:
        assert self.process.stderr is not None
        line = (await self.process.stderr.readline()).decode().strip()
        if line:
            self.said.append(line)
        return line

    async def kill(self) -> None:
        """It is gone at once, with everything that it was doing."""
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def serving(
    *arguments: str, host: str = "127.0.0.1", port: int = 0, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Server]:
    """A server with these arguments; it has ended, by SIGTERM and with exit code 0, when this does."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DS_PLUGIN_")}
    command = [*_COMMAND, f"tcp://{host}:{port}", *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, env=clean | dict(environment or {})
    )
    server = Server(process)
    reading: asyncio.Task[None] | None = None
    try:
        await server.listening()
        reading = asyncio.create_task(server.read())
        yield server
        if process.returncode is None:
            process.terminate()
            assert await asyncio.wait_for(process.wait(), SECONDS) == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if reading:
            await reading
