"""The other end of driver.py: a Home Assistant's client in a process of its own, told what to do."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DRIVER = Path(__file__).with_name("driver.py")
SECONDS = 60.0  # for one answer, or for the import of Home Assistant


@dataclass(slots=True)
class Client:
    """A running one; `Client.ask` gives answers as the driver's docstring names them."""

    process: Process
    _last: int = 0
    _answers: dict[int, asyncio.Queue[dict[str, Any]]] = field(default_factory=dict)

    async def read(self) -> None:
        """Hands out what it says until it ends."""
        while message := await self.line():
            self._answers[message["id"]].put_nowait(message)

    async def line(self) -> dict[str, Any]:
        """The next thing that it says, {} at its end."""
        assert self.process.stdout is not None
        return dict(json.loads(await self.process.stdout.readline() or "{}"))

    def order(self, do: str, number: int = 0, **fields: Any) -> int:
        """The number under which `answer` gives what it leads to; with a `number`, it belongs to that earlier order."""
        if not number:
            self._last = number = self._last + 1
            self._answers[number] = asyncio.Queue()
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"id": number, "do": do, **fields}).encode() + b"\n")
        return number

    async def answer(self, number: int) -> dict[str, Any]:
        """The next answer to an order."""
        return await asyncio.wait_for(self.next_answer(number), SECONDS)

    async def next_answer(self, number: int) -> dict[str, Any]:
        """The same, for as long as it takes."""
        return await self._answers[number].get()

    async def load(self, host: str, port: int) -> dict[str, Any]:
        """What it makes of a server's info."""
        return await self.answer(self.order("load", host=host, port=port))

    async def hear(self, audio: Path, language: str = "en") -> tuple[str, str | None]:
        """State and text of one utterance."""
        answer = await self.answer(self.order("transcribe", audio=str(audio), language=language, hold=False))
        return answer["state"], answer["text"]

    async def hold(self, audio: Path, language: str = "en") -> int:
        """An utterance that has sent everything and does not end; `order("release", number)` ends it."""
        number = self.order("transcribe", audio=str(audio), language=language, hold=True)
        assert (await self.answer(number))["held"]
        return number


@asynccontextmanager
async def running(command: Sequence[str]) -> AsyncIterator[Client]:
    """A client that is ready. `command` is an interpreter, and perhaps the folder with what it imports."""
    process = await asyncio.create_subprocess_exec(command[0], str(DRIVER), *command[1:], stdin=PIPE, stdout=PIPE)
    client = Client(process)
    reading: asyncio.Task[None] | None = None
    try:
        assert (await asyncio.wait_for(client.line(), SECONDS))["ready"]
        reading = asyncio.create_task(client.read())
        yield client
    finally:
        if process.stdin:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), SECONDS)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            if reading:
                await reading
