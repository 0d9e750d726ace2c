"""Custom sentences while a source runs: files that come, change, break and go, with Home Assistant there or away."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from ds_home_assistant.custom_files import CustomFiles
from ds_plugin.vocabulary.source import Household
from tests.ds_home_assistant.fake import FakeHomeAssistant, household, until
from tests.ds_home_assistant.following import NOWHERE, following, known_before, said


@pytest.fixture
def fake() -> FakeHomeAssistant:
    return household()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As Home Assistant has it."""
    (tmp_path / "custom_sentences" / "en").mkdir(parents=True)
    write(tmp_path / "custom_sentences", "lights.yaml", "party on")
    return tmp_path / "custom_sentences"


def write(folder: Path, name: str, sentence: str) -> None:
    (folder / "en" / name).write_text(f'language: en\nintents:\n  Party:\n    data:\n      - sentences: ["{sentence}"]\n')


def own(known: Household | None) -> list[str]:
    """Sentences of the files."""
    templates: list[Any] = [each.templates for each in known.sentences if each.name.startswith("custom")] if known else []
    return [sentence for each in templates for data in each["intents"]["Party"]["data"] for sentence in data["sentences"]]


async def test_they_stand_beside_those_of_home_assistant(fake: FakeHomeAssistant, tmp_path: Path, folder: Path) -> None:
    async with fake.serving() as uri, following(uri, tmp_path, custom=(folder,)) as follows:
        await until(lambda: bool(follows.published) and own(follows.published[-1]) == ["party on"])


async def test_a_file_that_changes_comes_or_goes_is_published(fake: FakeHomeAssistant, tmp_path: Path, folder: Path) -> None:
    async with fake.serving() as uri, following(uri, tmp_path, custom=(folder,)) as follows:
        await until(lambda: bool(follows.published) and own(follows.published[-1]) == ["party on"])
        write(folder, "lights.yaml", "party off")
        await until(lambda: own(follows.published[-1]) == ["party off"])
        write(folder, "more.yaml", "encore")
        await until(lambda: own(follows.published[-1]) == ["party off", "encore"])
        (folder / "en" / "lights.yaml").unlink()
        await until(lambda: own(follows.published[-1]) == ["encore"])


async def test_they_change_while_home_assistant_is_away(fake: FakeHomeAssistant, tmp_path: Path, folder: Path) -> None:
    uri = await known_before(fake, tmp_path)
    async with following(uri, tmp_path, custom=(folder,)) as follows:
        assert own(follows.stored) == ["party on"]
        assert "Kitchen lamp" in follows.names
        write(folder, "lights.yaml", "party off")
        await until(lambda: bool(follows.published) and own(follows.published[-1]) == ["party off"])
        assert "Kitchen lamp" in follows.names


async def test_a_broken_file_is_told_once_and_costs_only_itself(
    fake: FakeHomeAssistant, tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "en" / "broken.yaml").write_text("intents: [")
    async with fake.serving() as uri, following(uri, tmp_path, custom=(folder, folder / "missing")) as follows:
        await until(lambda: bool(follows.published) and own(follows.published[-1]) == ["party on"])
        await fake.rename("light.kitchen", "Snorkelwack")
        await follows.knows("Snorkelwack")
        write(folder, "lights.yaml", "party off")
        await until(lambda: own(follows.published[-1]) == ["party off"])
    warnings = said(caplog, logging.WARNING)
    assert sorted("broken.yaml" in warning for warning in warnings) == [False, True]
    assert sorted("missing" in warning for warning in warnings) == [False, True]


async def test_nothing_is_published_of_them_before_anything_is_known_of_the_home(tmp_path: Path, folder: Path) -> None:
    async with following(NOWHERE, tmp_path, custom=(folder,)) as follows:
        await until(lambda: bool(follows.source._custom.custom.files))
        write(folder, "lights.yaml", "party off")
        await until(lambda: "party off" in str(follows.source._custom.custom.files))
        assert follows.published == []


async def test_no_task_is_left_at_the_end(fake: FakeHomeAssistant, tmp_path: Path, folder: Path) -> None:
    before = asyncio.all_tasks()
    async with fake.serving() as uri:
        async with following(uri, tmp_path, custom=(folder,)) as follows:
            await follows.knows("Kitchen lamp")
        await until(lambda: not {task for task in asyncio.all_tasks() - before if "custom" in task.get_name()})


def test_files_are_read_again_only_when_they_have_changed(folder: Path) -> None:
    files = CustomFiles((folder,))
    assert files.refresh()
    assert not files.refresh()
    write(folder, "more.yaml", "encore")
    assert files.refresh()
    assert len(files.custom.files) == 2
