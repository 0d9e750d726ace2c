"""The plugin: registers the adapter `wyoming` with its options."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ds_plugin.adapter import Adapter, Serving, extra
from ds_plugin.config import Values
from ds_plugin.hookspecs import hookimpl
from ds_plugin.host import Host
from ds_wyoming.address import parse_uri
from ds_wyoming.settings import OPTIONS, WyomingSettings


@asynccontextmanager
async def serve(host: Host, values: Values) -> AsyncIterator[Serving]:
    """Serves while it is entered. Raises ConfigError for an option that makes no sense, InputError for one that cannot be had."""
    settings = WyomingSettings(**values)
    with extra("wyoming"):
        from ds_wyoming.listening import listening
        from ds_wyoming.server import Server
    async with listening(parse_uri(settings.uri), Server(host, settings)) as serving:
        yield serving


@hookimpl
def ds_register_adapter(register: Callable[[Adapter], None]) -> None:
    """Adapter `wyoming`."""
    register(Adapter("wyoming", "Wyoming protocol, for Home Assistant", OPTIONS, serve))
