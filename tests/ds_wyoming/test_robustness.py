from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random

import psutil
import pytest

from ds_engine.limits import Limits
from ds_wyoming.settings import MAX_DATA_BYTES, MAX_HEADER_BYTES
from tests.ds_wyoming.raw import RawClient, frame, raw_client
from tests.ds_wyoming.serving import (
    SECONDS,
    SPEECH,
    CountingDecoder,
    Gate,
    chunk_event,
    plain_text,
    serving_toy,
    silence,
    start_event,
    stop_event,
    transcribed,
    until,
)

FORMAT = {"rate": 16_000, "width": 2, "channels": 1}


def audio(**change: object) -> bytes:
    return frame("audio-chunk", data=FORMAT | change)


BAD: list[tuple[bytes, str]] = [
    (b'{"type": "' + b"x" * (2 * MAX_HEADER_BYTES), "frame-too-large"),
    (frame("x", data_length=MAX_DATA_BYTES + 1), "frame-too-large"),
    (frame("audio-chunk", data=FORMAT, payload_length=5_000_000_000), "frame-too-large"),
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "bad-frame"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\n", "bad-frame"),
    (b"\n", "bad-frame"),
    (b"[]\n", "bad-frame"),
    (b"{}\n", "bad-frame"),
    (b'{"type": "x", "data": ' + b"[" * 20_000 + b"\n", "bad-frame"),
    (frame("x", payload_length=-1), "bad-frame"),
    (frame("x", payload_length="5"), "bad-frame"),
    (b'{"type": "x", "payload_length": 1e400}\n', "bad-frame"),
    (frame("audio-chunk", data=None), "bad-audio"),
    (frame("audio-chunk"), "bad-audio"),
    (audio(rate="16000"), "bad-audio"),
    (audio(rate=0), "bad-audio"),
    (audio(width=5), "bad-audio"),
    (audio(channels=0), "bad-audio"),
    (audio(channels=99), "bad-audio"),
    (frame("transcribe", data={"language": 5}), "bad-message"),
    (frame("transcribe", data={"context": "text"}), "bad-message"),
    (b'{"type": "transcribe", "data": {"context": {"a": 1e400}}}\n', "bad-message"),
    (b'{"type": "transcribe", "data": {"context": ' + b'{"a":' * 99 + b"1" + b"}" * 99 + b"}}\n", "bad-message"),
    (frame("transcribe", data={"language": "tlh"}), "unsupported-language"),
    (frame("ping", data={"text": []}), "bad-message"),
    (b'{"type": "ping", "data": {"text": "\\ud800"}}\n', "bad-message"),
]


@pytest.mark.parametrize(("sent", "code"), BAD, ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else value)
async def test_bad_input_gets_an_error_and_the_end_while_others_are_served(
    sent: bytes, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with serving_toy() as (address, host), raw_client(address) as client:
        await client.send(sent)
        assert await client.refused() == code
        assert await transcribed(address, silence(0.5)) == await plain_text(host, SPEECH, silence(0.5))
    [record] = [record for record in caplog.records if record.name.startswith("ds_")]
    assert code in record.getMessage()
    assert "\n" not in record.getMessage()
    assert record.exc_info is None
    assert record.levelno < logging.ERROR


async def test_bad_input_leaves_memory_and_files_as_they_were() -> None:
    process = psutil.Process()
    async with serving_toy() as (address, host):
        for round_ in range(6):
            if round_ == 1:  # the first fills caches
                memory, files = process.memory_info().rss, process.num_fds()
            for sent, code in BAD:
                async with raw_client(address) as client:
                    await client.send(sent)
                    assert await client.refused() == code
        assert host.engine.utterances == 0
        await until(lambda: process.num_fds() <= files)
        assert process.memory_info().rss - memory < 5 * 2**20


async def test_bad_input_in_the_middle_of_an_utterance_frees_it() -> None:
    async with serving_toy() as (address, host), raw_client(address) as client:
        await client.send(frame("audio-chunk", data=FORMAT, payload_length=3200) + bytes(3200))
        await until(lambda: host.engine.utterances == 1)
        await client.send(b"nonsense\n")
        assert await client.refused() == "bad-frame"
        assert host.engine.utterances == 0


async def test_bad_input_right_behind_the_first_chunk_frees_the_utterance() -> None:
    async with serving_toy() as (address, host), raw_client(address) as client:
        await client.send(frame("audio-chunk", data=FORMAT, payload_length=320) + bytes(320) + b"nonsense\n")
        assert await client.refused() == "bad-frame"
        assert host.engine.utterances == 0


async def test_the_error_arrives_even_while_the_client_keeps_sending() -> None:
    async with serving_toy() as (address, _), raw_client(address) as client:
        await client.send(frame("audio-chunk", data=FORMAT, payload_length=5_000_000_000))
        with contextlib.suppress(ConnectionError):
            for _ in range(64):
                await client.send(bytes(65_536))
        assert await client.refused() == "frame-too-large"


async def test_a_huge_payload_costs_no_memory() -> None:
    process = psutil.Process()
    async with serving_toy(payload_bytes=2**20) as (address, _):
        before = process.memory_info().rss
        for announced in (5_000_000_000, 2**20):  # refused at once; and promised for ever
            async with raw_client(address) as client:
                await client.send(frame("audio-chunk", data=FORMAT, payload_length=announced))
                with contextlib.suppress(ConnectionError, TimeoutError):
                    async with asyncio.timeout(0.5):
                        for _ in range(600):
                            await client.send(bytes(65_536))
        assert process.memory_info().rss - before < 8 * 2**20


@pytest.mark.parametrize("sent", [b"", b'{"type', frame("audio-chunk", data=FORMAT, payload_length=100) + b"only this"])
async def test_a_client_that_stalls_is_closed(sent: bytes) -> None:
    async with serving_toy(idle_seconds=0.1, frame_seconds=0.1) as (address, _), raw_client(address) as client:
        await client.send(sent)
        assert await client.refused() == "timeout"


async def test_a_slow_trickle_does_not_keep_a_frame_alive() -> None:
    async with serving_toy(idle_seconds=5, frame_seconds=0.2) as (address, _), raw_client(address) as client:
        with contextlib.suppress(ConnectionError):
            for byte in b'{"type": "describe"':
                await client.send(bytes([byte]))
                await asyncio.sleep(0.02)
        assert await client.refused() == "timeout"


async def send_for_ever(client: RawClient, data: bytes) -> None:
    while True:
        await client.send(data)


async def test_a_client_that_never_reads_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with serving_toy(write_seconds=0.2) as (address, host), raw_client(address) as client:
        client.reader._limit = 1  # type: ignore[attr-defined]  # nothing is taken from the socket any more
        text = json.dumps({"text": "x" * 60_000}).encode()
        flood = frame("ping", data_length=len(text)) + text
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(send_for_ever(client, flood), SECONDS)
        assert await transcribed(address, silence(0.5)) == await plain_text(host, SPEECH, silence(0.5))
    assert "write_seconds" in caplog.text


async def test_more_connections_than_allowed_are_told_that_the_server_is_busy() -> None:
    async with serving_toy(connections=2) as (address, host):
        async with raw_client(address) as first, raw_client(address) as second:
            await first.send(frame("describe"))
            assert await first.event()
            await second.send(frame("describe"))
            assert await second.event()
            async with raw_client(address) as third:
                await third.send(frame("describe"))
                assert await third.refused() == "busy"
            await first.send(frame("describe"))
            assert await first.event()
        await asyncio.sleep(0.2)
        assert await transcribed(address, silence(0.5)) == await plain_text(host, SPEECH, silence(0.5))


async def test_a_flood_of_connections_is_dropped_without_a_word() -> None:
    async with serving_toy(connections=1) as (address, _), contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw_client(address)) for _ in range(12)]
        answers = await asyncio.gather(*(asyncio.wait_for(client.reader.read(9), 0.5) for client in clients), return_exceptions=True)
        assert [b"{" in answer for answer in answers if isinstance(answer, bytes)].count(True) == 1


async def test_random_bytes_never_harm_the_server(caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(7)  # noqa: S311 - repeatable on purpose
    good = [start_event(), chunk_event(silence(0.05)), stop_event()]
    frames = [frame(event.type, data=event.data, payload_length=len(event.payload or b"")) + (event.payload or b"") for event in good]
    async with serving_toy(limits=Limits(workers=1), frame_seconds=0.5) as (address, host):
        for _ in range(60):
            async with raw_client(address) as client:
                data = bytearray(b"".join(chance.choices(frames, k=4)))
                for _ in range(chance.randrange(1, 4)):
                    data[chance.randrange(len(data))] = chance.randrange(256)
                with contextlib.suppress(ConnectionError):
                    await client.send(bytes(data[: chance.randrange(1, len(data))]))
                    client.writer.write_eof()
                    async with asyncio.timeout(2):
                        await client.reader.read()
        await until(lambda: host.engine.utterances == 0)
        assert await transcribed(address, silence(0.5)) == await plain_text(host, SPEECH, silence(0.5))
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_hundred_utterances_leave_nothing_behind() -> None:
    process = psutil.Process()
    async with serving_toy() as (address, host):
        for _ in range(10):
            await transcribed(address, silence(0.5))
        files, memory = process.num_fds(), process.memory_info().rss
        for _ in range(100):
            await transcribed(address, silence(0.5))
        await until(lambda: process.num_fds() <= files)
        assert process.memory_info().rss - memory < 8 * 2**20
        assert host.engine.utterances == 0


async def test_everybody_vanishing_at_once_frees_everything() -> None:
    gate = Gate()
    async with serving_toy(CountingDecoder(gate)) as (address, host):
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(20):
                client = await stack.enter_async_context(raw_client(address))
                await client.send(frame("audio-chunk", data=FORMAT, payload_length=32_000) + bytes(32_000))
            await until(lambda: host.engine.utterances == 20)
        await until(lambda: host.engine.utterances == 0)
        gate.open.set()
        assert await transcribed(address, silence(0.5)) == await plain_text(host, SPEECH, silence(0.5))
