"""The fallback: an utterance that we are not sure of in, what another Wyoming server makes of it out, or None.

The server hears what Home Assistant would send it: 16 kHz, 16 bit, mono, as fast as it takes it. It is told that we ask for a
second opinion, so that one of our kind asks no third, and two that point at each other come to an end; an utterance that comes
back to us all the same goes no further. A server that gives no answer is left alone for REST_SECONDS, and the log says so once,
until it answers again. Neither text nor audio is logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.info import Describe

from ds_engine.audio import AudioFormat, PcmDecoder
from ds_engine.errors import SpeechError
from ds_engine.features import FloatArray
from ds_engine.observer import Recording, UtteranceInfo
from ds_engine.text import normalise
from ds_engine.transcript import Hypothesis, Transcript
from ds_plugin.hookspecs import hookimpl
from ds_wyoming.address import Tcp, Unix
from ds_wyoming.connection import Connection
from ds_wyoming.requests import SECOND_HAND, SECOND_HAND_CONTEXT
from ds_wyoming.settings import FALLBACK, MAX_HEADER_BYTES, WyomingSettings
from ds_wyoming.text import tidy

REST_SECONDS = 30.0  # that a server which gave no answer is not asked again: each time would keep a speaker waiting
MAX_ANSWER = 10_000  # characters of a transcript
MAX_NAME = 100  # characters of the server's name
_SHARE = 0.9  # of the deadline that we use: who overruns it counts as a broken plugin
_CHUNK_SECONDS = 0.1
_SPEECH = AudioFormat()
_BOUNDS = WyomingSettings(payload_bytes=2**16)  # no answer has a payload; a server may send what is for others all the same
_CODE = re.compile(r"[a-z0-9_-]{1,40}")  # of an error; anything else may be what was said

_log = logging.getLogger(__name__)


class NoAnswerError(SpeechError):
    """Another server gave no answer that can be used."""

    code = "no-answer"


@dataclass(frozen=True, slots=True)
class Answer:
    """What another server says."""

    text: str  # one line; may be empty
    server: str  # its name; "" where it did not say


class Fallback:
    """Asks one server."""

    def __init__(self, address: Tcp | Unix, language: str = "") -> None:
        """`language` is what it is asked for; "" stands for the utterance's."""
        self._address = address
        self._language = language
        self._asking: list[Recording] = []
        self._failing = False
        self._rests_until = 0.0  # s, on the event loop's clock

    @hookimpl
    async def ds_fallback(
        self, utterance: UtteranceInfo, transcript: Transcript, recording: Recording, deadline: float
    ) -> Transcript | None:
        """The other's text, if it has one that is not ours, ours among the alternatives.

        It comes without words and times. Confidence stays as low as ours: nobody said how sure the other is.
        """
        if recording in self._asking:
            self._failed("it asks us in turn")
        if utterance.origin == SECOND_HAND or asyncio.get_running_loop().time() < self._rests_until:
            return None
        self._asking.append(recording)
        try:
            answer = await self._answer(recording, self._language or utterance.language, _SHARE * deadline)
        finally:
            self._asking.remove(recording)
        if answer is None or normalise(answer.text) in {"", normalise(transcript.text)}:
            return None
        best = Hypothesis(answer.text, (), transcript.best.confidence, transcript.best.score)
        alternatives = (transcript.best, *transcript.alternatives)
        return replace(transcript, best=best, alternatives=alternatives, model=answer.server or str(self._address))

    async def _answer(self, recording: Recording, language: str, seconds: float) -> Answer | None:
        """None, and the reason in the log, where there is no answer."""
        try:
            async with asyncio.timeout(seconds), _connected(self._address) as connection:
                answer = await _asked(connection, recording, language)
        except TimeoutError:
            self._failed(f"no answer within {seconds:.2g} s")
        except OSError as error:
            self._failed(f"the connection broke ({type(error).__name__})")
        except NoAnswerError as error:
            self._failed(str(error))
        except SpeechError as error:  # its message may quote the server
            self._failed(f"it sent what is no Wyoming ({error.code})")
        else:
            self._failing = False
            return answer
        return None

    def _failed(self, reason: str) -> None:
        self._rests_until = asyncio.get_running_loop().time() + REST_SECONDS
        _log.log(logging.DEBUG if self._failing else logging.WARNING, "%s.uri: %s: %s", FALLBACK, self._address, reason)
        self._failing = True


@asynccontextmanager
async def _connected(address: Tcp | Unix) -> AsyncIterator[Connection]:
    """Leaving it waits for nobody. Raises NoAnswerError where nobody is there."""
    try:
        match address:
            case Tcp(host, port):
                reader, writer = await asyncio.open_connection(host, port, limit=MAX_HEADER_BYTES)
            case Unix(path):
                reader, writer = await asyncio.open_unix_connection(path, limit=MAX_HEADER_BYTES)
    except (OSError, ValueError) as error:  # ValueError: a name that is none
        raise NoAnswerError(f"cannot be reached ({error})") from error
    try:
        yield Connection(reader, writer, _BOUNDS)
    finally:
        if writer.transport.get_write_buffer_size():
            writer.transport.abort()
        else:
            writer.close()


async def _asked(connection: Connection, recording: Recording, language: str) -> Answer:
    """The answer, which may come before everything is sent. Raises NoAnswerError, and as Connection.read does."""
    uploading = asyncio.create_task(_upload(connection, recording, language), name="wyoming fallback upload")
    try:
        return await _read(connection)
    finally:
        uploading.cancel()
        await asyncio.wait({uploading})


async def _upload(connection: Connection, recording: Recording, language: str) -> None:
    with contextlib.suppress(OSError):  # whoever reads the answer meets it too
        await connection.send(Describe())
        await connection.send(Transcribe(language=language, context=SECOND_HAND_CONTEXT))
        await connection.send(AudioStart(_SPEECH.rate, _SPEECH.width, _SPEECH.channels))
        for piece in filter(None, _speech(recording)):
            await connection.send(AudioChunk(_SPEECH.rate, _SPEECH.width, _SPEECH.channels, piece))
            await asyncio.sleep(0)  # nobody else runs while sending need not wait
        await connection.send(AudioStop())


async def _read(connection: Connection) -> Answer:
    """A server that streams sends the text in chunks, then whole; one that leaves that out is understood."""
    server, streamed = "", ""
    while (event := await connection.read()) is not None:
        match event.type:
            case "info":
                server = _name(event.data)
            case "transcript-chunk":
                streamed = _text(event.data, streamed)
            case "transcript":
                return Answer(tidy(_text(event.data)), server)
            case "transcript-stop":
                return Answer(tidy(streamed), server)
            case "error":
                code = event.data.get("code")
                raise NoAnswerError(f"it answered {code if isinstance(code, str) and _CODE.fullmatch(code) else 'with an error'}")
        await asyncio.sleep(0)  # nor while there is more to read
    raise NoAnswerError("it closed the connection without an answer")


def _text(data: dict[str, Any], before: str = "") -> str:
    text = data.get("text")
    if not isinstance(text, str) or len(before) + len(text) > MAX_ANSWER:
        raise NoAnswerError(f"its transcript is no text of at most {MAX_ANSWER} characters")
    return before + text


def _name(info: dict[str, Any]) -> str:
    """The first program and its model, if it has only one."""
    program = next(_installed(info.get("asr")), {})
    models = [model.get("name") for model in _installed(program.get("models"))]
    names = [program.get("name"), *(models if len(models) == 1 else [])]
    return tidy(" ".join(name for name in names if isinstance(name, str)))[:MAX_NAME]


def _installed(values: object) -> Iterator[dict[str, Any]]:
    return (each for each in (values if isinstance(values, list) else []) if isinstance(each, dict) and each.get("installed"))


def _speech(recording: Recording) -> Iterator[bytes]:
    """The recording's whole frames at 16 kHz, 16 bit, mono, in pieces of _CHUNK_SECONDS; made one by one, for others are speaking."""
    source, size = recording.source, max(1, recording.source.bytes_for(_CHUNK_SECONDS))
    pieces = (recording.data[start : start + size] for start in range(0, len(recording.data), size))
    if source == _SPEECH:
        yield from (piece[: len(piece) - len(piece) % source.frame_bytes] for piece in pieces)
        return
    decoder = PcmDecoder(source, _SPEECH.rate)
    for piece in pieces:
        yield _pcm(decoder.decode(piece))
    yield _pcm(decoder.flush())


def _pcm(samples: FloatArray) -> bytes:
    """float32 [n] in [-1, 1] -> 16 bit."""
    scaled = np.clip(np.rint(samples * np.float32(2**15)), -(2**15), 2**15 - 1)
    return bytes(scaled.astype("<i2").data)
