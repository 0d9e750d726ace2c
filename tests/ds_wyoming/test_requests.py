from __future__ import annotations

from typing import Any

import pytest
from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import Describe
from wyoming.ping import Ping

from ds_engine.audio import AudioFormat
from ds_engine.bias import MAX_PHRASES, Phrase
from ds_engine.errors import AudioError
from ds_wyoming.requests import NAME_BOOST, TERM_BOOST, Asking, Chunk, Describing, MessageError, Pinging, Request, Starting, Stopping, parse

FORMAT = {"rate": 16_000, "width": 2, "channels": 1}


@pytest.mark.parametrize(
    ("event", "request_"),
    [
        (Describe().event(), Describing()),
        (Ping("x").event(), Pinging("x")),
        (Ping().event(), Pinging(None)),
        (Event("ping"), Pinging(None)),
        (Transcribe().event(), Asking()),
        (Transcribe(name="m", language="en", context={"a": 1}, vad_sensitivity="junk").event(), Asking("en", "m")),
        (AudioStart(44_100, 3, 2).event(), Starting(AudioFormat(44_100, 3, 2))),
        (AudioChunk(16_000, 2, 1, b"abc").event(), Chunk(AudioFormat(), b"abc")),
        (Event("audio-chunk", {**FORMAT, "timestamp": "nonsense"}), Chunk(AudioFormat(), b"")),
        (AudioStop().event(), Stopping()),
    ],
)
def test_what_the_real_package_sends_is_understood(event: Event, request_: Request) -> None:
    assert parse(event) == request_


@pytest.mark.parametrize(
    "kind", ["select-program", "detect", "voice-started", "synthesize", "run-pipeline", "pong", "transcript", "", "x" * 999]
)
def test_other_events_are_nothing_to_us(kind: str) -> None:
    assert parse(Event(kind, {"name": 5})) is None


@pytest.mark.parametrize("kind", ["audio-start", "audio-chunk"])
@pytest.mark.parametrize(
    "change",
    [
        *({"rate": 0}, {"rate": "16000"}, {"rate": None}, {"rate": 1e400}, {"rate": True}),
        *({"width": 5}, {"width": 0}, {"width": [2]}, {"channels": 0}, {"channels": 9}, {"channels": -1}),
    ],
    ids=str,
)
def test_impossible_formats_are_bad_audio(kind: str, change: dict[str, Any]) -> None:
    with pytest.raises(AudioError) as caught:
        parse(Event(kind, FORMAT | change))
    assert caught.value.code == "bad-audio"


@pytest.mark.parametrize("missing", FORMAT)
def test_a_format_must_be_complete(missing: str) -> None:
    with pytest.raises(AudioError):
        parse(Event("audio-start", {key: value for key, value in FORMAT.items() if key != missing}))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("transcribe", {"language": 5}),
        ("transcribe", {"language": ["en"]}),
        ("transcribe", {"name": {}}),
        ("transcribe", {"language": "\ud800"}),
        ("transcribe", {"transcript_names": "Ecobee"}),
        ("transcribe", {"transcript_terms": {"a": 1}}),
        ("ping", {"text": 1}),
        ("ping", {"text": "half a pair \udc00"}),
    ],
)
def test_fields_of_the_wrong_type_are_refused(kind: str, data: dict[str, Any]) -> None:
    with pytest.raises(MessageError) as caught:
        parse(Event(kind, data))
    assert caught.value.code == "bad-message"


def test_names_outweigh_terms_and_both_become_the_bias() -> None:
    asked = parse(Transcribe(transcript_names=["Ecobee"], transcript_terms=["thermostat"]).event())
    assert isinstance(asked, Asking)
    assert asked.bias.phrases == (Phrase("Ecobee", NAME_BOOST), Phrase("thermostat", TERM_BOOST))
    assert NAME_BOOST > TERM_BOOST > 0


def test_names_that_cannot_be_used_are_left_out_and_too_many_are_cut() -> None:
    names = [None, "", "  ", 5, "x" * 9999, *(f"lamp {number}" for number in range(MAX_PHRASES + 9))]
    asked = parse(Event("transcribe", {"transcript_names": names, "transcript_terms": None}))
    assert isinstance(asked, Asking)
    assert len(asked.bias.phrases) == MAX_PHRASES
    assert asked.bias.phrases[0].text == "lamp 0"
