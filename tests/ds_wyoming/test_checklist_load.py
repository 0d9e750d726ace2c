"""Work and its order: nearly all of it is done when the speaker stops, and no file delays somebody's sentence; and what is heard at all."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import numpy as np
import pytest
import soxr
from wyoming.ping import Ping

from ds_engine.audio import AudioFormat
from ds_engine.limits import Limits
from tests.ds_wyoming.serving import (
    LIGHT,
    SECONDS,
    SPEECH,
    CountingDecoder,
    Gate,
    answer,
    chunk_event,
    chunks,
    client_of,
    pcm,
    plain_text,
    say,
    serving_model,
    serving_toy,
    silence,
    start_event,
    stop_event,
    transcribed,
    transcript_of,
    until,
)


class Steps:
    """Whose rows were decoded, in order."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.order: list[int] = []

    def __call__(self, utterance: int) -> None:
        self.order.append(utterance)
        self.gate(utterance)


async def test_when_the_speaker_stops_only_the_last_steps_remain() -> None:
    steps = Steps()
    steps.gate.open.set()
    async with serving_toy(CountingDecoder(steps)) as (address, host), client_of(address) as client:
        await client.write_event(start_event())
        for piece in chunks(silence(5.0), 320):
            await client.write_event(chunk_event(piece))
        await client.write_event(Ping("all is sent").event())
        while (event := await client.read_event()) is not None and event.type != "pong":
            pass
        [utterance] = host.engine._utterances
        await utterance.drained()
        before = len(steps.order)
        await client.write_event(stop_event())
        while (event := await client.read_event()) is not None and event.type != "transcript-stop":
            pass
    assert before >= 25
    assert len(steps.order) - before <= 2


async def test_a_long_file_sent_at_once_delays_no_short_sentence() -> None:
    steps = Steps()
    async with serving_toy(CountingDecoder(steps), limits=Limits(workers=1)) as (address, host), AsyncExitStack() as stack:
        speakers = [await stack.enter_async_context(client_of(address)) for _ in range(4)]
        for number, speaker in enumerate(speakers, 1):
            await speaker.write_event(chunk_event(silence(0.01)))  # too little to decode
            await until(lambda number=number: host.engine.utterances == number)  # type: ignore[misc]
        long = asyncio.create_task(transcribed(address, silence(50.0), size=32_000))
        assert await asyncio.to_thread(steps.gate.reached.wait, SECONDS)
        for speaker in speakers:
            await speaker.write_event(chunk_event(silence(0.99)))
            await speaker.write_event(stop_event())
        await until(lambda: len([each for each in host.engine._utterances if each._ending]) == len(speakers))
        steps.gate.open.set()
        wanted = await plain_text(host, SPEECH, silence(1.0))
        assert [transcript_of(await answer(speaker)) for speaker in speakers] == [wanted] * len(speakers)
        assert await long
    last = max(index for index, utterance in enumerate(steps.order) if 2 <= utterance <= 5)
    assert steps.order[: last + 1].count(1) <= 2 * 7  # steps of two turns; the file has over 300


@pytest.mark.parametrize("read", [0, 1])
async def test_a_client_that_leaves_before_reading_its_answer_frees_the_utterance(read: int) -> None:
    gate = Gate()
    async with serving_toy(CountingDecoder(gate)) as (address, host):
        async with client_of(address) as client:
            await say(client, silence(3.0))
            assert await asyncio.to_thread(gate.reached.wait, SECONDS)
            if read:
                gate.open.set()
                await client.read_event()
        gate.open.set()
        await until(lambda: host.engine.utterances == 0)
        assert await transcribed(address, silence(0.5)) == await plain_text(host, SPEECH, silence(0.5))


def spoken_as(source: AudioFormat) -> bytes:
    """The recording in another format."""
    samples = np.frombuffer(pcm(LIGHT)[1], "<i2").astype(np.float32) / 2**15
    wide = np.repeat(soxr.resample(samples, SPEECH.rate, source.rate)[:, None], source.channels, axis=1).clip(-1, 1)
    if source.width == 1:
        return bytes(((wide * 127).round() + 128).astype(np.uint8).data)
    return bytes((wide * (2 ** (8 * source.width - 1) - 2**8)).astype({2: "<i2", 4: "<i4"}[source.width]).data)


@pytest.mark.parametrize(
    "source", [AudioFormat(22_050, 1), AudioFormat(44_100, 2, 2), AudioFormat(48_000, 4, 2), AudioFormat(96_000, 2, 6)], ids=str
)
async def test_the_words_are_the_same_in_any_format(source: AudioFormat) -> None:
    async with serving_model() as (address, host):
        assert await transcribed(address, spoken_as(source), source, 4096) == await plain_text(host, *pcm(LIGHT))


async def test_silence_alone_is_an_empty_transcript() -> None:
    async with serving_model() as (address, _), client_of(address) as client:
        for seconds in (0.005, 0.3, 3.0):
            await say(client, silence(seconds), size=320)
            assert transcript_of(await answer(client)) == ""
