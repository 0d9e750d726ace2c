"""The plugin in a host: settings in, a household that utterances know out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ds_home_assistant import plugin
from ds_home_assistant.settings import OPTIONS, SECTION
from ds_plugin import builtin
from ds_plugin.config import ConfigError, Schema, Settings
from ds_plugin.hooks import Hooks
from ds_plugin.host import HOST_OPTIONS, Host
from ds_plugin.plugins import Plugins
from tests.ds_home_assistant.fake import TOKEN, FakeHomeAssistant, household, until
from tests.ds_plugin.command_line import run

COMPILED = 90.0  # s, within which a host has compiled Home Assistant's sentences, on a busy machine


@pytest.fixture(autouse=True)
def folders_of_our_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))


@pytest.fixture
def fake() -> FakeHomeAssistant:
    return household()


def hooks() -> Hooks:
    loaded = Plugins()
    for name, module in {"builtin": builtin, "home_assistant": plugin}.items():
        assert not loaded.add(name, lambda module=module: module).error  # type: ignore[misc]
    return Hooks(loaded)


def settings(**chosen: Any) -> Settings:
    return Schema({**HOST_OPTIONS, SECTION: OPTIONS}).load(arguments={(SECTION, name): value for name, value in chosen.items()})


def registered(**chosen: Any) -> list[object]:
    found: list[object] = []
    plugin.ds_configure(settings=_sections(**chosen), register=found.append)
    return found


def _sections(**chosen: Any) -> dict[str, Any]:
    return {SECTION: settings(**chosen).section(SECTION)}


def phrases(host: Host) -> set[str]:
    return {phrase.text for phrase in host.vocabulary.snapshot().phrases}


def test_nothing_is_registered_where_nobody_is_to_be_asked() -> None:
    assert registered() == []


def test_one_source_is_registered_where_somebody_is() -> None:
    [given] = registered(uri="http://127.0.0.1:9", token=TOKEN)
    assert isinstance(given, plugin.Given)
    assert given.ds_vocabulary_source().name == "Home Assistant"
    assert TOKEN not in repr(given) + repr(vars(given))


@pytest.mark.parametrize("chosen", [{"token": TOKEN}, {"uri": "http://127.0.0.1:9"}, {"uri": "here", "token": TOKEN}])
def test_half_of_the_settings_is_refused_without_telling_the_token(chosen: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="home_assistant") as caught:
        hooks().configure(settings(**chosen))
    assert TOKEN not in str(caught.value)


def test_the_command_line_says_what_is_missing() -> None:
    done = run("transcribe", "no.wav", environment={"DS_PLUGIN_HOME_ASSISTANT_TOKEN": TOKEN})
    assert done.returncode != 0
    assert "home_assistant.uri" in done.stderr
    assert TOKEN not in done.stderr + done.stdout


def test_the_libraries_are_only_imported_where_they_are_needed() -> None:
    code = "import sys, ds_home_assistant.plugin; sys.exit(bool({'websockets', 'home_assistant_intents', 'hassil'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


async def test_a_host_hears_of_the_household_and_of_a_rename(fake: FakeHomeAssistant) -> None:
    async with fake.serving() as uri, Host.load(settings(uri=uri, token=TOKEN), hooks()) as host:
        await until(lambda: "kitchen lamp" in phrases(host), COMPILED)
        await fake.rename("light.kitchen", "Snorkelwack")
        await until(lambda: "snorkelwack" in phrases(host), COMPILED)
        assert "kitchen lamp" not in phrases(host)


async def test_a_host_knows_at_once_what_was_known_last(fake: FakeHomeAssistant, tmp_path: Path) -> None:
    async with fake.serving() as uri, Host.load(settings(uri=uri, token=TOKEN), hooks()):
        await until(lambda: bool(list(tmp_path.rglob("home-assistant.json"))))
    async with Host.load(settings(uri=uri, token=TOKEN), hooks()) as host:  # Home Assistant is away
        assert "kitchen lamp" in phrases(host)


async def test_a_home_assistant_that_is_away_keeps_no_host_from_starting() -> None:
    async with Host.load(settings(uri="http://127.0.0.1:9", token=TOKEN), hooks()) as host:
        assert phrases(host) == set()
