"""One connection: frames in, messages out, one at a time and each within its time."""

from __future__ import annotations

import asyncio
import contextlib

from wyoming.event import Event, Eventable, async_write_event

from ds_wyoming.framing import FrameReader
from ds_wyoming.settings import LINGER_SECONDS, WyomingSettings

_DISCARD_BYTES = 64 * 2**10  # read at a time


class Connection:
    """A client's two streams. Several tasks may send."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, settings: WyomingSettings) -> None:
        self._reader = reader
        self._writer = writer
        self._frames = FrameReader(reader, settings)
        self._write_seconds = settings.write_seconds
        self._sending = asyncio.Lock()

    @property
    def peer(self) -> str:
        """Who is there, for the log."""
        name = self._writer.get_extra_info("peername")
        return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else "local client"

    async def read(self) -> Event | None:
        """See FrameReader.read."""
        return await self._frames.read()

    async def send(self, message: Eventable) -> None:
        """Sends a message whole. Raises OSError where the client is gone, or reads nothing for `write_seconds`."""
        try:
            async with asyncio.timeout(self._write_seconds), self._sending:
                await async_write_event(message.event(), self._writer)
        except TimeoutError as error:
            self._abort()
            raise ConnectionAbortedError(f"write_seconds: the client read nothing for {self._write_seconds:g} s") from error

    async def close(self) -> None:
        """Says good-bye, then closes: to close at once, with bytes unread, would make the client lose what we sent last."""
        try:
            with contextlib.suppress(OSError, RuntimeError):  # a TimeoutError is an OSError; a closed transport raises either
                async with asyncio.timeout(LINGER_SECONDS):
                    await self._linger()
        finally:
            self._abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def _abort(self) -> None:
        """Drops what could not be sent. A pipe's transport bears it only while there is something to drop."""
        transport = self._writer.transport
        if not transport.is_closing() or transport.get_write_buffer_size():
            transport.abort()

    async def _linger(self) -> None:
        if self._writer.can_write_eof():
            self._writer.write_eof()
        while await self._reader.read(_DISCARD_BYTES):
            pass
        self._writer.close()
        await self._writer.wait_closed()
