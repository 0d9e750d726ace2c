"""The server itself: where it listens, how it stops, and clients that stall, break off or come in crowds."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import AsyncExitStack

import pytest

from ds_engine.limits import Limits
from ds_http.app import make_app
from ds_http.server import serving
from ds_plugin.config import ConfigError
from tests.ds_engine.fakes import until
from tests.ds_http.helpers import head, served, spoken
from tests.ds_plugin.helpers import hosted

WAV = spoken("on")
GRACE = 5.0  # s


@pytest.mark.parametrize(
    "bind",
    ["", "here", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1", "a..b:0", "192.0.2.1:0", "é" * 70 + ":0"],
)
async def test_an_address_that_cannot_be_used_is_named_in_one_line(bind: str) -> None:
    with pytest.raises(ConfigError, match=r"^http\.bind[^\n]*$"):
        async with served(bind=bind):
            pass


async def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigError, match=rf"^http\.bind: cannot listen on {bind}: Address already in use[^\n]*$"):
            async with served(bind=bind):
                pass


@pytest.mark.parametrize(("bind", "shown"), [("localhost:0", "http://127.0.0.1:"), ("[::1]:0", "http://[::1]:"), (":0", "http://")])
async def test_the_real_address_is_shown(bind: str, shown: str) -> None:
    async with AsyncExitStack() as stack:
        try:
            at = await stack.enter_async_context(served(bind=bind))
        except ConfigError:
            pytest.skip("no such address on this machine")
        assert at.server.address.startswith((shown, "http://[::1]:"))
        assert not at.server.address.endswith(":0")


async def test_the_port_is_free_again_afterwards() -> None:
    async with served() as at:
        bind = at.server.address.removeprefix("http://")
    async with served(bind=bind) as at:
        assert (await at.client.get("/health")).status_code == 200


async def test_signals_stay_the_hosts() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with served() as at:
        await at.client.get("/health")
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


async def test_waiting_ends_with_the_server_and_not_before() -> None:
    async with served() as at:
        waiting = asyncio.create_task(at.server.wait())
        cancelled = asyncio.create_task(at.server.wait())
        await at.client.get("/health")
        cancelled.cancel()
        assert (await at.client.get("/health")).status_code == 200
        assert not waiting.done()
    await waiting


async def test_leaving_lets_open_requests_finish_and_takes_no_new_ones() -> None:
    async with AsyncExitStack() as stack:
        at = await stack.enter_async_context(served())
        reader, writer = await at.connect()
        writer.write(head(len(WAV)) + WAV[:100])
        await until(lambda: at.host.engine.utterances == 1)
        leaving = asyncio.create_task(stack.aclose())
        while True:  # until nobody listens any more
            try:
                (await at.connect())[1].close()
            except OSError:
                break
        writer.write(WAV[100:])
        reply = await reader.read()
        assert reply.startswith(b"HTTP/1.1 200 OK")
        assert b'"text":"on"' in reply
        await leaving
        writer.close()


async def test_a_request_that_outlives_the_grace_is_told_so() -> None:
    async with AsyncExitStack() as stack:
        at = await stack.enter_async_context(served(hosted(limits=Limits(shutdown_seconds=0.01))))
        reader, writer = await at.connect()
        writer.write(head(len(WAV)) + WAV[:100])
        await until(lambda: at.host.engine.utterances == 1)
        await stack.aclose()
        reply = await reader.read()
        assert reply.startswith(b"HTTP/1.1 503 ")
        assert b'"error":"closed"' in reply
        assert at.host.engine.utterances == 0
        writer.close()


@pytest.mark.parametrize("size", [60, 1_000])
async def test_a_client_that_breaks_off_frees_its_place(size: int) -> None:
    async with served() as at:
        _, writer = await at.connect()
        writer.write(head(len(WAV)) + WAV[:size])
        await until(lambda: at.host.engine.utterances == 1)
        writer.transport.abort()
        await until(lambda: at.host.engine.utterances == 0)
        assert (await at.post(WAV)).json()["text"] == "on"


@pytest.mark.parametrize(
    "request_",
    [
        b"\0\1\2 nonsense\r\n\r\n",
        b"POST /api/speech-to-text HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        head(None) + b"zz\r\nno chunk\r\n",
        b"GET /" + b"x" * 100_000,
    ],
    ids=["nonsense", "length", "chunk", "long"],
)
async def test_what_is_no_http_is_refused_and_the_service_goes_on(request_: bytes) -> None:
    async with served() as at:
        reader, writer = await at.connect()
        writer.write(request_)
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()
        assert (await at.post(WAV)).json()["text"] == "on"


@pytest.mark.parametrize("body", [b"no audio" * 10**6, spoken("on" * 2_000)], ids=["no WAV", "too long"])
async def test_who_sends_far_too_much_still_gets_the_answer(body: bytes) -> None:
    async with served(hosted(limits=Limits(utterance_seconds=0.5))) as at:
        reader, writer = await at.connect()
        writer.write(head(len(body)).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + body)
        await writer.drain()
        assert (await reader.read()).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 413 "))
        writer.close()


async def test_who_breaks_off_a_body_that_is_refused_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    async with served() as at:
        _, writer = await at.connect()
        writer.write(head(10**6) + b"no audio at all")
        await writer.drain()
        writer.transport.abort()
        assert (await at.post(WAV)).json()["text"] == "on"
    assert "Exception" not in caplog.text


async def test_requests_after_one_another_share_a_connection() -> None:
    async with served() as at:
        reader, writer = await at.connect()
        for _ in range(3):
            writer.write(head(len(WAV)) + WAV)
            assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
            assert b'"text":"on"' in await reader.readuntil(b"}")
        writer.close()


async def test_more_clients_than_connections_are_turned_away() -> None:
    async with served(connections=2) as at, AsyncExitStack() as stack:
        writers = []
        for number in range(2):
            _, writer = await at.connect()
            stack.callback(writer.close)
            writer.write(head(len(WAV)) + WAV[:1_000])
            await until(lambda number=number: at.host.engine.utterances == number + 1)  # type: ignore[misc]
            writers.append(writer)
        reply = await at.client.get("/health")
        assert reply.status_code == 503
        readers = [await at.connect() for _ in range(5)]
        stack.push_async_callback(asyncio.gather, *(_closed(writer) for _, writer in readers))
        assert await readers[-1][0].read() == b""  # beyond twice the limit nobody is even answered
        writers[0].transport.abort()
        await until(lambda: at.host.engine.utterances == 1)


async def test_who_sends_no_request_is_not_waited_for() -> None:
    async with hosted() as host, serving(make_app(host, 20.0), "127.0.0.1:0", 4, GRACE, head_seconds=0.02) as server:
        address = server.address.removeprefix("http://").split(":")
        for sent in (b"", b"POST /api/spe", head(None) + b"f\r\nno audio at all\r\n"):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(sent)
            reply = await reader.read()
            assert reply.startswith(b"HTTP/1.1 400 Bad Request" if b"audio" in sent else b"")
            writer.close()


async def test_who_is_slow_within_a_request_is_waited_for() -> None:
    async with hosted() as host, serving(make_app(host, 20.0), "127.0.0.1:0", 4, GRACE, head_seconds=0.02) as server:
        reader, writer = await asyncio.open_connection(*server.address.removeprefix("http://").split(":"))
        writer.write(head(len(WAV)) + WAV[:100])
        await until(lambda: host.engine.utterances == 1)
        idle, other = await asyncio.open_connection(*server.address.removeprefix("http://").split(":"))
        for _ in range(3):  # as long as others take to be given up
            assert await idle.read() == b""
            other.close()
            idle, other = await asyncio.open_connection(*server.address.removeprefix("http://").split(":"))
        other.close()
        writer.write(WAV[100:])
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        writer.close()


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
