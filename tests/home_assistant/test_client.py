"""Home Assistant's own Wyoming client, of every version that was found, against our server's process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ds_engine.audio import AudioFormat
from tests.ds_wyoming.serving import LIGHT, SAMPLES, load_host, pcm, plain_text, silence
from tests.home_assistant.client import Client
from tests.home_assistant.conftest import Row, Said
from tests.home_assistant.installed import Installed
from tests.home_assistant.server import Server, serving

pytestmark = pytest.mark.process

HELD_SECONDS = 0.5  # in which an early answer would have come
READS_MEANWHILE = [2026, 10]  # the first version whose client reads while it sends


def reads_meanwhile(installed: Installed) -> bool:
    return [int(part) for part in installed.version.split(".")[:2]] >= READS_MEANWHILE


async def batch() -> dict[Path, str]:
    async with load_host() as host:
        return {path: await plain_text(host, AudioFormat(), pcm(path)[1]) for path in SAMPLES}


async def loaded(client: Client, server: Server) -> None:
    assert (await client.load(server.host, server.port))["platforms"] == ["stt"]


async def test_loading_finds_speech_to_text_its_name_and_its_language(client: Client, row: Row) -> None:
    async with serving("--name", "attic") as server:
        answer = await client.load(server.host, server.port)
        assert (answer["platforms"], answer["languages"], answer["name"]) == (["stt"], ["en"], "attic")
    row("describe", f"{', '.join(answer['platforms'])}; {', '.join(answer['languages'])}")


async def test_recordings_become_the_same_text_as_without_a_server(client: Client, said: Said, row: Row) -> None:
    wanted = await batch()
    async with serving() as server:
        await loaded(client, server)
        for path in SAMPLES:
            assert await client.hear(said(path.stem, pcm(path)[1])) == ("success", wanted[path])
    row(f"{len(wanted)} recordings", "success, the batch decode's text")


async def test_four_at_a_time_get_what_one_gets(client: Client, said: Said, row: Row) -> None:
    wanted = await batch()
    async with serving() as server:
        await loaded(client, server)
        heard = await asyncio.gather(*(client.hear(said(path.stem, pcm(path)[1])) for path in [*SAMPLES, LIGHT]))
    assert heard == [("success", wanted[path]) for path in [*SAMPLES, LIGHT]]
    row("four at a time", "success, the same texts")


@pytest.mark.parametrize("seconds", [0.0, 2.0])
async def test_silence_is_an_empty_text(client: Client, said: Said, row: Row, seconds: float) -> None:
    async with serving() as server:
        await loaded(client, server)
        assert await client.hear(said("silence", silence(seconds))) == ("success", "")
    row(f"{seconds:g} s of silence", 'success ""')


async def test_a_language_may_be_written_in_any_way(client: Client, said: Said, row: Row) -> None:
    wanted = await batch()
    async with serving() as server:
        await loaded(client, server)
        for language in ("en-US", "en_gb", "EN"):
            assert await client.hear(said("light", pcm(LIGHT)[1]), language) == ("success", wanted[LIGHT])
    row("languages en-US, en_gb, EN", "success")


async def test_a_language_that_is_not_offered_is_an_error_and_the_next_utterance_works(client: Client, said: Said, row: Row) -> None:
    wanted = await batch()
    async with serving() as server:
        await loaded(client, server)
        assert await client.hear(said("light", pcm(LIGHT)[1]), "tlh") == ("error", None)
        assert await client.hear(said("light", pcm(LIGHT)[1])) == ("success", wanted[LIGHT])
    row("language tlh", "error, then success")


async def test_a_server_that_is_killed_is_an_error_and_a_new_one_is_used_at_once(client: Client, said: Said, row: Row) -> None:
    wanted = await batch()
    light = said("light", pcm(LIGHT)[1])
    async with serving() as server:
        await loaded(client, server)
        number = await client.hold(light)
        await server.kill()
        client.order("release", number)
        assert (await client.answer(number))["state"] == "error"
    async with serving(port=server.port):
        assert await client.hear(light) == ("success", wanted[LIGHT])
    row("server killed while it listens", "error, then success")


async def test_a_server_that_is_not_there_is_an_error(client: Client, said: Said, row: Row) -> None:
    async with serving() as server:
        await loaded(client, server)
    assert await client.hear(said("light", pcm(LIGHT)[1])) == ("error", None)
    row("no server", "error")


async def test_a_describe_is_answered_while_others_speak(client: Client, said: Said, row: Row) -> None:
    wanted = await batch()
    light = said("light", pcm(LIGHT)[1])
    async with serving() as server:
        await loaded(client, server)
        numbers = [await client.hold(light) for _ in range(4)]
        slowest = max([(await client.load(server.host, server.port))["seconds"] for _ in range(30)])
        for number in numbers:
            client.order("release", number)
            assert (await client.answer(number))["text"] == wanted[LIGHT]
    row("30 describes while four speak", f"all answered, the slowest in {1000 * slowest:.0f} ms")


async def test_with_endpointing_the_text_comes_before_the_end_where_the_client_reads_meanwhile(
    client: Client, installed: Installed, said: Said, row: Row
) -> None:
    """An older one reads it after it has sent everything; the connection must still be there then."""
    wanted = await batch()
    audio = said("light", pcm(LIGHT)[1] + silence(3.0))
    async with serving("--endpoint", "normal") as server:
        await loaded(client, server)
        number = client.order("transcribe", audio=str(audio), language="en", hold=True)
        answer = await client.answer(number)
        if reads_meanwhile(installed):
            while "held" in answer:
                answer = await client.answer(number)
        else:
            assert answer["held"]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.next_answer(number), HELD_SECONDS)
            client.order("release", number)
            answer = await client.answer(number)
    assert (answer["state"], answer["text"]) == ("success", wanted[LIGHT])
    row("endpointing", f"success, {'before' if reads_meanwhile(installed) else 'after'} the audio's end")


async def test_without_endpointing_nothing_comes_before_the_end(client: Client, said: Said, row: Row) -> None:
    wanted = await batch()
    async with serving() as server:
        await loaded(client, server)
        number = await client.hold(said("light", pcm(LIGHT)[1] + silence(3.0)))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.next_answer(number), HELD_SECONDS)
        client.order("release", number)
        assert (await client.answer(number))["text"] == wanted[LIGHT]
    row("no endpointing", "success, after the audio's end")
