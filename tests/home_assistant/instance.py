"""A whole Home Assistant in a folder of its own: with its demo integration, on a free port of this machine, reaching nothing else."""

from __future__ import annotations

import asyncio
import json
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.home_assistant.api import Session, onboard, session

SECONDS = 120.0  # in which it must have started, or ended
SAVED_SECONDS = 20.0  # in which it has written a change of a registry to disk; it waits for 10

# Onboarding's other steps set up integrations that ask the internet for weather and radio stations.
_ONBOARDED = {"version": 4, "minor_version": 1, "key": "onboarding", "data": {"done": ["core_config", "analytics", "integration"]}}
_CONFIGURATION = """\
homeassistant:
  name: Home
  country: US
  language: en
  time_zone: UTC
http:
  server_host: 127.0.0.1
  server_port: {port}
api:
websocket_api:
config:
conversation:
stt:
assist_pipeline:
ffmpeg:
  ffmpeg_bin: {ffmpeg}
demo:
"""
_FFMPEG = "#!/bin/sh\necho 'ffmpeg version 6.0'\n"  # it is asked for its version, and then not used


@dataclass(slots=True)
class Instance:
    """One that `home_assistant` has started; it may be killed and started again."""

    python: Path
    folder: Path
    port: int
    token: str = ""
    process: Process | None = field(default=None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def configure(self, more: Sequence[str]) -> None:
        """Writes a fresh configuration."""
        (self.folder / ".storage").mkdir(parents=True)
        (self.folder / ".storage/onboarding").write_text(json.dumps(_ONBOARDED))
        ffmpeg = self.folder / "ffmpeg"
        ffmpeg.write_text(_FFMPEG)
        ffmpeg.chmod(0o755)
        text = _CONFIGURATION.format(port=self.port, ffmpeg=ffmpeg)
        (self.folder / "configuration.yaml").write_text("".join([text, *(f"{name}:\n" for name in more)]))

    async def start(self) -> None:
        """Until it is running, with a user and their token."""
        arguments = ("-m", "homeassistant", "-c", str(self.folder), "--skip-pip")
        with (self.folder / "printed.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(self.python, *arguments, stdin=DEVNULL, stdout=log, stderr=log)
        async with asyncio.timeout(SECONDS):
            await self._answering()
            self.token = self.token or await onboard(self.url)
            while await self._state() != "RUNNING":  # noqa: ASYNC110 - who comes too late for the announcement waits for ever
                await asyncio.sleep(0.1)

    async def kill(self) -> None:
        """It is gone at once."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> None:
        """It ends as people end it."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
            await asyncio.wait_for(self.process.wait(), SECONDS)

    async def saved(self, name: str, text: str) -> None:
        """Waits until a text is in what it keeps on disk under a name."""
        file = self.folder / ".storage" / name
        async with asyncio.timeout(SAVED_SECONDS):
            while not file.exists() or text not in file.read_text():  # noqa: ASYNC110 - nobody announces it
                await asyncio.sleep(0.1)

    async def _answering(self) -> None:
        """The frontend comes after all that is used here."""
        async with httpx.AsyncClient() as http:
            while True:
                assert self.process
                assert self.process.returncode is None, (self.folder / "printed.log").read_text()[-2000:]
                try:
                    if (await http.get(f"{self.url}/manifest.json")).is_success:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)

    async def _state(self) -> str:
        async with self.session() as api:
            return str((await api.call("get_config"))["state"])

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A websocket of the owner's."""
        async with session(self.url, self.token) as api:
            yield api


@asynccontextmanager
async def home_assistant(python: Path, folder: Path, *more: str) -> AsyncIterator[Instance]:
    """A fresh one that runs, with more integrations; `folder` must not exist."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    instance = Instance(python, folder, port)
    instance.configure(more)
    try:
        await instance.start()
        yield instance
        await instance.stop()
    finally:
        if instance.process and instance.process.returncode is None:
            await instance.kill()
