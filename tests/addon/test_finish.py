"""What becomes of the container when the server ends: the script that s6 calls with exit code and signal."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.addon.layout import SERVICES


@dataclass(frozen=True, slots=True)
class Ending:
    """What the script has done."""

    halted: bool
    exit_code: str
    said: str


def finished(root: Path, code: int, number: int, before: str | None = "0") -> Ending:
    """Runs the script in a folder that stands for the container. `before` is the exit code that is noted already."""
    (root / "basedir/bin").mkdir(parents=True)
    result = root / "exitcode"
    if before is not None:
        result.write_text(f"{before}\n")
    (root / "basedir/bin/halt").write_text(f"#!/bin/sh\ntouch {root}/halted\n")
    (root / "basedir/bin/halt").chmod(0o755)
    text = (SERVICES / "ds-plugin/finish").read_text()
    text = text.replace("/run/s6-linux-init-container-results/exitcode", str(result)).replace("/run/s6/basedir", str(root / "basedir"))
    (root / "finish").write_text(text)
    done = subprocess.run(["sh", root / "finish", str(code), str(number)], capture_output=True, text=True, check=True, cwd=root)
    return Ending((root / "halted").exists(), result.read_text().strip() if result.exists() else "", done.stderr)


@pytest.mark.parametrize(("code", "number", "noted"), [(1, 0, "1"), (2, 0, "2"), (256, 9, "137"), (256, 11, "139"), (256, 4, "132")])
def test_a_fault_stops_the_container_with_its_code(code: int, number: int, noted: str, tmp_path: Path) -> None:
    assert finished(tmp_path, code, number) == Ending(
        halted=True, exit_code=noted, said=f"ds-plugin ended with code {noted}; the app stops\n"
    )


@pytest.mark.parametrize(("code", "number"), [(0, 0), (256, 15)])
def test_a_stop_that_was_asked_for_is_none(code: int, number: int, tmp_path: Path) -> None:
    assert finished(tmp_path, code, number) == Ending(halted=False, exit_code="0", said="")


def test_an_exit_code_that_is_noted_already_stays(tmp_path: Path) -> None:
    assert finished(tmp_path, 1, 0, before="2").exit_code == "2"


def test_a_missing_note_is_made(tmp_path: Path) -> None:
    assert finished(tmp_path, 1, 0, before=None).exit_code == "1"
