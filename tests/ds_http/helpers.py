"""WAVs, and a real HTTP server on a free port of this machine."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import soundfile

from ds_http.plugin import OPTIONS, serve
from ds_plugin.adapter import Serving
from ds_plugin.host import Host
from tests.ds_engine.fakes import said
from tests.ds_plugin.helpers import hosted

SPEECH = "/api/speech-to-text"


def written(samples: Any, rate: int = 16_000, subtype: str = "PCM_16", container: str = "WAV") -> bytes:
    """A WAV as libsndfile writes it; `samples` are [n] or [n, channels]."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, subtype, format=container)
    return file.getvalue()


def spoken(text: str, rows: int = 2) -> bytes:
    """A WAV in which the fake recognizer hears `text`."""
    return written(np.frombuffer(said(text, rows), "<i2"))


@dataclass(frozen=True)
class Served:
    """A running server, its host, and a client of it."""

    host: Host
    server: Serving
    client: httpx.AsyncClient

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare connection."""
        url = httpx.URL(self.server.address)
        return await asyncio.open_connection(url.host, url.port)

    async def post(self, body: Any, **options: Any) -> httpx.Response:
        """A request for the text of a WAV."""
        return await self.client.post(SPEECH, content=body, **options)


@asynccontextmanager
async def served(host: Host | None = None, **values: Any) -> AsyncIterator[Served]:
    """Enters the host, serves it on a free port, and connects a client."""
    options = {option.name: option.default for option in OPTIONS} | {"bind": "127.0.0.1:0"} | values
    async with (
        host or hosted() as entered,
        serve(entered, options) as server,
        httpx.AsyncClient(base_url=server.address, timeout=20) as client,
    ):
        yield Served(entered, server, client)


def head(length: int | None, path: str = SPEECH) -> bytes:
    """The head of a request by hand; a body of unknown length is sent in chunks."""
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{size}\r\n\r\n".encode()
