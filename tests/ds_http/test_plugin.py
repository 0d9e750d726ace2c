"""The adapter as the host sees it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ds_http import plugin
from ds_plugin.config import ConfigError, Schema
from ds_plugin.host import HOST_OPTIONS
from tests.ds_http.helpers import served
from tests.ds_plugin.helpers import hooked


def test_the_adapter_is_registered_with_its_options() -> None:
    adapter = hooked(plugin).adapters()["http"]
    assert adapter.serve is plugin.serve
    settings = Schema({**HOST_OPTIONS, "http": adapter.options}).load(environment={"DS_PLUGIN_HTTP_BIND": "127.0.0.1:0"})
    assert settings.section("http") == {"bind": "127.0.0.1:0", "connections": 64, "body_seconds": 120.0}


@pytest.mark.parametrize(
    ("name", "value"),
    [("connections", 0), ("connections", -1), ("body_seconds", 0.0), ("body_seconds", float("nan")), ("body_seconds", float("inf"))],
)
async def test_an_option_that_cannot_be_is_named(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"^http\.{name} must be above zero and finite, got {value}$"):
        async with served(None, **{name: value}):
            pass


async def test_without_the_extra_serving_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ds_http.app", None)
    with pytest.raises(ConfigError, match=r"^http: needs the extra 'http', pip install 'ds-plugin\[http\]'"):
        async with served():
            pass


def test_registering_imports_no_server() -> None:
    code = "import sys, ds_http.plugin; sys.exit(bool({'starlette', 'uvicorn', 'h11'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
