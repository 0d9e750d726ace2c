"""Found by itself: our server announces itself, a real Home Assistant offers it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from tests.home_assistant.api import Session, add_discovered
from tests.home_assistant.conftest import Row
from tests.home_assistant.installed import OWN_NETWORK, Installed
from tests.home_assistant.instance import home_assistant
from tests.home_assistant.server import serving

pytestmark = [
    pytest.mark.process,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not os.environ.get(OWN_NETWORK), reason=f"{OWN_NETWORK} is not set: it would be announced to others"),
]

SECONDS = 30.0  # in which it must be found


async def found(api: Session) -> dict[str, Any]:
    """Waits until the server is offered."""
    async with asyncio.timeout(SECONDS):
        while True:
            for flow in await api.call("config_entries/flow/progress"):
                if flow["handler"] == "wyoming":
                    return dict(flow)
            await asyncio.sleep(0.1)


async def test_a_server_that_announces_itself_is_offered_and_set_up_with_one_click(whole: Installed, tmp_path: Path, row: Row) -> None:
    async with home_assistant(whole.python, tmp_path / "home", "zeroconf") as instance, instance.session() as api:
        assert not [flow for flow in await api.call("config_entries/flow/progress") if flow["handler"] == "wyoming"]
        async with serving("--name", "attic", "--zeroconf", "Attic", host="0.0.0.0"):  # noqa: S104 - a network of its own
            flow = await found(api)
            assert flow["context"]["title_placeholders"] == {"name": "attic"}
            made = await add_discovered(instance.url, instance.token, flow["flow_id"])
            assert (made["type"], made["title"], made["result"]["state"]) == ("create_entry", "attic", "loaded")
            assert "stt.attic" in [state["entity_id"] for state in await api.call("get_states")]
    row("announced with --zeroconf", "discovered; one click")
