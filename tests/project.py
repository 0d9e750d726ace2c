"""Where things stand in the repository, for tests that look at it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "ds_engine": ROOT / "engine" / "ds_engine",
    "ds_training": ROOT / "engine" / "ds_training",
    "ds_plugin": ROOT / "ds_plugin",
    "ds_wyoming": ROOT / "adapters" / "ds_wyoming",
    "ds_home_assistant": ROOT / "adapters" / "ds_home_assistant",
    "ds_http": ROOT / "adapters" / "ds_http",
    "ds_train": ROOT / "adapters" / "ds_train",
}


def modules(package: str) -> list[Path]:
    """All source files of a package."""
    return sorted(PACKAGES[package].rglob("*.py"))


def imports(module: Path) -> Iterator[str]:
    """The top-level names that a source file imports, wherever the import stands."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
