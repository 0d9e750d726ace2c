"""The configuration of docs/how-to/load-balancing.md, word for word but for its addresses, over two real servers."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import signal
import socket
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from wyoming.client import AsyncClient
from wyoming.event import Event

from ds_wyoming import health
from tests.ds_wyoming.serving import LIGHT, SECONDS, answer, chunk_event, client_of, pcm, start_event, stop_event, transcribed
from tests.ds_wyoming.test_process import address_of, process
from tests.project import ROOT

HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")

pytestmark = [pytest.mark.process, pytest.mark.skipif(HAPROXY is None, reason="needs Debian's package haproxy")]

TAKES_OVER_SECONDS = 3.0  # for an utterance that meets a server which is gone
SERVE = ("serve", "wyoming", "--uri", "tcp://127.0.0.1:0")


def documented() -> str:
    """The configuration as it stands in the how-to."""
    text = (ROOT / "docs" / "how-to" / "load-balancing.md").read_text()
    (found,) = re.findall(r"^```haproxy\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return str(found)


def replaced(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def at(address: str) -> str:
    return urlsplit(address).netloc


@asynccontextmanager
async def balancer(folder: Path, *servers: str, changes: tuple[tuple[str, str], ...] = ()) -> AsyncIterator[tuple[str, Process]]:
    """HAProxy in front of two servers; gives its address."""
    assert HAPROXY
    one, two = map(at, servers)
    file = folder / "haproxy.cfg"
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        ours = (":10300\n    default", f"fd@{listener.fileno()}\n    default"), ("192.168.1.11:10300", one), ("192.168.1.12:10300", two)
        file.write_text(replaced(documented(), *ours, *changes))
        running = await asyncio.create_subprocess_exec(
            HAPROXY, "-db", "-f", str(file), pass_fds=[listener.fileno()], stdout=PIPE, stderr=PIPE
        )
        try:
            yield f"tcp://127.0.0.1:{listener.getsockname()[1]}", running
        finally:
            if running.returncode is None:
                running.kill()
            await running.communicate()


class Speaker:
    """One utterance in two halves."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._source, audio = pcm(LIGHT)
        half = self._source.bytes_for(len(audio) / self._source.bytes_for(1.0) / 2)
        self._halves = audio[:half], audio[half:]

    async def begin(self) -> None:
        """Returns once the server has begun to hear it."""
        await self._client.write_event(start_event(self._source))
        await self._client.write_event(chunk_event(self._halves[0], self._source))
        await self._client.write_event(Event("ping", {"text": "here"}))
        async with asyncio.timeout(SECONDS):
            while (event := await self._client.read_event()) is not None and event.type != "pong":
                pass
        assert event is not None

    async def end(self) -> str:
        """The text; "lost" where the connection ended instead."""
        try:
            await self._client.write_event(chunk_event(self._halves[1], self._source))
            await self._client.write_event(stop_event())
            events = await answer(self._client)
        except ConnectionError:
            return "lost"
        texts = [str(event.data["text"]) for event in events if event.type == "transcript"]
        return texts[0] if texts else "lost"


@asynccontextmanager
async def speaking(address: str) -> AsyncIterator[Speaker]:
    """An utterance that the server has begun to hear."""
    client = client_of(address)
    await client.connect()
    try:
        speaker = Speaker(client)
        await speaker.begin()
        yield speaker
    finally:
        with contextlib.suppress(ConnectionError):  # the server may be gone
            await client.disconnect()


async def test_the_documented_configuration_is_one_that_haproxy_takes(tmp_path: Path) -> None:
    assert HAPROXY
    file = tmp_path / "haproxy.cfg"
    file.write_text(documented())
    check = await asyncio.create_subprocess_exec(HAPROXY, "-c", "-f", str(file), stdout=PIPE, stderr=PIPE)
    out, err = await check.communicate()
    assert (check.returncode, out.strip(), err) == (0, b"Configuration file is valid", b"")


async def test_of_two_servers_one_is_killed_and_only_its_utterance_is_lost(tmp_path: Path) -> None:
    source, audio = pcm(LIGHT)
    async with process(*SERVE) as one, process(*SERVE) as two:
        addresses = await address_of(one), await address_of(two)
        wanted = await transcribed(addresses[0], audio, source)
        async with balancer(tmp_path, *addresses) as (address, _), speaking(address) as first, speaking(address) as second:
            one.kill()
            assert sorted([await first.end(), await second.end()]) == sorted(["lost", wanted])
            for _ in range(5):
                assert await asyncio.wait_for(transcribed(address, audio, source, 320), TAKES_OVER_SECONDS) == wanted
            together = await asyncio.gather(*(transcribed(address, audio, source, 320) for _ in range(4)))
            assert together == [wanted] * 4


async def test_a_server_that_is_stopped_answers_first_and_the_next_utterance_goes_to_the_other(tmp_path: Path) -> None:
    source, audio = pcm(LIGHT)
    async with process(*SERVE) as one, process(*SERVE) as two:
        addresses = await address_of(one), await address_of(two)
        wanted = await transcribed(addresses[1], audio, source)
        async with balancer(tmp_path, *addresses) as (address, _), speaking(address) as first, speaking(address) as second:
            one.send_signal(signal.SIGTERM)
            for _ in range(3):
                assert await asyncio.wait_for(transcribed(address, audio, source, 320), TAKES_OVER_SECONDS) == wanted
            assert [await first.end(), await second.end()] == [wanted, wanted]
        assert await asyncio.wait_for(one.wait(), SECONDS) == 0


async def test_a_server_that_accepts_and_says_nothing_is_taken_out(tmp_path: Path) -> None:
    quicker = (("timeout check 2s", "timeout check 500ms"), ("inter 3s fall 5", "inter 100ms fall 1"))
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        async with process(*SERVE) as one:
            addresses = await address_of(one), f"tcp://127.0.0.1:{silent.getsockname()[1]}"
            async with balancer(tmp_path, *addresses, changes=quicker) as (address, proxy):
                assert proxy.stderr is not None
                async with asyncio.timeout(SECONDS):
                    while b"servers/two is DOWN" not in (line := await proxy.stderr.readline()):
                        assert line
                        assert b"servers/one is DOWN" not in line
                for _ in range(4):
                    await asyncio.to_thread(health.check, address, TAKES_OVER_SECONDS)
                await asyncio.sleep(0.5)  # several checks more: the good one stays
                async with speaking(address) as speaker:
                    assert await speaker.end() not in {"", "lost"}
