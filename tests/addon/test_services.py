"""The app's services under real s6: the real server starts, is announced once, stops, and takes the container with it when it fails."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from wyoming.client import AsyncClient
from wyoming.info import Describe

from ds_wyoming import health
from tests.addon.supervised import AVAILABLE, Container, build, running
from tests.addon.supervisor import SECONDS, TOKEN, supervising

pytestmark = [pytest.mark.process, pytest.mark.skipif(not AVAILABLE, reason="needs Debian's s6 and execline")]

Start = Callable[..., AbstractAsyncContextManager[Container]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as place:
        return int(place.getsockname()[1])


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def start(tmp_path: Path, port: int) -> Start:
    """Starts the app with options, as a container whose Supervisor is at the given address."""

    @asynccontextmanager
    async def started(supervisor: str, wait: float = 20.0, **options: Any) -> AsyncIterator[Container]:
        environment = {"SUPERVISOR_TOKEN": TOKEN, "DS_PLUGIN_WYOMING_URI": f"tcp://127.0.0.1:{port}", "OMP_NUM_THREADS": "1"}
        build(tmp_path, environment, f"--uri tcp://127.0.0.1:{port} --supervisor {supervisor} --wait {wait}")
        (tmp_path / "data" / "options.json").write_text(json.dumps({"home_assistant_names": False, **options}))
        async with running(Container(tmp_path)) as container:
            yield container

    return started


async def test_the_server_is_announced_once_it_answers_and_a_stop_is_clean(start: Start, port: int) -> None:
    async with supervising() as supervisor, start(supervisor.address, words=["snorkelwack", "$(touch /tmp/x); `id`"]) as container:
        [request] = await supervisor.heard(1)
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert request.body == {"service": "wyoming", "config": {"uri": f"tcp://{socket.gethostname()}:{port}"}}
        assert await container.says(f"Home Assistant has been told of tcp://{socket.gethostname()}:{port}")
        await asyncio.to_thread(health.check, f"tcp://127.0.0.1:{port}")
        assert TOKEN.encode() not in b"".join(path.read_bytes() for path in (container.root / "data").rglob("*") if path.is_file())
        await container.control("-wD", "-d")
        with pytest.raises(health.UnwellError, match="refused"):
            health.check(f"tcp://127.0.0.1:{port}")
        assert not container.halted
        assert container.exit_code == 0
        assert len(supervisor.requests) == 1
    assert (container.root / "share/ds-plugin/README.txt").is_file()
    assert TOKEN not in "\n".join(container.lines)


async def test_the_server_takes_every_option_and_once_killed_it_stops_the_container_with_the_signals_code(start: Start, port: int) -> None:
    options = {"mode": "closed", "strictness": 1, "endpoint": "quick", "digits": True, "log_level": "info", "model": "en-small"}
    async with supervising() as supervisor, start(supervisor.address, fallback_server="tcp://127.0.0.1:1", **options) as container:
        await supervisor.heard(1)
        async with AsyncClient.from_uri(f"tcp://127.0.0.1:{port}") as client, asyncio.timeout(SECONDS):
            await client.write_event(Describe().event())
            event = await client.read_event()
        await container.control("-k")
        await container.ended()
    assert container.halted
    assert container.exit_code == 128 + 9
    assert event is not None
    assert all(program["requires_external_vad"] is False for program in event.data["asr"])


async def test_a_server_that_cannot_start_stops_the_container_with_its_code(start: Start) -> None:
    async with supervising() as supervisor, start(supervisor.address, wait=0.1, model="no-such-model") as container:
        await container.ended()
    assert container.halted
    assert container.exit_code == 2
    assert "no-such-model" in await container.says("no model")
    assert await container.says("ds-plugin ended with code 2; the app stops")
    assert supervisor.requests == []


async def test_options_that_cannot_be_read_stop_the_container_and_say_why(start: Start) -> None:
    async with supervising() as supervisor, start(supervisor.address, wait=1.0, mode=3) as container:
        assert not [line for line in container.lines if "does not answer" in line]  # nobody has waited for the announcement
        await container.ended()
    assert container.exit_code == 2
    assert await container.says("option mode cannot be 3")
    assert await container.says("does not answer")
