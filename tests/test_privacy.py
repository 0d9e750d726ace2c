"""Nothing leaves the machine, and nothing that was said stays on it: commands that do the main job, watched and looked through.

The servers are watched in test_offline.py.
"""

from __future__ import annotations

import asyncio
import signal
from asyncio.subprocess import Process
from pathlib import Path

import pytest

from tests.ds_plugin.command_line import LIGHT, run
from tests.ds_wyoming.serving import answer, client_of, pcm, say, start_event, transcript_of
from tests.ds_wyoming.test_process import process

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


async def listens(running: Process) -> tuple[str, bytes]:
    """The address, and what was logged before it."""
    assert running.stderr is not None
    logged = b""
    async with asyncio.timeout(30.0):
        while not (line := await running.stderr.readline()).startswith(b"wyoming listens on "):
            assert line, logged
            logged += line
    return line.decode().split()[-1], logged


@pytest.mark.process
@pytest.mark.parametrize("level", ["warning", "debug"])
async def test_a_server_logs_neither_what_was_said_nor_the_names_it_listened_for(level: str, tmp_path: Path) -> None:
    vocabulary = tmp_path / "names.txt"
    vocabulary.write_text("snorkelwack\n")
    source, audio = pcm(LIGHT)
    environment = {"DS_PLUGIN_LOG_LEVEL": level, "DS_PLUGIN_VOCABULARY": str(vocabulary)}
    async with process("serve", "wyoming", "--uri", "tcp://127.0.0.1:0", environment=environment) as running:
        address, before = await listens(running)
        async with client_of(address) as client:
            await say(client, audio, source, 320, transcript_names=["quibblefrock"], transcript_terms=["dimmelow"])
            text = transcript_of(await answer(client))
        assert "kitchen light" in text
        async with client_of(address) as client:  # and one that goes wrong
            await client.write_event(start_event(source))
            await say(client, audio, source, language="xx", transcript_names=["quibblefrock"])
            assert (await answer(client))[-1].type == "error"
        running.send_signal(signal.SIGTERM)
        _, after = await asyncio.wait_for(running.communicate(), 10.0)
    log = (before + after).decode()
    assert not [word for word in ["snorkelwack", "quibblefrock", "dimmelow", "kitchen", "light"] if word in log]
    assert level == "debug" or log == ""
