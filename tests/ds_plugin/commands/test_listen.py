from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ds_engine.audio import AudioFormat
from ds_plugin.commands.listen import listen_to
from ds_plugin.config import Schema
from ds_plugin.hooks import Hooks
from ds_plugin.host import HOST_OPTIONS, Host
from ds_plugin.measurement import Clip, load_clip
from ds_plugin.plugins import Plugins
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


def test_without_portaudio_or_a_microphone_one_line_says_so() -> None:
    done = run("listen")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("Error: microphone: ")
