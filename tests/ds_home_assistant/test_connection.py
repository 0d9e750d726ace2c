"""The connection against a server that behaves, and against all kinds that do not."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from ds_home_assistant.address import parse_uri
from ds_home_assistant.connection import MAX_MESSAGE_BYTES, Connection, connected
from ds_home_assistant.errors import ApiError, DeniedError, ProtocolError, RefusedError, UnreachableError
from ds_home_assistant.pace import Pace
from tests.ds_home_assistant.fake import TOKEN, FakeHomeAssistant, household, until

FAST = Pace(connect=5, answer=5, linger=0.1)
SOON = Pace(connect=0.1, answer=0.1, linger=0.1)  # for what never comes


@asynccontextmanager
async def connected_to(fake: FakeHomeAssistant, pace: Pace = FAST, token: str = TOKEN) -> AsyncIterator[Connection]:
    async with fake.serving() as uri, connected(parse_uri(uri), token, pace) as connection:
        yield connection


@asynccontextmanager
async def listening(serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """A server that is no Home Assistant."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def failure(uri: str, pace: Pace = FAST) -> ApiError:
    with pytest.raises(ApiError) as caught:
        async with connected(parse_uri(uri), TOKEN, pace):
            pass
    return caught.value


# Commands and events


async def test_a_command_gets_its_result() -> None:
    async with connected_to(household()) as connection:
        assert (await connection.ask("get_config"))["state"] == "RUNNING"
        entries = await connection.ask("config/entity_registry/get_entries", {"entity_ids": ["light.kitchen", "no.such"]})
    assert entries["light.kitchen"]["aliases"] == [None, "Cooker light"]
    assert entries["no.such"] is None


async def test_a_refused_command_leaves_the_connection_good() -> None:
    fake = household()
    fake.admin = False
    async with connected_to(fake) as connection:
        with pytest.raises(RefusedError, match=r"expose_entity/list is refused \(unauthorized\)"):
            await connection.ask("homeassistant/expose_entity/list")
        with pytest.raises(RefusedError, match=r"\(unknown_command\)"):
            await connection.ask("no/such")
        assert await connection.ask("get_config")


async def test_answers_to_others_and_events_in_between_are_not_mistaken() -> None:
    fake = household()

    async def confuse(socket: ServerConnection, number: int) -> None:
        for other in (number + 1, number - 1, str(number), None, -1, [number], float(number) + 0.5):
            await socket.send(json.dumps({"id": other, "type": "result", "success": True, "result": "wrong"}))
        await socket.send(json.dumps({"id": number, "type": "event", "event": {}}))
        await socket.send(json.dumps({"id": number, "type": "pong"}))
        await socket.send(json.dumps({"type": "unheard-of"}))
        await socket.send("[]")

    fake.before["get_config"] = confuse
    async with connected_to(fake) as connection:
        assert (await connection.ask("get_config"))["state"] == "RUNNING"


async def test_several_messages_may_come_as_one() -> None:
    fake = household()

    async def together(socket: ServerConnection, number: int) -> None:
        event = {"id": 77, "type": "event", "event": {}}
        await socket.send(json.dumps([event, {"id": number, "type": "result", "success": True, "result": 1}, event]))

    fake.before["get_config"] = together
    fake.silent.add("get_config")
    async with connected_to(fake) as connection:
        assert await connection.ask("get_config") == 1
        assert await connection.changed(0)


async def test_a_change_is_told_once() -> None:
    fake = household()
    async with connected_to(fake) as connection:
        await connection.subscribe("entity_registry_updated")
        assert not await connection.changed(0.01)
        await fake.rename("light.kitchen", "Snorkelwack")
        assert await connection.changed(5)
        assert not await connection.changed(0.01)


async def test_a_change_while_something_is_asked_is_told_afterwards() -> None:
    fake = household()
    fake.before["get_states"] = lambda socket, number: fake.rename("light.kitchen", "Snorkelwack")
    async with connected_to(fake) as connection:
        await connection.subscribe("entity_registry_updated")
        await connection.ask("get_states")
        assert await connection.changed(0)


async def test_an_event_that_was_not_subscribed_to_does_not_come() -> None:
    fake = household()
    async with connected_to(fake) as connection:
        await connection.subscribe("area_registry_updated")
        await fake.rename("light.kitchen", "Snorkelwack")
        assert not await connection.changed(0.05)


async def test_thousands_of_events_hold_nobody_else_up() -> None:
    fake = household()
    turns: list[int] = [0]

    async def count() -> None:
        while True:
            turns[-1] += 1
            await asyncio.sleep(0)

    async def storm(socket: ServerConnection, number: int) -> None:
        await socket.send(json.dumps([{"type": "event"}] * 5_000 + [{"id": number, "type": "result", "success": True, "result": 1}]))
        turns.append(0)

    fake.before["get_config"] = storm
    fake.silent.add("get_config")
    async with connected_to(fake) as connection:
        counting = asyncio.create_task(count())
        assert await connection.ask("get_config") == 1
        counting.cancel()
    assert turns[-1] >= 5_000


async def test_five_thousand_states_come_through() -> None:
    async with connected_to(household(5_000)) as connection:
        assert len(await connection.ask("get_states")) > 5_000


# Who is let in


async def test_a_wrong_token_is_denied() -> None:
    with pytest.raises(DeniedError, match="refuses the token") as caught:
        async with connected_to(household(), token="another-" + TOKEN):
            pass
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_machine_that_is_barred_is_denied(status: int) -> None:
    fake = household()
    fake.http_status = status
    with pytest.raises(DeniedError, match=f"HTTP {status}"):
        async with connected_to(fake):
            pass


@pytest.mark.parametrize("status", [200, 301, 404, 500, 502, 503])
async def test_what_is_no_websocket_is_out_of_reach(status: int) -> None:
    fake = household()
    fake.http_status = status
    with pytest.raises(UnreachableError, match=f"HTTP {status}"):
        async with connected_to(fake):
            pass


async def test_the_token_does_not_follow_a_redirect_to_another() -> None:
    thief = household()

    async with thief.serving() as elsewhere:

        async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            target = elsewhere.replace("http", "ws") + "/api/websocket"
            writer.write(f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()

        async with listening(redirect) as uri:
            assert isinstance(await failure(uri), UnreachableError)
    assert not thief.connections


async def test_no_proxy_of_the_environment_gets_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY", "ws_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    async with connected_to(household()) as connection:
        assert await connection.ask("get_config")


# Servers that misbehave


async def test_nobody_is_there() -> None:
    with sockets.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = await failure(f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert isinstance(error, UnreachableError)
    assert "cannot be reached" in str(error)


async def test_a_name_that_does_not_exist() -> None:
    error = await failure("http://" + "x" * 70 + ".invalid:8123")
    assert isinstance(error, UnreachableError)


async def test_a_server_that_accepts_and_says_nothing() -> None:
    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(nothing) as uri:
        assert "no connection within 0.1 s" in str(await failure(uri, SOON))


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\0" * 1_000,
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x01\x00\x02\x02F",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1_000,
        b"x" * 100_000,
    ],
    ids=range(9),
)
async def test_a_server_that_speaks_something_else(garbage: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(garbage)
        await writer.drain()

    async with listening(speak) as uri:
        assert isinstance(await failure(uri), UnreachableError)


@pytest.mark.parametrize(
    ("first", "error"),
    [
        ('{"type": "hello"}', ProtocolError),
        ('{"type": 7}', ProtocolError),
        ("{}", ProtocolError),
        ("7", ProtocolError),
        ("null", ProtocolError),
        ('["auth_required"]', ProtocolError),
        ("no json", ProtocolError),
        ("", ProtocolError),
        ('{"type": "auth_required"', ProtocolError),
        ("[" * 50_000, ProtocolError),
        ("[" * 500_000, ProtocolError),
        ('{"a":' * 50_000, ProtocolError),
        ("1" * 10_000, ProtocolError),
        (b'{"type": "auth_required"}', ProtocolError),
        ('{"type": "auth_invalid", "message": {"deep": []}}', DeniedError),
    ],
    ids=range(15),
)
async def test_a_server_whose_first_message_is_wrong(first: str | bytes, error: type[ApiError]) -> None:
    class Odd(FakeHomeAssistant):
        async def _let_in(self, socket: ServerConnection) -> bool:
            await socket.send(first)
            await socket.wait_closed()
            return False

    async with Odd().serving() as uri:
        assert type(await failure(uri)) is error


async def test_a_server_that_never_says_whether_the_token_is_right() -> None:
    class Slow(FakeHomeAssistant):
        async def _let_in(self, socket: ServerConnection) -> bool:
            await socket.send('{"type": "auth_required"}')
            await socket.wait_closed()
            return False

    async with Slow().serving() as uri:
        assert "neither takes nor refuses" in str(await failure(uri, SOON))


async def test_a_server_that_closes_before_it_has_let_us_in() -> None:
    class Closing(FakeHomeAssistant):
        async def _let_in(self, socket: ServerConnection) -> bool:
            await socket.close(1013, "secret\nreason")
            return False

    async with Closing().serving() as uri:
        assert str(await failure(uri)) == "the connection broke (code 1013)"


ANSWERS: list[tuple[Any, type[ApiError]]] = [
    ({"success": True}, ProtocolError),
    ({}, ProtocolError),
    ({"success": "yes", "result": 1}, ProtocolError),
    ({"success": 1, "result": 1}, ProtocolError),
    ({"success": False}, RefusedError),
    ({"success": False, "error": None}, RefusedError),
    ({"success": False, "error": {"code": ["x"]}}, RefusedError),
    ({"success": False, "error": {"code": "two\nlines"}}, RefusedError),
    ({"success": False, "result": 1, "error": "x"}, RefusedError),
]


@pytest.mark.parametrize(("answer", "error"), ANSWERS)
async def test_an_answer_of_the_wrong_shape(answer: dict[str, Any], error: type[ApiError]) -> None:
    fake = household()

    async def odd(socket: ServerConnection, number: int) -> None:
        await socket.send(json.dumps({"id": number, "type": "result", **answer}))

    fake.before["get_config"] = odd
    fake.silent.add("get_config")
    async with connected_to(fake) as connection:
        with pytest.raises(error) as caught:
            await connection.ask("get_config")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "raw",
    [
        "{",
        "[1]",
        '"x"',
        "nul",
        b"\0\1",
        '[{"id": 1}, 7]',
        "NaN",
        '{"id": 1, "type": "result", "success": true, "result": [' + "1," * 60_000,
    ],
    ids=range(8),
)
async def test_garbage_instead_of_an_answer(raw: str | bytes) -> None:
    fake = household()
    fake.instead["get_config"] = raw
    async with connected_to(fake) as connection:
        with pytest.raises(ProtocolError):
            await connection.ask("get_config")


async def test_an_answer_that_never_comes() -> None:
    fake = household()
    fake.silent.add("get_config")
    pace = Pace(connect=5, answer=0.1, linger=0.1)
    async with connected_to(fake, pace) as connection:
        with pytest.raises(UnreachableError, match=r"no answer to get_config within 0\.1 s"):
            await connection.ask("get_config")


async def test_a_stream_of_other_things_is_no_answer() -> None:
    fake = household()

    async def flood(socket: ServerConnection, number: int) -> None:
        while True:
            await socket.send('{"type": "event"}')
            await asyncio.sleep(0)

    fake.before["get_config"] = flood
    pace = Pace(connect=5, answer=0.1, linger=0.1)
    async with connected_to(fake, pace) as connection:
        with pytest.raises(UnreachableError, match="no answer"):
            await connection.ask("get_config")


async def test_a_gigantic_message_is_not_taken() -> None:
    fake = household()
    fake.instead["get_config"] = " " * (MAX_MESSAGE_BYTES + 1)
    async with connected_to(fake) as connection:
        with pytest.raises(ProtocolError, match=f"more than {MAX_MESSAGE_BYTES} bytes"):
            await connection.ask("get_config")


async def raw_frame(fake: FakeHomeAssistant, data: bytes, then: Callable[[ServerConnection], None], pace: Pace = FAST) -> ApiError:
    """What becomes of bytes that no library would send."""

    async def send(socket: ServerConnection, number: int) -> None:
        socket.transport.write(data)
        then(socket)

    fake.before["get_config"] = send
    fake.silent.add("get_config")
    async with connected_to(fake, pace) as connection:
        with pytest.raises(ApiError) as caught:
            await connection.ask("get_config")
    return caught.value


async def test_a_size_beyond_all_bounds_is_refused_before_it_comes() -> None:
    error = await raw_frame(household(), b"\x81\x7f" + struct.pack(">Q", 2**40), lambda socket: None)
    assert isinstance(error, ProtocolError)


async def test_a_message_in_many_pieces_is_bounded_too() -> None:
    piece = b"\x00\x7f" + struct.pack(">Q", 2**23) + b" " * 2**23
    error = await raw_frame(household(), b"\x01\x01 " + 5 * piece, lambda socket: None)
    assert isinstance(error, ProtocolError)


async def test_half_an_answer_and_the_end() -> None:
    error = await raw_frame(household(), b"\x81\x7e\x10\x00half", lambda socket: socket.transport.abort())
    assert isinstance(error, UnreachableError)


async def test_half_an_answer_and_nothing_more() -> None:
    error = await raw_frame(household(), b"\x81\x7e\x10\x00half", lambda socket: None, Pace(connect=5, answer=0.1, linger=0.1))
    assert "no answer" in str(error)


@pytest.mark.parametrize("data", [b"\x81\x02\xff\xfe", b"\xf1\x00", b"\x8f\x00", b"\x81\x80abcd", b"\x00\x01x", b"\x88\x01x"])
async def test_frames_that_break_the_protocol(data: bytes) -> None:
    assert isinstance(await raw_frame(household(), data, lambda socket: None), UnreachableError)


async def test_one_that_is_gone_without_a_word_is_noticed() -> None:
    fake = household()
    async with connected_to(fake, Pace(connect=5, answer=5, ping=0.1, linger=0.1)) as connection:
        await connection.subscribe("entity_registry_updated")
        [(socket, _)] = fake.subscriptions
        socket.transport.pause_reading()  # no pong comes back
        with pytest.raises(UnreachableError):
            await connection.changed(5)


async def test_the_socket_is_closed_at_the_end_and_no_task_is_left() -> None:
    fake = household()
    async with fake.serving() as uri:
        before = asyncio.all_tasks()
        async with connected(parse_uri(uri), TOKEN, FAST) as connection:
            await connection.subscribe("entity_registry_updated")
            [(socket, _)] = fake.subscriptions
        await until(lambda: not fake.subscriptions and not asyncio.all_tasks() - before)
        assert socket.close_code == 1000


async def test_leaving_waits_for_nobody_long() -> None:
    fake = household()
    loop = asyncio.get_running_loop()
    async with connected_to(fake, Pace(connect=5, answer=5, linger=0.1)) as connection:
        await connection.subscribe("entity_registry_updated")
        [(socket, _)] = fake.subscriptions
        socket.transport.pause_reading()
        begun = loop.time()
    assert loop.time() - begun < 5
