"""The real command line, over every kind of address."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Describe

from tests.ds_wyoming.serving import (
    LIGHT,
    SAMPLES,
    SECONDS,
    answer,
    chunk_event,
    client_of,
    load_host,
    pcm,
    plain_text,
    refused,
    say,
    silence,
    start_event,
    transcribed,
    transcript_of,
)

pytestmark = pytest.mark.process

COMMAND = (sys.executable, "-c", "from ds_plugin.cli import main; main()")
NOISY = "import sys, ds_wyoming.session as s; original = s.describe; s.describe = lambda *a, **k: (print('noise'), original(*a, **k))[1]; "


@asynccontextmanager
async def process(*arguments: str, code: str = "", environment: dict[str, str] | None = None) -> AsyncIterator[Process]:
    """`ds-plugin` with these arguments; killed at the end, should it still run."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DS_PLUGIN_")}
    command = [*COMMAND[:2], code + COMMAND[2], *arguments]
    running = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=clean | (environment or {}))
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


async def address_of(running: Process) -> str:
    assert running.stderr is not None
    line = await asyncio.wait_for(running.stderr.readline(), 2 * SECONDS)
    assert line.startswith(b"wyoming listens on "), line
    return line.decode().split()[-1]


async def ended(running: Process) -> tuple[int, bytes, bytes]:
    """Exit code and what was still printed, once its input has ended."""
    assert running.stdin is not None
    running.stdin.close()
    out, err = await asyncio.wait_for(running.communicate(), SECONDS)
    assert running.returncode is not None
    return running.returncode, out, err


class PipeClient(AsyncClient):
    """The real client's reading and writing, at a process's pipes."""

    def __init__(self, running: Process) -> None:
        super().__init__(read_timeout=SECONDS)
        self._reader, self._writer = running.stdout, running.stdin


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_tcp_serves_and_a_signal_ends_it(number: signal.Signals) -> None:
    source, audio = pcm(SAMPLES[0])
    host = load_host()
    async with host:
        wanted = await plain_text(host, source, audio)
    async with process("serve", "wyoming", "--uri", "tcp://127.0.0.1:0") as running:
        address = await address_of(running)
        assert await transcribed(address, audio, source, source.bytes_for(0.2)) == wanted
        running.send_signal(number)
        assert await ended(running) == (0, b"", b"")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_a_running_utterance_finish(number: signal.Signals) -> None:
    async with process("serve", "wyoming", "--uri", "tcp://127.0.0.1:0") as running:
        async with client_of(await address_of(running)) as client:
            await client.write_event(start_event())
            await client.write_event(chunk_event(silence(0.5)))
            await client.write_event(Describe().event())
            assert await client.read_event()
            running.send_signal(number)
            await client.write_event(Event("audio-stop"))
            transcript_of(await answer(client))
        assert (await ended(running))[0] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_an_utterance_that_does_not_end_gets_an_error_within_the_grace(number: signal.Signals) -> None:
    grace = {"DS_PLUGIN_LIMITS_SHUTDOWN_SECONDS": "0.2"}
    async with process("serve", "wyoming", "--uri", "tcp://127.0.0.1:0", environment=grace) as running:
        async with client_of(await address_of(running)) as client:
            await client.write_event(chunk_event(silence(0.5)))
            await client.write_event(Describe().event())
            assert await client.read_event()
            running.send_signal(number)
            assert await refused(client) == "closed"
        assert (await ended(running))[0] == 0


async def test_a_server_that_finds_the_end_of_speech_says_nothing_and_ends_as_usual() -> None:
    audio = pcm(LIGHT)[1]
    async with process("serve", "wyoming", "--uri", "tcp://127.0.0.1:0", "--endpoint", "quick") as running:
        async with client_of(await address_of(running)) as client:
            await client.write_event(chunk_event(audio + silence(2.0)))
            assert transcript_of(await answer(client)) == "turn on the kitchen light"
            running.send_signal(signal.SIGTERM)
            assert await client.read_event() is None
        assert await ended(running) == (0, b"", b"")


@pytest.mark.parametrize("seconds", [0.01, 0.2, 60.0])
async def test_stdio_serves_the_same_text_and_ends_with_its_input(seconds: float) -> None:
    host = load_host()
    async with process("serve", "wyoming", "--uri", "stdio://") as running, host:
        assert await address_of(running) == "stdio://"
        client = PipeClient(running)
        for path in SAMPLES:
            source, audio = pcm(path)
            await say(client, audio, source, source.bytes_for(seconds))
            assert transcript_of(await answer(client)) == await plain_text(host, source, audio)
        assert await ended(running) == (0, b"", b"")


async def test_stdio_answers_an_utterance_whose_end_is_the_end_of_input() -> None:
    source, audio = pcm(LIGHT)
    audio = audio[-source.bytes_for(0.3) :]
    async with process("serve", "wyoming", "--uri", "stdio://") as running, load_host() as host:
        client = PipeClient(running)
        await say(client, audio, source, 1)
        assert running.stdin is not None
        running.stdin.close()
        assert transcript_of(await answer(client)) == await plain_text(host, source, audio)
        assert (await ended(running))[0] == 0


async def test_what_somebody_prints_breaks_no_frame() -> None:
    async with process("serve", "wyoming", "--uri", "stdio://", code=NOISY) as running:
        await address_of(running)
        client = PipeClient(running)
        await client.write_event(Describe().event())
        event = await client.read_event()
        assert event is not None
        assert event.type == "info"
        assert await ended(running) == (0, b"", b"noise\n")


async def test_stdio_ends_after_bad_input() -> None:
    async with process("serve", "wyoming", "--uri", "stdio://") as running:
        await address_of(running)
        assert running.stdin is not None
        running.stdin.write(b"nonsense\n")
        client = PipeClient(running)
        event = await client.read_event()
        assert event is not None
        assert event.data["code"] == "bad-frame"
        assert (await ended(running))[0] == 0


async def test_a_signal_ends_stdio() -> None:
    async with process("serve", "wyoming", "--uri", "stdio://") as running:
        await address_of(running)
        running.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(running.wait(), SECONDS) == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--uri", "nonsense"), "wyoming.uri"),
        (("--uri", "tcp://127.0.0.1:{port}"), "in use"),
        (("--uri", "unix://{file}"), "no socket"),
        (("--wyoming-connections", "0"), "wyoming.connections"),
        (("--endpoint", "soon"), "wyoming.endpoint"),
        (("--uri", "tcp://127.0.0.1:0", "--model", "no-such-model"), "no-such-model"),
    ],
)
async def test_what_cannot_be_served_is_one_line_and_exit_code_2(arguments: tuple[str, ...], named: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        values = {"port": taken.getsockname()[1], "file": file}
        async with process("serve", "wyoming", *(argument.format(**values) for argument in arguments)) as running:
            code, out, err = await ended(running)
    assert (code, out) == (2, b"")
    assert err.count(b"\n") == 1
    assert named in err.decode()


async def test_the_address_may_come_from_the_environment() -> None:
    async with process("serve", "wyoming", environment={"DS_PLUGIN_WYOMING_URI": "tcp://127.0.0.1:0"}) as running:
        assert (await address_of(running)).startswith("tcp://127.0.0.1:")
