"""The plugin with settings of its own, as the guide shows it, does what the guide says."""

from __future__ import annotations

import re
from types import ModuleType

import pytest

from ds_plugin.config import Schema
from ds_plugin.hooks import Hooks
from ds_plugin.host import HOST_OPTIONS
from ds_plugin.observer import HookObserver
from tests.ds_plugin.helpers import INFO, hooked, transcript
from tests.project import ROOT


def shown() -> Hooks:
    """The last program of the guide, loaded."""
    guide = (ROOT / "docs/how-to/write-a-plugin.md").read_text()
    example = ModuleType("example")
    exec(re.findall(r"```python\n(.*?)```", guide, re.DOTALL)[-1], example.__dict__)  # noqa: S102 - our own document
    return hooked(example)


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({}, "lamp."),
        ({"DS_PLUGIN_EXAMPLE_MARK": "!"}, "lamp!"),
        ({"DS_PLUGIN_EXAMPLE_FULL_STOP": "no"}, "lamp"),
    ],
)
async def test_the_guides_plugin_obeys_its_settings(variables: dict[str, str], text: str) -> None:
    hooks = shown()
    hooks.configure(Schema({**HOST_OPTIONS, **hooks.options()}).load(environment=variables))
    assert (await hooks.transform(INFO, transcript("lamp"))).text == text
    assert HookObserver(hooks).rewrites is (text != "lamp")
