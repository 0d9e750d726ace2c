"""The routes: health, facts about the service, and speech-to-text, whose body is decoded while it arrives.

Every error goes out as {"error": code, "message": one line}; `STATUS` is the one table from errors to HTTP statuses.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ds_engine.errors import (
    AudioTooLongError,
    BusyError,
    ClosedError,
    InputError,
    LanguageError,
    LimitError,
    SpeechError,
    TimeLimitError,
)
from ds_http.session import Session
from ds_plugin import __version__
from ds_plugin.output import as_json

if TYPE_CHECKING:
    from ds_engine.transcript import Transcript
    from ds_plugin.host import Host

STATUS: tuple[tuple[type[SpeechError], int], ...] = (  # the first that fits
    (LanguageError, 422),
    (InputError, 400),
    (AudioTooLongError, 413),
    (TimeLimitError, 408),
    (BusyError, 503),
    (LimitError, 503),
    (ClosedError, 503),
    (SpeechError, 500),
)
REST_SECONDS = 2.0  # that a client gets to send the rest of a body that is refused
RETRY_SECONDS = 1  # after which a client may try again where there was no place


def make_app(host: Host, body_seconds: float) -> Starlette:
    """The ASGI application; `body_seconds` bounds the time that one request's body may take."""
    app = Starlette(
        routes=[
            Route("/health", _health),
            Route("/api/info", _info),
            Route("/api/speech-to-text", _speech_to_text, methods=["POST"]),
        ],
        exception_handlers={SpeechError: _speech_error, HTTPException: _http_error, Exception: _our_fault},
    )
    app.state.host = host
    app.state.body_seconds = body_seconds
    return app


async def _health(request: Request) -> Response:
    return JSONResponse({"status": "ok", "utterances": _host(request).engine.utterances})


async def _info(request: Request) -> Response:
    host = _host(request)
    manifest = host.manifest
    return JSONResponse(
        {
            "name": "ds-plugin",
            "version": __version__,
            "model": {
                "name": manifest.name,
                "version": manifest.version,
                "language": manifest.language,
                "description": manifest.description,
                "license": manifest.license,
                "sample_rate": host.engine.recognizer.model.sample_rate,
            },
            "limits": asdict(host.engine.limits),
        }
    )


async def _speech_to_text(request: Request) -> Response:
    names = request.query_params
    try:
        async with Session(_host(request), names.get("language"), names.get("model")) as session:
            try:
                await _feed(session, request)
            except TimeLimitError:
                raise
            except SpeechError:
                await _pass_over(request)
                raise
            return _reply(request, await session.finish())
    except ClientDisconnect:
        return Response()  # nobody is there to read it
    except asyncio.CancelledError:  # only the server cancels a request: its grace at shutdown is over
        raise ClosedError("the service is shutting down") from None


async def _feed(session: Session, request: Request) -> None:
    """The body as it comes. Raises TimeLimitError where it takes too long, or nothing comes for as long as an utterance may be idle."""
    whole, idle = request.app.state.body_seconds, _host(request).engine.limits.idle_seconds
    try:
        async with asyncio.timeout(whole), aclosing(request.stream()) as stream:
            while (piece := await _next(stream, idle)) is not None:
                await session.feed(piece)
    except TimeoutError:
        raise TimeLimitError(f"body_seconds: the body took longer than {whole:g} s") from None


async def _pass_over(request: Request) -> None:
    """Takes the rest of a body that is on its way as a whole: closing before that would reset the connection, and lose the answer."""
    if "content-length" in request.headers:
        with suppress(TimeoutError, ClientDisconnect, RuntimeError):  # RuntimeError: nothing is left
            async with asyncio.timeout(REST_SECONDS), aclosing(request.stream()) as stream:
                async for _ in stream:
                    pass


async def _next(stream: AsyncIterator[bytes], idle: float) -> bytes | None:
    try:
        async with asyncio.timeout(idle):
            return await anext(stream, None)
    except TimeoutError:
        raise TimeLimitError(f"idle_seconds: nothing came for {idle:g} s") from None


def _reply(request: Request, transcript: Transcript) -> Response:
    if _prefers_text(request.headers.get("accept", "")):
        return PlainTextResponse(transcript.text)
    reply = as_json("", transcript)
    del reply["file"]
    # Rhasspy 2.5 reads these two names: a reply without likelihood counts as one of no confidence.
    return JSONResponse({**reply, "likelihood": reply["confidence"], "transcribe_seconds": reply["compute_seconds"]})


def _prefers_text(accept: str) -> bool:
    """True where the header Accept ranks plain text above JSON."""
    ranks = {"text/plain": 0.0, "application/json": 0.0, "*/*": 0.0}
    for entry in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in entry.split(";"))
        ranks[kind] = next((_quality(parameter) for parameter in parameters if parameter.startswith("q=")), 1.0)
    return ranks["text/plain"] > max(ranks["application/json"], ranks["*/*"])


def _quality(parameter: str) -> float:
    try:
        return float(parameter.removeprefix("q="))
    except ValueError:
        return 0.0


async def _speech_error(_request: Request, error: Exception) -> Response:
    status = next(status for kind, status in STATUS if isinstance(error, kind))
    code = error.code if isinstance(error, SpeechError) else SpeechError.code
    return _error(status, code, str(error), {"Retry-After": str(RETRY_SECONDS)} if status == 503 else {})


async def _http_error(request: Request, error: Exception) -> Response:
    status, detail = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "")
    headers = (error.headers if isinstance(error, HTTPException) else None) or {}
    return _error(status, detail.lower().replace(" ", "-"), f"{request.method} {request.url.path}: {detail}", headers)


async def _our_fault(_request: Request, error: Exception) -> Response:
    return _error(500, SpeechError.code, f"{type(error).__name__} while answering")


def _error(status: int, code: str, message: str, headers: Any = None) -> Response:
    return JSONResponse({"error": code, "message": message}, status, headers)


def _host(request: Request) -> Host:
    host: Host = request.app.state.host
    return host
