"""An utterance that was opened with endpointing: what its callers are told of speech, and that it ends nothing but by them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ds_engine.endpoint import EndpointSettings
from ds_engine.engine import Engine
from ds_engine.listener import Endpointing
from ds_engine.transcript import EndReason, Event, Final, Partial, SpeechEnded, SpeechStarted
from ds_engine.utterance import Utterance
from tests.ds_engine.fakes import ReplayModel, Witness, cut, replaying, said, silence, turns

ENDPOINTING = Endpointing(EndpointSettings(finished=0.1, complete=0.15, silence=0.2, incomplete=0.3, nothing_said=1.0, longest=3.0))
SPEECH = silence(0.1) + said("turn on") + silence(0.4)


async def told(utterance: Utterance) -> list[Event]:
    return [event async for event in utterance.events()]


async def until_ended(utterance: Utterance) -> Event | None:
    async for event in utterance.events():
        if isinstance(event, SpeechEnded):
            return event
    return None


def speech(events: list[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, SpeechStarted | SpeechEnded)]


async def test_events_tell_that_speech_has_started_and_ended(engine: Engine, witness: Witness) -> None:
    utterance = await engine.open(endpointing=ENDPOINTING)
    events = asyncio.create_task(told(utterance))
    for piece in cut(SPEECH, [640]):
        await utterance.feed(piece)
        await utterance.drained()
        await turns()
    transcript = await utterance.finish()
    found = await events
    started, ended = speech(found)
    assert isinstance(started, SpeechStarted)
    assert isinstance(ended, SpeechEnded)
    assert 0.1 < started.time < ended.time < ended.noticed
    assert ended.reason is EndReason.SILENCE
    assert found.index(started) < found.index(ended) < found.index(Final(transcript)) == len(found) - 1
    partials = [event for event in found if isinstance(event, Partial)]
    assert partials == [partial for _, partial in witness.partials]
    assert partials[-1].text == transcript.text == "turn on"


async def test_whoever_comes_late_is_told_of_start_and_end_all_the_same(engine: Engine) -> None:
    utterance = await engine.open(endpointing=ENDPOINTING)
    early = [asyncio.create_task(told(utterance)) for _ in range(3)]
    await utterance.feed(SPEECH)
    await utterance.finish()
    late = await told(utterance)
    assert [type(event) for event in late] == [SpeechStarted, SpeechEnded, Partial, Final]
    assert all(speech(events) == speech(late) for events in await asyncio.gather(*early))


async def test_the_end_of_speech_ends_no_utterance(engine: Engine) -> None:
    async with await engine.open(endpointing=ENDPOINTING) as utterance:
        ended = asyncio.create_task(until_ended(utterance))
        for piece in cut(SPEECH, [640]):
            await utterance.feed(piece)
            await utterance.drained()
            await turns()
        assert isinstance(await ended, SpeechEnded)  # told at once, although the text does not change any more
        await utterance.feed(said(" the light") + silence(0.5))
        assert (await utterance.finish()).text == "turn on the light"
        assert len(speech(await told(utterance))) == 2


async def test_without_endpointing_nothing_is_told_of_speech(engine: Engine) -> None:
    utterance = await engine.open()
    await utterance.feed(SPEECH)
    await utterance.finish()
    assert speech(await told(utterance)) == []


async def test_an_utterance_whose_detector_fails_goes_on_without(
    engine: Engine, witness: Witness, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(rate: int) -> Any:
        raise ImportError("libggml.so: cannot open shared object file")

    utterance = await engine.open(endpointing=Endpointing(ENDPOINTING.settings, broken))
    await utterance.feed(SPEECH)
    assert (await utterance.finish()).text == "turn on"
    assert [type(event) for event in speech(await told(utterance))] == [SpeechStarted, SpeechEnded]
    assert witness.errors == [None]
    assert len(caplog.records) == 1


async def test_utterances_side_by_side_hear_their_own_speech_only() -> None:
    async with Engine(replaying(ReplayModel(max_batch=8))) as engine:
        utterances = [await engine.open(endpointing=ENDPOINTING if number % 2 else None) for number in range(6)]
        for number, utterance in enumerate(utterances):
            await utterance.feed(silence(0.1 * number) + SPEECH)
        await asyncio.gather(*(utterance.finish() for utterance in utterances))
        starts = [speech(await told(utterance))[:1] for utterance in utterances]
    assert [len(start) for start in starts] == [0, 1, 0, 1, 0, 1]
    times = [start.time for [start] in starts[1::2] if isinstance(start, SpeechStarted)]
    assert times == pytest.approx([times[0], times[0] + 0.2, times[0] + 0.4], abs=0.041)
