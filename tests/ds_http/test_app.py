"""The routes over real sockets: texts, facts, and every error as a status, a code and one line."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import ds_plugin
from ds_engine import errors
from ds_engine.errors import SpeechError
from ds_engine.limits import Limits
from ds_engine.transcript import Partial
from ds_http.app import STATUS, _prefers_text, make_app
from ds_plugin import builtin
from ds_plugin.config import Schema
from ds_plugin.host import HOST_OPTIONS, Host
from ds_plugin.transcription import transcribe_file
from tests.ds_engine.fakes import babble, cut, said, until
from tests.ds_http.helpers import SPEECH, served, spoken, written
from tests.ds_plugin.helpers import hooked, hosted, plugin

SAMPLES = sorted((Path(ds_plugin.__file__).parent / "samples").glob("*.wav"))


@pytest.fixture(scope="module")
def real() -> Callable[[], Host]:
    """A maker of hosts with the bundled model, loaded once."""
    host = Host.load(Schema(HOST_OPTIONS).load(), hooked(builtin))
    return lambda: hosted(recognizer=host.engine.recognizer)


@pytest.mark.parametrize("size", [1_000, 10**7])
async def test_the_bundled_samples_give_the_text_of_a_plain_utterance(real: Callable[[], Host], size: int) -> None:
    assert SAMPLES
    async with served(real()) as at:
        for path in SAMPLES:
            expected = (await transcribe_file(at.host, path)).transcript.text
            reply = await at.post(_stream(cut(path.read_bytes(), [size])))
            assert reply.status_code == 200
            assert reply.json()["text"] == expected


async def test_the_reply_is_what_the_command_line_prints_and_what_rhasspy_reads() -> None:
    async with served() as at:
        reply = await at.post(spoken("turn on"), headers={"Content-Type": "audio/wav", "Accept": "application/json"})
    assert reply.headers["content-type"] == "application/json"
    found = reply.json()
    assert (found["text"], [word["word"] for word in found["words"]], found["model"]) == ("turn on", ["turn", "on"], "replay 1")
    assert found["likelihood"] == found["confidence"] > 0
    assert found["transcribe_seconds"] == found["compute_seconds"]
    assert "file" not in found


@pytest.mark.parametrize(
    ("accept", "plain"),
    [
        ("text/plain", True),
        ("text/plain, application/json;q=0.5", True),
        ("Text/Plain;q=0.9, */*;q=0.1", True),
        ("application/json", False),
        ("*/*", False),
        ("", False),
        ("text/plain;q=0.2, application/json", False),
        ("text/plain, */*", False),
        ("text/plain;q=high", False),
        (",;,=;q=", False),
    ],
)
def test_plain_text_goes_to_who_prefers_it(accept: str, *, plain: bool) -> None:
    assert _prefers_text(accept) is plain


async def test_the_bare_text_is_sent_as_plain_text() -> None:
    async with served() as at:
        reply = await at.post(spoken("on"), headers={"Accept": "text/plain"})
    assert (reply.headers["content-type"], reply.text) == ("text/plain; charset=utf-8", "on")


async def test_the_body_is_decoded_while_it_arrives() -> None:
    heard = asyncio.Event()

    async def on_partial(partial: Partial) -> None:
        if partial.text == "turn":
            heard.set()

    async def body() -> AsyncIterator[bytes]:
        wav = spoken("turn off")
        yield wav[: len(wav) * 2 // 3]
        await heard.wait()
        yield wav[len(wav) * 2 // 3 :]

    async with served(hosted(plugin(ds_partial=on_partial))) as at:
        assert (await at.post(body())).json()["text"] == "turn off"


async def test_health_tells_how_many_utterances_are_open() -> None:
    async with served() as at:
        assert (await at.client.get("/health")).json() == {"status": "ok", "utterances": 0}
        async with await at.host.open():
            assert (await at.client.get("/health")).json() == {"status": "ok", "utterances": 1}


async def test_info_tells_model_and_limits() -> None:
    async with served(hosted(limits=Limits(utterances=7))) as at:
        info = (await at.client.get("/api/info")).json()
    assert info["version"] == ds_plugin.__version__
    assert info["model"] == {
        "name": "replay",
        "version": "1",
        "language": "en",
        "description": "",
        "license": "CC0-1.0",
        "sample_rate": 16_000,
    }
    assert info["limits"]["utterances"] == 7


@pytest.mark.parametrize(
    "samples",
    [
        written(babble(0.5, rate=44_100), 44_100, "PCM_24", "WAVEX"),
        written(np.stack([babble(0.3)] * 2, axis=1), 8_000, "PCM_U8"),
        written(babble(0.3), 16_000, "DOUBLE"),
        written(np.zeros(8_000)),
        written(np.zeros(0)),
        spoken("on")[:200],
        spoken("on")[:-1],
    ],
    ids=["24-bit 44.1 kHz", "8-bit stereo", "float", "silent", "empty", "truncated", "half a sample"],
)
async def test_odd_audio_is_no_error(samples: bytes) -> None:
    async with served() as at:
        reply = await at.post(samples)
        assert reply.status_code == 200, reply.text
        assert at.host.engine.utterances == 0


@pytest.mark.parametrize(
    ("body", "query", "limits", "status", "code"),
    [
        (b"", "", {}, 400, "bad-audio"),
        (b"no audio at all", "", {}, 400, "bad-audio"),
        (spoken("on")[:30], "", {}, 400, "bad-audio"),
        (written(babble(0.1), 16_000, "ULAW"), "", {}, 400, "bad-audio"),
        (written(np.full(2_000, np.nan), 16_000, "FLOAT"), "", {}, 400, "bad-audio"),
        (written(babble(0.1), 2_000), "", {}, 400, "bad-audio"),
        (spoken("on"), "?language=de", {}, 422, "unsupported-language"),
        (spoken("on"), "?model=gone", {}, 422, "unsupported-language"),
        (spoken("on" * 50), "", {"utterance_seconds": 0.5}, 413, "audio-too-long"),
    ],
)
async def test_bad_input_is_the_callers_fault_and_the_service_goes_on(
    body: bytes, query: str, limits: dict[str, Any], status: int, code: str
) -> None:
    async with served(hosted(limits=Limits(**limits))) as at:
        reply = await at.client.post(SPEECH + query, content=body)
        assert (reply.status_code, reply.json()["error"]) == (status, code)
        assert "\n" not in reply.json()["message"]
        assert at.host.engine.utterances == 0
        assert (await at.post(spoken("on"))).json()["text"] == "on"


async def test_a_language_that_is_served_and_what_others_ask_for_is_no_obstacle() -> None:
    async with served() as at:
        assert (await at.client.post(f"{SPEECH}?language=en-GB&model=replay&siteId=kitchen", content=spoken("on"))).json()["text"] == "on"


async def test_where_all_places_are_taken_a_client_is_told_when_to_come_back() -> None:
    async with served(hosted(limits=Limits(utterances=1))) as at, await at.host.open():
        reply = await at.post(spoken("on"))
        assert (reply.status_code, reply.json()["error"], reply.headers["retry-after"]) == (503, "busy", "1")


@pytest.mark.parametrize(("limits", "seconds", "named"), [({"idle_seconds": 0.05}, 20.0, "idle_seconds"), ({}, 0.05, "body_seconds")])
async def test_a_body_that_stalls_is_given_up(limits: dict[str, float], seconds: float, named: str) -> None:
    go_on = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield spoken("on")[:1_000]
        await go_on.wait()

    async with served(hosted(limits=Limits(**limits)), body_seconds=seconds) as at:  # type: ignore[arg-type]
        post = asyncio.create_task(at.post(body()))
        await until(lambda: at.host.engine.utterances == 1)
        await until(lambda: at.host.engine.utterances == 0)
        go_on.set()
        reply = await post
        assert (reply.status_code, reply.json()["error"]) == (408, "timeout")
        assert reply.json()["message"].startswith(named)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nowhere", 404, "not-found"), ("GET", SPEECH, 405, "method-not-allowed"), ("POST", "/health", 405, "method-not-allowed")],
)
async def test_other_routes_are_refused_in_the_same_words(method: str, path: str, status: int, code: str) -> None:
    async with served() as at:
        reply = await at.client.request(method, path)
    assert (reply.status_code, reply.json()["error"]) == (status, code)


class _Failing:
    """A host that has nothing but an error for us."""

    def __init__(self, error: Exception) -> None:
        self.engine = hosted().engine
        self.error = error

    async def open(self, *anything: object, **more: object) -> None:
        raise self.error


async def reply_to(error: Exception) -> httpx.Response:
    transport = httpx.ASGITransport(make_app(_Failing(error), 20.0), raise_app_exceptions=False)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        return await client.post(SPEECH, content=spoken("on"))


@pytest.mark.parametrize("kind", [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, SpeechError)])
async def test_every_error_has_a_status_and_its_code(kind: type[SpeechError]) -> None:
    reply = await reply_to(kind("why"))
    assert reply.status_code in {status for _, status in STATUS}
    assert reply.json() == {"error": kind.code, "message": "why"}
    assert (reply.status_code < 500) == issubclass(kind, errors.InputError | errors.AudioTooLongError | errors.TimeLimitError)


async def test_a_fault_of_ours_is_told_without_its_details() -> None:
    reply = await reply_to(RuntimeError("secret"))
    assert (reply.status_code, reply.json()) == (500, {"error": "internal", "message": "RuntimeError while answering"})


async def test_no_transcript_gets_into_the_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with served() as at:
        assert (await at.post(spoken("secretword"), headers={"Accept": "text/plain"})).text == "secretword"
    assert "secret" not in caplog.text
    assert str(said("s")[640:660])[2:-1] not in caplog.text


async def _stream(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
