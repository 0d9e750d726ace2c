"""What a client may ask of a speech-to-text server: Wyoming events in, checked values out.

The event classes of the wyoming package take whatever they are given; here every field that we use has the type it should
have. Events that are for other kinds of servers are None: a server ignores them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import Describe
from wyoming.ping import Ping

from ds_engine.audio import AudioFormat
from ds_engine.bias import MAX_PHRASE_LENGTH, MAX_PHRASES, Bias, Phrase
from ds_engine.errors import InputError

NAME_BOOST = 4.0  # nats, for a phrase among `transcript_names`
TERM_BOOST = 2.0  # nats, for one among `transcript_terms`, which matter less

ORIGIN = "wyoming"  # of an utterance
SECOND_HAND = "wyoming-fallback"  # of one that another of our kind was not sure of
SECOND_HAND_CONTEXT = {"ds_plugin": "fallback"}  # a server that asks another says so in `transcribe`


class MessageError(InputError):
    """An event with a field of the wrong type."""

    code = "bad-message"


@dataclass(frozen=True, slots=True)
class Describing:
    """Say what is installed."""


@dataclass(frozen=True, slots=True)
class Pinging:
    """Send the text back."""

    text: str | None


@dataclass(frozen=True, slots=True)
class Asking:
    """How the next utterance is to be transcribed; None stands for the default."""

    language: str | None = None
    model: str | None = None
    bias: Bias = field(default_factory=Bias)
    origin: str = ORIGIN


@dataclass(frozen=True, slots=True)
class Starting:
    """Audio begins."""

    format: AudioFormat


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of audio, cut anywhere."""

    format: AudioFormat
    audio: bytes


@dataclass(frozen=True, slots=True)
class Stopping:
    """Audio ends."""


Request = Describing | Pinging | Asking | Starting | Chunk | Stopping


def parse(event: Event) -> Request | None:
    """One event. Raises MessageError, or AudioError for a format that cannot be decoded."""
    data = event.data
    if AudioChunk.is_type(event.type):
        return Chunk(_format(data), event.payload or b"")
    if AudioStart.is_type(event.type):
        return Starting(_format(data))
    if AudioStop.is_type(event.type):
        return Stopping()
    if Transcribe.is_type(event.type):
        origin = SECOND_HAND if data.get("context") == SECOND_HAND_CONTEXT else ORIGIN
        return Asking(_text(data, "language"), _text(data, "name"), _bias(data), origin)
    if Describe.is_type(event.type):
        return Describing()
    return Pinging(_text(data, "text")) if Ping.is_type(event.type) else None


def _format(data: dict[str, Any]) -> AudioFormat:
    return AudioFormat(*(data.get(key) for key in ("rate", "width", "channels")))  # type: ignore[arg-type]  # it checks them


def _bias(data: dict[str, Any]) -> Bias:
    phrases = [*_phrases(data, "transcript_names", NAME_BOOST), *_phrases(data, "transcript_terms", TERM_BOOST)]
    return Bias(tuple(phrases[:MAX_PHRASES]))


def _phrases(data: dict[str, Any], key: str, boost: float) -> list[Phrase]:
    """The usable ones: an empty or missing name in a household must not cost its owner the utterance."""
    texts = data.get(key) or []
    if not isinstance(texts, list):
        raise MessageError(f"{key} must be a list, got {type(texts).__name__}")
    return [Phrase(text, boost) for text in texts if isinstance(text, str) and text.strip() and len(text) <= MAX_PHRASE_LENGTH]


def _text(data: dict[str, Any], key: str) -> str | None:
    value = data.get(key)
    if value is None or (isinstance(value, str) and _encodable(value)):
        return value
    raise MessageError(f"{key} must be text, got {value!r:.40}")


def _encodable(text: str) -> bool:
    """False for half a surrogate pair, which JSON can spell and UTF-8 cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
