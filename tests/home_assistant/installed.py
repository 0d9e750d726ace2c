"""What scripts/home-assistant has set up in the folder that HOME_ASSISTANT_FOLDER names: interpreters, and a wheel's content."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.home_assistant.newest import prepare

VARIABLE = "HOME_ASSISTANT_FOLDER"
FLOORS = [2024, 4]  # the first version with floors
OWN_NETWORK = "HOME_ASSISTANT_OWN_NETWORK"  # set where nobody else hears what is announced


@dataclass(frozen=True, slots=True)
class Installed:
    """A Home Assistant; `source` is set where only its client can be run, by our own interpreter."""

    version: str
    python: Path
    source: Path | None = None

    def client(self, folder: Path) -> list[str]:
        """The command for `client.running`; `folder` may be filled."""
        return [str(self.python), *([str(prepare(self.source, folder))] if self.source else [])]


def folder() -> Path | None:
    """Where they are; None where that is not set."""
    named = os.environ.get(VARIABLE, "")
    return Path(named) if named else None


def found() -> tuple[Installed, ...]:
    """All of them, the oldest first; a version that can be started is not taken as source too."""
    root = folder()
    if root is None:
        return ()
    sources = [Installed(_version(file), Path(sys.executable), file.parent) for file in root.glob("source/homeassistant-*.dist-info")]
    environments = root.glob("*/lib/python3.*/site-packages/homeassistant-*.dist-info")
    runnable = [Installed(_version(file), file.parents[3] / "bin" / "python") for file in environments]
    return tuple(sorted({each.version: each for each in (*sources, *runnable)}.values(), key=_age))


def complete() -> tuple[Installed, ...]:
    """Those that can be started, and have floors."""
    return tuple(each for each in found() if not each.source and _age(each) >= FLOORS)


def _version(information: Path) -> str:
    return information.name.removeprefix("homeassistant-").removesuffix(".dist-info")


def _age(installed: Installed) -> list[int]:
    return [int(part) for part in installed.version.split(".") if part.isdecimal()]
