"""What docs/how-to/home-assistant.md and moving-over.md have people write and type is taken."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from ds_home_assistant.settings import OPTIONS as HOME_ASSISTANT
from ds_home_assistant.settings import HomeAssistantSettings
from ds_plugin.config import Schema, variables
from ds_plugin.host import HOST_OPTIONS
from ds_wyoming.settings import FALLBACK_OPTIONS, OPTIONS, FallbackSettings, WyomingSettings
from tests.project import ROOT

INSTALLING = (ROOT / "docs/how-to/home-assistant.md").read_text()
MOVING = (ROOT / "docs/how-to/moving-over.md").read_text()
SCHEMA = Schema({**HOST_OPTIONS, "wyoming": OPTIONS, "home_assistant": HOME_ASSISTANT, "wyoming_fallback": FALLBACK_OPTIONS})


def blocks(guide: str, language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", guide, re.MULTILINE | re.DOTALL)


def test_the_configuration_of_the_installation_is_taken(tmp_path: Path) -> None:
    [block] = blocks(INSTALLING, "toml")
    (tmp_path / "config.toml").write_text(block)
    settings = SCHEMA.load(tmp_path / "config.toml")
    assert WyomingSettings(**settings.section("wyoming")).zeroconf == "ds-plugin"
    home = HomeAssistantSettings(**{**settings.section("home_assistant"), "token": "from.a.file"})
    assert str(home.address) == "ws://homeassistant.local:8123/api/websocket"


def test_the_unit_names_variables_that_exist() -> None:
    [unit] = blocks(INSTALLING, "ini")
    given = re.findall(r"^Environment=(\w+)=", unit, re.MULTILINE)
    assert given == ["DS_PLUGIN_CONFIG", "DS_PLUGIN_HOME_ASSISTANT_TOKEN_FILE"]
    assert given[1] in variables("home_assistant", HOME_ASSISTANT)


def test_the_fallback_of_who_moves_over_is_taken(tmp_path: Path) -> None:
    [block] = blocks(MOVING, "toml")
    (tmp_path / "config.toml").write_text(re.sub(r"^ +", "", block, flags=re.MULTILINE))
    settings = SCHEMA.load(tmp_path / "config.toml")
    assert settings.section("fallback")["enabled"] is True
    assert FallbackSettings(**settings.section("wyoming_fallback")).address


@pytest.mark.parametrize("setting", sorted(set(re.findall(r"`((?:search|home_assistant|grammar|normalise|wyoming)\.\w+)`", MOVING))))
def test_a_setting_that_stands_for_an_option_of_somebody_elses_exists(setting: str) -> None:
    section, _, name = setting.partition(".")
    known = {**HOST_OPTIONS, "wyoming": OPTIONS, "home_assistant": HOME_ASSISTANT}
    assert section == "normalise" or name in {option.name for option in known[section]}


def test_the_examples_are_toml() -> None:
    for guide in ("choose-a-mode.md", "moving-over.md", "home-assistant.md"):
        for block in blocks((ROOT / "docs/how-to" / guide).read_text(), "toml"):
            assert tomllib.loads(block)
