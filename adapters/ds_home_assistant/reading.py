"""Reading a household: a connection in, a `Home` out, or None while Home Assistant has not got all of it together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from ds_home_assistant.connection import Connection
from ds_home_assistant.errors import ProtocolError, RefusedError
from ds_home_assistant.home import COMMANDS, OPTIONAL, Home, follow_up, home_of

# Exposing an entity changes its registry entry, so that is told too. What is not told: exposure and names of entities that have no
# entry (of YAML without `unique_id`), and reloaded custom sentences. state_changed would tell names, among thousands of others a minute.
EVENTS = (
    "entity_registry_updated",
    "device_registry_updated",
    "area_registry_updated",
    "floor_registry_updated",
    "core_config_updated",  # the language, and that it has started
    "automation_reloaded",  # sentences that trigger automations
    "homeassistant_started",
)


async def subscribe(connection: Connection) -> None:
    """To all events that we may see: some are for administrators only. Raises ApiError."""
    for event in EVENTS:
        with contextlib.suppress(RefusedError):
            await connection.subscribe(event)


async def read_home(connection: Connection) -> Home | None:
    """Everything, anew. None where Home Assistant starts, stops, or runs without its integrations: it would be half a household.

    Raises ApiError, and HomeError where nothing can be made of the answers.
    """
    if not await _runs(connection):
        return None
    results: dict[str, Any] = {}
    for command in COMMANDS:
        results |= await _asked(connection, command, {}, optional=command in OPTIONAL)
    for command, fields in (await asyncio.to_thread(follow_up, results)).items():
        results |= await _asked(connection, command, fields, optional=True)
    if not await _runs(connection):  # it may have been stopped while it answered
        return None
    return await asyncio.to_thread(home_of, results)


async def _asked(connection: Connection, command: str, fields: Mapping[str, Any], *, optional: bool) -> dict[str, Any]:
    """The result by its command; nothing where one is refused that may be."""
    try:
        return {command: await connection.ask(command, fields)}
    except RefusedError:
        if not optional:
            raise
    return {}


async def _runs(connection: Connection) -> bool:
    config = await connection.ask("get_config")
    if not isinstance(config, dict):
        raise ProtocolError("the answer to get_config is no object")
    return config.get("state", "RUNNING") == "RUNNING" and not config.get("recovery_mode") and not config.get("safe_mode")
