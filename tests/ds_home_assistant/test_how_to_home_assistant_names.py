"""What docs/how-to/home-assistant-names.md says of settings and the log is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import ds_home_assistant
from ds_home_assistant.pace import Pace
from ds_home_assistant.settings import OPTIONS, SECTION, HomeAssistantSettings
from ds_plugin.config import Schema, variables
from tests.project import ROOT

GUIDE = (ROOT / "docs/how-to/home-assistant-names.md").read_text()
CODE = "".join(path.read_text() for path in Path(ds_home_assistant.__file__).parent.glob("*.py"))


def test_the_configuration_of_the_guide_is_taken(tmp_path: Path) -> None:
    [block] = re.findall(r"^```toml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    config = tmp_path / "config.toml"
    config.write_text(block.replace("eyJ…", "eyJ"))
    chosen = HomeAssistantSettings(**Schema({SECTION: OPTIONS}).load(config).section(SECTION))
    assert str(chosen.address) == "ws://homeassistant.local:8123/api/websocket"
    assert set(tomllib.loads(block)[SECTION]) | set(re.findall(r"^# (\w+) =", block, re.MULTILINE)) == {option.name for option in OPTIONS}


def test_the_variables_of_the_guide_exist() -> None:
    assert set(re.findall(r"DS_PLUGIN_HOME_ASSISTANT_\w+", GUIDE)) <= set(variables(SECTION, OPTIONS))


TROUBLE = re.findall(
    r"`([^`]+)`", "".join(re.findall(r"^\| (`.*?) \|", GUIDE[GUIDE.index("## When Home Assistant is away") :], re.MULTILINE))
)


@pytest.mark.parametrize("line", TROUBLE)
def test_a_line_of_the_log_that_the_guide_explains_can_occur(line: str) -> None:
    pattern = re.sub(r"[\d.]+", "#", line.strip("… "))
    known = re.sub(r"\{[^}]*\}|[\d.]+", "#", CODE)
    assert pattern in known, pattern


def test_the_times_of_the_guide_are_those_of_the_code() -> None:
    pace = Pace()
    assert (pace.connect, pace.settle, pace.settle_most, pace.poll, pace.files) == (10, 1, 10, 5 * 60, 5)
    assert (pace.retry, pace.retry_most, pace.denied, pace.starting_most) == (1, 30, 5 * 60, 600)
