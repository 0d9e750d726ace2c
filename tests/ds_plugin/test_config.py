"""Settings come from where the user put them, and every error names the key as the user wrote it."""

from __future__ import annotations

import itertools
import logging
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_plugin.config import MAX_CONFIG_BYTES, ConfigError, Kind, Option, Schema

SCHEMA = Schema(
    {
        "": (Option("model", str, "en", ""), Option("threads", int, 1, ""), Option("names", list[str], [], "")),
        "http": (Option("bind", str, "here", ""), Option("seconds", float, 1.5, ""), Option("quiet", bool, False, "")),
    }
)


def one(kind: Kind) -> Schema:
    return Schema({"": (Option("key", kind, None, ""),)})


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def test_without_sources_every_setting_has_its_default() -> None:
    settings = SCHEMA.load()
    assert settings.get("model") == "en"
    assert settings.section("http") == {"bind": "here", "seconds": 1.5, "quiet": False}


def test_earlier_sources_win_in_every_combination(toml: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("file\n")
    for argument, file, variable, table in itertools.product([True, False], repeat=4):
        toml.write_text('[http]\nbind = "toml"\n' if table else "")
        environment = {"DS_PLUGIN_HTTP_BIND_FILE": str(tmp_path / "secret")} if file else {}
        environment |= {"DS_PLUGIN_HTTP_BIND": "variable"} if variable else {}
        settings = SCHEMA.load(toml, environment, {("http", "bind"): "argument" if argument else None})
        sources = {"argument": argument, "file": file, "variable": variable, "toml": table, "here": True}
        assert settings.get("bind", "http") == next(name for name, given in sources.items() if given)


def test_an_empty_variable_counts_as_unset() -> None:
    assert SCHEMA.load(environment={"DS_PLUGIN_MODEL": "", "DS_PLUGIN_THREADS_FILE": ""}).get("model") == "en"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (str, "5", "5"),
        (int, "5", 5),
        (float, "5", 5.0),
        (float, "2.5", 2.5),
        (bool, "YES", True),
        (bool, "0", False),
        (list[str], "a, b,,c ", ["a", "b", "c"]),
    ],
)
def test_text_is_parsed_as_the_kind_of_the_setting(kind: Kind, text: str, value: Any) -> None:
    found = one(kind).load(environment={"DS_PLUGIN_KEY": text}).get("key")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (str, '"5"', "5"),
        (int, "5", 5),
        (float, "5", 5.0),
        (float, "2.5", 2.5),
        (bool, "true", True),
        (list[str], '["a", "b,c"]', ["a", "b,c"]),
    ],
)
def test_toml_gives_values_of_the_kind(kind: Kind, text: str, value: Any, toml: Path) -> None:
    toml.write_text(f"key = {text}")
    found = one(kind).load(toml).get("key")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "named"),
    [
        (str, "5", "str"),
        (int, "2.5", "int"),
        (int, "true", "int"),
        (int, '"five"', "int"),
        (float, "true", "float"),
        (float, f"1{'0' * 400}", "float"),
        (bool, "1", "bool"),
        (bool, '"perhaps"', "bool"),
        (list[str], "[1]", "a list of strings"),
        (list[str], "{}", "a list of strings"),
    ],
)
def test_a_wrong_value_is_reported_under_its_key(kind: Kind, text: str, named: str, toml: Path) -> None:
    toml.write_text(f"key = {text}")
    with pytest.raises(ConfigError, match=f"^key must be {named}, got "):
        one(kind).load(toml)


@pytest.mark.parametrize(
    ("sources", "key"),
    [
        ({"arguments": {("http", "seconds"): "x"}}, "--seconds"),
        ({"environment": {"DS_PLUGIN_HTTP_SECONDS": "x"}}, "DS_PLUGIN_HTTP_SECONDS"),
        ({"environment": {"DS_PLUGIN_THREADS": "1.5"}}, "DS_PLUGIN_THREADS"),
    ],
)
def test_an_error_names_the_key_as_it_was_written(sources: Mapping[str, Any], key: str) -> None:
    with pytest.raises(ConfigError, match=f"^{key} must be "):
        SCHEMA.load(**sources)


def test_an_error_in_a_file_of_a_variable_names_the_variable(tmp_path: Path) -> None:
    (tmp_path / "value").write_text("many")
    with pytest.raises(ConfigError, match=r"^DS_PLUGIN_THREADS_FILE must be int"):
        SCHEMA.load(environment={"DS_PLUGIN_THREADS_FILE": str(tmp_path / "value")})
    (tmp_path / "value").write_bytes(b"\xff")
    for path in (tmp_path / "value", tmp_path, tmp_path / "missing"):
        with pytest.raises(ConfigError, match=f"^DS_PLUGIN_THREADS_FILE: cannot read {path}"):
            SCHEMA.load(environment={"DS_PLUGIN_THREADS_FILE": str(path)})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modle = 'x'", "unknown setting 'modle'; did you mean 'model'?"),
        ("[http]\nbnd = 'x'", "unknown setting 'http.bnd'; did you mean 'http.bind'?"),
        ("[htpp]\nbind = 'x'", "unknown setting 'htpp'"),
        ("http = 3", "unknown setting 'http'"),
        ("[model]\nx = 1", "unknown setting 'model.x'|model must be str"),
        ("[[http]]", "unknown setting 'http'"),
        ("model =", "Invalid value"),
    ],
)
def test_a_wrong_file_is_refused_by_name(text: str, message: str, toml: Path) -> None:
    toml.write_text(text)
    with pytest.raises(ConfigError, match=message):
        SCHEMA.load(toml)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"model = '\xe9'")
    (tmp_path / "long").write_bytes(b"#" * (MAX_CONFIG_BYTES + 1))
    for name in ("missing", ".", "latin", "long"):
        with pytest.raises(ConfigError, match=f"^{tmp_path / name}: "):
            SCHEMA.load(tmp_path / name)


def test_a_partial_schema_leaves_unknown_names_alone(toml: Path, caplog: pytest.LogCaptureFixture) -> None:
    toml.write_text("other = 1\n[plugins]\ndisabled = ['x']")
    schema = Schema({"plugins": (Option("disabled", list[str], [], ""),)}, partial=True)
    assert schema.load(toml, {"DS_PLUGIN_OTHER": "1"}).get("disabled", "plugins") == ["x"]
    assert not caplog.messages
    toml.write_text("plugins = 1")
    with pytest.raises(ConfigError, match=r"^plugins: must be a table, got 1"):
        schema.load(toml)


def test_an_unknown_variable_is_pointed_out_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    SCHEMA.load(environment={"DS_PLUGIN_MODLE": "x", "OTHER": "y", "DS_PLUGIN_CONFIG": "z"})
    assert caplog.messages == ["unknown environment variable DS_PLUGIN_MODLE; did you mean 'DS_PLUGIN_MODEL'?"]
    assert caplog.records[0].levelno == logging.WARNING


@given(
    st.sampled_from([str, int, float, bool, list[str]]),
    st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.lists(st.text())),
)
def test_any_value_of_an_argument_is_taken_or_refused(kind: Kind, value: Any) -> None:
    try:
        found = one(kind).load(arguments={("", "key"): value}).get("key")
    except ConfigError as error:
        assert str(error).startswith("--key must be ")  # noqa: PT017 - one of two outcomes
    else:
        assert isinstance(found, list if kind == list[str] else kind)


def test_the_limit_of_a_file_is_no_obstacle(toml: Path) -> None:
    toml.write_text("#" * (MAX_CONFIG_BYTES - 20) + "\nmodel = 'x'")
    assert SCHEMA.load(toml).get("model") == tomllib.loads(toml.read_text())["model"]
