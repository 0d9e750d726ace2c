"""Processes of a run: a command in, a process out whose output is in a file, whose whole family can be ended, and whose end is noticed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_TAIL = 2000  # bytes of output that tell why a process failed


class Process:
    """A running command; its children end with it, because it leads a session of its own."""

    def __init__(self, command: Sequence[str], log: Path, niceness: int = 0, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603  # our own commands
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
            )
        with contextlib.suppress(OSError):  # it may be over, or the machine may not allow it
            os.setpriority(os.PRIO_PROCESS, self._process.pid, niceness)

    @property
    def result(self) -> int | None:
        """The exit status, or None while it runs; below 0 it is the signal that ended it."""
        return self._process.poll()

    def tail(self) -> str:
        """The end of what it printed."""
        with self.log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            return file.read().decode("utf-8", "replace").strip()

    def ask_to_end(self) -> None:
        """SIGTERM to the process itself, which may want to save something."""
        self._process.terminate()

    def end(self) -> None:
        """Without mercy, and all its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
