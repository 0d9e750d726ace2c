"""The layers: ds_engine <- ds_plugin <- adapters, and nobody imports an adapter."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.project import PACKAGES, imports, modules

ADAPTERS = {"ds_wyoming", "ds_home_assistant", "ds_http", "ds_train"}
PROTOCOLS = {"starlette", "uvicorn", "websockets", "wyoming", "zeroconf"}  # libraries of outside protocols, each an adapter's own

FORBIDDEN = {
    "ds_engine": {"ds_plugin", "ds_training", *ADAPTERS, "pluggy", "click", "torch", *PROTOCOLS},
    "ds_training": {"ds_plugin", *ADAPTERS, "pluggy", "click", *PROTOCOLS},
    "ds_plugin": {*ADAPTERS, "ds_training", "torch", *PROTOCOLS},
    "ds_wyoming": {*ADAPTERS, "ds_training", "pluggy", "torch"} - {"ds_wyoming"},
    "ds_home_assistant": {*ADAPTERS, "ds_training", "pluggy", "torch", "wyoming"} - {"ds_home_assistant"},
    "ds_http": {*ADAPTERS, "ds_training", "pluggy", "torch"} - {"ds_http"},
    "ds_train": {*ADAPTERS, "pluggy", "torch"} - {"ds_train"},
}


@pytest.mark.parametrize("package", FORBIDDEN)
def test_a_package_imports_nothing_from_above_or_beside_it(package: str) -> None:
    found = {(module.name, name) for module in modules(package) for name in imports(module)}
    assert not {(module, name) for module, name in found if name in FORBIDDEN[package]}


def test_every_package_is_held_by_these_layers() -> None:
    assert set(FORBIDDEN) == set(PACKAGES)


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("ds_engine", {"torch", "pluggy", "onnxruntime", "click", "ds_plugin", "ds_wyoming", "ds_http"}),
        (
            "ds_plugin.cli",
            {"torch", "onnxruntime", "jiwer", "sounddevice", "starlette", "uvicorn", "websockets", "zeroconf", "ds_training"},
        ),
        ("ds_train.plugin", {"torch", "numpy", "ds_training"}),
    ],
)
def test_importing_a_package_leaves_what_is_heavy_alone(module: str, heavy: set[str]) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    assert not heavy & loaded


def test_only_the_doors_know_threads() -> None:
    doors = {"threads.py", "sync.py", "guard.py"}
    known = {module.name for package in ("ds_engine", "ds_plugin") for module in modules(package) if "threading" in set(imports(module))}
    assert known <= doors


def test_only_the_facade_calls_plugins() -> None:
    callers = {module.name for module in modules("ds_plugin") if ".implementations(" in module.read_text()}
    assert callers == {"hooks.py"}


def test_onnx_runtime_has_one_door_which_turns_its_telemetry_off() -> None:
    users = {module.name for package in PACKAGES for module in modules(package) if "onnxruntime" in set(imports(module))}
    assert users == {"onnx_session.py"}
