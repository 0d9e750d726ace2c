from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ds_engine

SOURCES = sorted(Path(ds_engine.__file__).parent.glob("*.py"))
STRANGERS = {"torch", "pluggy", "onnx", "click", "jiwer", "wyoming", "starlette", "ds_plugin", "ds_wyoming", "ds_http", "ds_training"}
ASYNCHRONOUS = {"asyncio", "threading", "concurrent"}


def imported(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module is not None
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("module", ["ds_engine", "ds_engine.native"])
def test_importing_the_engine_imports_no_stranger(module: str) -> None:
    script = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert STRANGERS & set(done.stdout.split()) == set()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_no_module_of_the_engine_names_a_stranger(source: Path) -> None:
    assert STRANGERS & set(imported(source)) == set()


def test_only_the_engine_what_it_serves_and_the_facade_know_asyncio_and_threads() -> None:
    doors = {"engine", "ready", "utterance", "sync", "threads"}
    assert {source.stem for source in SOURCES if ASYNCHRONOUS & set(imported(source))} == doors


def test_everything_that_is_exported_exists() -> None:
    assert all(hasattr(ds_engine, name) for name in ds_engine.__all__)
    assert ds_engine.__all__ == sorted(ds_engine.__all__)
