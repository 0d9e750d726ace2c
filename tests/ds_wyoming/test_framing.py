from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from wyoming.event import Event

from ds_engine.errors import SpeechError, TimeLimitError
from ds_wyoming.framing import FrameError, FrameReader, FrameTooLargeError
from ds_wyoming.settings import MAX_DATA_BYTES, MAX_HEADER_BYTES
from tests.ds_wyoming.serving import settings


def stream(*data: bytes, end: bool = True) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=MAX_HEADER_BYTES)
    for piece in data:
        reader.feed_data(piece)
    if end:
        reader.feed_eof()
    return reader


async def read(data: bytes, **values: Any) -> list[Event]:
    frames = FrameReader(stream(data), settings(**values))
    events = []
    while (event := await frames.read()) is not None:
        events.append(event)
    return events


def line(**header: Any) -> bytes:
    return json.dumps(header).encode() + b"\n"


async def test_header_data_and_payload_make_an_event() -> None:
    frame = line(type="x", data_length=8, payload_length=3) + b'{"a": 1}' + b"\x00\n{"
    assert await read(frame * 2) == [Event("x", {"a": 1}, b"\x00\n{")] * 2


async def test_data_bytes_are_merged_over_data_in_the_header() -> None:
    assert await read(line(type="x", data={"a": 1, "b": 2}, data_length=8) + b'{"a": 3}') == [Event("x", {"a": 3, "b": 2})]


@pytest.mark.parametrize("header", [b'{ "type": "describe" }\r\n', line(type="describe", data=None, data_length=None, payload_length=0)])
async def test_absent_parts_may_be_left_out_or_null_or_zero(header: bytes) -> None:
    assert await read(header) == [Event("describe")]


async def test_a_frame_may_arrive_byte_by_byte() -> None:
    reader = stream(end=False)
    reading = asyncio.create_task(FrameReader(reader, settings()).read())
    for byte in line(type="x", data_length=2, payload_length=2) + b"{}ab":
        reader.feed_data(bytes([byte]))
        await asyncio.sleep(0)
    assert await reading == Event("x", {}, b"ab")


@pytest.mark.parametrize(
    "frame",
    [
        b"\n",
        b"no json\n",
        b"\xff\xfe\n",
        b"[]\n",
        b"1\n",
        b"{}\n",
        b'{"type": 1}\n',
        b'{"type": null}\n',
        b'{"type": "x", "data": []}\n',
        b'{"type": "x", "data": {"a": NaN}}\n',
        b'{"type": "x", "data_length": "5"}\n',
        b'{"type": "x", "data_length": -1}\n',
        b'{"type": "x", "data_length": true}\n',
        b'{"type": "x", "data_length": 2.0}\n{}',
        b'{"type": "x", "payload_length": 1e400}\n',
        b'{"type": "x", "payload_length": NaN}\n',
        b'{"type": "x", "payload_length": -9}\n',
        b'{"type": "x", "payload_length": {}}\n',
        b'{"type": "x", "payload_length": ' + b"9" * 5000 + b"}\n",
        b'{"type": "x", "data_length": 2}\n[]',
        b'{"type": "x", "data_length": 4}\nnull',
        b'{"type": "x", "data_length": 2}\n\xff\xff',
        b'{"type": "x", "data": ' + b"[" * 20_000 + b"\n",
        b'{"type": "x", "data": ' + b'{"a":' * 10_000 + b"\n",
    ],
    ids=lambda frame: repr(frame[:44]),
)
async def test_nonsense_is_refused(frame: bytes) -> None:
    with pytest.raises(FrameError) as caught:
        await read(frame)
    assert caught.value.code == "bad-frame"
    assert len(str(caught.value)) < 200
    assert "\n" not in str(caught.value)


async def test_deep_nesting_in_the_data_is_refused() -> None:
    with pytest.raises(FrameError):
        await read(line(type="x", data_length=200_000) + b"[" * 200_000)


@pytest.mark.parametrize(
    ("frame", "limit"),
    [
        (b'{"type": "' + b"x" * MAX_HEADER_BYTES, "MAX_HEADER_BYTES"),
        (b'{"type": "' + b"x" * MAX_HEADER_BYTES + b'"}\n', "MAX_HEADER_BYTES"),
        (line(type="x", data_length=MAX_DATA_BYTES + 1), "MAX_DATA_BYTES"),
        (line(type="x", payload_length=1001), "payload_bytes"),
        (line(type="x", payload_length=5_000_000_000), "payload_bytes"),
        (line(type="x", payload_length=10**4000), "payload_bytes"),
    ],
    ids=["endless header", "long header", "data", "payload", "huge payload", "absurd payload"],
)
async def test_too_large_a_part_is_refused_by_name_before_it_is_read(frame: bytes, limit: str) -> None:
    frames = FrameReader(stream(frame, end=False), settings(payload_bytes=1000))
    with pytest.raises(FrameTooLargeError, match=limit) as caught:
        await frames.read()
    assert caught.value.code == "frame-too-large"
    assert len(str(caught.value)) < 200


async def test_a_frame_of_exactly_the_limit_is_read() -> None:
    [event] = await read(line(type="x", payload_length=1000) + bytes(1000), payload_bytes=1000)
    assert event.payload == bytes(1000)


async def test_the_end_between_frames_is_the_end() -> None:
    assert await read(b"") == []


@pytest.mark.parametrize("cut", [b'{"type"', line(type="x", data_length=9) + b"{", line(type="x", payload_length=9) + b"abc"])
async def test_the_end_inside_a_frame_is_an_error(cut: bytes) -> None:
    with pytest.raises(FrameError, match="inside a frame"):
        await read(cut)


@pytest.mark.parametrize("begun", [b"{", line(type="x", data_length=9) + b"{", line(type="x", payload_length=9) + b"abc"])
async def test_a_frame_that_stalls_runs_into_its_time_limit(begun: bytes) -> None:
    frames = FrameReader(stream(begun, end=False), settings(frame_seconds=0.02))
    with pytest.raises(TimeLimitError, match="frame_seconds"):
        await frames.read()


async def test_a_silent_connection_runs_into_the_idle_limit() -> None:
    frames = FrameReader(stream(end=False), settings(idle_seconds=0.02))
    with pytest.raises(TimeLimitError, match="idle_seconds"):
        await frames.read()


async def test_every_prefix_of_a_frame_is_waited_for_and_every_error_is_typed() -> None:
    frame = line(type="x", data_length=2, payload_length=2) + b"{}ab"
    for length in range(1, len(frame)):
        with pytest.raises(SpeechError):
            await read(frame[:length])
