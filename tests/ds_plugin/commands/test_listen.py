from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ds_engine.audio import AudioFormat
from ds_engine.endpoint import PRESETS
from ds_engine.listener import Endpointing
from ds_plugin.commands.listen import listen_on, listen_to
from ds_plugin.config import Schema
from ds_plugin.hooks import Hooks
from ds_plugin.host import HOST_OPTIONS, Host
from ds_plugin.measurement import Clip, load_clip
from ds_plugin.plugins import Plugins
from ds_plugin.vad import endpointing
from tests.ds_plugin.command_line import LIGHT, run


def host() -> Host:
    return Host.load(Schema(HOST_OPTIONS).load(), Hooks(Plugins.discover(disabled=("wyoming", "http"))))


async def spoken(clip: Clip, heard: asyncio.Event | None = None) -> AsyncIterator[bytes]:
    """A microphone: the clip in pieces of 50 ms, then silence of the line (never an end) where `heard` is given."""
    size = clip.source.bytes_for(0.05)
    for start in range(0, len(clip.data), size):
        yield clip.data[start : start + size]
    if heard is not None:
        heard.set()
        await asyncio.Event().wait()


async def test_what_is_said_until_the_line_ends_is_the_text_of_the_recording() -> None:
    clip = load_clip(LIGHT)
    async with host() as listening:
        text = await listen_to(listening, clip.source, spoken(clip), asyncio.Event())
    assert text == run("transcribe", str(LIGHT)).stdout.strip()


async def test_stopping_ends_the_utterance_although_the_microphone_goes_on() -> None:
    clip, stop = load_clip(LIGHT), asyncio.Event()
    async with host() as listening:
        text = await listen_to(listening, clip.source, spoken(clip, heard=stop), stop)
    assert text


async def test_an_error_of_the_microphone_comes_through_and_frees_the_utterance() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(320)
        raise OSError("unplugged")

    async with host() as listening:
        with pytest.raises(OSError, match="unplugged"):
            await listen_to(listening, AudioFormat(), broken(), asyncio.Event())
        assert listening.engine.utterances == 0


async def endless(*clips: Clip, until: asyncio.Semaphore) -> AsyncIterator[bytes]:
    """A microphone: after each clip silence of the line, never an end; the next clip comes once the one before has been told."""
    for number, clip in enumerate(clips):
        while number and until.locked():
            yield bytes(clip.source.bytes_for(0.05))
            await asyncio.sleep(0)
        if number:
            await until.acquire()
        async for piece in spoken(clip):
            yield piece
    while True:
        yield bytes(clips[0].source.bytes_for(0.05))
        await asyncio.sleep(0)


@pytest.mark.parametrize("preset", PRESETS)
async def test_silence_after_the_speech_ends_the_utterance_although_the_microphone_goes_on(preset: str) -> None:
    clip = load_clip(LIGHT)
    async with host() as listening:
        text = await listen_to(listening, clip.source, endless(clip, until=asyncio.Semaphore()), asyncio.Event(), endpointing(preset))
    assert text == run("transcribe", str(LIGHT)).stdout.strip()


async def test_where_nobody_speaks_listening_ends_without_a_text() -> None:
    nobody = Clip(AudioFormat(), bytes(640))
    async with host() as listening:
        pieces = endless(nobody, until=asyncio.Semaphore())
        assert not await listen_to(listening, nobody.source, pieces, asyncio.Event(), Endpointing(PRESETS["quick"]))


async def test_one_utterance_after_the_other_is_told_until_the_user_stops() -> None:
    clip, stop, heard = load_clip(LIGHT), asyncio.Event(), asyncio.Semaphore(0)
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        heard.release()
        if len(told) == 3:
            stop.set()

    async with host() as listening:
        await listen_on(listening, clip.source, endless(clip, clip, clip, until=heard), stop, Endpointing(PRESETS["quick"]), tell)
        assert listening.engine.utterances == 0
    assert told == [run("transcribe", str(LIGHT)).stdout.strip()] * 3


async def test_the_end_of_the_line_is_the_end_of_listening_on() -> None:
    clip = load_clip(LIGHT)
    told: list[str] = []
    async with host() as listening:
        await listen_on(listening, clip.source, spoken(clip), asyncio.Event(), Endpointing(PRESETS["normal"]), told.append)
    assert len(told) == 1


async def test_a_piece_that_was_waited_for_when_an_utterance_ended_belongs_to_the_next() -> None:
    clip, said, stop = load_clip(LIGHT), asyncio.Event(), asyncio.Event()
    told: list[str] = []

    async def hesitant() -> AsyncIterator[bytes]:
        async for piece in spoken(clip):
            yield piece
        yield bytes(clip.source.bytes_for(2.0))
        await said.wait()  # the utterance ends here, while this piece is awaited
        async for piece in spoken(clip):
            yield piece

    def tell(text: str) -> None:
        told.append(text)
        said.set()

    async with host() as listening:
        await listen_on(listening, clip.source, hesitant(), stop, Endpointing(PRESETS["quick"]), tell)
    assert told == [told[0]] * 2


@pytest.mark.parametrize("arguments", [("--endpoint", "hasty"), ("--endpoint",)])
def test_an_unknown_preset_is_a_wrong_argument(arguments: tuple[str, ...]) -> None:
    done = run("listen", *arguments)
    assert done.returncode == 2
    assert "--endpoint" in done.stderr


def test_without_portaudio_or_a_microphone_one_line_says_so() -> None:
    done = run("listen")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("Error: microphone: ")
