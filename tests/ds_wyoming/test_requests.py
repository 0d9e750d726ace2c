from __future__ import annotations

import math
from typing import Any

import pytest
from wyoming.asr import Transcribe, VadSensitivity
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import Describe
from wyoming.ping import Ping

from ds_engine.audio import AudioFormat
from ds_engine.bias import MAX_PHRASES, Phrase
from ds_engine.errors import AudioError
from ds_wyoming.requests import (
    MAX_CONTEXT_DEPTH,
    NAME_BOOST,
    SECOND_HAND,
    SECOND_HAND_CONTEXT,
    TERM_BOOST,
    Asking,
    Chunk,
    Describing,
    MessageError,
    Pinging,
    Request,
    Starting,
    Stopping,
    parse,
)

FORMAT = {"rate": 16_000, "width": 2, "channels": 1}


@pytest.mark.parametrize(
    ("event", "request_"),
    [
        (Describe().event(), Describing()),
        (Ping("x").event(), Pinging("x")),
        (Ping().event(), Pinging(None)),
        (Event("ping"), Pinging(None)),
        (Transcribe().event(), Asking()),
        (Transcribe(name="m", language="en").event(), Asking("en", "m")),
        (Transcribe(context={"a": [1, "b", None]}).event(), Asking(context={"a": [1, "b", None]})),
        (Transcribe(context={}).event(), Asking(context={})),
        (Transcribe(vad_sensitivity=VadSensitivity.RELAXED).event(), Asking(sensitivity="relaxed")),
        (Event("transcribe", {"vad_sensitivity": {"no": "text"}}), Asking()),
        (Event("transcribe", {"context": None, "language": None, "name": None, "transcript_names": None}), Asking()),
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
        ("transcribe", {"context": "text"}),
        ("transcribe", {"context": ["a"]}),
        ("transcribe", {"context": {"half a pair": "\udc00"}}),
        ("transcribe", {"context": {"\udc00": 1}}),
        ("transcribe", {"context": {"read from 1e400": math.inf}}),
        ("ping", {"text": 1}),
        ("ping", {"text": "half a pair \udc00"}),
    ],
)
def test_fields_of_the_wrong_type_are_refused(kind: str, data: dict[str, Any]) -> None:
    with pytest.raises(MessageError) as caught:
        parse(Event(kind, data))
    assert caught.value.code == "bad-message"


def nested(depth: int) -> dict[str, Any]:
    """Objects and lists inside each other, `depth` of them; the outermost is an object."""
    value: Any = 0
    for level in range(depth):
        value = {"a": value} if (depth - level) % 2 else [value]
    return {"a": value} if isinstance(value, list) else value


@pytest.mark.parametrize("depth", [MAX_CONTEXT_DEPTH + 1, 500, 5000])
def test_a_context_that_is_nested_too_deep_to_be_written_is_refused(depth: int) -> None:
    with pytest.raises(MessageError, match=f"nested {MAX_CONTEXT_DEPTH} deep"):
        parse(Event("transcribe", {"context": nested(depth)}))


def test_a_context_as_deep_as_allowed_comes_through() -> None:
    context = nested(MAX_CONTEXT_DEPTH)
    asked = parse(Event("transcribe", {"context": context}))
    assert isinstance(asked, Asking)
    assert asked.context == context


def test_what_a_client_wants_back_is_never_quoted() -> None:
    for context in ({"said": "secret \udc00"}, ["secret"], "secret", {"secret": math.inf}, {"secret": nested(99)}):
        with pytest.raises(MessageError) as caught:
            parse(Event("transcribe", {"context": context}))
        assert "secret" not in str(caught.value)


def test_what_one_of_our_kind_says_of_itself_is_no_context() -> None:
    asked = parse(Event("transcribe", {"context": dict(SECOND_HAND_CONTEXT)}))
    assert asked == Asking(origin=SECOND_HAND)


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
