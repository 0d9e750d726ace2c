"""Advertising the service in the local network, so that Home Assistant finds it by itself (zeroconf, also called mDNS or Bonjour).

The sockets that listen go in; `NAME._wyoming._tcp.local.` with a port and addresses that other machines reach is announced while
the context is entered, and withdrawn when it is left. It never stops the service: a machine often starts before its network is
there, and may get another address later, so the addresses are looked at every CHECK_SECONDS. Where the name is taken in the
network, a number is put behind it, and the log says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import ifaddr
import zeroconf
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from ds_plugin.config import ConfigError
from ds_wyoming.listening import Bound

SERVICE = "_wyoming._tcp.local."
CHECK_SECONDS = 15.0  # between two looks at the machine's addresses
MAX_NAME_BYTES = 60  # of the 63 that DNS allows; the rest is for the number behind a name that is taken
_ROUTES, _ROUTES6 = Path("/proc/net/route"), Path("/proc/net/ipv6_route")
_ANYWHERE, _ANYWHERE6 = "00000000", "0" * 32

_log = logging.getLogger(__name__)

OwnAddresses = Callable[[], Sequence[str]]


def own_addresses() -> list[str]:
    """This machine's addresses that others can reach, without those of one link only.

    An interface without a way out, such as the bridge of a container engine, is left out where another has one: Home Assistant
    takes whatever address it reads first.
    """
    adapters = {adapter.name: [_text(ip.ip) for ip in adapter.ips] for adapter in ifaddr.get_adapters()}
    ways_out = _interfaces_with_a_way_out()
    chosen = [name for name in adapters if name in ways_out] or list(adapters)
    return [address for name in chosen for address in adapters[name] if _is_reachable(address)]


@asynccontextmanager
async def advertised(
    name: str, bound: Sequence[Bound], own: OwnAddresses = own_addresses, check_seconds: float = CHECK_SECONDS
) -> AsyncIterator[None]:
    """Announces the service while it is entered; a network that is not there is waited for. `own` lists the machine's addresses.

    Raises ConfigError for a name that DNS does not allow, and where no other machine could reach the service.
    """
    _check_name(name)
    usable = [listener for listener in bound if _is_unspecified(listener.address) or _is_reachable(listener.address)]
    if not usable:
        where = f"reaches {', '.join(map(str, bound))}" if bound else "reaches what is no network address"
        raise ConfigError(f"wyoming.zeroconf: no other machine {where}; listen on tcp://0.0.0.0:10300, or leave it empty")
    logging.getLogger(zeroconf.__name__).setLevel(logging.ERROR)  # it warns, with a stack, of networks that are gone: we say it in a line
    keeper = asyncio.create_task(_Announcer(name, usable, own).run(check_seconds), name="zeroconf")
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)


class _Announcer:
    """Keeps one service announced."""

    def __init__(self, name: str, bound: Sequence[Bound], own: OwnAddresses) -> None:
        self._name = name
        self._port = bound[0].port
        self._bound = [listener for listener in bound if listener.port == self._port]  # a service has one
        self._own = own
        self._server = f"ds-plugin-{secrets.token_hex(4)}.local."  # ours alone: the machine's own name belongs to its resolver
        self._network: AsyncZeroconf | None = None
        self._addresses: tuple[str, ...] = ()
        self._told = ""

    async def run(self, check_seconds: float) -> None:
        """Never returns; cancelled, it withdraws the service."""
        try:
            while True:
                await self._look()
                await asyncio.sleep(check_seconds)
        finally:
            await self._withdraw()

    async def _look(self) -> None:
        """Announces what is not announced yet. A fault of the network is told, and tried again at the next look."""
        try:
            addresses = reachable(self._bound, self._own())
            if self._network and addresses == self._addresses:
                return
            await self._withdraw()
            if addresses:
                await self._announce(addresses)
            else:
                self._tell("this machine has no address yet that others could reach")
        except Exception as error:  # noqa: BLE001 - whatever goes wrong in a network, the service itself goes on
            await self._withdraw()
            self._tell(str(error) or type(error).__name__)

    async def _announce(self, addresses: tuple[str, ...]) -> None:
        full = f"{self._name}.{SERVICE}"
        info = AsyncServiceInfo(SERVICE, full, port=self._port, parsed_addresses=list(addresses), server=self._server)
        self._network, self._addresses = AsyncZeroconf(interfaces=list(addresses)), addresses
        announcing = await self._network.async_register_service(info, allow_name_change=True)
        if info.name == full:
            self._told = ""
        else:
            self._tell(f"the name is taken in this network; announced as {info.name.removesuffix('.' + SERVICE)!r}")
        await announcing
        _log.info("wyoming.zeroconf: %s is announced at %s, port %d", info.name, ", ".join(addresses), self._port)

    async def _withdraw(self) -> None:
        """Says good-bye, as far as the network is still there."""
        network, self._network = self._network, None
        if network:
            with contextlib.suppress(OSError, zeroconf.Error):
                await asyncio.create_task(network.async_close())  # a task of its own: in ours it would meet our cancellation

    def _tell(self, what: str) -> None:
        """The same thing once: a network may be away for days."""
        if what != self._told:
            _log.warning("wyoming.zeroconf: %r: %s", self._name, what)
        self._told = what


def reachable(bound: Sequence[Bound], own: Sequence[str]) -> tuple[str, ...]:
    """Where other machines reach the listeners, in a fixed order. One that listens everywhere has all addresses of its kind."""
    everywhere = {ipaddress.ip_address(listener.address).version for listener in bound if _is_unspecified(listener.address)}
    found = {listener.address for listener in bound if not _is_unspecified(listener.address)}
    return tuple(sorted(found | {address for address in own if ipaddress.ip_address(address).version in everywhere}))


def _text(ip: str | tuple[str, int, int]) -> str:
    """IPv6 comes with flow and scope."""
    return ip if isinstance(ip, str) else ip[0]


def _interfaces_with_a_way_out() -> set[str]:
    """Interfaces with a default route, as Linux tells it; empty where nobody tells."""
    found = {line[0] for line in _fields(_ROUTES) if len(line) > 1 and line[1] == _ANYWHERE}
    return found | {line[-1] for line in _fields(_ROUTES6) if line[:2] == [_ANYWHERE6, "00"] and line[-1] != "lo"}


def _fields(table: Path) -> list[list[str]]:
    try:
        return [line.split() for line in table.read_text().splitlines() if line.strip()]
    except OSError:
        return []


def _is_reachable(address: str) -> bool:
    value = ipaddress.ip_address(address)
    return not (value.is_loopback or value.is_link_local or value.is_unspecified or value.is_multicast)


def _is_unspecified(address: str) -> bool:
    return ipaddress.ip_address(address).is_unspecified


def _check_name(name: str) -> None:
    """A label of DNS-SD. A full stop would make two of it."""
    if not 0 < len(name.encode(errors="replace")) <= MAX_NAME_BYTES or "." in name or not name.isprintable() or name != name.strip():
        raise ConfigError(
            f"wyoming.zeroconf must be a name of up to {MAX_NAME_BYTES} bytes in one line without full stops, got {name!r:.80}"
        )
