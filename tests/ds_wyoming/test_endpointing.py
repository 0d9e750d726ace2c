"""Endpointing by the server: the answer comes when the speaker has finished, once, and the connection lives on."""

from __future__ import annotations

import asyncio
import gc
import weakref
from pathlib import Path
from typing import Any

import pytest
from wyoming.asr import Transcribe
from wyoming.client import AsyncClient
from wyoming.info import Describe, Info
from wyoming.ping import Ping

from ds_engine.audio import AudioFormat
from ds_engine.endpoint import PRESETS
from ds_engine.limits import Limits
from ds_engine.transcript import Partial
from ds_wyoming.ending import Ending
from ds_wyoming.plugin import serve
from ds_wyoming.requests import SECOND_HAND_CONTEXT
from tests.ds_wyoming.serving import (
    LIGHT,
    SAMPLES,
    CountingDecoder,
    Heard,
    add_model,
    answer,
    chunk_event,
    chunks,
    client_of,
    load_host,
    pcm,
    plain_text,
    refused,
    serving_model,
    serving_toy,
    silence,
    start_event,
    stop_event,
    transcript_of,
    until,
)

SPOKEN = pcm(LIGHT)[1]  # with 0.2 s of silence on either side
TEXT = "turn on the kitchen light"
CHUNK = 320  # bytes: 10 ms, as Home Assistant sends them


async def begin(client: AsyncClient, audio: bytes, size: int = CHUNK, **asked: Any) -> None:
    """An utterance without its end."""
    await client.write_event(Transcribe(**asked).event())
    await client.write_event(start_event())
    for piece in chunks(audio, size):
        await client.write_event(chunk_event(piece))


async def nothing_waits(client: AsyncClient) -> bool:
    """True where the next thing that comes is the answer to a ping."""
    await client.write_event(Ping("next").event())
    event = await client.read_event()
    return event is not None and event.type == "pong"


# --- the option


@pytest.mark.parametrize(("endpoint", "external"), [("off", True), ("quick", False), ("normal", False), ("patient", False)])
async def test_home_assistant_is_told_whether_it_must_find_the_end(endpoint: str, external: bool) -> None:  # noqa: FBT001
    async with serving_toy(endpoint=endpoint) as (address, _), client_of(address) as client:
        await client.write_event(Describe().event())
        event = await client.read_event()
    assert event is not None
    assert Info.from_event(event).asr[0].requires_external_vad is external


@pytest.mark.parametrize(
    ("sensitivity", "preset"),
    [("relaxed", "patient"), ("aggressive", "quick"), ("default", "normal"), (None, "normal"), ("junk", "normal"), ("", "normal")],
)
def test_a_client_may_wish_for_more_or_less_patience(sensitivity: str | None, preset: str) -> None:
    chosen = Ending("normal").chosen(sensitivity)
    assert chosen is not None
    assert chosen.settings == PRESETS[preset]
    assert Ending("off").chosen(sensitivity) is None


def test_the_default_wish_is_what_is_configured() -> None:
    chosen = Ending("patient").chosen("default")
    assert chosen is not None
    assert chosen.settings == PRESETS["patient"]


# --- the end of speech


@pytest.mark.parametrize("endpoint", ["quick", "normal", "patient"])
async def test_the_answer_comes_early_once_and_the_connection_lives_on(endpoint: str) -> None:
    async with serving_model(endpoint=endpoint) as (address, host), client_of(address) as client:
        for source, audio in map(pcm, SAMPLES[::-1]):
            await client.write_event(start_event(source))
            await client.write_event(chunk_event(audio + silence(3.0, source), source))
            assert transcript_of(await answer(client)) == await plain_text(host, source, audio)
            assert host.engine.utterances == 0
            await client.write_event(chunk_event(audio, source))
            assert await nothing_waits(client)
            await client.write_event(stop_event())
            assert await nothing_waits(client)


@pytest.mark.parametrize("size", [CHUNK, 4096, 16_001, 10**7])
async def test_what_comes_after_the_end_is_not_heard_however_it_was_cut_and_however_early_it_came(size: int) -> None:
    async with serving_model(endpoint="normal") as (address, _), client_of(address) as client:
        await begin(client, SPOKEN + silence(1.5) + SPOKEN + silence(0.5), size)
        assert transcript_of(await answer(client)) == TEXT
        await client.write_event(stop_event())
        assert await nothing_waits(client)


async def test_before_any_silence_there_is_no_answer() -> None:
    async with serving_model(endpoint="normal") as (address, _), client_of(address) as client:
        await begin(client, SPOKEN)
        await client.write_event(Ping("so far").event())
        events = [await client.read_event()]
        while events[-1] is not None and events[-1].type != "pong":
            events.append(await client.read_event())
        await client.write_event(stop_event())
        rest = await answer(client)
        assert transcript_of([event for event in events[:-1] if event] + rest) == TEXT
        assert rest[-2].type == "transcript"


async def test_the_wish_of_a_client_holds_for_its_utterance() -> None:
    pause = silence(0.75)  # 1.15 s with what the recording has: more than 0.9, less than 1.4
    async with serving_model(endpoint="normal") as (address, _), client_of(address) as client:
        for sensitivity, heard in {"relaxed": 2, "aggressive": 1, "default": 1, "junk": 1, None: 1, 5: 1}.items():
            await begin(client, SPOKEN + pause + SPOKEN, size=6400, vad_sensitivity=sensitivity)
            await client.write_event(stop_event())
            assert transcript_of(await answer(client)) == " ".join([TEXT] * heard), sensitivity


async def test_silence_is_answered_with_nothing_and_the_next_utterance_works() -> None:
    async with serving_model(endpoint="quick") as (address, host), client_of(address) as client:
        await begin(client, silence(PRESETS["quick"].nothing_said + 1.0), size=6400)
        assert transcript_of(await answer(client)) == ""
        assert host.engine.utterances == 0
        await begin(client, SPOKEN + silence(2.0), size=6400)
        assert transcript_of(await answer(client)) == TEXT


class Muttering(CountingDecoder):
    """Finds letters where there are none, but is never sure of them."""

    def partial(self, state: tuple[Heard, int]) -> Partial:
        return super().partial((state[0], 0))


async def test_letters_that_were_found_in_silence_are_no_words() -> None:
    async with serving_toy(Muttering(), endpoint="quick") as (address, _), client_of(address) as client:
        await begin(client, silence(PRESETS["quick"].nothing_said + 1.0), size=6400)
        assert transcript_of(await answer(client)) == ""


async def test_who_never_falls_silent_is_answered_in_the_end() -> None:
    async with serving_model(endpoint="quick") as (address, _), client_of(address) as client:
        breathless = SPOKEN[6400:-6400] * 9
        assert len(breathless) > AudioFormat().bytes_for(PRESETS["quick"].longest)
        await begin(client, breathless, size=6400)
        assert transcript_of(await answer(client)).startswith("turn on")


async def test_switched_off_no_silence_and_no_wish_brings_an_early_answer() -> None:
    async with serving_model() as (address, _), client_of(address) as client:
        await begin(client, SPOKEN + silence(6.0), size=6400, vad_sensitivity="aggressive")
        await client.write_event(Ping("so far").event())
        kinds = []
        while (event := await client.read_event()) is not None and event.type != "pong":
            kinds.append(event.type)
        assert set(kinds) <= {"transcript-start", "transcript-chunk"}
        await begin(client, SPOKEN)
        await client.write_event(stop_event())
        assert transcript_of(await answer(client)) == TEXT


# --- clients and servers that leave meanwhile


async def test_who_goes_on_sending_for_ever_is_stopped_by_the_usual_limit() -> None:
    limits = Limits(utterance_seconds=6.0)
    async with serving_model(limits, endpoint="quick") as (address, _), client_of(address) as client:
        await begin(client, SPOKEN + silence(2.0), size=6400)
        assert transcript_of(await answer(client)) == TEXT
        for _ in range(10):
            await client.write_event(chunk_event(silence(0.5)))
        assert await refused(client) == "audio-too-long"


async def test_who_sends_too_much_at_once_gets_the_answer_first() -> None:
    async with serving_model(Limits(utterance_seconds=6.0), endpoint="quick") as (address, _), client_of(address) as client:
        await begin(client, SPOKEN + silence(8.0), size=32_000)
        assert transcript_of(await answer(client)) == TEXT
        assert await refused(client) == "audio-too-long"


async def test_a_new_utterance_may_begin_without_an_audio_stop(tmp_path: Path) -> None:
    add_model(tmp_path, "german", "de")
    spoken = SPOKEN + silence(2.0)
    async with serving_model(models=tmp_path, endpoint="quick") as (address, _), client_of(address) as client:
        for asked, language in (({"language": "de", "context": {"a": 1}}, "de"), (None, "en"), ({"name": "german"}, "de"), ({}, "en")):
            if asked is None:  # nothing of the utterance before holds for this one
                await client.write_event(start_event())
                await client.write_event(chunk_event(spoken))
            else:
                await begin(client, spoken, **asked)
            events = await answer(client)
            assert transcript_of(events) == TEXT
            assert events[-2].data["language"] == language
            assert ("context" in events[-2].data) == ("context" in (asked or {}))


async def test_what_another_server_asks_about_has_been_ended_by_it_already() -> None:
    async with serving_model(endpoint="quick") as (address, _), client_of(address) as client:
        await begin(client, SPOKEN + silence(1.5) + SPOKEN, size=6400, context=SECOND_HAND_CONTEXT)
        await client.write_event(stop_event())
        assert transcript_of(await answer(client)) == f"{TEXT} {TEXT}"


async def test_a_client_that_ends_its_side_instead_of_stopping_gets_the_answer_to_speech_that_had_ended() -> None:
    async with serving_model(endpoint="quick") as (address, _), client_of(address) as client:
        await begin(client, SPOKEN + silence(2.0), size=6400)
        assert client._writer is not None
        client._writer.write_eof()
        assert transcript_of(await answer(client)) == TEXT
        assert await client.read_event() is None


async def test_a_client_that_vanishes_after_its_answer_leaves_nothing_behind() -> None:
    async with serving_model(endpoint="quick") as (address, host):
        async with client_of(address) as client:
            await begin(client, SPOKEN + silence(2.0), size=6400)
            transcript_of(await answer(client))
            await client.write_event(chunk_event(silence(0.1)))
        async with client_of(address) as client:
            await begin(client, SPOKEN + silence(2.0), size=6400)
        await until(lambda: host.engine.utterances == 0)


async def test_a_server_that_stops_waits_for_no_audio_stop() -> None:
    host = load_host(limits=Limits(shutdown_seconds=20.0))
    async with host:
        context = serve(host, {"uri": "tcp://127.0.0.1:0", "endpoint": "quick"})
        served = await context.__aenter__()
        async with client_of(served.address) as answered, client_of(served.address) as speaker:
            await begin(answered, SPOKEN + silence(2.0), size=6400)
            assert transcript_of(await answer(answered)) == TEXT
            await begin(speaker, SPOKEN)
            await until(lambda: host.engine.utterances == 1)
            leaving = asyncio.create_task(context.__aexit__(None, None, None))
            assert await answered.read_event() is None
            for piece in chunks(silence(2.0), 6400):
                await speaker.write_event(chunk_event(piece))
            assert transcript_of(await answer(speaker)) == TEXT
            assert await speaker.read_event() is None
        await leaving


@pytest.mark.parametrize("endpoint", ["off", "quick"])
async def test_what_an_answered_utterance_held_is_let_go_with_its_connection(endpoint: str) -> None:
    gc.disable()  # what nothing refers to goes at once; what goes in circles waits, a voice detector and all
    try:
        async with serving_model(Limits(workers=1), endpoint=endpoint) as (address, host):
            utterances = []
            for _ in range(4):
                async with client_of(address) as client:
                    await begin(client, SPOKEN, size=6400)
                    await until(lambda: bool(host.engine._utterances))
                    utterances += [weakref.ref(each) for each in host.engine._utterances]
                    await client.write_event(chunk_event(silence(2.0)))
                    await client.write_event(stop_event())
                    transcript_of(await answer(client))
            await until(lambda: [utterance() for utterance in utterances[:-1]] == [None] * 3)  # the worker remembers the last
    finally:
        gc.enable()
