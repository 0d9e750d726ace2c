"""Nothing leaves the machine: no look-up and no connection, in any command that does the main job."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ds_plugin.command_line import LIGHT, run

# Python runs this before anything else; an address that is not this machine's ends the process.
_WATCH = """
import os, sys

def watch(event, arguments):
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname"}:
        sys.stderr.write(f"OUTBOUND {event} {arguments[1:]}\\n")
        os._exit(99)

sys.addaudithook(watch)
"""


@pytest.fixture
def watched(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "sitecustomize.py").write_text(_WATCH)
    return {"PYTHONPATH": str(tmp_path)}


def test_the_watch_sees_a_connection(watched: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "talker.py").write_text("import socket\nsocket.socket().connect(('127.0.0.1', 9))\n")
    about = tmp_path / "talker-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: talker\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[ds_plugin]\ntalker = talker\n")
    assert run("plugins", environment=watched).returncode == 99


@pytest.mark.parametrize(
    "arguments",
    [["transcribe", str(LIGHT)], ["models", "verify"], ["plugins"], ["serve", "wyoming", "--uri", "stdio://"]],
    ids=lambda a: a[0],
)
def test_a_command_opens_no_connection(arguments: list[str], watched: dict[str, str]) -> None:
    done = run(*arguments, environment=watched)
    assert "OUTBOUND" not in done.stderr
    assert done.returncode == 0


def test_transcribing_leaves_no_file_behind(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    folders = {name: str(home) for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TMPDIR")}
    assert run("transcribe", str(LIGHT), environment=folders).returncode == 0
    assert not list(home.rglob("*"))
