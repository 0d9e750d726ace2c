from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ds_wyoming.address import Address, Tcp, Unix
from ds_wyoming.listening import Bound, Listening, listening
from ds_wyoming.server import Server
from tests.ds_wyoming.serving import answer, client_of, load_host, say, settings, silence, transcript_of


async def listens(address: Address) -> Listening:
    async with load_host() as host, listening(address, Server(host, settings())) as serving:
        return serving


async def test_what_the_sockets_are_bound_to_is_told_in_numbers() -> None:
    serving = await listens(Tcp("127.0.0.1", 0))
    (bound,) = serving.bound
    assert bound.address == "127.0.0.1"
    assert bound.port > 0
    assert serving.address == str(bound)


async def test_a_host_name_may_be_several_addresses() -> None:
    serving = await listens(Tcp("localhost", 0))
    assert {bound.address for bound in serving.bound} <= {"127.0.0.1", "::1"}
    assert serving.address == f"tcp://localhost:{serving.bound[0].port}"


async def test_a_socket_in_the_file_system_is_bound_to_no_network(tmp_path: Path) -> None:
    assert (await listens(Unix(tmp_path / "ds.sock"))).bound == ()


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert str(Bound("fd00::2", 10300)) == "tcp://[fd00::2]:10300"


@pytest.mark.parametrize("scheme", ["tcp", "unix"])
async def test_who_connects_at_the_moment_of_stopping_is_still_answered(scheme: str, tmp_path: Path) -> None:
    address = Tcp("127.0.0.1", 0) if scheme == "tcp" else Unix(tmp_path / "ds.sock")
    async with load_host() as host:
        context = listening(address, Server(host, settings()))
        serving = await context.__aenter__()
        client = client_of(serving.address)
        await client.connect()
        leaving = asyncio.create_task(context.__aexit__(None, None, None))
        await say(client, silence(0.5))
        transcript_of(await answer(client))
        await leaving
        await client.disconnect()
