"""The app's services under real s6 (Debian's packages s6 and execline), in a folder that stands for the container.

Debian has no s6-rc, so what that does with the definitions is done here: oneshots and longruns start in the order of their
dependencies, a longrun under s6-supervise, a oneshot's `up` by execlineb. Paths of the container become paths below the folder;
what halts a container ends s6-svscan here.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path

from tests.addon.layout import ROOTFS
from tests.addon.supervisor import SECONDS

TOOLS = ("s6-svscan", "s6-supervise", "s6-svc", "s6-svscanctl", "s6-envdir", "execlineb")
EXECLINE = Path("/usr/lib/execline/bin")  # where Debian keeps execline's other programs
AVAILABLE = all(map(shutil.which, TOOLS)) and EXECLINE.is_dir()
PATH = f"{EXECLINE}:{os.environ.get('PATH', os.defpath)}"

_WITH_CONTENV = """#!{execlineb} -S0
s6-envdir -Lfn -- {root}/run/s6/container_environment
$@
"""
_HALT = """#!/bin/sh
echo halted >{root}/halted
exec s6-svscanctl -t {root}/run/service
"""


@dataclass(slots=True)
class Container:
    """A folder with the app in it, and s6 running there."""

    root: Path
    svscan: Process | None = None
    lines: list[str] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    readers: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """What the container would end with."""
        return int((self.root / "run/s6-linux-init-container-results/exitcode").read_text())

    @property
    def halted(self) -> bool:
        """Whether somebody has asked for the container's end."""
        return (self.root / "halted").exists()

    async def says(self, part: str) -> str:
        """The first line with this part in it, once there is one."""
        async with asyncio.timeout(SECONDS), self.changed:
            await self.changed.wait_for(lambda: any(part in line for line in self.lines))
        return next(line for line in self.lines if part in line)

    async def control(self, *arguments: str) -> None:
        """s6-svc on the server."""
        running = await asyncio.create_subprocess_exec("s6-svc", *arguments, self.root / "run/service/ds-plugin")
        assert await asyncio.wait_for(running.wait(), SECONDS) == 0

    async def ended(self) -> None:
        """Waits until s6-svscan has ended."""
        assert self.svscan is not None
        await asyncio.wait_for(self.svscan.wait(), SECONDS)


def furnish(root: Path, environment: dict[str, str]) -> None:
    """Puts what stands for the rest of the container into a folder."""
    for folder in ("command", "run/service", "run/s6/basedir/bin", "run/s6-linux-init-container-results", "data"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "run/s6-linux-init-container-results/exitcode").write_text("0\n")
    variables = root / "run/s6/container_environment"
    variables.mkdir()
    for name, value in environment.items():
        (variables / name).write_text(value)
    for place, script in (("command/with-contenv", _WITH_CONTENV), ("run/s6/basedir/bin/halt", _HALT)):
        (root / place).write_text(script.format(root=str(root).rstrip("/"), execlineb=shutil.which("execlineb")))
        (root / place).chmod(0o755)


def build(root: Path, environment: dict[str, str], announce: str) -> None:
    """Puts the app into a folder, and what stands for the rest of the container. `announce` are further arguments of that command."""
    shutil.copytree(ROOTFS, root, dirs_exist_ok=True)
    furnish(root, environment)
    replacements = {
        "/opt/ds-plugin/bin/python": sys.executable,
        "/opt/ds-app serve": f"{root}/opt/ds-app serve --root {root}",
        "/opt/ds-app announce": f"{root}/opt/ds-app announce {announce}",
        "/command/": f"{root}/command/",
        "/run/s6": f"{root}/run/s6",
    }
    for path in (root / "etc/s6-overlay").rglob("*"):
        if path.name in {"run", "finish", "up"}:
            text = path.read_text()
            for old, new in replacements.items():
                text = text.replace(old, new)
            path.write_text(text)


@asynccontextmanager
async def running(container: Container) -> AsyncIterator[Container]:
    """Starts s6 and brings up all services; ends everything that was started."""
    command = ("s6-svscan", container.root / "run/service")
    container.svscan = await asyncio.create_subprocess_exec(
        *command, stdout=PIPE, stderr=STDOUT, env={"PATH": PATH}, start_new_session=True
    )
    assert container.svscan.stdout is not None
    container.readers.append(asyncio.create_task(_read(container, container.svscan.stdout)))
    try:
        for name in _order(container.root):
            await _up(container.root / "etc/s6-overlay/s6-rc.d" / name, container)
        yield container
    finally:
        if container.svscan.returncode is None:
            await _quietly("s6-svscanctl", "-t", str(container.root / "run/service"))
        await container.ended()
        await asyncio.wait_for(asyncio.gather(*container.readers), SECONDS)  # until nobody is left who could write


def _order(root: Path) -> Iterator[str]:
    """The services of the bundle `user`, each after those that it depends on; `base` is the overlay's own."""
    folder = root / "etc/s6-overlay/s6-rc.d"
    wanted = {path.name for path in (folder / "user/contents.d").iterdir()}
    needs = {name: {path.name for path in (folder / name / "dependencies.d").iterdir()} - {"base"} for name in wanted}
    return iter(tuple(TopologicalSorter(needs).static_order()))


async def _up(definition: Path, container: Container) -> None:
    kind = (definition / "type").read_text().strip()
    if kind == "longrun":
        service = container.root / "run/service" / definition.name
        shutil.copytree(definition, service, ignore=shutil.ignore_patterns("type", "dependencies.d"))
        await _quietly("s6-svscanctl", "-a", str(service.parent))
        return
    assert kind == "oneshot"
    lines, writing = await _pipe()  # of our own: the announcement, in the background, outlives the process
    container.readers.append(asyncio.create_task(_read(container, lines)))
    try:
        done = await asyncio.create_subprocess_exec(
            "execlineb", "-P", definition / "up", env={"PATH": PATH}, stdout=writing, stderr=writing
        )
    finally:
        os.close(writing)
    assert await asyncio.wait_for(done.wait(), SECONDS) == 0


async def _pipe() -> tuple[asyncio.StreamReader, int]:
    """A pipe's two ends; the first is closed when the second is."""
    reading, writing = os.pipe()
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), os.fdopen(reading, "rb"))
    return lines, writing


async def _read(container: Container, lines: asyncio.StreamReader) -> None:
    async for line in lines:
        async with container.changed:
            container.lines.append(line.decode(errors="replace").rstrip())
            container.changed.notify_all()


async def _quietly(*command: str) -> None:
    done = await asyncio.create_subprocess_exec(*command, stderr=DEVNULL)
    await asyncio.wait_for(done.wait(), SECONDS)
