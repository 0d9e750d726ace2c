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


def test_names_and_pronunciations_of_a_file_come_out_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "home.txt").write_text("Kítchen Líght\t6\n")
    (tmp_path / "said.txt").write_text("Bulb = kitchen light\t6\n")
    for file, text in (("home.txt", "turn on the kítchen líght"), ("said.txt", "turn on the bulb")):
        done = run("transcribe", "--vocabulary", str(tmp_path / file), str(LIGHT))
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{text}\n", "")


def test_a_hot_word_is_raised_or_lowered() -> None:
    assert run("transcribe", "--hot-word", "on the kitchen:3", str(LIGHT)).stdout == "turn on the kitchen light\n"
    assert "kitchen" not in run("transcribe", "--hot-word", "Kitchen:-20", str(LIGHT)).stdout


def test_a_sentence_of_a_grammar_has_its_intent_and_its_slots(tmp_path: Path) -> None:
    grammar = tmp_path / "home.yaml"
    grammar.write_text(
        'language: en\nintents:\n  On:\n    data:\n      - sentences: ["turn on [the] {name} light"]\n'
        'lists:\n  name:\n    values: ["Kitchen", "Hall"]\n'
    )
    cache = {"XDG_CACHE_HOME": str(tmp_path)}
    told = [
        json.loads(line)
        for line in run(
            "transcribe", "--format", "json", "--grammar", str(grammar), str(LIGHT), str(SAMPLES / "what_time_is_it.wav"), environment=cache
        ).stdout.splitlines()
    ]
    assert told[0]["matched"] == {"grammar": "home", "intent": "On", "sentence": "turn on the Kitchen light", "slots": {"name": "Kitchen"}}
    assert [each["text"] for each in told] == ["turn on the kitchen light", "what time is it"]
    assert told[1]["matched"] is None
    opened = run("transcribe", "--format", "json", "--grammar", str(grammar), "--grammar-mode", "open", str(LIGHT), environment=cache)
    assert json.loads(opened.stdout)["matched"] is None
