"""The plugin: registers the adapter `wyoming` and, where the settings name a server to ask, the fallback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

from ds_plugin.adapter import Adapter, Serving, extra
from ds_plugin.config import Option, Values
from ds_plugin.hookspecs import hookimpl
from ds_plugin.host import Host
from ds_wyoming.address import parse_uri
from ds_wyoming.settings import FALLBACK, FALLBACK_OPTIONS, OPTIONS, FallbackSettings, WyomingSettings

if TYPE_CHECKING:
    from ds_wyoming.listening import Bound


@asynccontextmanager
async def serve(host: Host, values: Values) -> AsyncIterator[Serving]:
    """Serves while it is entered. Raises ConfigError for an option that makes no sense, InputError for one that cannot be had."""
    settings = WyomingSettings(**values)
    with extra("wyoming"):
        from ds_wyoming.listening import listening
        from ds_wyoming.server import Server
    async with listening(parse_uri(settings.uri), Server(host, settings)) as serving, _advertised(settings.zeroconf, serving.bound):
        yield serving


def _advertised(name: str, bound: Sequence[Bound]) -> AbstractAsyncContextManager[None]:
    """In the local network, under the name; nowhere without one."""
    if not name:
        return nullcontext()
    with extra("zeroconf"):
        from ds_wyoming.advertise import advertised
    return advertised(name, bound)


@hookimpl
def ds_register_adapter(register: Callable[[Adapter], None]) -> None:
    """Adapter `wyoming`."""
    register(Adapter("wyoming", "Wyoming protocol, for Home Assistant", OPTIONS, serve))


@hookimpl
def ds_register_options(register: Callable[[str, tuple[Option, ...]], None]) -> None:
    """Section `wyoming_fallback`."""
    register(FALLBACK, FALLBACK_OPTIONS)


@hookimpl
def ds_configure(settings: Mapping[str, Values], register: Callable[[object], None]) -> None:
    """The fallback, if there is a server to ask."""
    chosen = FallbackSettings(**settings[FALLBACK])
    if chosen.address is None:
        return
    with extra("wyoming"):
        from ds_wyoming.fallback import Fallback
    register(Fallback(chosen.address, chosen.language))
