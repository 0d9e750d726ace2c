"""Options to configuration: every value arrives as it was typed, and none is ever run."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ds_app.options import MAX_OPTIONS_BYTES, Options, OptionsError, Sources, configuration, environment
from hypothesis import given
from hypothesis import strategies as st

from ds_home_assistant.settings import HomeAssistantSettings
from tests.addon.layout import loaded
from tests.addon.test_config import product

MODELS = Path("/share/ds-plugin/models")
NASTY = [
    '"',
    "'",
    "\\",
    "a\nb",
    "$(touch x)",
    "`id`",
    "${HOME}",
    "; rm -rf /",
    "\t",
    "\x00",
    "\x7f",
    "\u2028",
    "Zoë 北京 🛋",
    "#",
    "= [",
    '"""',
]


def made(sources: Sources | None = None, **values: Any) -> dict[str, Any]:
    """The configuration of options, as ds-plugin will read it."""
    return tomllib.loads(configuration(Options(values), MODELS, sources or Sources()))


def written(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value))
    return path


def test_the_default_options_are_a_configuration_that_the_product_accepts(tmp_path: Path) -> None:
    options = Options.read(written(tmp_path / "options.json", loaded("config.yaml")["options"]))
    known = product()
    for section, values in tomllib.loads(configuration(options, MODELS, Sources())).items():
        inside = values if isinstance(values, dict) else {section: values}
        for name, value in inside.items():
            setting = known[section if isinstance(values, dict) else "", name]
            assert type(value) is setting.kind or (isinstance(value, list) and setting.kind == list[str])


def test_what_is_not_set_is_left_to_the_product() -> None:
    assert made(home_assistant_names=False) == {"models_folder": str(MODELS), "models": ["*"]}


def test_every_option_goes_where_it_belongs() -> None:
    found = made(mode="closed", strictness=0.5, digits=True, model="mine", endpoint="quick", log_level="debug", fallback_server="tcp://a:1")
    assert found == {
        "models_folder": str(MODELS),
        "models": ["*"],
        "model": "mine",
        "log_level": "debug",
        "grammar": {"mode": "closed", "strictness": 0.5},
        "wyoming": {"endpoint": "quick"},
        "normalise": {"numbers": True},
        "wyoming_fallback": {"uri": "tcp://a:1"},
        "fallback": {"enabled": True},
    }


def test_a_second_opinion_is_asked_only_where_there_is_somebody_to_ask(tmp_path: Path) -> None:
    options = Options.read(written(tmp_path / "options.json", {"fallback_server": ""}))
    assert "fallback" not in configuration(options, MODELS, Sources())


def test_files_are_named_whatever_they_are_called() -> None:
    sources = Sources((Path('/share/a, "b".txt'),), (Path("/share/$(x)\n.yaml"),))
    found = made(sources)
    assert found["vocabulary"] == ['/share/a, "b".txt']
    assert found["grammars"] == ["/share/$(x)\n.yaml"]


@pytest.mark.parametrize("text", NASTY)
def test_nasty_text_arrives_as_it_is(text: str) -> None:
    assert made(model=text)["model"] == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_arrives_as_it_is(text: str) -> None:
    assert made(model=text)["model"] == text


@given(st.floats(), st.booleans())
def test_any_number_and_switch_arrives_as_it_is(number: float, switch: bool) -> None:  # noqa: FBT001 - drawn
    found = made(strictness=number, digits=switch)
    assert repr(found["grammar"]["strictness"]) == repr(number)
    assert found["normalise"]["numbers"] is switch


def test_half_a_character_is_refused() -> None:
    with pytest.raises(OptionsError, match="no text"):
        made(model="\ud800")


@pytest.mark.parametrize(
    "values",
    [
        {"mode": 1},
        {"words": "a"},
        {"words": [1]},
        {"words": [["a"]]},
        {"digits": "yes"},
        {"strictness": "0.3"},
        {"strictness": True},
        {"model": {}},
    ],
)
def test_a_value_of_another_kind_is_refused_by_name(values: dict[str, Any]) -> None:
    with pytest.raises(OptionsError, match=next(iter(values))):
        Options(values)


def test_what_nobody_knows_is_left_out(tmp_path: Path) -> None:
    options = Options.read(written(tmp_path / "options.json", {"mode": "open", "beam_size": 5, "model": None, "words": []}))
    assert options.values == {"mode": "open", "words": []}


@pytest.mark.parametrize("content", ["", "nonsense", "[]", "null", "3", "[" * 100_000, "\ud800".encode("utf-8", "surrogatepass")])
def test_a_file_that_holds_no_options_is_refused(content: str | bytes, tmp_path: Path) -> None:
    path = tmp_path / "options.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(OptionsError, match=r"options\.json"):
        Options.read(path)


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionsError, match="at most"):
        Options.read(written(tmp_path / "options.json", {"model": "x" * MAX_OPTIONS_BYTES}))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionsError, match="cannot be read"):
        Options.read(tmp_path / "options.json")


def test_the_token_goes_only_where_names_are_asked_for_and_under_its_own_name_only() -> None:
    before = {"SUPERVISOR_TOKEN": "s3", "HASSIO_TOKEN": "s3", "TZ": "Europe/Berlin"}
    config, state = Path("/run/c.toml"), Path("/data")
    asked = environment(Options(), before, config, state)
    assert {name for name, value in asked.items() if value == "s3"} == {"DS_PLUGIN_HOME_ASSISTANT_TOKEN"}
    alone = environment(Options({"home_assistant_names": False}), before, config, state)
    assert "s3" not in alone.values()
    assert alone["TZ"] == "Europe/Berlin"


def test_home_assistant_is_asked_by_an_address_that_the_product_understands() -> None:
    found = environment(Options(), {"SUPERVISOR_TOKEN": "s3"}, Path("/run/c.toml"), Path("/data"))
    settings = HomeAssistantSettings(found["DS_PLUGIN_HOME_ASSISTANT_URI"], found["DS_PLUGIN_HOME_ASSISTANT_TOKEN"])
    assert "supervisor" in str(settings.address)
    assert "core/websocket" in str(settings.address)


def test_without_a_token_home_assistant_is_not_asked() -> None:
    assert not [name for name in environment(Options(), {}, Path("/run/c.toml"), Path("/data")) if "HOME_ASSISTANT" in name]


def test_everything_is_written_below_the_state_folder() -> None:
    found = environment(Options(), {}, Path("/run/c.toml"), Path("/data"))
    assert {name: value for name, value in found.items() if name.startswith("XDG")} == {
        "XDG_CACHE_HOME": "/data/cache",
        "XDG_STATE_HOME": "/data/state",
        "XDG_DATA_HOME": "/data/data",
    }
    assert found["DS_PLUGIN_CONFIG"] == "/run/c.toml"
