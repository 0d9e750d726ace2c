"""The servers in their default configuration talk to nobody but their clients: the real processes, watched while they transcribe.

Two watches: Python's audit events, which are everywhere, and strace, which also sees what native code does. Each is shown to notice
a plugin that talks.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from ds_wyoming import health
from tests.ds_wyoming.serving import LIGHT, pcm, transcribed

pytestmark = pytest.mark.process

SECONDS = 60.0  # strace makes a start slow
STRACE = shutil.which("strace")
SERVE = (sys.executable, "-m", "ds_plugin", "serve", "wyoming", "http", "--uri", "tcp://0.0.0.0:0", "--bind", "127.0.0.1:0")
HOUSEHOLD = ("DS_PLUGIN_", "SUPERVISOR_", "HASS_")  # the environment's say in our configuration

# Python runs this before anything else.
_WATCH = """
import os, sys

def watch(event, arguments, folder=os.path.dirname(__file__)):
    if event in {
        "socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr",
        "socket.getnameinfo", "urllib.Request", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork",
    }:
        with open(folder + "/seen", "a") as file:
            file.write(f"{event} {arguments}\\n")

sys.addaudithook(watch)
"""

_TALKER = """
import socket, subprocess
with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
    stream.connect_ex(("127.0.0.1", 9))
    datagrams.sendto(b"x", ("127.0.0.1", 9))
socket.getaddrinfo("localhost", 9)
subprocess.run(["true"])
"""

_NATIVE = """
import ctypes, socket, struct
with socket.socket() as own:
    address = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(9), bytes([127, 0, 0, 1]))
    ctypes.CDLL(None).connect(own.fileno(), address, len(address))
"""


@asynccontextmanager
async def serving(folder: Path, *before: str) -> AsyncIterator[tuple[str, str, Process]]:
    """The addresses of both adapters, with `folder` in Python's path; `before` the command may stand another."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(HOUSEHOLD)}
    running = await asyncio.create_subprocess_exec(
        *before, *SERVE, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env={**clean, "PYTHONPATH": str(folder)}
    )
    assert running.stderr is not None
    try:
        async with asyncio.timeout(SECONDS):
            said = [(await running.stderr.readline()).decode() for _ in range(2)]
        assert [line.split()[0] for line in said] == ["wyoming", "http"], said
        wyoming, web = (line.split()[-1] for line in said)
        yield wyoming.replace("0.0.0.0", "127.0.0.1"), web, running  # noqa: S104 - what it listens on
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended, as it should
            for process in [*psutil.Process(running.pid).children(recursive=True), psutil.Process(running.pid)]:
                process.kill()
        await running.communicate()


def posted(address: str, body: bytes) -> str:
    """What the HTTP adapter makes of a WAV."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=SECONDS)
    try:
        connection.request("POST", "/api/speech-to-text", body, {"Content-Type": "audio/wav"})
        return str(json.loads(connection.getresponse().read())["text"])
    finally:
        connection.close()


async def used(folder: Path, *before: str) -> str:
    """Serves, asks everything once, stops; what was still said to standard error."""
    source, audio = pcm(LIGHT)
    async with serving(folder, *before) as (wyoming, web, running):
        await asyncio.to_thread(health.check, wyoming, SECONDS)
        text = await transcribed(wyoming, audio, source, 320)
        assert text
        assert await asyncio.to_thread(posted, web, LIGHT.read_bytes()) == text
        server = psutil.Process(running.pid)
        for process in server.children() if before else [server]:
            process.send_signal(signal.SIGTERM)
        _, err = await asyncio.wait_for(running.communicate(), SECONDS)
        assert running.returncode == 0
    return err.decode()


def plug_in(folder: Path, code: str) -> None:
    """A plugin that runs the code."""
    (folder / "talker.py").write_text(code)
    about = folder / "talker-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: talker\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[ds_plugin]\ntalker = talker\n")


@pytest.fixture
def watched(tmp_path: Path) -> Path:
    (tmp_path / "sitecustomize.py").write_text(_WATCH)
    return tmp_path


def seen(folder: Path) -> list[str]:
    """Without the numbers of our own address, which are read and not looked up."""
    lines = (folder / "seen").read_text().splitlines() if (folder / "seen").exists() else []
    return [line for line in lines if not line.startswith("socket.getaddrinfo ('127.0.0.1', 0,")]


async def test_serving_opens_no_connection_looks_nothing_up_and_starts_nothing(watched: Path) -> None:
    assert await used(watched) == ""
    assert seen(watched) == []


def test_the_watch_notices_a_plugin_that_talks(watched: Path) -> None:
    plug_in(watched, _TALKER)
    command = [sys.executable, "-m", "ds_plugin", "plugins"]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(watched)}, capture_output=True, check=True, timeout=SECONDS)
    events = {line.split()[0] for line in seen(watched)}
    assert {"socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen"} <= events


def traced(log: Path) -> tuple[str, ...]:
    """strace, which writes the calls that reach out, of all threads and children, into the log."""
    assert STRACE
    return (STRACE, "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg,execve", "-e", "signal=none", "-o", str(log), "--")


def outbound(log: Path) -> list[str]:
    """Calls to an address: a socket that a client has connected is written to without one."""
    calls = [line.split(maxsplit=1)[1] for line in log.read_text().splitlines()]
    talking = [call for call in calls if re.search(r"sa_family=AF_(INET|INET6|UNIX)\b", call)]
    return talking + [call for call in calls if call.startswith("execve(")][1:]  # the first is the server itself


@pytest.mark.skipif(STRACE is None, reason="needs Debian's package strace")
async def test_native_code_opens_no_connection_either(tmp_path: Path) -> None:
    log = tmp_path / "calls"
    assert await used(tmp_path, *traced(log)) == ""
    assert "execve" in log.read_text()
    assert outbound(log) == []


@pytest.mark.skipif(STRACE is None, reason="needs Debian's package strace")
def test_the_trace_notices_native_code_that_talks(tmp_path: Path) -> None:
    log = tmp_path / "calls"
    subprocess.run([*traced(log), sys.executable, "-c", _NATIVE], check=True, timeout=SECONDS)
    assert len(outbound(log)) == 1
