"""Transcripts as text, JSON and subtitles, read back."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_engine.transcript import Hypothesis, Match, Transcript, Word
from ds_plugin.output import CUE_SECONDS, CUE_WORDS, FORMATS, as_json, cues, render

WORDS = (Word("turn", 0.04, 0.3, 0.91234567), Word("on", 0.4, 0.52, 0.8), Word("café", 3601.9996, 3602.5, 0.5))
BEST = Hypothesis("turn on café", WORDS, 0.87654321, -3.2)
TRANSCRIPT = Transcript(BEST, (replace(BEST, text="turn off", confidence=0.1),), "en", "en-small 1", 3603.12345, 0.98765)
NOTHING = Transcript(Hypothesis("", (), 0.0, 0.0))

_CLOCK = r"(\d\d):(\d\d):(\d\d)[,.](\d\d\d)"


def read_cues(text: str) -> list[tuple[float, float, str]]:
    """The cues of SRT or VTT, as a player reads them."""
    found = []
    for block in text.split("\n\n"):
        if times := re.search(rf"^{_CLOCK} --> {_CLOCK}$", block, re.MULTILINE):
            numbers = [int(number) for number in times.groups()]
            start, end = (hours * 3600 + minutes * 60 + s + ms / 1000 for hours, minutes, s, ms in (numbers[:4], numbers[4:]))
            found.append((start, end, block.splitlines()[-1]))
    return found


def test_text_is_the_text() -> None:
    assert render("text", "a.wav", TRANSCRIPT) == "turn on café"


def test_json_is_one_line_with_the_documented_keys() -> None:
    line = render("json", "a.wav", TRANSCRIPT)
    assert "\n" not in line
    assert json.loads(line) == {
        "file": "a.wav",
        "text": "turn on café",
        "confidence": 0.8765,
        "words": [
            {"word": "turn", "start": 0.04, "end": 0.3, "confidence": 0.9123},
            {"word": "on", "start": 0.4, "end": 0.52, "confidence": 0.8},
            {"word": "café", "start": 3602.0, "end": 3602.5, "confidence": 0.5},
        ],
        "alternatives": [{"text": "turn off", "confidence": 0.1}],
        "matched": None,
        "audio_seconds": 3603.123,
        "compute_seconds": 0.988,
        "model": "en-small 1",
    }


def test_a_matched_sentence_stands_in_the_json() -> None:
    match = Match("home", "TurnOn", "turn on {name}", MappingProxyType({"name": "lamp"}))
    matched = json.loads(json.dumps(as_json("a.wav", Transcript(replace(BEST, match=match)))))["matched"]
    assert matched == {"grammar": "home", "intent": "TurnOn", "sentence": "turn on {name}", "slots": {"name": "lamp"}}


def test_subrip_numbers_its_cues_and_points_with_a_comma() -> None:
    text = render("srt", "a.wav", TRANSCRIPT)
    assert text == "1\n00:00:00,040 --> 00:00:00,520\nturn on\n\n2\n01:00:02,000 --> 01:00:02,500\ncafé"


def test_webvtt_begins_with_its_name_and_points_with_a_dot() -> None:
    text = render("vtt", "a.wav", TRANSCRIPT)
    assert text == "WEBVTT\n\n00:00:00.040 --> 00:00:00.520\nturn on\n\n01:00:02.000 --> 01:00:02.500\ncafé"


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_said_gives_an_empty_form(form: str) -> None:
    text = render(form, "a.wav", NOTHING)
    assert text == {"text": "", "srt": "", "vtt": "WEBVTT"}.get(form, text)
    assert not read_cues(text)


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0.01, 6)), max_size=60), st.sampled_from(["srt", "vtt"]))
def test_every_word_is_in_one_cue_that_fits_a_screen(spans: list[tuple[float, float]], form: str) -> None:
    words, at = [], 0.0
    for number, (pause, length) in enumerate(spans):
        words.append(Word(f"w{number}", at + pause, at + pause + length, 0.5))
        at += pause + length
    groups = list(cues(words))
    assert [word for group in groups for word in group] == words
    assert all(len(group) <= CUE_WORDS and (len(group) == 1 or group[-1].end - group[0].start <= CUE_SECONDS) for group in groups)
    read = read_cues(render(form, "", Transcript(Hypothesis("", tuple(words), 0.5, 0.0))))
    assert " ".join(line for *_, line in read).split() == [word.text for word in words]
    assert [start for start, *_ in read] == pytest.approx([group[0].start for group in groups], abs=0.0006)
    assert [end for _, end, _ in read] == pytest.approx([group[-1].end for group in groups], abs=0.0006)
