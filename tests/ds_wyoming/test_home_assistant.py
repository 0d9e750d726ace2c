"""Clients shaped as Home Assistant's: one connection per utterance, 10 ms chunks, only the language is sent.

Until 2026.9 it reads once everything is sent and knows neither errors nor streaming events; since 2026.10 it reads meanwhile.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient, AsyncTcpClient
from wyoming.error import Error
from wyoming.info import Describe, Info

from ds_engine.audio import AudioFormat
from tests.ds_wyoming.serving import LIGHT, SECONDS, client_of, pcm, plain_text, serving_model, serving_toy, silence

CHUNK_BYTES = 320


async def upload(client: AsyncClient, audio: bytes, language: str) -> None:
    await client.write_event(Transcribe(language=language).event())
    await client.write_event(AudioStart(16_000, 2, 1).event())
    for i in range(0, len(audio), CHUNK_BYTES):
        await client.write_event(AudioChunk(16_000, 2, 1, audio[i : i + CHUNK_BYTES]).event())
    await client.write_event(AudioStop().event())


async def result(client: AsyncClient, *, knows_errors: bool) -> str | None:
    """None stands for Home Assistant's ERROR."""
    while (event := await client.read_event()) is not None:
        if Transcript.is_type(event.type):
            return Transcript.from_event(event).text
        if knows_errors and Error.is_type(event.type):
            return None
    return None


async def old(client: AsyncClient, audio: bytes, language: str) -> str | None:
    try:
        await upload(client, audio, language)
        return await result(client, knows_errors=False)
    except (OSError, ConnectionError):
        return None


async def new(client: AsyncClient, audio: bytes, language: str) -> str | None:
    uploading = asyncio.create_task(upload(client, audio, language))
    reading = asyncio.create_task(result(client, knows_errors=True))
    try:
        await asyncio.wait({uploading, reading}, return_when=asyncio.FIRST_COMPLETED)
        return await reading
    finally:
        uploading.cancel()
        await asyncio.gather(uploading, return_exceptions=True)


@pytest.mark.parametrize("generation", [old, new])
async def test_a_recording_becomes_its_text(generation: type) -> None:
    audio = pcm(LIGHT)[1]
    async with serving_model() as (address, host), client_of(address) as client:
        assert await generation(client, audio, "en-US") == await plain_text(host, AudioFormat(), audio)


@pytest.mark.parametrize("generation", [old, new])
async def test_nothing_said_is_an_empty_text_and_no_error(generation: type) -> None:
    async with serving_toy() as (address, _), client_of(address) as client:
        assert await generation(client, b"", "en") == ""


@pytest.mark.parametrize("generation", [old, new])
async def test_a_refusal_ends_the_call_instead_of_hanging(generation: type) -> None:
    async with serving_toy() as (address, _), client_of(address) as client:
        async with asyncio.timeout(SECONDS):
            assert await generation(client, silence(5.0), "tlh") is None


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


async def test_twenty_polls_in_a_row_are_answered(tmp_path: Path) -> None:
    async with serving_toy() as (address, _):
        for _ in range(20):
            async with client_of(address) as client:
                await client.write_event(Describe().event())
                event = await client.read_event()
                assert event is not None
                assert Info.is_type(event.type)
