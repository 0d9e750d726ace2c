"""A file goes through an utterance as a client's audio would."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ds_engine.errors import AudioError, AudioTooLongError
from ds_engine.limits import Limits
from ds_plugin.transcription import BLOCK_SECONDS, transcribe_file
from tests.ds_engine.fakes import said
from tests.ds_plugin.helpers import hosted, plugin

TEXT = "the lamp in the kitchen is on"


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "said.wav"
    soundfile.write(path, np.frombuffer(said(TEXT, rows=6), "<i2"), 16_000)
    return path


async def test_a_file_gives_the_text_that_is_said_in_it(wav: Path) -> None:
    origins: list[str] = []
    done: list[float] = []
    async with hosted(plugin(ds_utterance_started=lambda utterance: origins.append(utterance.origin))) as host:
        result = await transcribe_file(host, wav, done.append)
    assert result.path == wav
    assert result.transcript.text == TEXT
    assert result.transcript.audio_seconds == soundfile.info(wav).duration
    assert origins == ["file"]
    assert done == sorted(done)
    assert done[-1] == 1.0
    assert len(done) == -(-soundfile.info(wav).frames // round(16_000 * BLOCK_SECONDS))


async def test_a_file_without_sound_gives_an_empty_text(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 44_100)
    async with hosted() as host:
        assert (await transcribe_file(host, tmp_path / "empty.wav")).transcript.text == ""


async def test_sound_that_is_no_number_is_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "nan.wav", np.full(1_000, np.nan), 16_000, "FLOAT")
    async with hosted() as host:
        with pytest.raises(AudioError, match=r"nan\.wav: .*NaN"):
            await transcribe_file(host, tmp_path / "nan.wav")
        assert host.engine.utterances == 0


async def test_a_file_that_is_too_long_leaves_its_place_free(wav: Path) -> None:
    async with hosted(limits=Limits(utterance_seconds=0.6)) as host:
        with pytest.raises(AudioTooLongError):
            await transcribe_file(host, wav)
        assert host.engine.utterances == 0
