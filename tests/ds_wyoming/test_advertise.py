"""The advertisement, as a second machine would see it: multicast on the loopback interface, and nowhere else."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

pytest.importorskip("zeroconf", reason="needs the extra zeroconf")

from zeroconf import ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from ds_plugin.config import ConfigError
from ds_wyoming import advertise
from ds_wyoming.advertise import SERVICE, advertised, own_addresses, reachable
from ds_wyoming.listening import Bound
from tests.ds_wyoming.serving import SECONDS, until
from tests.ds_wyoming.test_process import address_of, ended, process

LOOPBACK = "127.0.0.1"
EVERYWHERE = Bound("0.0.0.0", 10300)  # noqa: S104 - nothing listens there
LATE = 0.02  # s between two looks


def loopback() -> list[str]:
    return [LOOPBACK]


@dataclass
class Neighbour:
    """Another machine: which services it knows now, in the order of their coming."""

    network: AsyncZeroconf
    known: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    def changed(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        instance = name.removesuffix("." + SERVICE)
        if state_change is ServiceStateChange.Added:
            self.known.append(instance)
        elif state_change is ServiceStateChange.Removed:
            self.known.remove(instance)
            self.gone.append(instance)

    async def sees(self, *names: str) -> None:
        await until(lambda: sorted(self.known) == sorted(names))

    async def resolved(self, name: str) -> AsyncServiceInfo:
        info = AsyncServiceInfo(SERVICE, f"{name}.{SERVICE}")
        assert await info.async_request(self.network.zeroconf, int(1000 * SECONDS))
        return info


@asynccontextmanager
async def neighbour() -> AsyncIterator[Neighbour]:
    network = AsyncZeroconf(interfaces=[LOOPBACK])
    listening = Neighbour(network)
    browser = AsyncServiceBrowser(network.zeroconf, SERVICE, handlers=[listening.changed])
    try:
        yield listening
    finally:
        await browser.async_cancel()
        await network.async_close()
        await asyncio.sleep(0)  # its sockets close in the loop's next turn


@pytest.fixture(scope="module", autouse=True)
def multicast_works_here() -> None:
    """Some sandboxes have a loopback without multicast."""

    async def heard() -> bool:
        name = "ds-plugin-probe"
        async with neighbour() as listening:
            here = AsyncZeroconf(interfaces=[LOOPBACK])
            info = AsyncServiceInfo(SERVICE, f"{name}.{SERVICE}", port=1, parsed_addresses=[LOOPBACK], server=f"{name}.local.")
            try:
                await here.async_register_service(info, cooperating_responders=True)
                async with asyncio.timeout(2.0):
                    while name not in listening.known:  # noqa: ASYNC110 - nobody announces that nothing comes
                        await asyncio.sleep(0.01)
            except TimeoutError:
                return False
            finally:
                await here.async_close()
        return True

    try:
        works = asyncio.run(heard())
    except OSError:
        works = False
    if not works:
        pytest.skip("no multicast on loopback here")


async def test_another_machine_finds_the_service_with_address_and_port_and_sees_it_leave() -> None:
    async with neighbour() as other:
        async with advertised("Küche 1", [EVERYWHERE], loopback):
            await other.sees("Küche 1")
            info = await other.resolved("Küche 1")
            assert info.parsed_addresses() == [LOOPBACK]
            assert info.port == 10300
        await other.sees()
        assert other.gone == ["Küche 1"]


async def test_a_name_that_is_taken_gets_a_number_and_a_host_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    async with neighbour() as other, advertised("twin", [EVERYWHERE], loopback):
        await other.sees("twin")
        async with advertised("twin", [Bound("0.0.0.0", 10301)], loopback):  # noqa: S104 - nothing listens there
            await other.sees("twin", "twin-2")
            first, second = await other.resolved("twin"), await other.resolved("twin-2")
            assert (first.port, second.port) == (10300, 10301)
            assert first.server != second.server
        await other.sees("twin")
    assert [record.getMessage() for record in caplog.records] == [
        "wyoming.zeroconf: 'twin': the name is taken in this network; announced as 'twin-2'"
    ]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # zeroconf leaves the socket that failed to the collector
async def test_a_network_that_comes_late_is_waited_for_with_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    looks: list[list[str]] = [[], [], ["203.0.113.7"], ["203.0.113.7"], [LOOPBACK]]  # none; one that cannot be used; ours

    def own() -> list[str]:
        return looks.pop(0) if len(looks) > 1 else looks[0]

    async with neighbour() as other, advertised("late", [EVERYWHERE], own, LATE):
        await other.sees("late")
    lines = [record.getMessage() for record in caplog.records if record.name == advertise.__name__]
    assert len(lines) == 2
    assert "no address yet" in lines[0]
    assert all(record.levelno == logging.WARNING for record in caplog.records)


async def test_another_address_is_announced_in_place_of_the_old_one() -> None:
    now = [LOOPBACK]
    async with neighbour() as other, advertised("moved", [EVERYWHERE], lambda: list(now), LATE):
        await other.sees("moved")
        now[:] = ["127.0.0.2", LOOPBACK]
        await until(lambda: "moved" in other.gone)
        await other.sees("moved")
        assert sorted((await other.resolved("moved")).parsed_addresses()) == [LOOPBACK, "127.0.0.2"]


async def test_whatever_the_system_does_the_service_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    looks = 0

    def own() -> list[str]:
        nonlocal looks
        looks += 1
        raise RuntimeError("the interfaces are on strike")

    async with advertised("unlucky", [EVERYWHERE], own, LATE):
        await until(lambda: looks > 2)
    assert [record.getMessage() for record in caplog.records] == ["wyoming.zeroconf: 'unlucky': the interfaces are on strike"]


async def test_leaving_before_it_was_announced_takes_no_time_and_leaves_nothing() -> None:
    async with neighbour() as other:
        async with advertised("brief", [EVERYWHERE], loopback):
            await asyncio.sleep(0)
        async with advertised("next", [EVERYWHERE], loopback):
            await other.sees("next")
        assert "brief" not in other.gone


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1", "fe80::1", "169.254.3.4"])
async def test_an_address_that_nobody_else_reaches_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match=r"^wyoming\.zeroconf: no other machine reaches tcp://"):
        async with advertised("x", [Bound(address, 10300)], loopback):
            pass


async def test_what_is_no_network_address_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^wyoming\.zeroconf: no other machine reaches what is no network address"):
        async with advertised("x", [], loopback):
            pass


@pytest.mark.parametrize("name", ["", " x", "a.b", "a\nb", "x" * 61, "ü" * 31, "\udc80", "x\x00", "a\u2028b"])
async def test_a_name_that_dns_does_not_allow_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"^wyoming\.zeroconf must be a name"):
        async with advertised(name, [EVERYWHERE], loopback):
            pass


@pytest.mark.parametrize(
    ("bound", "expected"),
    [
        (["0.0.0.0"], ("10.0.0.2", "192.0.2.2")),  # noqa: S104 - nothing listens there
        (["::"], ("fd00::2",)),
        (["0.0.0.0", "::"], ("10.0.0.2", "192.0.2.2", "fd00::2")),  # noqa: S104 - nothing listens there
        (["192.0.2.2"], ("192.0.2.2",)),
        (["fd00::2", "192.0.2.2"], ("192.0.2.2", "fd00::2")),
    ],
)
def test_listening_everywhere_means_every_address_of_its_kind(bound: list[str], expected: tuple[str, ...]) -> None:
    assert reachable([Bound(address, 1) for address in bound], ["192.0.2.2", "fd00::2", "10.0.0.2"]) == expected


def test_our_own_addresses_are_those_that_others_can_reach() -> None:
    assert not [address for address in own_addresses() if address.startswith(("127.", "::1", "fe80", "169.254", "0."))]


# The real process, but for the addresses that it believes to have.
_ON_LOOPBACK = "import ds_wyoming.advertise as a; a.advertised.__wrapped__.__defaults__ = (lambda: ['127.0.0.1'], 1.0); "


@pytest.mark.process
async def test_a_signal_withdraws_the_service_of_a_real_process() -> None:
    arguments = ("serve", "wyoming", "--uri", "tcp://0.0.0.0:0", "--zeroconf", "real one")
    async with neighbour() as other, process(*arguments, code=_ON_LOOPBACK) as running:
        port = int((await address_of(running)).rpartition(":")[2])
        await other.sees("real one")
        assert (await other.resolved("real one")).port == port
        running.send_signal(signal.SIGTERM)
        await other.sees()
        assert await ended(running) == (0, b"", b"")


@pytest.mark.process
async def test_a_service_for_this_machine_alone_is_not_advertised_but_says_so() -> None:
    async with process("serve", "wyoming", "--uri", "tcp://127.0.0.1:0", "--zeroconf", "x") as running:
        code, out, err = await ended(running)
    assert (code, out, err.count(b"\n")) == (2, b"", 1)
    assert b"wyoming.zeroconf" in err
