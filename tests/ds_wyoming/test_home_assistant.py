"""Clients shaped as Home Assistant's: one connection per utterance, 10 ms chunks, only the language is sent.

Until 2026.9 it reads once everything is sent and knows neither errors nor streaming events; since 2026.10 it reads meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable

import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient, AsyncTcpClient
from wyoming.error import Error
from wyoming.info import Describe, Info

from ds_engine.audio import AudioFormat
from ds_engine.limits import Limits
from tests.ds_wyoming.serving import (
    LIGHT,
    SECONDS,
    CountingDecoder,
    chunks,
    client_of,
    pcm,
    plain_text,
    serving_model,
    serving_toy,
    silence,
    until,
)

CHUNK_BYTES = 320
SPOKEN = pcm(LIGHT)[1]

Audio = AsyncIterable[bytes]
Generation = Callable[[AsyncClient, Audio, str], Awaitable[str | None]]


async def recorded(audio: bytes) -> AsyncIterator[bytes]:
    """What Home Assistant's own voice detector has cut out."""
    for piece in chunks(audio, CHUNK_BYTES):
        yield piece


async def live(audio: bytes) -> AsyncIterator[bytes]:
    """A microphone that nobody switches off."""
    for piece in chunks(audio, CHUNK_BYTES):
        yield piece
    while True:
        await asyncio.sleep(0)
        yield bytes(CHUNK_BYTES)


async def upload(client: AsyncClient, audio: Audio, language: str) -> None:
    await client.write_event(Transcribe(language=language).event())
    await client.write_event(AudioStart(16_000, 2, 1).event())
    async for piece in audio:
        await client.write_event(AudioChunk(16_000, 2, 1, piece).event())
    await client.write_event(AudioStop().event())


async def result(client: AsyncClient, *, knows_errors: bool) -> str | None:
    """None stands for Home Assistant's ERROR."""
    while (event := await client.read_event()) is not None:
        if Transcript.is_type(event.type):
            return Transcript.from_event(event).text
        if knows_errors and Error.is_type(event.type):
            return None
    return None


async def old(client: AsyncClient, audio: Audio, language: str) -> str | None:
    await upload(client, audio, language)
    return await result(client, knows_errors=False)


async def new(client: AsyncClient, audio: Audio, language: str) -> str | None:
    uploading = asyncio.create_task(upload(client, audio, language))
    reading = asyncio.create_task(result(client, knows_errors=True))
    try:
        done, _ = await asyncio.wait({uploading, reading}, return_when=asyncio.FIRST_COMPLETED)
        if reading not in done:
            await uploading
        return await reading
    finally:
        for task in (uploading, reading):
            task.cancel()
        await asyncio.gather(uploading, reading, return_exceptions=True)


async def call(address: str, generation: Generation, audio: Audio, language: str = "en") -> str | None:
    """One call of Home Assistant's, on a connection of its own, which must come to an end."""
    try:
        async with asyncio.timeout(SECONDS), client_of(address) as client:
            return await generation(client, audio, language)
    except ConnectionError:
        return None


@pytest.mark.parametrize("generation", [old, new])
async def test_a_recording_becomes_its_text(generation: Generation) -> None:
    async with serving_model() as (address, host):
        assert await call(address, generation, recorded(SPOKEN), "en-US") == await plain_text(host, AudioFormat(), SPOKEN)


@pytest.mark.parametrize("generation", [old, new])
async def test_nothing_said_is_an_empty_text_and_no_error(generation: Generation) -> None:
    async with serving_toy() as (address, _):
        assert await call(address, generation, recorded(b"")) == ""
    async with serving_model() as (address, _):
        assert await call(address, generation, recorded(silence(2.0))) == ""


@pytest.mark.parametrize("generation", [old, new])
@pytest.mark.parametrize("audio", [recorded, live])
async def test_a_refusal_ends_the_call_instead_of_hanging(generation: Generation, audio: Callable[[bytes], Audio]) -> None:
    async with serving_toy() as (address, _):
        assert await call(address, generation, audio(silence(5.0)), "tlh") is None


@pytest.mark.parametrize("generation", [old, new])
async def test_an_error_in_the_middle_ends_the_call(generation: Generation) -> None:
    async with serving_toy(limits=Limits(utterance_seconds=1.0)) as (address, _):
        assert await call(address, generation, live(silence(2.0))) is None


@pytest.mark.parametrize("generation", [old, new])
async def test_a_fault_of_the_engine_ends_the_call_and_the_next_works(generation: Generation) -> None:
    def fail(utterance: int) -> None:
        if utterance == 1:
            raise ValueError("a bug")

    async with serving_toy(CountingDecoder(fail)) as (address, _):
        assert await call(address, generation, recorded(silence(1.0))) is None
        assert await call(address, generation, recorded(silence(1.0)))


@pytest.mark.parametrize("generation", [old, new])
async def test_an_early_answer_reaches_whoever_stops_later(generation: Generation) -> None:
    async with serving_model(endpoint="quick") as (address, host):
        assert await call(address, generation, recorded(SPOKEN + silence(2.0))) == await plain_text(host, AudioFormat(), SPOKEN)
        assert await call(address, generation, recorded(silence(5.0))) == ""


async def test_an_early_answer_ends_the_call_while_the_microphone_is_still_open() -> None:
    async with serving_model(endpoint="quick") as (address, host):
        assert await call(address, new, live(SPOKEN)) == await plain_text(host, AudioFormat(), SPOKEN)
        assert await call(address, new, live(b"")) == ""
        await until(lambda: host.engine.utterances == 0)


async def test_loading_finds_the_languages() -> None:
    async with serving_model() as (address, host):
        host_name, _, port = address.removeprefix("tcp://").rpartition(":")
        async with AsyncTcpClient(host_name, int(port)) as client, asyncio.timeout(1.0):
            await client.write_event(Describe().event())
            while True:
                event = await client.read_event()
                assert event is not None
                if Info.is_type(event.type):
                    break
        program = Info.from_event(event).asr[0]
        assert [language for model in program.models if model.installed for language in model.languages] == [host.manifest.language]


async def test_twenty_polls_in_a_row_are_answered() -> None:
    async with serving_toy() as (address, _):
        for _ in range(20):
            async with client_of(address) as client:
                await client.write_event(Describe().event())
                event = await client.read_event()
                assert event is not None
                assert Info.is_type(event.type)
