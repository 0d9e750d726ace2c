"""What comes with the host passes through the same hooks as everybody's."""

from __future__ import annotations

from ds_engine.acoustic import RuntimeOptions
from ds_engine.bundle import Bundle
from ds_engine.decoder import Timing
from ds_engine.greedy import GreedyDecoder
from ds_plugin import builtin
from ds_plugin.commands import COMMANDS
from ds_plugin.models import BUNDLED, DEFAULT_MODEL
from tests.ds_plugin.helpers import hooked


def test_the_built_in_decoders() -> None:
    decoders = hooked(builtin).decoders()
    assert set(decoders) == {"kernel", "greedy", "pyctcdecode"}
    assert decoders["greedy"] == GreedyDecoder.make


def test_the_built_in_family_loads_the_bundled_model() -> None:
    families = hooked(builtin).model_families()
    assert set(families) == {"native"}
    model = families["native"](Bundle.open(BUNDLED / DEFAULT_MODEL), RuntimeOptions())
    assert model.sample_rate == 16_000
    assert model.timing.step == Timing(0.04).step


def test_the_built_in_commands_are_there() -> None:
    assert hooked(builtin).commands() == {str(command.name): command for command in COMMANDS}
