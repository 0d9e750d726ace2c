from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from examples.wyoming_client import main as send
from tests.ds_plugin.command_line import LIGHT, run

_SECONDS = 30


@contextmanager
def serving(*arguments: str, adapters: int = 1) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A server process that is ready, and the addresses that it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DS_PLUGIN_")}
    command = [sys.executable, "-m", "ds_plugin", "serve", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=clean, text=True) as process:
        assert process.stderr is not None
        try:
            lines = [process.stderr.readline() for _ in range(adapters)]
            yield process, [line.strip().rpartition(" ")[2] for line in lines]
        finally:
            process.kill()


def test_help_shows_the_options_of_every_adapter() -> None:
    text = run("serve", "--help").stdout
    assert "--wyoming-uri" in text
    assert "--uri" in text
    assert "--bind" in text


async def test_two_adapters_serve_one_engine_and_give_the_text_of_transcribe() -> None:
    expected = run("transcribe", str(LIGHT)).stdout.strip()
    with serving("wyoming", "http", "--uri", "tcp://127.0.0.1:0", "--bind", "127.0.0.1:0", adapters=2) as (_, (wyoming, http)):
        assert await send(wyoming, LIGHT) == expected
        async with httpx.AsyncClient(base_url=http) as client:
            answer = await client.post("/api/speech-to-text", content=LIGHT.read_bytes(), headers={"content-type": "audio/wav"})
        assert answer.json()["text"] == expected


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_cleanly(number: signal.Signals) -> None:
    with serving("wyoming", "http", "--uri", "tcp://127.0.0.1:0", "--bind", "127.0.0.1:0", adapters=2) as (process, _):
        process.send_signal(number)
        assert process.wait(_SECONDS) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_port_that_is_taken_is_one_line_and_ends_everything() -> None:
    with serving("wyoming", "--uri", "tcp://127.0.0.1:0") as (_, (address,)):
        done = run("serve", "http", "wyoming", "--bind", "127.0.0.1:0", "--uri", address)
        assert done.returncode == 2
        assert re.search(r"^Error: .*wyoming\.uri", done.stderr.splitlines()[-1])


def test_a_wrong_value_of_an_adapters_option_is_named() -> None:
    done = run("serve", "wyoming", "--uri", "carrier-pigeon://coop")
    assert (done.returncode, "wyoming.uri" in done.stderr) == (2, True)


def test_the_environment_sets_an_adapters_option() -> None:
    done = run("serve", "wyoming", environment={"DS_PLUGIN_WYOMING_URI": "carrier-pigeon://coop"})
    assert (done.returncode, "carrier-pigeon" in done.stderr) == (2, True)
