"""The plugin: adapter `http`, its options, and serving it."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ds_plugin import hookimpl
from ds_plugin.adapter import Adapter, Serving, extra
from ds_plugin.config import ConfigError, Option, Values

if TYPE_CHECKING:
    from ds_plugin.host import Host

DEFAULT_BIND = "127.0.0.1:10301"
DEFAULT_CONNECTIONS = 64
DEFAULT_BODY_SECONDS = 120.0  # twice the longest utterance of the default limits

OPTIONS = (
    Option("bind", str, DEFAULT_BIND, "HOST:PORT to listen on; port 0 takes a free one"),
    Option("connections", int, DEFAULT_CONNECTIONS, "clients that are served at once"),
    Option("body_seconds", float, DEFAULT_BODY_SECONDS, "seconds in which a request's whole body must have come"),
)


@hookimpl
def ds_register_adapter(register: Callable[[Adapter], None]) -> None:
    """Adapter `http`."""
    register(Adapter("http", "HTTP: POST a WAV to /api/speech-to-text", OPTIONS, serve))


@asynccontextmanager
async def serve(host: Host, values: Values) -> AsyncIterator[Serving]:
    """Serves while entered; leaving takes no new requests and lets the open ones finish. Raises ConfigError."""
    for name in ("connections", "body_seconds"):
        if not 0 < values[name] < math.inf:
            raise ConfigError(f"http.{name} must be above zero and finite, got {values[name]}")
    with extra("http"):
        from ds_http.app import make_app
        from ds_http.server import serving
    app = make_app(host, values["body_seconds"])
    async with serving(app, values["bind"], values["connections"], host.engine.limits.shutdown_seconds) as server:
        yield server
