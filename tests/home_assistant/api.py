"""Home Assistant's HTTP and websocket API, as far as these tests use it: onboarding, a token, commands, events, audio."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

SECONDS = 20.0  # that anything here waits for an answer
OWNER = {"name": "Owner", "username": "owner", "password": "invented", "language": "en"}


class Refused(Exception):  # noqa: N818 - it is an answer
    """Home Assistant's answer to a command that it does not carry out."""


async def onboard(url: str) -> str:
    """Makes the first user of a fresh instance; a long-lived access token of theirs."""
    client_id = f"{url}/"
    async with httpx.AsyncClient(base_url=url, timeout=SECONDS) as http:
        made = (await http.post("/api/onboarding/users", json={"client_id": client_id, **OWNER})).raise_for_status()
        code = {"grant_type": "authorization_code", "code": made.json()["auth_code"], "client_id": client_id}
        short = (await http.post("/auth/token", data=code)).raise_for_status().json()["access_token"]
    async with session(url, short) as api:
        return str(await api.call("auth/long_lived_access_token", client_name="tests", lifespan=1))


async def add_user(url: str, token: str) -> str:
    """Makes a user who is no administrator; an access token of theirs, for half an hour."""
    async with session(url, token) as api:
        made = await api.call("config/auth/create", name="Guest", group_ids=["system-users"])
        login = {"username": "guest", "password": "invented too"}
        await api.call("config/auth_provider/homeassistant/create", user_id=made["user"]["id"], **login)
    client_id = f"{url}/"
    async with httpx.AsyncClient(base_url=url, timeout=SECONDS) as http:
        asked = {"client_id": client_id, "handler": ["homeassistant", None], "redirect_uri": client_id}
        flow = (await http.post("/auth/login_flow", json=asked)).raise_for_status().json()["flow_id"]
        entered = (await http.post(f"/auth/login_flow/{flow}", json={"client_id": client_id, **login})).raise_for_status()
        code = {"grant_type": "authorization_code", "code": entered.json()["result"], "client_id": client_id}
        return str((await http.post("/auth/token", data=code)).raise_for_status().json()["access_token"])


async def add_discovered(url: str, token: str, flow: str) -> dict[str, Any]:
    """What a click on a discovered integration does; the entry's end, with `title` and `result`."""
    async with httpx.AsyncClient(base_url=url, timeout=SECONDS, headers={"Authorization": f"Bearer {token}"}) as http:
        return dict((await http.post(f"/api/config/config_entries/flow/{flow}", json={})).raise_for_status().json())


async def add_wyoming(url: str, token: str, host: str, port: int) -> dict[str, Any]:
    """Sets up the integration `wyoming` as its page does; the entry's end, with `title` and `result`."""
    flows = "/api/config/config_entries/flow"
    async with httpx.AsyncClient(base_url=url, timeout=SECONDS, headers={"Authorization": f"Bearer {token}"}) as http:
        form = (await http.post(flows, json={"handler": "wyoming"})).raise_for_status().json()
        address = {"host": host, "port": port}
        return dict((await http.post(f"{flows}/{form['flow_id']}", json=address)).raise_for_status().json())


class Session:
    """One authenticated websocket; `session` makes it."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._last = 0
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._events: dict[int, asyncio.Queue[Any]] = {}

    async def read(self) -> None:
        """Takes what comes until the connection ends."""
        async for frame in self._socket:
            message = json.loads(frame)
            if message["type"] == "event":
                self._events[message["id"]].put_nowait(message["event"])
            elif message["type"] == "result":
                self._settle(message)

    def _settle(self, message: dict[str, Any]) -> None:
        answer = self._answers.pop(message["id"])
        if message["success"]:
            answer.set_result(message["result"])
        else:
            answer.set_exception(Refused(message["error"]))

    async def _send(self, kind: str, fields: dict[str, Any]) -> tuple[int, Any]:
        self._last += 1
        number = self._last
        self._events[number] = asyncio.Queue()
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "type": kind, **fields}))
        return number, await asyncio.wait_for(answer, SECONDS)

    async def call(self, kind: str, **fields: Any) -> Any:
        """A command's result. Raises Refused."""
        return (await self._send(kind, fields))[1]

    async def subscribe(self, kind: str, **fields: Any) -> asyncio.Queue[Any]:
        """The events that a command leads to."""
        number, _ = await self._send(kind, fields)
        return self._events[number]

    async def send_audio(self, handler: int, audio: bytes) -> None:
        """A piece for a running pipeline; an empty one ends it. `handler` is what its `run-start` named."""
        await self._socket.send(bytes([handler]) + audio)


@asynccontextmanager
async def session(url: str, token: str) -> AsyncIterator[Session]:
    """A websocket that has passed authentication. Raises Refused."""
    async with connect(url.replace("http", "ws", 1) + "/api/websocket", max_size=None) as socket:
        await socket.recv()
        await socket.send(json.dumps({"type": "auth", "access_token": token}))
        answer = json.loads(await socket.recv())
        if answer["type"] != "auth_ok":
            raise Refused(answer)
        made = Session(socket)
        reading = asyncio.create_task(made.read())
        try:
            yield made
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
