"""A connection to Home Assistant's WebSocket API: commands out, their results in, and whether anything has changed meanwhile.

Sources: developers.home-assistant.io, "WebSocket API". Commands are asked one after the other, and whoever waits for anything reads
everything that comes, so there is no task beside the caller's. Several messages may come as one, in a list.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import re
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus, WebSocketException

from ds_home_assistant.address import Address
from ds_home_assistant.errors import DeniedError, ProtocolError, RefusedError, UnreachableError
from ds_home_assistant.pace import Pace

MAX_MESSAGE_BYTES = 32 * 2**20  # the states of 30,000 entities; Home Assistant's own proxy takes 64 MiB
_INLINE_BYTES = 2**16  # what is parsed without a thread: well below a millisecond
_TOO_BIG = 1009  # close code, RFC 6455, section 7.4.1
_BARRED = {401, 403}  # HTTP; 403 is for an address that is banned
_CODE = re.compile(r"[a-z0-9_-]{1,40}")  # of an error; anything else may hold anything

# At level debug, the library logs every frame, and the token is in one of them. This logger has no parent, and says nothing.
_SILENT = logging.Logger("ds_home_assistant.websockets", logging.CRITICAL)  # noqa: LOG001 - for it must not inherit a level


class Connection:
    """One that is let in. Use it from one task."""

    def __init__(self, socket: ClientConnection, pace: Pace) -> None:
        self._socket = socket
        self._pace = pace
        self._ids = itertools.count(1)
        self._messages: deque[dict[str, Any]] = deque()
        self._changed = False

    async def ask(self, command: str, fields: Mapping[str, Any] | None = None) -> Any:
        """The command's result. Raises RefusedError, after which others can be asked, and any other ApiError."""
        number = next(self._ids)
        try:
            async with asyncio.timeout(self._pace.answer):
                await self._send({**(fields or {}), "id": number, "type": command})
                message = await self._next()
                while message.get("id") != number or message.get("type") != "result":
                    message = await self._next()
        except TimeoutError as error:
            raise UnreachableError(f"no answer to {command} within {self._pace.answer:g} s") from error
        if message.get("success") is True and "result" in message:
            return message["result"]
        if message.get("success") is not False:
            raise ProtocolError(f"the answer to {command} holds no result")
        raise RefusedError(f"{command} is refused ({_code(message.get('error'))})")

    async def subscribe(self, event: str) -> None:
        """From now on, `changed` tells of events of this type. Raises as `ask` does."""
        await self.ask("subscribe_events", {"event_type": event})

    async def changed(self, seconds: float) -> bool:
        """Waits for an event that it has not told of before; False where none came within `seconds`. Raises ApiError."""
        try:
            async with asyncio.timeout(seconds):
                while not self._changed:
                    await self._next()
        except TimeoutError:
            return False
        self._changed = False
        return True

    async def authenticate(self, token: str) -> None:
        """Comes first, and once. Raises DeniedError, UnreachableError or ProtocolError."""
        message = await self._next()
        if message.get("type") == "auth_required":
            await self._send({"type": "auth", "access_token": token})
            message = await self._next()
        if message.get("type") == "auth_invalid":
            raise DeniedError("it refuses the token")
        if message.get("type") != "auth_ok":
            raise ProtocolError("it does not ask for a token; is that Home Assistant?")

    async def _send(self, message: Mapping[str, Any]) -> None:
        try:
            await self._socket.send(json.dumps(message))
        except ConnectionClosed as error:
            raise _ended(error) from error

    async def _next(self) -> dict[str, Any]:
        while not self._messages:
            self._messages.extend(await _received(self._socket))
        await asyncio.sleep(0)  # others run while there is more
        message = self._messages.popleft()
        self._changed |= message.get("type") == "event"
        return message


@asynccontextmanager
async def connected(address: Address, token: str, pace: Pace) -> AsyncIterator[Connection]:
    """A connection that is let in; leaving it takes `pace.linger` seconds at most.

    Raises DeniedError, UnreachableError or ProtocolError.
    """
    try:
        async with asyncio.timeout(pace.connect):
            socket = await _opened(address, pace)
    except TimeoutError as error:
        raise UnreachableError(f"no connection within {pace.connect:g} s") from error
    try:
        connection = Connection(socket, pace)
        try:
            async with asyncio.timeout(pace.connect):
                await connection.authenticate(token)
        except TimeoutError as error:
            raise UnreachableError(f"it neither takes nor refuses the token within {pace.connect:g} s") from error
        yield connection
    finally:
        try:
            await socket.close()
        finally:
            socket.transport.abort()


async def _opened(address: Address, pace: Pace) -> ClientConnection:
    try:
        return await connect(
            str(address),
            host=address.host,  # given again, they keep the library from following a redirect to another with the token
            port=address.port,
            ssl=await asyncio.to_thread(ssl.create_default_context) if address.secure else None,  # it reads files
            proxy=None,
            compression=None,  # in a home's network it takes longer than it saves
            max_size=MAX_MESSAGE_BYTES,
            open_timeout=None,
            close_timeout=pace.linger,
            ping_interval=pace.ping,
            ping_timeout=pace.ping,
            logger=_SILENT,
        )
    except InvalidStatus as error:
        status = error.response.status_code
        if status in _BARRED:
            raise DeniedError(f"it refuses this machine (HTTP {status}); is its address among those in ip_bans.yaml?") from error
        raise UnreachableError(f"it answers with HTTP {status} where the WebSocket API should be") from error
    except InvalidMessage as error:
        raise UnreachableError("it does not speak HTTP; should the address begin with http, or with https?") from error
    except OSError as error:
        raise UnreachableError(f"cannot be reached ({error})") from error
    except (WebSocketException, ValueError, EOFError) as error:  # ValueError: a name that is none, a redirect
        raise UnreachableError(f"no WebSocket can be opened ({type(error).__name__})") from error


async def _received(socket: ClientConnection) -> list[dict[str, Any]]:
    try:
        data = await socket.recv()
    except ConnectionClosed as error:
        raise _ended(error) from error
    if isinstance(data, bytes):
        raise ProtocolError("it sends binary data")
    try:
        value = json.loads(data) if len(data) <= _INLINE_BYTES else await asyncio.to_thread(_parsed, data)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("it sends what is no JSON") from error
    messages = value if isinstance(value, list) else [value]
    if not all(isinstance(message, dict) for message in messages):
        raise ProtocolError("it sends JSON that is no message")
    return messages


def _parsed(data: str) -> Any:
    """Calling Python for each object lets other threads run meanwhile; the parser alone holds them all up until it is done."""
    return json.loads(data, object_hook=lambda value: value)


def _ended(error: ConnectionClosed) -> UnreachableError | ProtocolError:
    if error.sent is not None and error.sent.code == _TOO_BIG:
        return ProtocolError(f"it sends a message of more than {MAX_MESSAGE_BYTES} bytes")
    close = error.rcvd or error.sent
    return UnreachableError("the connection broke" + (f" (code {close.code})" if close else ""))


def _code(error: object) -> str:
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else "no code"
