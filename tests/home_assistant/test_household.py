"""A household's names: a real Home Assistant, our server's process beside it, and somebody who speaks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.ds_wyoming.serving import transcribed
from tests.home_assistant.api import add_user
from tests.home_assistant.conftest import Row
from tests.home_assistant.installed import Installed
from tests.home_assistant.instance import Instance, home_assistant
from tests.home_assistant.server import Server, serving
from tests.home_assistant.speech import needs_voice, spoken

pytestmark = [pytest.mark.process, needs_voice, pytest.mark.timeout(300)]

LAMP = "light.bed_light"
SECONDS = 20.0  # in which a change must have arrived
WARNINGS_OF_A_GUEST = 2  # what it may not read: who is exposed, automations' sentences
SOON_SECONDS = 5.0  # in which what must not change would have


def settings(instance: Instance, store: Path, token: str = "") -> Mapping[str, str]:
    section = {"URI": instance.url, "TOKEN": token or instance.token, "STORE": str(store)}
    return {f"DS_PLUGIN_HOME_ASSISTANT_{name}": value for name, value in section.items()}


def complaints(server: Server) -> list[str]:
    """What it has said about Home Assistant."""
    return [line for line in server.said if "Home Assistant" in line]


async def heard(server: Server, audio: bytes) -> str:
    return await transcribed(f"tcp://{server.host}:{server.port}", audio)


async def until_heard(server: Server, text: str) -> float:
    """Says it until it comes out; the seconds after which the utterance that did was begun."""
    audio, began, text_heard = spoken(text), time.monotonic(), ""
    while time.monotonic() < began + SECONDS:
        after = time.monotonic() - began
        text_heard = await heard(server, audio)
        if text_heard == text:
            return after
    raise AssertionError(f"{text_heard!r} instead of {text!r} after {SECONDS:g} s; the server said {server.said}")


async def rename(instance: Instance, name: str, entity: str = LAMP) -> None:
    async with instance.session() as api:
        await api.call("config/entity_registry/update", entity_id=entity, name=name)


@asynccontextmanager
async def household(instance: Instance, folder: Path) -> AsyncIterator[Server]:
    """Our server, with a token of its own household."""
    async with serving(environment=settings(instance, folder / "home.json")) as server:
        yield server


@pytest.fixture
async def instance(whole: Installed, tmp_path: Path) -> AsyncIterator[Instance]:
    async with home_assistant(whole.python, tmp_path / "home") as instance:
        yield instance


async def test_renaming_changes_the_next_utterance_without_a_restart(instance: Instance, tmp_path: Path, row: Row) -> None:
    async with household(instance, tmp_path) as server:
        assert await heard(server, spoken("turn on the snorkelwack")) == "turn on the snorkel work"
        took = []
        for name in ("snorkelwack", "grumbledock", "jabberfrost"):
            await rename(instance, name.title())
            took.append(await until_heard(server, f"turn on the {name}"))
        assert await heard(server, spoken("turn on the snorkelwack")) == "turn on the snorkel work"
        assert len(server.said) == 1, server.said
    row("a renamed light", f"the utterance {max(took):.2f} s later has the name, three times")


async def test_aliases_areas_and_floors_are_names_too(instance: Instance, tmp_path: Path, row: Row) -> None:
    async with household(instance, tmp_path) as server, instance.session() as api:
        await api.call("config/floor_registry/create", name="Jabberfrost", level=1, aliases=["Zibberlight"])
        await api.call("config/area_registry/create", name="Wobbleton", aliases=["Mumblewick"], floor_id="jabberfrost")
        await api.call("config/entity_registry/update", entity_id=LAMP, area_id="wobbleton", aliases=["Grumbledock"])
        await until_heard(server, "turn on the grumbledock")
        for place in ("wobbleton", "mumblewick", "jabberfrost", "zibberlight"):
            await until_heard(server, f"turn on the lights in the {place}")
    row("aliases, areas, floors", "names")


async def test_what_is_not_exposed_is_no_name(instance: Instance, tmp_path: Path, row: Row) -> None:
    async with household(instance, tmp_path) as server, instance.session() as api:
        await api.call("config/entity_registry/update", entity_id=LAMP, name="Snorkelwack", aliases=["Grumbledock"])
        await until_heard(server, "turn on the grumbledock")
        await api.call("homeassistant/expose_entity", assistants=["conversation"], entity_ids=[LAMP], should_expose=False)
        audio = spoken("turn on the snorkelwack")
        async with asyncio.timeout(SECONDS):
            while await heard(server, audio) != "turn on the snorkel work":
                pass
    row("a light that is no longer exposed", "no name")


async def test_killing_it_changes_nothing_for_the_speaker_and_renames_arrive_afterwards(
    instance: Instance, tmp_path: Path, row: Row
) -> None:
    async with household(instance, tmp_path) as server:
        await rename(instance, "Snorkelwack")
        await until_heard(server, "turn on the snorkelwack")
        await instance.saved("core.entity_registry", "Snorkelwack")
        await instance.kill()
        down = [await heard(server, spoken("turn on the snorkelwack")) for _ in range(3)]
        starting = asyncio.create_task(instance.start())
        while not starting.done():
            down.append(await heard(server, spoken("turn on the snorkelwack")))
        await starting
        assert set(down) == {"turn on the snorkelwack"}
        await rename(instance, "Grumbledock")
        took = await until_heard(server, "turn on the grumbledock")
        assert len(complaints(server)) == 1, server.said
    row("killed and started again", f"{len(down)} utterances right meanwhile; a rename {took:.2f} s later")


async def test_what_was_known_last_holds_where_it_is_down_when_we_start(instance: Instance, tmp_path: Path, row: Row) -> None:
    async with household(instance, tmp_path) as server:
        await rename(instance, "Snorkelwack")
        await until_heard(server, "turn on the snorkelwack")
    await instance.kill()
    async with household(instance, tmp_path) as server:
        assert await heard(server, spoken("turn on the snorkelwack")) == "turn on the snorkelwack"
    row("down when we start", "the names from disk")


async def test_a_wrong_token_is_one_warning_and_transcripts_are_right(instance: Instance, tmp_path: Path, row: Row) -> None:
    async with serving(environment=settings(instance, tmp_path / "home.json", token="nonsense")) as server:
        began, texts = time.monotonic(), set()
        while time.monotonic() < began + SOON_SECONDS:
            texts.add(await heard(server, spoken("turn on the kitchen light")))
        assert texts == {"turn on the kitchen light"}
        [complaint] = complaints(server)
        assert "token" in complaint
    tries = (instance.folder / "printed.log").read_text().count("invalid authentication")
    assert tries == 1
    row("a wrong token", "one warning here, one there; transcripts right")


async def test_who_is_no_administrator_gets_the_names_all_the_same(instance: Instance, tmp_path: Path, row: Row) -> None:
    token = await add_user(instance.url, instance.token)
    async with serving(environment=settings(instance, tmp_path / "home.json", token)) as server:
        for name in ("snorkelwack", "grumbledock"):
            await rename(instance, name.title())
            await until_heard(server, f"turn on the {name}")
        said = complaints(server)
    row("no administrator's token", f"the names; {len(said)} warnings")
    assert len(said) <= WARNINGS_OF_A_GUEST, said
