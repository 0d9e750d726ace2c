"""What a client may ask of a speech-to-text server: Wyoming events in, checked values out.

The event classes of the wyoming package take whatever they are given; here every field that we use has the type it should
have. Events that are for other kinds of servers are None: a server ignores them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
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

MAX_CONTEXT_DEPTH = 32  # objects and lists inside each other; what comes back must be writable, however deep in the stack we are


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
    context: dict[str, Any] | None = None  # the client's own; comes back with the answer
    sensitivity: str | None = None  # how soon a silence ends the utterance, where it is for us to tell


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
        return _asking(data)
    if Describe.is_type(event.type):
        return Describing()
    return Pinging(_text(data, "text")) if Ping.is_type(event.type) else None


def _asking(data: dict[str, Any]) -> Asking:
    language, model, bias = _text(data, "language"), _text(data, "name"), _bias(data)
    context, sensitivity = _context(data), data.get("vad_sensitivity")
    origin, context = (SECOND_HAND, None) if context == SECOND_HAND_CONTEXT else (ORIGIN, context)
    return Asking(language, model, bias, origin, context, sensitivity if isinstance(sensitivity, str) else None)


def _format(data: dict[str, Any]) -> AudioFormat:
    return AudioFormat(*(data.get(key) for key in ("rate", "width", "channels")))  # type: ignore[arg-type]  # it checks them


def _bias(data: dict[str, Any]) -> Bias:
    phrases = chain(_phrases(data, "transcript_names", NAME_BOOST), _phrases(data, "transcript_terms", TERM_BOOST))
    return Bias(tuple(islice(phrases, MAX_PHRASES)))


def _phrases(data: dict[str, Any], key: str, boost: float) -> Iterator[Phrase]:
    """The usable ones: an empty or missing name in a household must not cost its owner the utterance."""
    texts = data.get(key) or []
    if not isinstance(texts, list):
        raise MessageError(f"{key} must be a list, got {type(texts).__name__}")
    usable = (text for text in texts if isinstance(text, str) and text.strip() and len(text) <= MAX_PHRASE_LENGTH)
    return (Phrase(text, boost) for text in usable)


def _context(data: dict[str, Any]) -> dict[str, Any] | None:
    """What comes back must be JSON: half a surrogate pair cannot be written, and a number beyond all bounds has been read as infinite."""
    context = data.get("context")
    if context is None:
        return None
    if not isinstance(context, dict):
        raise MessageError(f"context must be an object, got {type(context).__name__}")
    if not _shallow(context):
        raise MessageError(f"context may be nested {MAX_CONTEXT_DEPTH} deep")
    try:
        json.dumps(context, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:  # its message may quote the context
        raise MessageError("context holds text or a number that JSON cannot carry") from error
    return context


def _shallow(context: dict[str, Any]) -> bool:
    level: list[Any] = [context]
    for _ in range(MAX_CONTEXT_DEPTH):
        parts = (part for each in level for part in (each.values() if isinstance(each, dict) else each))
        level = [part for part in parts if isinstance(part, dict | list)]
        if not level:
            return True
    return False


def _text(data: dict[str, Any], key: str) -> str | None:
    value = data.get(key)
    if value is None or (isinstance(value, str) and _encodable(value)):
        return value
    raise MessageError(f"{key} must be text, got {value!r:.40}")


def _encodable(text: str) -> bool:
    """False for half a surrogate pair, which JSON can spell and UTF-8 cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
