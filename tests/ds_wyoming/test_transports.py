"""One suite over tcp, unix and stdio: the real command line serves the bundled model, the real client talks to it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping

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
    say,
    start_event,
    stop_event,
    transcript_of,
)
from tests.ds_wyoming.test_process import COMMAND, PipeClient, address_of, ended, process

pytestmark = pytest.mark.process

SPOKEN = (LIGHT, next(path for path in SAMPLES if path != LIGHT))
HOME_ASSISTANT_SECONDS = 0.01  # of audio in one of its chunks


@dataclass(frozen=True, slots=True)
class Transport:
    """A way to a server: the address of one that runs, or none for standard input and output, which are one process per client."""

    address: str | None

    @asynccontextmanager
    async def client(self) -> AsyncIterator[AsyncClient]:
        """A new client; a process that serves it alone must end well."""
        if self.address:
            async with client_of(self.address) as client:
                yield client
            return
        async with process("serve", "wyoming", "--uri", "stdio://", "--name", "lamp") as running:
            assert await address_of(running) == "stdio://"
            yield PipeClient(running)
            assert await ended(running) == (0, b"", b"")


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """What the host makes of the recordings without any protocol."""

    async def plain() -> list[str]:
        async with load_host() as host:
            return [await plain_text(host, *pcm(path)) for path in SPOKEN]

    found = asyncio.run(plain())
    assert len(set(found)) == len(found)
    assert all(found)
    return found


@pytest.fixture(scope="module", params=["tcp", "unix", "stdio"])
def transport(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Transport]:
    """One server for all tests; it must end well, and have logged nothing."""
    if request.param == "stdio":
        yield Transport(None)
        return
    uri = "tcp://127.0.0.1:0" if request.param == "tcp" else f"unix://{tmp_path_factory.mktemp('unix')}/ds.sock"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DS_PLUGIN_")}
    command = [*COMMAND, "serve", "wyoming", "--uri", uri, "--name", "lamp"]
    with subprocess.Popen(command, env=clean, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr
        try:
            yield Transport(running.stderr.readline().split()[-1])
        finally:
            running.terminate()
            _, err = running.communicate(timeout=2 * SECONDS)
        assert (running.returncode, err) == (0, "")


async def transcribes(client: AsyncClient, path: Path) -> str:
    source, audio = pcm(path)
    await say(client, audio, source, source.bytes_for(HOME_ASSISTANT_SECONDS), language="en")
    return transcript_of(await answer(client))


async def test_utterances_on_one_connection_have_the_text_of_the_recordings(transport: Transport, texts: list[str]) -> None:
    async with transport.client() as client:
        assert [await transcribes(client, path) for path in (*SPOKEN, *SPOKEN)] == [*texts, *texts]
        for path, size in zip(SPOKEN, (None, 4095), strict=True):  # whole, and cut inside samples; nobody waits for answers
            source, audio = pcm(path)
            await say(client, audio, source, size)
        assert [transcript_of(await answer(client)) for _ in SPOKEN] == texts


async def test_describe_and_ping_are_answered_before_in_the_middle_of_and_after_an_utterance(transport: Transport) -> None:
    source, audio = pcm(LIGHT)

    async def asks(client: AsyncClient) -> None:
        kinds: list[str] = []
        await client.write_event(Describe().event())
        await client.write_event(Ping("there?").event())
        while "pong" not in kinds:
            event = await client.read_event()
            assert event is not None
            kinds.append(event.type)
            if event.type == "info":
                info = Info.from_event(event)
                assert [program.name for program in info.asr] == ["lamp"]
                assert info.asr[0].installed
        assert [kind for kind in kinds if not kind.startswith("transcript-")] == ["info", "pong"]

    async with transport.client() as client:
        await asks(client)
        await client.write_event(start_event(source))
        await client.write_event(chunk_event(audio, source))
        await asks(client)
        await client.write_event(stop_event())
        assert [event.type for event in await answer(client)][-2:] == ["transcript", "transcript-stop"]
        await asks(client)


BAD = (
    (Event("audio-chunk", {"rate": 16000, "width": 2}, b"xx"), "bad-audio"),
    (Event("audio-start", {"rate": 0, "width": 2, "channels": 1}), "bad-audio"),
    (Event("transcribe", {"language": "tlh"}), "unsupported-language"),
    (Event("transcribe", {"name": 7}), "bad-message"),
)


async def test_bad_input_is_told_ends_the_connection_and_harms_nobody_else(transport: Transport, texts: list[str]) -> None:
    for sent, code in BAD if transport.address else BAD[:1]:  # elsewhere each is a process of its own
        async with transport.client() as client:
            await client.write_event(sent)
            event = await client.read_event()
            assert event is not None
            assert (event.type, event.data["code"]) == ("error", code)
            assert await client.read_event() is None
    if transport.address:
        async with transport.client() as client:
            assert await transcribes(client, LIGHT) == texts[0]


async def test_a_client_that_leaves_in_the_middle_of_an_utterance_harms_nobody_else(transport: Transport, texts: list[str]) -> None:
    source, audio = pcm(LIGHT)
    async with transport.client() as client:
        await client.write_event(start_event(source))
        await client.write_event(chunk_event(audio[: len(audio) // 4 * 2], source))
    if transport.address:
        async with transport.client() as client:
            assert await transcribes(client, LIGHT) == texts[0]


async def test_a_client_that_ends_its_side_after_audio_stop_is_still_answered(transport: Transport, texts: list[str]) -> None:
    source, audio = pcm(LIGHT)
    async with transport.client() as client:
        await say(client, audio, source)
        assert client._writer is not None
        client._writer.close() if transport.address is None else client._writer.write_eof()
        assert transcript_of(await answer(client)) == texts[0]


@pytest.mark.parametrize(("scheme", "number"), [("unix", signal.SIGINT), ("stdio", signal.SIGTERM), ("stdio", signal.SIGINT)])
async def test_a_signal_in_the_middle_of_an_utterance_lets_it_finish(
    scheme: str, number: signal.Signals, tmp_path: Path, texts: list[str]
) -> None:
    source, audio = pcm(LIGHT)
    uri = "stdio://" if scheme == "stdio" else f"unix://{tmp_path}/ds.sock"
    async with process("serve", "wyoming", "--uri", uri) as running:
        address = await address_of(running)
        client = PipeClient(running) if scheme == "stdio" else client_of(address)
        await client.connect()
        await client.write_event(start_event(source))
        await client.write_event(chunk_event(audio, source))
        await client.write_event(Describe().event())
        while (event := await client.read_event()) is not None and event.type != "info":
            assert event.type.startswith("transcript-")
        running.send_signal(number)
        await client.write_event(stop_event())
        events = await answer(client)
        assert [event.data["text"] for event in events if event.type == "transcript"] == texts[:1]
        if scheme == "unix":
            await client.disconnect()
        assert (await ended(running))[0] == 0


async def test_several_instances_are_told_apart_by_their_names(tmp_path: Path, texts: list[str]) -> None:
    async with (
        process("serve", "wyoming", "--uri", "tcp://127.0.0.1:0", "--name", "Küche") as one,
        process("serve", "wyoming", "--uri", f"unix://{tmp_path}/two.sock", environment={"DS_PLUGIN_WYOMING_NAME": "Bad"}) as two,
    ):
        for running, name in ((one, "Küche"), (two, "Bad")):
            async with client_of(await address_of(running)) as client:
                await client.write_event(Describe().event())
                event = await client.read_event()
                assert event is not None
                assert [program.name for program in Info.from_event(event).asr] == [name]
                assert await transcribes(client, LIGHT) == texts[0]
