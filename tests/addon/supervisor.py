"""A stand-in for the Supervisor on this machine: takes POST /discovery as the real one does, and remembers what it was sent.

Where it knows a Home Assistant it passes its WebSocket on, as the real one does.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

TOKEN = "0123456789abcdef"
OK = '200 OK\r\n\r\n{"result": "ok", "data": {"uuid": "0"}}'
SECONDS = 20.0  # that anything may take here


@dataclass(slots=True)
class Request:
    """What somebody sent."""

    line: str
    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class Supervisor:
    """Answers with the first of `answers`, the last one again and again; "" closes the connection instead."""

    answers: list[str] = field(default_factory=lambda: [OK])
    requests: list[Request] = field(default_factory=list)
    address: str = ""
    home_assistant: int = 0  # port
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def heard(self, number: int) -> list[Request]:
        """All requests, once there are so many."""
        async with asyncio.timeout(SECONDS), self.arrived:
            await self.arrived.wait_for(lambda: len(self.requests) >= number)
        return self.requests

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            raw = await reader.readuntil(b"\r\n\r\n")
            head = raw.decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            if head[0].startswith("GET /core/websocket ") and self.home_assistant:
                await _pass_on(raw, reader, writer, self.home_assistant)
                return
            if not head[0].startswith("POST "):
                writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            writer.write(f"HTTP/1.0 {answer}".encode() if answer else b"")
            async with self.arrived:
                self.requests.append(Request(head[0], headers, json.loads(body)))
                self.arrived.notify_all()
            await writer.drain()
        finally:
            writer.close()


async def _pass_on(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Both ways, until one side has enough."""
    inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
    inner_writer.write(head)
    ways = {asyncio.create_task(_pour(reader, inner_writer)), asyncio.create_task(_pour(inner_reader, writer))}
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        inner_writer.close()


async def _pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(2**16):
        target.write(data)
        await target.drain()


@asynccontextmanager
async def supervising(*answers: str, port: int = 0) -> AsyncIterator[Supervisor]:
    """A stand-in that listens on this machine while it is entered."""
    supervisor = Supervisor(list(answers) or [OK])
    server = await asyncio.start_server(supervisor.accept, "127.0.0.1", port)
    host, place = server.sockets[0].getsockname()
    supervisor.address = f"{host}:{place}"
    async with server:
        yield supervisor
