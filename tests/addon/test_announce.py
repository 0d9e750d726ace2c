"""Telling Home Assistant: once the server answers, once, and never the end of anything."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from ds_app.announce import ATTEMPTS, answers, main

from tests.addon.supervisor import OK, TOKEN, Supervisor, supervising

INFO: dict[str, object] = {"asr": [{"name": "x", "installed": True, "models": [{"name": "y", "installed": True, "languages": ["en"]}]}]}
REFUSED = '403 Forbidden\r\n\r\n{"result": "error", "message": "no"}'
BUSY = "502 Bad Gateway\r\n\r\n"


@asynccontextmanager
async def server(info: dict[str, object]) -> AsyncIterator[str]:
    """Answers `describe`; gives its address."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        data = json.dumps(info).encode()
        writer.write(json.dumps({"type": "info", "data_length": len(data)}).encode() + b"\n" + data)
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with listener:
        yield f"tcp://127.0.0.1:{listener.sockets[0].getsockname()[1]}"


async def announced(uri: str, supervisor: Supervisor, token: str = TOKEN, wait: float = 5.0) -> list[float]:
    """Runs it, and returns how long it paused; the pauses themselves are left out."""
    pauses: list[float] = []
    arguments = ["--uri", uri, "--supervisor", supervisor.address, "--wait", str(wait)]
    code = await asyncio.to_thread(main, arguments, {"SUPERVISOR_TOKEN": token}, pauses.append)
    assert code == 0
    return pauses


async def test_the_supervisor_is_told_the_address_once(capsys: pytest.CaptureFixture[str]) -> None:
    async with server(INFO) as uri, supervising() as supervisor:
        assert await announced(uri, supervisor) == []
    [request] = supervisor.requests
    assert request.line == "POST /discovery HTTP/1.1"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["content-type"] == "application/json"
    address = f"tcp://{socket.gethostname()}:{uri.rpartition(':')[2]}"
    assert request.body == {"service": "wyoming", "config": {"uri": address}}
    assert capsys.readouterr().err == f"ds_app: Home Assistant has been told of {address}\n"


@pytest.mark.parametrize("first", [BUSY, "", "nonsense"])
async def test_a_supervisor_that_is_busy_is_told_again(first: str) -> None:
    async with server(INFO) as uri, supervising(first, first, OK) as supervisor:
        assert await announced(uri, supervisor) == [2, 4]
    assert len(supervisor.requests) == 3


async def test_a_supervisor_that_stays_busy_is_left_alone_in_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    async with server(INFO) as uri, supervising(BUSY) as supervisor:
        pauses = await announced(uri, supervisor)
    assert len(supervisor.requests) == ATTEMPTS
    assert max(pauses) <= 60
    assert "status 502; add it by hand" in capsys.readouterr().err


async def test_a_supervisor_that_says_no_is_not_asked_again(capsys: pytest.CaptureFixture[str]) -> None:
    async with server(INFO) as uri, supervising(REFUSED) as supervisor:
        assert await announced(uri, supervisor) == []
    assert len(supervisor.requests) == 1
    assert "status 403" in capsys.readouterr().err


async def test_a_supervisor_that_is_not_there_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    async with supervising() as supervisor:
        pass
    async with server(INFO) as uri:
        await announced(uri, supervisor)
    assert "could not be told" in capsys.readouterr().err


async def test_nothing_is_said_of_a_server_that_cannot_transcribe(capsys: pytest.CaptureFixture[str]) -> None:
    async with server({"asr": []}) as uri, supervising() as supervisor:
        await announced(uri, supervisor, wait=0.01)
    assert supervisor.requests == []
    assert "does not answer" in capsys.readouterr().err


async def test_without_a_token_nobody_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    async with server(INFO) as uri, supervising() as supervisor:
        await announced(uri, supervisor, token="")
    assert supervisor.requests == []
    assert "by hand" in capsys.readouterr().err


def test_a_server_that_starts_later_is_waited_for() -> None:
    looks = 0
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]

    async def started(until: asyncio.Event) -> None:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(json.dumps({"type": "info", "data": INFO}).encode() + b"\n")
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(accept, "127.0.0.1", port):
            await until.wait()

    async def scenario() -> bool:
        loop, until = asyncio.get_running_loop(), asyncio.Event()
        running: list[asyncio.Future[None]] = []

        async def listen() -> None:
            running.append(asyncio.ensure_future(started(until)))
            await asyncio.sleep(0)

        def pause(seconds: float) -> None:
            nonlocal looks
            looks += 1
            if looks == 2:
                asyncio.run_coroutine_threadsafe(listen(), loop).result()

        found = await asyncio.to_thread(answers, f"tcp://127.0.0.1:{port}", 10.0, pause)
        until.set()
        await asyncio.gather(*running)
        return found

    assert asyncio.run(scenario())
    assert looks >= 2
