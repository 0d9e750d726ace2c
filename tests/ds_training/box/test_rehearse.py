"""A rehearsal: the command of an archive sees its own files, a shell and a Python, and nothing else of this machine."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ds_training.box.contents import BoxError
from ds_training.box.rehearse import rehearse
from tests.project import ROOT

TRIED = ["unshare", "--map-root-user", "--mount", "--net", "--pid", "--fork", "mount", "-t", "tmpfs", "none", "/mnt"]
LOOK = """import json, os, pathlib, socket
found = [name for name in {names!r} if pathlib.Path(name).exists()]
try:
    socket.create_connection(("192.0.2.1", 80), 1)
except OSError as error:
    network = type(error).__name__
print(json.dumps([found, sorted(os.environ), network]))
"""


@pytest.fixture
def box(tmp_path: Path) -> Path:
    if shutil.which("unshare") is None or subprocess.run(TRIED, capture_output=True, check=False).returncode:
        pytest.skip("needs user namespaces")
    (tmp_path / "box").mkdir()
    return tmp_path / "box"


def write(box: Path, *lines: str) -> None:
    (box / "run").write_text("\n".join(["#!/bin/sh", *lines, ""]))
    (box / "run").chmod(0o755)


def test_nothing_of_this_machine_is_seen_but_its_python(box: Path, tmp_path: Path) -> None:
    names = [str(ROOT / "ds_plugin"), "/usr/bin/espeak-ng", "/usr/share", "/etc/passwd", "/bin/ls", "/box/run"]
    (box / "look.py").write_text(LOOK.format(names=names))
    write(box, 'exec "$PYTHON" /box/look.py > /out/seen.json')
    assert rehearse(box, tmp_path / "out", Path(sys.executable)) == 0
    found, environment, network = json.loads((tmp_path / "out" / "seen.json").read_text())
    assert found == ["/box/run"]
    assert set(environment) <= {"PATH", "HOME", "OUT", "PYTHON", "LC_CTYPE", "PWD"}
    assert network == "OSError"  # unreachable, at once


def test_arguments_and_recipe_are_handed_on_and_the_status_comes_back(box: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("minutes = 3\n")
    write(box, 'echo "$@" > /out/arguments', 'while read -r line; do echo "$line"; done < "$2" > /out/recipe', "exit 7")
    assert rehearse(box, tmp_path / "out", Path(sys.executable), tmp_path / "mine.toml", ["--minutes", "2 or 3"]) == 7
    assert (tmp_path / "out" / "arguments").read_text() == "--recipe /recipe.toml --minutes 2 or 3\n"
    assert (tmp_path / "out" / "recipe").read_text() == "minutes = 3\n"


def test_a_machine_without_namespaces_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "env", "dirname", "ldd", "bash"):
        if path := shutil.which(tool):
            (tools / tool).symlink_to(path)
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(BoxError, match="needs the program unshare"):
        rehearse(tmp_path, tmp_path / "out", Path(sys.executable))
