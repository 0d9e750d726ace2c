"""A client that knows no rules: raw bytes to the server, whatever comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from wyoming.event import Event, async_read_event

from tests.ds_wyoming.serving import SECONDS


class RawClient:
    """Two streams, and the usual ways to look at what comes back."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def event(self) -> Event | None:
        async with asyncio.timeout(SECONDS):
            return await async_read_event(self.reader)

    async def refused(self) -> str:
        """The code of the error that comes; after it the connection must end."""
        event = await self.event()
        assert event is not None
        assert event.type == "error"
        assert await self.event() is None
        return str(event.data["code"])


@asynccontextmanager
async def raw_client(address: str) -> AsyncIterator[RawClient]:
    parts = urlsplit(address)
    if parts.scheme == "unix":
        reader, writer = await asyncio.open_unix_connection(parts.path)
    else:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        yield RawClient(reader, writer)
    finally:
        writer.transport.abort()


def frame(kind: str, **header: object) -> bytes:
    return json.dumps({"type": kind, **header}).encode() + b"\n"
