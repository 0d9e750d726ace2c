"""Runs in the Debian folder that in_debian.sh has made, as the container would: no path is another, and there is no network.

Prints what it has seen; an assertion that fails ends it.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import wave
from pathlib import Path

from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient

import ds_plugin
from tests.addon.supervised import Container, furnish, running
from tests.addon.supervisor import SECONDS, TOKEN, supervising
from tests.ds_home_assistant.fake import household, until

LIGHT = Path(ds_plugin.__file__).parent / "samples" / "turn_on_the_kitchen_light.wav"
ROOT = Path("/")


async def main(health: list[str]) -> None:
    """`health` is the image's health check."""
    furnish(ROOT, {"SUPERVISOR_TOKEN": TOKEN, "PATH": "/command:/usr/bin:/bin"})
    assert await _exit_code(health) == 1
    container = Container(ROOT)
    try:
        await _live(container, health)
    finally:
        _tell("\n".join(["the log:", *(f"  {line}" for line in container.lines)]))


async def _live(container: Container, health: list[str]) -> None:
    home = household()
    home.token = TOKEN
    async with home.serving() as address, supervising(port=80) as supervisor, running(container):
        supervisor.home_assistant = int(address.rpartition(":")[2])
        [request] = await supervisor.heard(1)
        _tell(f"told the Supervisor: {request.body['config']}")
        assert request.body["config"]["uri"] == f"tcp://{socket.gethostname()}:10300"
        assert await _exit_code(health) == 0
        _tell("the health check is content")
        await until((ROOT / "data/state/ds-plugin/home-assistant.json").exists)
        _tell(f"Home Assistant was asked for {', '.join(sorted(home.asked))}")
        _tell(f"heard: {await _transcript()!r}")
        _tell(f"written: {_written()}")
        await container.control("-wD", "-d")
        assert not container.halted
        _tell("stopped cleanly")
        await container.control("-u")
        await container.says("wyoming listens")
        await container.control("-k")
        await container.ended()
        assert container.exit_code == 128 + 9
        _tell("killed: the container halts with 137")


async def _transcript() -> str:
    with wave.open(str(LIGHT)) as file:
        rate, width, channels = file.getframerate(), file.getsampwidth(), file.getnchannels()
        audio = file.readframes(file.getnframes())
    async with AsyncClient.from_uri("tcp://127.0.0.1:10300") as client, asyncio.timeout(SECONDS):
        await client.write_event(Transcribe(language="en").event())
        await client.write_event(AudioStart(rate, width, channels).event())
        await client.write_event(AudioChunk(rate, width, channels, audio).event())
        await client.write_event(AudioStop().event())
        while (event := await client.read_event()) is not None:
            if event.type == "transcript":
                return str(event.data["text"])
    return ""


def _written() -> str:
    return ", ".join(sorted(str(path) for folder in ("data", "share") for path in (ROOT / folder).rglob("*")))


async def _exit_code(command: list[str]) -> int:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    return await asyncio.wait_for(process.wait(), SECONDS)


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
