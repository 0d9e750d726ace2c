from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.ds_plugin.command_line import LIGHT, SAMPLES, run


def test_text_is_one_line_for_every_file() -> None:
    files = [str(file) for file in sorted(SAMPLES.glob("*.wav"))]
    done = run("transcribe", *files)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == len(files)
    assert "the" in done.stdout


def test_json_has_the_documented_keys_and_times_within_the_audio() -> None:
    result = json.loads(run("transcribe", "--format", "json", str(LIGHT)).stdout)
    assert list(result) == [
        "file", "text", "confidence", "words", "alternatives", "matched", "audio_seconds", "compute_seconds", "model",
    ]  # fmt: skip
    assert result["file"] == str(LIGHT)
    assert result["text"] == " ".join(word["word"] for word in result["words"])
    times = [time for word in result["words"] for time in (word["start"], word["end"])]
    assert times == sorted(times)
    assert times[-1] <= result["audio_seconds"]
    assert 0 <= result["confidence"] <= 1
    assert result["matched"] is None


def test_subtitles_are_printed_in_both_forms() -> None:
    assert run("transcribe", "--format", "srt", str(LIGHT)).stdout.startswith("1\n00:00:0")
    assert run("transcribe", "--format", "vtt", str(LIGHT)).stdout.startswith("WEBVTT\n\n00:00:0")


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_the_same_speech_in_any_sample_format_gives_a_text(tmp_path: Path, subtype: str) -> None:
    samples, rate = soundfile.read(LIGHT)
    file = tmp_path / "speech.wav"
    soundfile.write(file, np.stack([samples, samples], axis=1), rate, subtype=subtype)
    assert "the" in run("transcribe", str(file)).stdout


def test_one_broken_file_of_several_is_reported_and_the_others_are_transcribed(tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF, or so it says")
    done = run("transcribe", str(LIGHT), str(broken), str(tmp_path), str(LIGHT))
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 2
    assert f"{broken}: not audio that can be read" in done.stderr
    assert f"{tmp_path}: is a directory" in done.stderr
    assert done.stderr.splitlines()[-1] == "Error: 2 of 4 files could not be transcribed"


def test_empty_and_silent_audio_give_an_empty_line(tmp_path: Path) -> None:
    for seconds in (0, 1):
        file = tmp_path / f"{seconds}.wav"
        soundfile.write(file, np.zeros(16_000 * seconds), 16_000)
        done = run("transcribe", str(file))
        assert (done.returncode, done.stdout) == (0, "\n")


def test_an_empty_file_is_no_audio(tmp_path: Path) -> None:
    file = tmp_path / "empty.wav"
    file.touch()
    done = run("transcribe", str(file))
    assert done.returncode == 2
    assert str(file) in done.stderr


def test_a_truncated_recording_gives_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / "cut.wav"
    file.write_bytes(LIGHT.read_bytes()[:40_001])
    assert run("transcribe", str(file)).returncode == 0


def test_floats_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "nan.wav"
    soundfile.write(file, np.full(16_000, np.nan), 16_000, subtype="FLOAT")
    done = run("transcribe", str(file))
    assert (done.returncode, "NaN" in done.stderr) == (2, True)


def test_no_transcript_is_logged_even_where_everything_is() -> None:
    done = run("--debug", "transcribe", str(LIGHT))
    assert "DEBUG" in done.stderr
    assert done.stdout.strip()
    assert done.stdout.strip() not in done.stderr
