"""A Home Assistant of our own on loopback: its WebSocket API over a real socket, for a household that can change while it runs.

home = FakeHomeAssistant()
home.add("light.kitchen", "Kitchen lamp", aliases=["Cooker light"])
async with home.serving() as uri:       # http://127.0.0.1:PORT; serving again takes the same port: a restart
    await home.rename("light.kitchen", "Snorkelwack")
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

TOKEN = "fake-token-0123456789-that-nobody-may-see"
SECONDS = 30.0  # that a test waits for anything
_SILENT = logging.Logger("fake", logging.CRITICAL)  # noqa: LOG001 - tests look through all that is logged for the token
_ADMINS = {"homeassistant/expose_entity/list", "conversation/sentences/list"}  # commands
_FREE_EVENTS = {"core_config_updated", "component_loaded"}  # and those of registries

Message = dict[str, Any]


class Refused(Exception):  # noqa: N818 - it is an answer
    """A command that gets an error."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class FakeHomeAssistant:
    """A household, who asks for it, and what is wrong with it."""

    def __init__(self) -> None:
        self.config: Message = {"language": "en", "version": "2026.11.0", "state": "RUNNING", "recovery_mode": False, "safe_mode": False}
        self.states: dict[str, Message] = {}
        self.entities: dict[str, Message] = {}
        self.devices: dict[str, Message] = {}
        self.areas: dict[str, Message] = {}
        self.floors: dict[str, Message] = {}
        self.exposed: dict[str, bool] = {}
        self.sentences: list[str] = []
        self.token = TOKEN
        self.admin = True
        self.http_status: int | None = None  # instead of a WebSocket
        self.refused: set[str] = set()  # commands that are unknown
        self.silent: set[str] = set()  # commands that get no answer
        self.fatal: set[str] = set()  # commands at which it hangs up
        self.instead: dict[str, str | bytes] = {}  # raw answers
        self.before: dict[str, Callable[[ServerConnection, int], Any]] = {}  # called (and awaited) with the socket and the id
        self.asked: Counter[str] = Counter()
        self.connections = 0  # so far
        self.subscriptions: dict[tuple[ServerConnection, int], str] = {}
        self._port = 0

    # What it holds

    def add(
        self,
        entity_id: str,
        name: str,
        *,
        aliases: Iterable[str | None] = (None,),
        area: str | None = None,
        registered: bool = True,
        exposed: bool = True,
        **attributes: Any,
    ) -> None:
        """An entity, as one is after a restart: nobody is told."""
        self.states[entity_id] = {"entity_id": entity_id, "state": "off", "attributes": {"friendly_name": name, **attributes}}
        self.exposed[entity_id] = exposed
        if registered:
            self.entities[entity_id] = {
                "entity_id": entity_id,
                "name": name,
                "original_name": name,
                "aliases": list(aliases),
                "area_id": area,
                "device_id": None,
                "disabled_by": None,
                "hidden_by": None,
                "entity_category": None,
                "has_entity_name": False,
                "options": {"conversation": {"should_expose": exposed}},
                "platform": "demo",
                "unique_id": entity_id,
            }

    def add_area(self, area_id: str, name: str, *, aliases: Iterable[str] = (), floor: str | None = None) -> None:
        self.areas[area_id] = {"area_id": area_id, "name": name, "aliases": list(aliases), "floor_id": floor, "labels": []}

    def add_floor(self, floor_id: str, name: str, *, aliases: Iterable[str] = ()) -> None:
        self.floors[floor_id] = {"floor_id": floor_id, "name": name, "aliases": list(aliases), "level": None}

    # How it changes

    async def rename(self, entity_id: str, name: str) -> None:
        """As in the user interface; without a registry entry, nobody is told."""
        self.states[entity_id]["attributes"]["friendly_name"] = name
        if entity_id in self.entities:
            self.entities[entity_id]["name"] = name
            await self.fire("entity_registry_updated", {"action": "update", "entity_id": entity_id})

    async def rename_area(self, area_id: str, name: str) -> None:
        self.areas[area_id]["name"] = name
        await self.fire("area_registry_updated", {"action": "update", "area_id": area_id})

    async def expose(self, entity_id: str, *, exposed: bool) -> None:
        self.exposed[entity_id] = exposed
        if entity_id in self.entities:
            self.entities[entity_id]["options"] = {"conversation": {"should_expose": exposed}}
            await self.fire("entity_registry_updated", {"action": "update", "entity_id": entity_id})

    async def started(self) -> None:
        """What comes when everything is loaded."""
        self.config["state"] = "RUNNING"
        await self.fire("core_config_updated", {})
        await self.fire("homeassistant_started", {})

    async def fire(self, event: str, data: Mapping[str, Any] | None = None) -> None:
        """To all who have subscribed."""
        for (socket, number), wanted in list(self.subscriptions.items()):
            if wanted == event:
                with contextlib.suppress(ConnectionClosed):
                    await socket.send(json.dumps({"id": number, "type": "event", "event": {"event_type": event, "data": data or {}}}))

    async def hang_up(self) -> None:
        """On everybody."""
        for socket in {socket for socket, _ in self.subscriptions}:
            await socket.close(1001)

    # How it is asked

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Listens while it is entered; leaving it hangs up on everybody."""
        async with serve(
            self._serve, "127.0.0.1", self._port, process_request=self._greet, close_timeout=0.2, max_size=4 * 2**20, logger=_SILENT
        ) as server:
            self._port = next(iter(server.sockets)).getsockname()[1]
            yield f"http://127.0.0.1:{self._port}"

    def _greet(self, socket: ServerConnection, request: Request) -> Response | None:
        if self.http_status is not None:
            return socket.respond(HTTPStatus(self.http_status), "no\n")
        return None if request.path.endswith("/websocket") else socket.respond(HTTPStatus.NOT_FOUND, "no\n")

    async def _serve(self, socket: ServerConnection) -> None:
        self.connections += 1
        try:
            if await self._let_in(socket):
                async for text in socket:
                    await self._answer(socket, json.loads(text))
        except ConnectionClosed:
            pass
        finally:
            for key in [key for key in self.subscriptions if key[0] is socket]:
                del self.subscriptions[key]

    async def _let_in(self, socket: ServerConnection) -> bool:
        await socket.send(json.dumps({"type": "auth_required", "ha_version": self.config["version"]}))
        message = json.loads(await socket.recv())
        self.asked["auth"] += 1
        if message != {"type": "auth", "access_token": self.token}:
            await socket.send(json.dumps({"type": "auth_invalid", "message": f"Invalid access token or password: {message}"}))
            return False
        await socket.send(json.dumps({"type": "auth_ok", "ha_version": self.config["version"]}))
        return True

    async def _answer(self, socket: ServerConnection, message: Message) -> None:
        command, number = message["type"], message["id"]
        self.asked[command] += 1
        if command in self.before:
            await self.before[command](socket, number)
        if command in self.fatal:
            await socket.close()
        elif command in self.instead:
            await socket.send(self.instead[command])
        elif command not in self.silent:
            await socket.send(json.dumps({"id": number, "type": "result", **self._outcome(socket, message)}))

    def _outcome(self, socket: ServerConnection, message: Message) -> Message:
        try:
            return {"success": True, "result": self._result(socket, message)}
        except Refused as refused:
            return {"success": False, "error": {"code": refused.code, "message": "It will not be done."}}

    def _result(self, socket: ServerConnection, message: Message) -> Any:
        command = message["type"]
        if command in self.refused:
            raise Refused("unknown_command")
        if not self.admin and command in _ADMINS:
            raise Refused("unauthorized")
        if command == "subscribe_events":
            return self._subscribe(socket, message["id"], message["event_type"])
        if command == "config/entity_registry/get_entries":
            return {entity: self.entities.get(entity) for entity in message["entity_ids"]}
        lists = self._lists()
        if command not in lists:
            raise Refused("unknown_command")
        return lists[command]

    def _subscribe(self, socket: ServerConnection, number: int, event: str) -> None:
        if not self.admin and not (event.endswith("_registry_updated") or event in _FREE_EVENTS):
            raise Refused("unauthorized")
        self.subscriptions[socket, number] = event

    def _lists(self) -> dict[str, Any]:
        return {
            "get_config": self.config,
            "get_states": list(self.states.values()),
            "homeassistant/expose_entity/list": {"exposed_entities": {entity: {"conversation": on} for entity, on in self.exposed.items()}},
            "config/entity_registry/list": [
                {key: value for key, value in entry.items() if key != "aliases"} for entry in self.entities.values()
            ],
            "config/device_registry/list": list(self.devices.values()),
            "config/area_registry/list": list(self.areas.values()),
            "config/floor_registry/list": list(self.floors.values()),
            "conversation/sentences/list": {"trigger_sentences": self.sentences},
        }


def household(size: int = 0) -> FakeHomeAssistant:
    """A small house, with `size` more lamps."""
    home = FakeHomeAssistant()
    home.add_floor("ground", "Ground floor")
    home.add_area("kitchen", "Kitchen", aliases=["Galley"], floor="ground")
    home.add("light.kitchen", "Kitchen lamp", aliases=[None, "Cooker light"], area="kitchen", supported_color_modes=["brightness"])
    home.add("switch.pump", "Pond pump")
    home.add("sensor.secret", "Hidden sensor", exposed=False)
    home.sentences = ["it is party time"]
    for number in range(size):
        home.add(f"light.lamp_{number}", f"Lamp number {number}", area="kitchen", effect_list=["rainbow"] * 20)
    return home


async def until(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Waits for something that nobody announces."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - whatever is waited for has no event to set
            await asyncio.sleep(0.005)
