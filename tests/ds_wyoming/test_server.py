from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from ds_engine.errors import InputError
from ds_engine.limits import Limits
from ds_plugin.config import ConfigError
from ds_plugin.hooks import Hooks
from ds_plugin.plugins import Plugins
from ds_wyoming import plugin
from ds_wyoming.plugin import serve
from ds_wyoming.settings import OPTIONS
from tests.ds_wyoming.serving import (
    LIGHT,
    SECONDS,
    SPEECH,
    CountingDecoder,
    Gate,
    answer,
    chunk_event,
    client_of,
    load_host,
    pcm,
    plain_text,
    refused,
    serving,
    serving_model,
    serving_toy,
    silence,
    stop_event,
    transcribed,
    transcript_of,
    until,
)


def test_the_plugin_registers_the_adapter() -> None:
    plugins = Plugins()
    assert not plugins.add("wyoming", lambda: plugin).error
    adapter = Hooks(plugins).adapters()["wyoming"]
    assert adapter.serve is serve
    assert adapter.options == OPTIONS


async def test_a_free_port_is_taken_and_told() -> None:
    async with serving_toy(uri="tcp://127.0.0.1:0") as (address, _):
        assert not address.endswith(":0")
        assert await transcribed(address, silence(1.0))


async def test_ipv6_is_served_and_told_in_brackets() -> None:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 here")
    async with serving_toy(uri="tcp://[::1]:0") as (address, _):
        assert address.startswith("tcp://[::1]:")
        assert await transcribed(address, silence(1.0))


def nothing_in(folder: Path) -> bool:
    return not list(folder.iterdir())


@pytest.mark.parametrize(("size", "seconds"), [(1, 0.3), (320, 60.0), (6400, 60.0), (1_000_000, 60.0)])
async def test_a_unix_socket_serves_the_same_text(tmp_path: Path, size: int, seconds: float) -> None:
    source, audio = pcm(LIGHT)
    audio = audio[-source.bytes_for(seconds) :]
    async with serving_model(uri=f"unix://{tmp_path}/ds.sock") as (address, host):
        assert await transcribed(address, audio, source, size) == await plain_text(host, source, audio)
    assert nothing_in(tmp_path)


async def test_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "ds.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with serving_toy(uri=f"unix://{path}") as (address, _):
        assert await transcribed(address, silence(1.0))


async def fails(uri: str) -> str:
    host = load_host()
    with pytest.raises(InputError) as caught:
        async with serving(host, uri):
            pass
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("wyoming.uri: cannot listen on ")
    return str(caught.value)


async def test_a_socket_that_is_served_is_left_alone(tmp_path: Path) -> None:
    async with serving_toy(uri=f"unix://{tmp_path}/ds.sock") as (address, _):
        assert "another server" in await fails(address)
        assert await transcribed(address, silence(1.0))


async def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "precious.txt"
    path.write_text("precious")
    assert "no socket" in await fails(f"unix://{path}")
    assert path.read_text() == "precious"


async def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    assert "No such file" in await fails(f"unix://{tmp_path}/none/ds.sock")


async def test_a_path_that_is_too_long_is_named(tmp_path: Path) -> None:
    assert "too long" in await fails(f"unix://{tmp_path}/{'x' * 200}")


async def test_a_port_in_use_is_named() -> None:
    async with serving_toy() as (address, _):
        assert "in use" in await fails(address)


@pytest.mark.parametrize("uri", ["tcp://no.such.host.invalid:0", "tcp://203.0.113.7:0"])
async def test_a_host_that_is_not_ours_is_named(uri: str) -> None:
    await fails(uri)


async def test_a_bad_uri_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^wyoming\.uri must be"):
        async with serving(load_host(), "ftp://x"):
            pass


async def test_a_socket_serves_for_ever() -> None:
    host = load_host()
    async with host, serve(host, {"uri": "tcp://127.0.0.1:0"}) as served:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await served.wait()


async def test_leaving_closes_idle_connections_at_once_and_lets_a_running_utterance_finish() -> None:
    host = load_host()
    async with host:
        context = serve(host, {"uri": "tcp://127.0.0.1:0"})
        served = await context.__aenter__()
        async with client_of(served.address) as idle, client_of(served.address) as speaker:
            wanted = await plain_text(host, SPEECH, silence(1.0))
            await speaker.write_event(chunk_event(silence(0.5)))
            await until(lambda: host.engine.utterances == 1)
            leaving = asyncio.create_task(context.__aexit__(None, None, None))
            assert await idle.read_event() is None
            with pytest.raises(ConnectionRefusedError):
                await client_of(served.address).connect()
            await speaker.write_event(chunk_event(silence(0.5)))
            await speaker.write_event(stop_event())
            assert transcript_of(await answer(speaker)) == wanted
            assert await speaker.read_event() is None
        await leaving


async def test_an_utterance_that_does_not_end_is_told_that_the_server_stops() -> None:
    host = load_host(limits=Limits(shutdown_seconds=0.1))
    async with host:
        context = serve(host, {"uri": "tcp://127.0.0.1:0"})
        served = await context.__aenter__()
        async with client_of(served.address) as speaker:
            await speaker.write_event(chunk_event(silence(0.5)))
            await until(lambda: host.engine.utterances == 1)
            leaving = asyncio.create_task(context.__aexit__(None, None, None))
            assert await refused(speaker) == "closed"
            await leaving
        assert host.engine.utterances == 0


async def test_an_answer_that_is_being_made_still_goes_out_on_leaving() -> None:
    gate = Gate()
    async with serving_toy(CountingDecoder(gate)) as (address, _):
        client = client_of(address)
        await client.connect()
        await client.write_event(chunk_event(silence(1.0)))
        await client.write_event(stop_event())
        assert await asyncio.to_thread(gate.reached.wait, SECONDS)
        asyncio.get_running_loop().call_later(0.1, gate.open.set)
    assert transcript_of(await answer(client))
    await client.disconnect()
