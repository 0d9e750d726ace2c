"""Wyoming frames: bytes in, events out, with a bound on everything.

A frame is a line of JSON, the header; then `data_length` bytes of JSON, merged over the header's own `data`; then
`payload_length` bytes of anything (wyoming/event.py defines it). What a frame announces is checked before it is read, so a
connection never holds more than the largest frame.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, NoReturn

from wyoming.event import Event

from ds_engine.errors import InputError, LimitError, TimeLimitError
from ds_wyoming.settings import MAX_DATA_BYTES, MAX_HEADER_BYTES, WyomingSettings


class FrameError(InputError):
    """Bytes that are no Wyoming frame, or only the beginning of one."""

    code = "bad-frame"


class FrameTooLargeError(LimitError):
    """A frame with a part larger than its limit."""

    code = "frame-too-large"


class FrameReader:
    """Reads frames from a stream whose own limit is MAX_HEADER_BYTES."""

    def __init__(self, stream: asyncio.StreamReader, settings: WyomingSettings) -> None:
        self._stream = stream
        self._settings = settings

    async def read(self) -> Event | None:
        """The next frame, or None at the end. Raises FrameError, FrameTooLargeError, TimeLimitError, or OSError of the socket."""
        try:
            async with asyncio.timeout(self._settings.idle_seconds):
                first = await self._stream.read(1)
        except TimeoutError as error:
            raise TimeLimitError(f"idle_seconds: nothing was sent for {self._settings.idle_seconds:g} s") from error
        if not first:
            return None
        try:
            async with asyncio.timeout(self._settings.frame_seconds):
                return await self._frame(first)
        except TimeoutError as error:
            raise TimeLimitError(f"frame_seconds: a frame took longer than {self._settings.frame_seconds:g} s") from error
        except asyncio.IncompleteReadError as error:
            raise FrameError("the connection ended inside a frame") from error

    async def _frame(self, first: bytes) -> Event:
        header = _json_object(await self._line(first), "the header")
        data_bytes = _length(header, "data_length", "MAX_DATA_BYTES", MAX_DATA_BYTES)
        payload_bytes = _length(header, "payload_length", "payload_bytes", self._settings.payload_bytes)
        kind, data = header.get("type"), header.get("data")
        if not isinstance(kind, str):
            raise FrameError(f"the header's type must be a string, got {kind!r:.40}")
        if not isinstance(data, dict | None):
            raise FrameError(f"the header's data must be an object, got {type(data).__name__}")
        if data_bytes:
            data = (data or {}) | _json_object(await self._stream.readexactly(data_bytes), "the data")
        return Event(kind, data or {}, await self._stream.readexactly(payload_bytes) if payload_bytes else None)

    async def _line(self, first: bytes) -> bytes:
        if first == b"\n":
            raise FrameError("the header is empty")
        try:
            return first + await self._stream.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            raise FrameTooLargeError(f"MAX_HEADER_BYTES: a header may have {MAX_HEADER_BYTES} bytes") from error


def _length(header: dict[str, Any], key: str, limit: str, most: int) -> int:
    value = header.get(key)
    if value is None:
        return 0
    if type(value) is not int or value < 0:
        raise FrameError(f"{key} must be a number of bytes, got {value!r:.40}")
    if value > most:
        raise FrameTooLargeError(f"{limit}: {key} may be {most}, got {value!r:.40}")
    return value


def _json_object(data: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(data.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:  # a decoder that meets too deep a nesting, or too long a number, gives up
        raise FrameError(f"{what} is not JSON ({error})") from error
    if not isinstance(value, dict):
        raise FrameError(f"{what} must be a JSON object, got {type(value).__name__}")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
