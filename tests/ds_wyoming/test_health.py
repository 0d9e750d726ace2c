"""The health check against servers that are well, and against every way in which one is not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ds_wyoming import health
from tests.ds_wyoming.raw import frame
from tests.ds_wyoming.serving import client_of, say, serving_model, serving_toy, silence

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

INSTALLED = {"name": "x", "installed": True, "models": [{"name": "y", "installed": True, "languages": ["en"]}]}


@asynccontextmanager
async def peer(behave: Behaviour) -> AsyncIterator[str]:
    """A server that does as it likes with every connection; gives the address."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await behave(reader, writer)
        writer.transport.abort()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"tcp://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()


def sends(*pieces: bytes) -> Behaviour:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        await reader.read()

    return behave


async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()


async def trickles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte every now and then: each read gets something, and it never ends."""
    gone = asyncio.ensure_future(reader.read())
    while not gone.done():
        writer.write(b" ")
        await asyncio.wait({gone}, timeout=0.02)


async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(bytes(65_536))
        await writer.drain()


def info(*programs: object) -> bytes:
    return frame("info", data={"asr": list(programs)})


async def verdict(uri: str, seconds: float = 5.0) -> str:
    """What is wrong; "" for nothing."""
    try:
        await asyncio.to_thread(health.check, uri, seconds)
    except health.UnwellError as error:
        return str(error)
    return ""


async def test_our_own_server_is_well_over_tcp(tmp_path: Path) -> None:
    async with serving_model() as (address, _):
        assert await verdict(address) == ""


async def test_our_own_server_is_well_over_unix(tmp_path: Path) -> None:
    async with serving_toy(uri=f"unix://{tmp_path}/ds.sock") as (address, _):
        assert await verdict(address) == ""


async def test_a_server_that_is_busy_transcribing_is_well() -> None:
    async with serving_toy() as (address, _), client_of(address) as client:
        await say(client, silence(5.0))
        assert await verdict(address) == ""


@pytest.mark.parametrize(
    "pieces",
    [
        [info(INSTALLED)],
        [frame("pong", data={"text": None}), frame("info", data_length=None, data={"asr": [INSTALLED]})],
        [frame("played", payload_length=3), b"abc", info(INSTALLED)],
        [frame("info", data_length=len(json.dumps({"asr": [INSTALLED]}))), json.dumps({"asr": [INSTALLED]}).encode()],
        [info(1, None, {"installed": False}, INSTALLED)],
        [bytes([byte]) for byte in info(INSTALLED)],
    ],
    ids=["inline", "after-another", "after-a-payload", "apart", "among-others", "byte-by-byte"],
)
async def test_whatever_way_the_info_comes_the_server_is_well(pieces: list[bytes]) -> None:
    async with peer(sends(*pieces)) as uri:
        assert await verdict(uri) == ""


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (closes, "closed the connection"),
        (sends(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "no Wyoming"),
        (sends(b"\xff\xfe\n"), "no Wyoming"),
        (sends(b"[]\n"), "no Wyoming"),
        (sends(b"[" * 50_000 + b"\n"), "no Wyoming"),
        (sends(frame("info", data=[1])), "no Wyoming"),
        (sends(frame("info", data_length=2**40)), "no Wyoming"),
        (sends(frame("info", data_length=-1)), "no Wyoming"),
        (sends(frame("info", data_length="9")), "no Wyoming"),
        (sends(frame("info", data_length=4), b"nope"), "no Wyoming"),
        (sends(frame("error", data={"text": "full", "code": "busy"})), "'busy'"),
        (sends(info()), "no speech-to-text"),
        (sends(frame("info")), "no speech-to-text"),
        (sends(frame("info", data={"asr": 3, "tts": [INSTALLED]})), "no speech-to-text"),
        (sends(info(INSTALLED | {"installed": False})), "no speech-to-text"),
        (sends(info(INSTALLED | {"models": [{"installed": False}]})), "no speech-to-text"),
        (sends(info(INSTALLED | {"models": []})), "no speech-to-text"),
        (sends(info(INSTALLED | {"models": None})), "no speech-to-text"),
        (floods, "no Wyoming"),
    ],
)
async def test_a_server_that_cannot_be_used_is_told_with_its_reason(behaviour: Behaviour, reason: str) -> None:
    async with peer(behaviour) as uri:
        assert reason in await verdict(uri)


@pytest.mark.parametrize("behaviour", [sends(), trickles, sends(b'{"type"'), sends(frame("info", data_length=9))])
async def test_a_server_that_accepts_and_then_hangs_is_told_in_time(behaviour: Behaviour) -> None:
    async with peer(behaviour) as uri:
        assert await asyncio.wait_for(verdict(uri, 0.3), 2.0) == "no answer within 0.3 s"


async def test_nobody_there_is_told(tmp_path: Path) -> None:
    async with peer(closes) as uri:
        pass
    assert await verdict(uri) == "Connection refused"
    assert await verdict(f"unix://{tmp_path}/none") == "No such file or directory"
    assert "too long" in await verdict(f"unix://{tmp_path}/{'x' * 200}")


@pytest.mark.parametrize("uri", ["", "10300", "tcp://", "tcp://localhost", "tcp://x:0", "tcp://x:y", "tcp://[::1", "stdio://", "unix://"])
async def test_an_address_that_makes_no_sense_is_told(uri: str) -> None:
    assert "address" in await verdict(uri)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DS_PLUGIN_")}
    command = [sys.executable, "-m", "ds_wyoming.health", *arguments]
    return subprocess.run(command, env=clean, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.process
async def test_the_command_ends_with_0_for_a_server_that_is_well() -> None:
    async with serving_toy() as (address, _):
        done = await asyncio.to_thread(run, "--uri", address, "--timeout", "5")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.process
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--uri", "unix:///nobody/there"), "unix:///nobody/there: No such file"),
        (("--uri", "nonsense"), "nonsense: the address"),
        (("--timeout", "0"), "--timeout"),
        (("--timeout", "nan"), "--timeout"),
        (("--unknown",), "--unknown"),
    ],
)
def test_the_command_ends_with_1_and_one_line_otherwise(arguments: tuple[str, ...], named: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert named in done.stderr


@pytest.mark.process
def test_it_imports_nothing_but_the_standard_library() -> None:
    code = "import sys, ds_wyoming.health; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=30)
    heavy = set(done.stdout.split()) - sys.stdlib_module_names
    assert {name for name in heavy if not name.startswith("_")} <= {"ds_wyoming", "sitecustomize"}
    assert "asyncio" not in done.stdout
