from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import pytest

from ds_plugin.config import ConfigError, Schema
from ds_wyoming.settings import OPTIONS, WyomingSettings


def test_the_options_are_the_settings() -> None:
    loaded = Schema({"wyoming": OPTIONS}).load().section("wyoming")
    assert WyomingSettings(**loaded) == WyomingSettings()
    assert all(option.help for option in OPTIONS)
    assert [option.name for option in OPTIONS] == [setting.name for setting in fields(WyomingSettings)]


@pytest.mark.parametrize(
    ("name", "value"), [("connections", 0), ("idle_seconds", -1.0), ("frame_seconds", math.inf), ("write_seconds", math.nan)]
)
def test_a_bound_must_be_one(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=rf"^wyoming\.{name} must be above zero"):
        WyomingSettings(**{name: value})


@pytest.mark.parametrize("endpoint", ["", "OFF", "quickly", "no"])
def test_an_endpoint_is_one_of_the_presets(endpoint: str) -> None:
    with pytest.raises(ConfigError, match=r"^wyoming\.endpoint must be one of off, quick, normal, patient, got "):
        WyomingSettings(endpoint=endpoint)
