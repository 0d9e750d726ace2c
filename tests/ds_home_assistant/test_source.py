"""The source while all is well: what it publishes, when, and what it keeps."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from ds_home_assistant.home import Home
from ds_home_assistant.source import MAX_REMARKS
from ds_plugin.vocabulary.source import VocabularySource
from tests.ds_home_assistant.fake import TOKEN, FakeHomeAssistant, household, until
from tests.ds_home_assistant.following import FAST, NOWHERE, following, kept, said, source_of


@pytest.fixture
def fake() -> FakeHomeAssistant:
    return household()


async def test_what_is_exposed_is_published(fake: FakeHomeAssistant, tmp_path: Path) -> None:
    async with fake.serving() as uri, following(uri, tmp_path) as follows:
        await follows.knows("Kitchen lamp", "Cooker light", "Kitchen", "Galley", "Ground floor", "Pond pump")
        assert follows.stored is None
        assert "Hidden sensor" not in follows.names
        assert len(follows.published) == 1


async def test_it_is_a_source_of_vocabulary(tmp_path: Path) -> None:
    source: VocabularySource = source_of(NOWHERE, tmp_path)
    assert source.name == "Home Assistant"


async def test_a_rename_is_published_once_with_the_new_name(fake: FakeHomeAssistant, tmp_path: Path) -> None:
    async with fake.serving() as uri, following(uri, tmp_path) as follows:
        await follows.knows("Kitchen lamp")
        await fake.rename("light.kitchen", "Snorkelwack")
        await follows.knows("Snorkelwack")
        assert "Kitchen lamp" not in follows.names
        assert len(follows.published) == 2


async def test_a_renamed_area_and_exposure_are_told_too(fake: FakeHomeAssistant, tmp_path: Path) -> None:
    async with fake.serving() as uri, following(uri, tmp_path) as follows:
        await follows.knows("Kitchen")
        await fake.rename_area("kitchen", "Scullery")
        await follows.knows("Scullery")
        await fake.expose("switch.pump", exposed=False)
        await until(lambda: "Pond pump" not in follows.names)


async def test_a_change_of_nothing_that_matters_is_not_published(fake: FakeHomeAssistant, tmp_path: Path) -> None:
    async with fake.serving() as uri, following(uri, tmp_path) as follows:
        await follows.knows("Kitchen lamp")
        for number in range(2, 5):
            fake.states["light.kitchen"]["state"] = f"{number}"
            await fake.fire("entity_registry_updated", {})
            await until(lambda number=number: fake.asked["get_states"] >= number)  # type: ignore[misc]
        assert len(follows.published) == 1


async def test_a_remark_alone_is_not_published(fake: FakeHomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with fake.serving() as uri, following(uri, tmp_path) as follows:
        await follows.knows("Kitchen lamp")
        fake.areas["odd"] = {}
        await fake.fire("area_registry_updated", {})
        await until(lambda: any("area" in warning for warning in said(caplog, logging.WARNING)))
        await fake.rename("light.kitchen", "Snorkelwack")
        await follows.knows("Snorkelwack")
        assert len(follows.published) == 2


async def test_a_name_without_a_registry_entry_comes_with_the_next_look(fake: FakeHomeAssistant, tmp_path: Path) -> None:
    fake.add("light.yaml", "Old lamp", registered=False)
    async with fake.serving() as uri, following(uri, tmp_path, replace(FAST, poll=0.05)) as follows:
        await follows.knows("Old lamp")
        await fake.rename("light.yaml", "New lamp")
        await follows.knows("New lamp")


async def test_a_thousand_events_are_few_readings(fake: FakeHomeAssistant, tmp_path: Path) -> None:
    async with fake.serving() as uri, following(uri, tmp_path, replace(FAST, settle=0.2, settle_most=60)) as follows:
        await follows.knows("Kitchen lamp")
        read = fake.asked["get_states"]
        for _ in range(1_000):
            await fake.fire("entity_registry_updated", {})
        await fake.rename("light.kitchen", "Snorkelwack")
        await follows.knows("Snorkelwack")
        assert 1 <= fake.asked["get_states"] - read <= 10
        assert len(follows.published) == 2


async def test_states_may_follow_the_registry_a_moment_later(fake: FakeHomeAssistant, tmp_path: Path) -> None:
    async with fake.serving() as uri, following(uri, tmp_path, replace(FAST, settle=0.5, settle_most=60)) as follows:
        await follows.knows("Kitchen lamp")
        await fake.fire("entity_registry_updated", {})
        new = {"friendly_name": "Snorkelwack"}
        asyncio.get_running_loop().call_later(0.25, lambda: fake.states["light.kitchen"]["attributes"].update(new))
        await follows.knows("Snorkelwack")


async def test_changes_that_never_cease_are_read_all_the_same(fake: FakeHomeAssistant, tmp_path: Path) -> None:
    async def storm() -> None:
        while True:
            await fake.fire("device_registry_updated", {})
            await asyncio.sleep(0.005)

    pace = replace(FAST, settle=60, settle_most=0.1)
    async with fake.serving() as uri, following(uri, tmp_path, pace) as follows:
        await follows.knows("Kitchen lamp")
        storming = asyncio.create_task(storm())
        await fake.rename("light.kitchen", "Snorkelwack")
        await follows.knows("Snorkelwack")
        storming.cancel()
        await asyncio.wait({storming})


async def test_a_change_while_everything_is_read_leads_to_another_reading(fake: FakeHomeAssistant, tmp_path: Path) -> None:
    async def rename(socket: ServerConnection, number: int) -> None:
        if "Snorkelwack" not in str(fake.states):
            await fake.rename("light.kitchen", "Snorkelwack")

    fake.before["conversation/sentences/list"] = rename  # after the states were read
    async with fake.serving() as uri, following(uri, tmp_path) as follows:
        await follows.knows("Snorkelwack")


async def test_five_thousand_entities(tmp_path: Path) -> None:
    fake = household(5_000)
    async with fake.serving() as uri, following(uri, tmp_path) as follows:
        await follows.knows("Kitchen lamp", "Lamp number 4999")
        await fake.rename("light.lamp_4999", "Snorkelwack")
        await follows.knows("Snorkelwack")
        await kept(uri, tmp_path, follows)


async def test_strange_names_do_no_harm(fake: FakeHomeAssistant, tmp_path: Path) -> None:
    for number, name in enumerate(["", " ", "🛋", "北京", "\ud800", "a\nb\0c", "x" * 100_000, "<b>", "{name}", "[x", "Zoë"]):
        fake.add(f"light.odd_{number}", name, aliases=[None, "", name, "\u202e"])
    fake.add("light.null", "Null", aliases=[None])
    fake.states["light.broken"] = {"entity_id": 7, "attributes": None}
    fake.areas["odd"] = {"area_id": None, "name": ["x"], "aliases": 7}
    async with fake.serving() as uri, following(uri, tmp_path) as follows:
        await follows.knows("Kitchen lamp", "Zoë", "北京")
        await kept(uri, tmp_path, follows)


async def test_an_empty_home(tmp_path: Path) -> None:
    fake = FakeHomeAssistant()
    async with fake.serving() as uri, following(uri, tmp_path) as follows:
        await until(lambda: bool(follows.published))
        assert follows.names == set()


# Rights


async def test_without_an_administrators_token_names_come_and_the_log_tells_once(
    fake: FakeHomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fake.admin = False
    async with fake.serving() as uri, following(uri, tmp_path) as follows:
        await follows.knows("Kitchen lamp", "Kitchen")
        await fake.rename("light.kitchen", "Snorkelwack")
        await follows.knows("Snorkelwack")
    warnings = said(caplog, logging.WARNING)
    assert len(warnings) == len(set(warnings)) == 2
    assert all("administrator" in warning for warning in warnings)


async def test_an_old_home_assistant_without_floors_is_read(fake: FakeHomeAssistant, tmp_path: Path) -> None:
    fake.refused = {"config/floor_registry/list", "conversation/sentences/list", "homeassistant/expose_entity/list"}
    async with fake.serving() as uri, following(uri, tmp_path) as follows:
        await follows.knows("Kitchen lamp", "Kitchen")


async def test_remarks_do_not_fill_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = source_of(NOWHERE, tmp_path)
    remarks = tuple(f"odd {number} \ud800" for number in range(1_000))
    source._remark(Home(remarks=remarks))
    source._remark(Home(remarks=remarks))
    assert len(said(caplog)) == MAX_REMARKS + 1
    "".join(said(caplog)).encode()


# On disk


async def test_what_was_known_is_there_at_once_and_not_published_again(fake: FakeHomeAssistant, tmp_path: Path) -> None:
    async with fake.serving() as uri:
        async with following(uri, tmp_path) as follows:
            await follows.knows("Kitchen lamp")
            await until((tmp_path / "home.json").exists)
        read = fake.asked["get_states"]
        async with following(uri, tmp_path) as again:
            assert again.stored == follows.published[-1]
            await until(lambda: fake.asked["get_states"] > read and bool(fake.subscriptions))
            await fake.rename("light.kitchen", "Snorkelwack")
            await again.knows("Snorkelwack")
            assert len(again.published) == 1


@pytest.mark.parametrize(
    "content", ["", "{", '{"format": 1, "origin": "URI", "home": null}', '{"format": 1, "origin": "URI", "home": {"x": 1}}']
)
async def test_a_broken_file_is_reported_and_replaced(
    content: str, fake: FakeHomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with fake.serving() as uri:
        (tmp_path / "home.json").write_text(content.replace("URI", uri))
        async with following(uri, tmp_path) as follows:
            assert follows.stored is None
            await follows.knows("Kitchen lamp")
            assert len(said(caplog, logging.WARNING)) == (0 if "null" in content else 1)
            await kept(uri, tmp_path, follows)


async def test_a_file_that_cannot_be_written_is_told_once(
    fake: FakeHomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "home.json").mkdir()
    async with fake.serving() as uri, following(uri, tmp_path) as follows:
        await follows.knows("Kitchen lamp")
        await fake.rename("light.kitchen", "Snorkelwack")
        await follows.knows("Snorkelwack")
        await fake.rename("light.kitchen", "Flibbertigibbet")
        await follows.knows("Flibbertigibbet")
    warnings = said(caplog, logging.WARNING)
    assert len([warning for warning in warnings if "not kept on disk" in warning]) == 1
    assert len(warnings) == 2  # and that it could not be read


async def test_nobody_else_may_read_what_is_kept(fake: FakeHomeAssistant, tmp_path: Path) -> None:
    async with fake.serving() as uri, following(uri, tmp_path) as follows:
        await follows.knows("Kitchen lamp")
        await until((tmp_path / "home.json").exists)
    assert (tmp_path / "home.json").stat().st_mode & 0o777 == 0o600
    assert TOKEN not in (tmp_path / "home.json").read_text()
