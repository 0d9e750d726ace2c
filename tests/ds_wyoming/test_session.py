from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path

import pytest
from wyoming.asr import Transcribe
from wyoming.event import Event
from wyoming.info import SelectProgram
from wyoming.ping import Ping

from ds_engine.audio import AudioFormat
from ds_engine.bias import Phrase
from ds_engine.errors import PluginError
from ds_engine.limits import Limits
from ds_engine.manifest import Manifest
from ds_engine.observer import UtteranceInfo
from ds_engine.transcript import Transcript
from ds_plugin.hookspecs import hookimpl
from ds_plugin.host import Host
from ds_wyoming.requests import NAME_BOOST, SECOND_HAND_CONTEXT
from tests.ds_wyoming.serving import (
    SAMPLES,
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
    refused,
    say,
    serving_model,
    serving_toy,
    silence,
    start_event,
    stop_event,
    transcribed,
    transcript_of,
    until,
    whole,
)


class Shouting:
    """Changes every transcript at the end."""

    @hookimpl
    def ds_transform_transcript(self, transcript: Transcript) -> Transcript:
        return transcript.with_text(f" {transcript.text.upper()}\n!")


class Ended:
    """Remembers how utterances ended, and counts them."""

    def __init__(self) -> None:
        self.errors: list[BaseException | None] = []

    @hookimpl
    def ds_utterance_ended(self, utterance: UtteranceInfo, error: BaseException | None) -> None:
        assert utterance.origin == "wyoming"
        self.errors.append(error)


class Broken(Host):
    """Has a bug that only `transcribe` meets."""

    def choose(self, language: str | None = None, model: str | None = None) -> Manifest:
        raise ValueError("a bug")


def sample(name: str) -> tuple[AudioFormat, bytes]:
    [path] = [path for path in SAMPLES if path.stem.startswith(name)]
    return pcm(path)


# --- the usual flow


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("seconds", [0.01, 0.2, 60.0])
async def test_the_text_is_what_the_host_hears_for_any_chunks(path: Path, seconds: float) -> None:
    source, audio = pcm(path)
    async with serving_model() as (address, host):
        wanted = await plain_text(host, source, audio)
        assert wanted
        assert await transcribed(address, audio, source, source.bytes_for(seconds)) == wanted


@pytest.mark.parametrize("size", [1, 2, 3, 319, 321])
async def test_chunks_may_be_cut_anywhere(size: int) -> None:
    source, audio = sample("turn_on")
    audio = audio[: source.bytes_for(0.4)]
    async with serving_toy() as (address, host):
        wanted = await plain_text(host, source, audio)
        assert wanted
        assert await transcribed(address, audio, source, size) == wanted


@pytest.mark.parametrize(
    "source", [AudioFormat(8_000, 1), AudioFormat(22_050, 3), AudioFormat(44_100, 2, 2), AudioFormat(48_000, 4, 2)], ids=str
)
async def test_any_format_is_accepted(source: AudioFormat) -> None:
    audio = silence(1.0, source)
    async with serving_toy() as (address, host):
        assert await transcribed(address, audio, source, 997) == await plain_text(host, source, audio)


async def test_utterances_of_one_connection_are_independent() -> None:
    async with serving_model() as (address, host), client_of(address) as client:
        for path in [*SAMPLES, *SAMPLES]:
            source, audio = pcm(path)
            await say(client, audio, source, 4000)
            assert transcript_of(await answer(client)) == await plain_text(host, source, audio)


async def test_utterances_sent_without_waiting_are_answered_one_after_the_other() -> None:
    async with serving_toy() as (address, host), client_of(address) as client:
        for seconds in (1.0, 2.0, 0.0, 0.5):
            await say(client, silence(seconds))
        for seconds in (1.0, 2.0, 0.0, 0.5):
            wanted = await plain_text(host, SPEECH, silence(seconds)) if seconds else ""
            assert transcript_of(await answer(client)) == wanted


async def test_twenty_speakers_at_once_do_not_hear_each_other() -> None:
    async with serving_model() as (address, host):
        spoken = [pcm(SAMPLES[number % len(SAMPLES)]) for number in range(20)]
        wanted = {source: await plain_text(host, source, audio) for source, audio in spoken[: len(SAMPLES)]}
        heard = await asyncio.gather(*(transcribed(address, audio, source, source.bytes_for(0.1)) for source, audio in spoken))
        assert heard == [wanted[source] for source, _ in spoken]
        assert host.engine.utterances == 0


# --- streaming


async def test_stable_text_goes_out_while_audio_still_arrives() -> None:
    async with serving_toy() as (address, host), client_of(address) as client:
        await client.write_event(start_event())
        await client.write_event(chunk_event(silence(1.5)))
        early = [await client.read_event(), await client.read_event()]
        assert [event and event.type for event in early] == ["transcript-start", "transcript-chunk"]
        await client.write_event(chunk_event(silence(1.5)))
        await client.write_event(stop_event())
        events = [event for event in early if event] + await answer(client)
        assert transcript_of(events) == await plain_text(host, SPEECH, silence(3.0))


async def test_nothing_follows_the_answer() -> None:
    async with serving_toy() as (address, _), client_of(address) as client:
        await say(client, silence(3.0), size=3200)
        transcript_of(await answer(client))
        await client.write_event(Ping("next").event())
        event = await client.read_event()
        assert event is not None
        assert event.type == "pong"


async def test_where_a_plugin_may_rewrite_the_text_it_comes_in_one_piece() -> None:
    async with serving_toy(plugins=[Shouting()]) as (address, host), client_of(address) as client:
        await say(client, silence(3.0), size=3200)
        events = await answer(client)
        text = transcript_of(events)
        assert [event.type for event in events].count("transcript-chunk") == 1
        assert text == " ".join((await plain_text(host, SPEECH, silence(3.0))).split())
        assert text.endswith("END !")


# --- odd orders of events


async def test_a_second_audio_start_discards_the_first() -> None:
    async with serving_toy() as (address, host), client_of(address) as client:
        await client.write_event(start_event())
        await client.write_event(chunk_event(silence(0.1)))
        await client.write_event(start_event(AudioFormat(8_000)))
        await client.write_event(chunk_event(silence(1.0, AudioFormat(8_000)), AudioFormat(8_000)))
        await client.write_event(stop_event())
        assert transcript_of(await answer(client)) == await plain_text(host, AudioFormat(8_000), silence(1.0, AudioFormat(8_000)))
        assert host.engine.utterances == 0


async def test_chunks_need_no_audio_start() -> None:
    async with serving_toy() as (address, host), client_of(address) as client:
        await client.write_event(chunk_event(silence(1.0)))
        await client.write_event(stop_event())
        assert transcript_of(await answer(client)) == await plain_text(host, SPEECH, silence(1.0))


@pytest.mark.parametrize(
    "before",
    [[], [Transcribe(language="en").event()], [start_event()], [start_event(), chunk_event(b"")], [Transcribe().event(), start_event()]],
    ids=lambda events: "+".join(event.type for event in events) or "nothing",
)
async def test_an_utterance_without_audio_is_empty(before: Iterable[Event]) -> None:
    async with serving_toy() as (address, _), client_of(address) as client:
        for event in [*before, stop_event()]:
            await client.write_event(event)
        assert transcript_of(await answer(client)) == ""


async def test_a_second_audio_stop_is_not_answered() -> None:
    async with serving_toy() as (address, _), client_of(address) as client:
        await say(client, silence(1.0))
        await client.write_event(stop_event())
        transcript_of(await answer(client))
        await client.write_event(stop_event())
        await client.write_event(Ping("next").event())
        event = await client.read_event()
        assert event is not None
        assert event.type == "pong"


async def test_events_for_others_change_nothing() -> None:
    others = [Event(kind, {"name": 1}) for kind in ("detect", "voice-stopped", "synthesize", "run-satellite", "transcript", "made-up")]
    async with serving_toy() as (address, host), client_of(address) as client:
        await client.write_event(start_event())
        for event in [*others, SelectProgram("ds-plugin").event(), Event("made-up", payload=b"\x00" * 99)]:
            await client.write_event(event)
            await client.write_event(chunk_event(silence(0.1)))
        await client.write_event(stop_event())
        assert transcript_of(await answer(client)) == await plain_text(host, SPEECH, silence(0.8))


@pytest.mark.parametrize("text", ["hello", "", None])
async def test_ping_brings_the_same_text_back(text: str | None) -> None:
    async with serving_toy() as (address, _), client_of(address) as client:
        await client.write_event(Ping(text).event())
        event = await client.read_event()
        assert event is not None
        assert (event.type, event.data.get("text")) == ("pong", text)


# --- audio with a header


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("size", [97, 4096])
async def test_a_wav_header_is_skipped_and_its_format_believed(path: Path, size: int) -> None:
    source, audio = pcm(path)
    async with serving_model() as (address, host):
        assert await transcribed(address, whole(path), SPEECH, size) == await plain_text(host, source, audio)


async def test_a_header_without_audio_is_an_empty_utterance() -> None:
    path = SAMPLES[0]
    header = whole(path)[: -len(pcm(path)[1])]
    async with serving_model() as (address, _):
        assert await transcribed(address, header) == ""


async def test_a_header_that_is_cut_off_is_bad_audio() -> None:
    async with serving_model() as (address, _), client_of(address) as client:
        await say(client, whole(SAMPLES[0])[:20])
        assert await refused(client) == "bad-audio"


@pytest.mark.parametrize("name", ["ds-plugin", "another", "", None, 5])
async def test_selecting_a_program_changes_nothing_for_there_is_one(name: object) -> None:
    async with serving_toy() as (address, host), client_of(address) as client:
        await client.write_event(Event("select-program", {"name": name}))
        await say(client, silence(1.0))
        assert transcript_of(await answer(client)) == await plain_text(host, SPEECH, silence(1.0))


# --- context


async def test_a_context_comes_back_with_the_answer_to_its_own_utterance() -> None:
    context = {"conversation": "ä☃", "turns": [1, 2.5, {"deep": None}], "long": "x" * 100_000}
    async with serving_toy() as (address, _), client_of(address) as client:
        for sent, audio in ((context, silence(1.0)), (None, silence(1.0)), ({}, b""), (context, b""), (None, b"")):
            await say(client, audio, context=sent)
            events = await answer(client)
            transcript_of(events)
            assert [event.data.get("context") for event in events if event.type in {"transcript-start", "transcript"}] == [sent, sent]


async def test_the_marker_of_a_fallback_does_not_come_back() -> None:
    async with serving_toy() as (address, _), client_of(address) as client:
        await say(client, silence(1.0), context=SECOND_HAND_CONTEXT)
        assert not any("context" in event.data for event in await answer(client))


# --- languages, models, names


@pytest.mark.parametrize("language", [None, "", "en", "EN-us", "en_GB"])
async def test_a_language_is_found_however_it_is_written(language: str | None) -> None:
    async with serving_toy() as (address, host):
        assert await transcribed(address, silence(1.0), language=language) == await plain_text(host, SPEECH, silence(1.0))


async def test_the_model_may_be_named() -> None:
    async with serving_toy() as (address, host):
        assert await transcribed(address, silence(1.0), name=host.manifest.name)


@pytest.mark.parametrize("asked", [{"language": "xx"}, {"language": "nonsense" * 99}, {"name": "no such model"}], ids=str)
async def test_what_is_not_installed_is_refused_before_any_audio(asked: dict[str, str]) -> None:
    async with serving_toy() as (address, _), client_of(address) as client:
        await client.write_event(Transcribe(**asked).event())  # type: ignore[arg-type]
        assert await refused(client) == "unsupported-language"


async def test_names_bias_their_own_utterance_and_no_other() -> None:
    decoder = CountingDecoder()
    async with serving_toy(decoder) as (address, _), client_of(address) as client:
        await say(client, silence(0.5), transcript_names=["Ecobee"])
        await answer(client)
        await say(client, silence(0.5))
        await answer(client)
    assert [bias.phrases for bias in decoder.biases] == [(Phrase("ecobee", NAME_BOOST),), ()]


async def test_a_name_that_sounds_like_a_word_is_heard_where_it_was_given_and_nowhere_else() -> None:
    audio = sample("turn_on")[1]
    async with serving_model() as (address, _), client_of(address) as client:
        for names, text in (
            ({}, "turn on the kitchen light"),
            ({"transcript_names": ["Kitchin Light"]}, "turn on the kitchin light"),
            ({}, "turn on the kitchen light"),
            ({"transcript_terms": ["Kitchin"]}, "turn on the kitchin light"),
            ({"transcript_names": ["Timer", None, "", "\u2603"]}, "turn on the kitchen light"),
        ):
            await say(client, audio, size=6400, **names)
            assert transcript_of(await answer(client)) == text, names


# --- faults


@pytest.mark.parametrize("other", [AudioFormat(8_000), AudioFormat(16_000, 4), AudioFormat(16_000, 2, 2)], ids=str)
async def test_a_chunk_of_another_format_is_bad_audio(other: AudioFormat) -> None:
    async with serving_toy() as (address, host), client_of(address) as client:
        await client.write_event(start_event())
        await client.write_event(chunk_event(silence(0.1)))
        await client.write_event(chunk_event(silence(0.1, other), other))
        assert await refused(client) == "bad-audio"
        assert host.engine.utterances == 0


async def test_too_long_an_utterance_is_refused() -> None:
    async with serving_toy(limits=Limits(utterance_seconds=1.0)) as (address, host), client_of(address) as client:
        await say(client, silence(1.1), size=3200)
        assert await refused(client) == "audio-too-long"
        assert await transcribed(address, silence(0.9))
        assert host.engine.utterances == 0


async def test_an_utterance_that_gets_no_more_audio_is_refused() -> None:
    async with serving_toy(limits=Limits(idle_seconds=0.1)) as (address, _), client_of(address) as client:
        await client.write_event(start_event())
        await client.write_event(chunk_event(silence(0.1)))
        assert await refused(client) == "timeout"


async def test_a_busy_engine_says_so_and_keeps_its_utterances() -> None:
    async with serving_toy(limits=Limits(utterances=1)) as (address, host), client_of(address) as client, client_of(address) as late:
        await client.write_event(chunk_event(silence(0.5)))
        await until(lambda: host.engine.utterances == 1)
        await late.write_event(chunk_event(silence(0.5)))
        assert await refused(late) == "busy"
        await client.write_event(stop_event())
        assert transcript_of(await answer(client))


async def test_a_fault_of_the_engine_is_told_and_the_next_utterance_works(caplog: pytest.LogCaptureFixture) -> None:
    def fail(utterance: int) -> None:
        if utterance == 1:
            raise ValueError("a bug")

    async with serving_toy(CountingDecoder(fail)) as (address, host):
        async with client_of(address) as client:
            await say(client, silence(1.0))
            assert await refused(client) == "internal"
        assert await transcribed(address, silence(1.0)) == await plain_text(host, SPEECH, silence(1.0))
        assert host.engine.utterances == 0
    assert [record.name for record in caplog.records if record.levelno == logging.ERROR] == ["ds_engine.engine"]


async def test_a_fault_of_ours_is_told_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async with serving_toy(kind=Broken) as (address, _), client_of(address) as client:
        await client.write_event(Transcribe().event())
        assert await refused(client) == "internal"
    assert [record.name for record in caplog.records if record.levelno == logging.ERROR] == ["ds_wyoming.session"]


async def test_a_plugin_that_gives_up_on_an_utterance_is_named_by_code() -> None:
    def fail(utterance: int) -> None:
        raise PluginError("out of order")

    async with serving_toy(CountingDecoder(fail)) as (address, _), client_of(address) as client:
        await say(client, silence(1.0))
        assert await refused(client) == "plugin"


async def test_a_slow_decoder_holds_the_client_back_and_loses_nothing() -> None:
    gate = Gate()
    limits = Limits(queue_seconds=0.5)
    async with serving_toy(CountingDecoder(gate), limits=limits, payload_bytes=32_000) as (address, host), client_of(address) as client:
        talking = asyncio.create_task(say(client, silence(50.0), size=32_000))
        assert await asyncio.to_thread(gate.reached.wait, SECONDS)
        [utterance] = host.engine._utterances
        await asyncio.sleep(0.05)
        assert utterance._pending_bytes <= 2 * 32_000
        gate.open.set()
        transcript_of(await answer(client))
        await talking


# --- clients that leave


async def test_a_client_that_only_ends_its_side_is_still_answered() -> None:
    async with serving_toy() as (address, host), client_of(address) as client:
        await say(client, silence(1.0))
        assert client._writer is not None
        client._writer.write_eof()
        assert transcript_of(await answer(client)) == await plain_text(host, SPEECH, silence(1.0))
        assert await client.read_event() is None


@pytest.mark.parametrize("leave", ["close", "reset", "mid-frame"])
async def test_a_client_that_vanishes_frees_its_utterance_at_once(leave: str, caplog: pytest.LogCaptureFixture) -> None:
    ended = Ended()
    async with serving_toy(plugins=[ended]) as (address, host):
        client = client_of(address)
        await client.connect()
        assert client._writer is not None
        await client.write_event(chunk_event(silence(0.2)))
        await until(lambda: host.engine.utterances == 1)
        if leave == "mid-frame":
            client._writer.write(b'{"type": "audio-chunk", "payload_length": 99}\nabc')
        if leave == "reset":
            client._writer.transport.abort()
        await client.disconnect()
        await until(lambda: host.engine.utterances == 0)
    assert ended.errors == [None]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING and record.name != "asyncio"] == []


async def test_a_client_that_resets_while_its_answer_is_made_frees_the_utterance() -> None:
    gate = Gate()
    async with serving_toy(CountingDecoder(gate)) as (address, host):
        client = client_of(address)
        await client.connect()
        await say(client, silence(1.0))
        assert await asyncio.to_thread(gate.reached.wait, SECONDS)
        assert client._writer is not None
        sock = client._writer.get_extra_info("socket")
        sock.setsockopt(1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # SOL_SOCKET, SO_LINGER 0: close resets
        client._writer.transport.abort()
        await until(lambda: host.engine.utterances == 0)
        gate.open.set()


async def test_no_transcript_and_no_audio_reach_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving_toy() as (address, _), client_of(address) as client:
        for piece in chunks(silence(2.0), 3200):
            await client.write_event(chunk_event(piece))
        await client.write_event(stop_event())
        text = transcript_of(await answer(client))
        await client.write_event(Event("audio-start"))
        await refused(client)
    assert text.split()[0] not in caplog.text
