"""Audio files of every kind become float blocks, and what is no audio is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ds_engine.audio import to_mono
from ds_engine.errors import AudioError, LimitError
from ds_plugin.audio_files import open_audio
from tests.ds_engine.fakes import babble

SPEECH = babble(0.3)


@pytest.mark.parametrize(
    ("container", "subtype"),
    [
        ("WAV", "PCM_U8"),
        ("WAV", "PCM_16"),
        ("WAV", "PCM_24"),
        ("WAV", "PCM_32"),
        ("WAV", "FLOAT"),
        ("WAV", "DOUBLE"),
        ("WAV", "ULAW"),
        ("WAVEX", "PCM_24"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("AIFF", "PCM_16"),
    ],
)
@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (44_100, 2)])
def test_a_file_of_any_kind_is_read_as_libsndfile_reads_it(tmp_path: Path, container: str, subtype: str, rate: int, channels: int) -> None:
    path = tmp_path / "speech"
    soundfile.write(path, np.stack([SPEECH] * channels, axis=1), rate, subtype, format=container)
    expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
    with open_audio(path) as audio:
        assert (audio.format.rate, audio.format.channels, audio.format.floating) == (rate, channels, True)
        assert audio.seconds == pytest.approx(len(SPEECH) / rate)
        blocks = list(audio.blocks(0.05))
        samples = to_mono(b"".join(blocks), audio.format)
    assert all(len(block) == audio.format.bytes_for(0.05) for block in blocks[:-1])
    np.testing.assert_allclose(samples, np.clip(expected, -1, 1).mean(axis=1), atol=1e-6)


def test_a_file_without_sound_has_no_blocks(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 16_000)
    with open_audio(tmp_path / "empty.wav") as audio:
        assert audio.seconds == 0
        assert list(audio.blocks(1)) == []


def test_what_is_left_of_a_truncated_file_is_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "whole.wav", SPEECH, 16_000)
    (tmp_path / "cut.wav").write_bytes((tmp_path / "whole.wav").read_bytes()[:1044])
    with open_audio(tmp_path / "cut.wav") as audio:
        assert len(b"".join(audio.blocks(1))) == 500 * 4


def test_a_file_that_is_broken_in_the_middle_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.flac"
    soundfile.write(path, babble(3), 16_000)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = b"\xff" * (len(data) - len(data) // 2)
    path.write_bytes(data)
    try:
        with open_audio(path) as audio:
            size = sum(map(len, audio.blocks(0.1)))
    except AudioError as error:
        assert str(path) in str(error)  # noqa: PT017 - libsndfile may as well end the audio there
    else:
        assert size < 3 * 16_000 * 4


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"no audio at all" * 100])
def test_what_is_no_audio_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.wav"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=f"^{path}: not audio that can be read"), open_audio(path):
        pass


def test_a_directory_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=f"^{tmp_path}: is a directory$"), open_audio(tmp_path):
        pass
    with pytest.raises(AudioError, match=r"gone: No such file or directory$"), open_audio(tmp_path / "gone"):
        pass


def test_a_rate_that_cannot_be_speech_is_named(tmp_path: Path) -> None:
    path = tmp_path / "slow.wav"
    soundfile.write(path, SPEECH, 2_000)
    with pytest.raises(AudioError, match=f"^{path}: sample rate must be"), open_audio(path):
        pass


@pytest.mark.parametrize("error", [TimeoutError("slow"), BrokenPipeError("gone"), LimitError("too much"), AudioError("NaN")], ids=repr)
def test_an_error_of_the_reader_stays_its_own(tmp_path: Path, error: Exception) -> None:
    soundfile.write(tmp_path / "a.wav", SPEECH, 16_000)
    with pytest.raises(type(error), match=str(error)), open_audio(tmp_path / "a.wav"):
        raise error
