"""The source with a Home Assistant that restarts, refuses, breaks and lies: names stay, and the log says it once."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from ds_home_assistant.pace import delays
from ds_plugin.vocabulary.source import Household
from tests.ds_home_assistant.fake import TOKEN, FakeHomeAssistant, household, until
from tests.ds_home_assistant.following import FAST, NOWHERE, following, known_before, said, source_of


@pytest.fixture
def fake() -> FakeHomeAssistant:
    return household()


async def tries(fake: FakeHomeAssistant, most: int) -> None:
    wanted = fake.connections + most
    await until(lambda: fake.connections >= wanted)


async def one_warning_and_one_end(caplog: pytest.LogCaptureFixture) -> None:
    await until(lambda: "all is well again" in said(caplog)[-1])
    assert len(said(caplog, logging.WARNING)) == 1
    assert len([line for line in said(caplog) if "all is well again" in line]) == 1


async def test_a_restart_changes_nothing_but_the_log(fake: FakeHomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    uri = await known_before(fake, tmp_path)
    caplog.clear()
    async with following(uri, tmp_path) as follows:
        assert "Kitchen lamp" in follows.names
        await until(lambda: bool(said(caplog, logging.WARNING)))  # it is away
        await until(lambda: sum("cannot be reached" in record.getMessage() for record in caplog.records) > 3)
        fake.config["state"] = "STARTING"
        whole, fake.states = fake.states, {}
        async with fake.serving():
            await until(lambda: bool(fake.subscriptions))
            starting = fake.asked["get_config"]
            await until(lambda: fake.asked["get_config"] > starting + 3)
            assert not fake.asked["get_states"] > 1
            fake.states = whole
            fake.config["state"] = "RUNNING"
            await fake.started()
            await until(lambda: any("all is well again" in line for line in said(caplog)))
            assert follows.published == []
            assert "Kitchen lamp" in follows.names
            await fake.rename("light.kitchen", "Snorkelwack")
            await follows.knows("Snorkelwack")
    assert len(said(caplog, logging.WARNING)) == 1


@pytest.mark.parametrize("odd", [{"state": "NOT_RUNNING"}, {"state": "STOPPING"}, {"recovery_mode": True}, {"safe_mode": True}])
async def test_half_a_household_is_not_taken(odd: dict[str, Any], fake: FakeHomeAssistant, tmp_path: Path) -> None:
    uri = await known_before(fake, tmp_path)
    usual, states = fake.config, fake.states
    fake.config, fake.states = {**fake.config, **odd}, {}
    async with fake.serving(), following(uri, tmp_path) as follows:
        asked = fake.asked["get_config"]
        await until(lambda: fake.asked["get_config"] > asked + 5)
        fake.config, fake.states = usual, states
        await fake.rename("light.kitchen", "Snorkelwack")
        await follows.knows("Snorkelwack")
        assert len(follows.published) == 1


async def test_one_that_stops_while_it_answers_is_not_believed(fake: FakeHomeAssistant, tmp_path: Path) -> None:
    uri = await known_before(fake, tmp_path)
    states = fake.states

    def stop(socket: ServerConnection, number: int) -> Awaitable[None]:
        fake.config["state"], fake.states = "STOPPING", {}
        return asyncio.sleep(0)

    fake.before["get_states"] = stop
    async with fake.serving(), following(uri, tmp_path) as follows:
        asked = fake.asked["get_config"]
        await until(lambda: fake.asked["get_config"] > asked + 5)
        assert follows.published == []
        del fake.before["get_states"]
        fake.states = states
        await fake.started()
        await fake.rename("light.kitchen", "Snorkelwack")
        await follows.knows("Snorkelwack")
        assert len(follows.published) == 1


async def test_one_that_never_gets_ready_is_told(fake: FakeHomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fake.config["safe_mode"] = True
    async with fake.serving() as uri, following(uri, tmp_path, replace(FAST, starting_most=0.5)) as follows:
        await tries(fake, 3)
        assert "is it in safe mode?" in said(caplog, logging.WARNING)[0]
        fake.config["safe_mode"] = False
        await follows.knows("Kitchen lamp")
        await one_warning_and_one_end(caplog)


async def test_nobody_is_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with following(NOWHERE, tmp_path) as follows:
        await until(lambda: sum("cannot be reached" in record.getMessage() for record in caplog.records) > 5)
        assert follows.published == []
    assert len(said(caplog)) == 1


async def test_a_short_break_is_no_matter(fake: FakeHomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with fake.serving() as uri, following(uri, tmp_path) as follows:
        for name in ("Snorkelwack", "Flibbertigibbet"):
            await until(lambda: bool(fake.subscriptions))
            await follows.knows("Pond pump")
            read = fake.asked["get_states"]
            await fake.hang_up()
            await until(lambda read=read: fake.asked["get_states"] > read and bool(fake.subscriptions))  # type: ignore[misc]
            await fake.rename("light.kitchen", name)
            await follows.knows(name)
    assert [line for line in said(caplog) if "names and" not in line] == []


async def test_a_wrong_token_is_told_once_and_tried_slowly(
    fake: FakeHomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fake.token = "another"
    begun = asyncio.get_running_loop().time()
    async with fake.serving() as uri, following(uri, tmp_path, replace(FAST, denied=0.2)) as follows:
        await until(lambda: fake.asked["auth"] == 3)
        assert asyncio.get_running_loop().time() - begun > 0.4
        assert "refuses the token" in said(caplog)[0]
        fake.token = TOKEN
        await follows.knows("Kitchen lamp")
        await one_warning_and_one_end(caplog)


async def test_a_token_that_is_withdrawn_is_told_although_it_is_away_already(
    fake: FakeHomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    uri = await known_before(fake, tmp_path)
    caplog.clear()
    async with following(uri, tmp_path):
        await until(lambda: bool(said(caplog)))
        fake.token = "another"
        async with fake.serving():
            await tries(fake, 4)
    assert ["cannot be reached" in line for line in said(caplog)] == [True, False]
    assert "refuses the token" in said(caplog)[1]


def silent(command: str) -> Callable[[FakeHomeAssistant], None]:
    return lambda fake: fake.silent.add(command)


def instead(command: str, answer: str | bytes) -> Callable[[FakeHomeAssistant], None]:
    return lambda fake: fake.instead.update({command: answer})


def result(command: str, value: Any) -> Callable[[FakeHomeAssistant], None]:
    async def send(socket: ServerConnection, number: int) -> None:
        await socket.send(json.dumps({"id": number, "type": "result", "success": True, "result": value}))

    def break_(fake: FakeHomeAssistant) -> None:
        fake.before[command] = send
        fake.silent.add(command)

    return break_


FAULTS: dict[str, Callable[[FakeHomeAssistant], None]] = {
    "states never come": silent("get_states"),
    "the configuration never comes": silent("get_config"),
    "subscribing is not answered": silent("subscribe_events"),
    "states are refused": lambda fake: fake.refused.add("get_states"),
    "it hangs up at the states": lambda fake: fake.fatal.add("get_states"),
    "it hangs up at once": lambda fake: fake.fatal.add("subscribe_events"),
    "states are no JSON": instead("get_states", "garbage"),
    "half of the JSON": instead("get_states", '{"id": 12, "type": "result", "success": true, "result": ['),
    "states are binary": instead("get_states", b"\0\1\2"),
    "states are no list": result("get_states", {"a": 1}),
    "states are null": result("get_states", None),
    "the configuration is a list": result("get_config", []),
    "HTTP 502": lambda fake: setattr(fake, "http_status", 502),
    "HTTP 403": lambda fake: setattr(fake, "http_status", 403),
}


def mend(fake: FakeHomeAssistant) -> None:
    for broken in (fake.silent, fake.refused, fake.fatal, fake.instead, fake.before):
        broken.clear()
    fake.http_status = None


@pytest.mark.parametrize("fault", FAULTS)
async def test_whatever_is_wrong_is_told_once_changes_nothing_and_passes(
    fault: str, fake: FakeHomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    uri = await known_before(fake, tmp_path)
    caplog.clear()
    FAULTS[fault](fake)
    async with fake.serving(), following(uri, tmp_path, replace(FAST, answer=0.2)) as follows:
        await until(lambda: len([record for record in caplog.records if "what is known of it stays" in record.getMessage()]) > 3)
        assert "Kitchen lamp" in follows.names
        assert follows.published == []
        mend(fake)
        await until(lambda: any("all is well again" in line for line in said(caplog)))
        await fake.rename("light.kitchen", "Snorkelwack")
        await follows.knows("Snorkelwack")
    assert len(said(caplog, logging.WARNING)) == 1


ODD_RESULTS: list[Any] = [None, 7, "x", [], {}, [None, 7, "x", [], {}], {"": None, "x": []}, [[[]]]]


@pytest.mark.parametrize(
    "command",
    [
        "homeassistant/expose_entity/list",
        "config/entity_registry/list",
        "config/entity_registry/get_entries",
        "config/device_registry/list",
        "config/area_registry/list",
        "config/floor_registry/list",
        "conversation/sentences/list",
    ],
)
async def test_an_odd_answer_costs_only_what_it_would_have_told(command: str, fake: FakeHomeAssistant, tmp_path: Path) -> None:
    for number, odd in enumerate(ODD_RESULTS):
        mend(fake)
        result(command, odd)(fake)
        async with fake.serving() as uri, following(uri, tmp_path / str(number)) as follows:
            await follows.knows("Kitchen lamp")


@pytest.mark.parametrize("blow", [lambda known: 1 / 0, lambda known: known.no_such])
async def test_a_fault_of_ours_is_told_and_tried_again(
    blow: Callable[[Household], None], fake: FakeHomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blows = iter([blow, blow, blow])
    published: list[Household] = []

    def publish(known: Household) -> None:
        for each in blows:
            each(known)
        published.append(known)

    async with fake.serving() as uri:
        task = asyncio.create_task(source_of(uri, tmp_path).run(["en"], publish))
        await until(lambda: bool(published))
        task.cancel()
        await asyncio.wait({task})
    assert len(said(caplog, logging.WARNING)) == 1
    assert "Error (test_trouble.py, line" in said(caplog, logging.WARNING)[0]


async def test_everything_is_closed_when_it_is_cancelled(fake: FakeHomeAssistant, tmp_path: Path) -> None:
    async with fake.serving() as uri:
        before = asyncio.all_tasks()
        async with following(uri, tmp_path) as follows:
            await follows.knows("Kitchen lamp")
            assert fake.subscriptions
        await until(lambda: not fake.subscriptions and not asyncio.all_tasks() - before)


def moments() -> Iterator[tuple[str, Callable[[FakeHomeAssistant], bool]]]:
    yield "before it is let in", lambda fake: fake.connections > 0
    for command in ("auth", "subscribe_events", "get_config", "get_states", "conversation/sentences/list"):
        yield command, lambda fake, command=command: fake.asked[command] > 0  # type: ignore[misc]


@pytest.mark.parametrize("moment", dict(moments()))
async def test_it_can_be_cancelled_at_any_time(moment: str, fake: FakeHomeAssistant, tmp_path: Path) -> None:
    async with fake.serving() as uri:
        before = asyncio.all_tasks()
        async with following(uri, tmp_path):
            await until(lambda: dict(moments())[moment](fake))
        await until(lambda: not asyncio.all_tasks() - before)


def test_each_pause_is_longer_up_to_the_most() -> None:
    pauses = delays(1.0, 30.0)
    longest = [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    for most, pause in zip(longest, pauses, strict=False):
        assert most / 2 <= pause <= most
