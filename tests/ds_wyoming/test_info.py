from __future__ import annotations

import asyncio

from wyoming.client import AsyncClient
from wyoming.info import Describe, Info

from ds_plugin import __version__
from ds_plugin.models import ModelStore
from tests.ds_wyoming.serving import (
    SECONDS,
    CountingDecoder,
    Gate,
    chunk_event,
    client_of,
    serving_model,
    serving_toy,
    silence,
    start_event,
)


async def info_of(client: AsyncClient) -> Info:
    await client.write_event(Describe().event())
    event = await client.read_event()
    assert event is not None
    assert Info.is_type(event.type)
    return Info.from_event(event)


async def test_info_says_what_is_installed_and_nothing_else() -> None:
    async with serving_model(name="Kitchen ears") as (address, host), client_of(address) as client:
        [program] = (await info_of(client)).asr
        [model] = program.models
    assert (program.name, program.version, program.installed) == ("Kitchen ears", __version__, True)
    assert program.attribution.name
    assert program.supports_transcript_streaming
    assert program.requires_external_vad
    assert program.prefers_auto_gain_enabled
    assert not program.prefers_noise_reduction_enabled
    assert program.description
    assert model.description
    assert model.attribution.name
    assert (model.name, model.version, model.languages) == (host.manifest.name, host.manifest.version, [host.manifest.language])
    assert model.installed
    assert ModelStore.standard().open(model.name).manifest.language in model.languages


async def test_describe_is_answered_before_between_and_during_utterances_and_leaks_nothing() -> None:
    async with serving_toy() as (address, host), client_of(address) as client:
        first = await info_of(client)
        await client.write_event(start_event())
        await client.write_event(chunk_event(silence(0.05)))
        assert all([await info_of(client) == first for _ in range(200)])
        assert host.engine.utterances == 1


async def test_describe_is_answered_within_a_second_while_every_worker_is_busy() -> None:
    gate = Gate()
    async with serving_toy(CountingDecoder(gate)) as (address, _), client_of(address) as speaker, client_of(address) as other:
        await speaker.write_event(start_event())
        await speaker.write_event(chunk_event(silence(2.0)))
        assert await asyncio.to_thread(gate.reached.wait, SECONDS)
        async with asyncio.timeout(1.0):
            await info_of(other)
            await info_of(speaker)
        gate.open.set()
