"""Training under watch: its command and the time that is left in, one run out that goes on from its last checkpoint where it failed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ds_training.box.deliver import last_line
from ds_training.box.journal import Journal
from ds_training.box.processes import Process
from ds_training.box.recipe import options

MOST_STARTS = 4
THREADS = {"OMP_NUM_THREADS": str(min(4, os.cpu_count() or 1)), "OMP_WAIT_POLICY": "PASSIVE"}  # other processes want the cores
REMEDIES = {"out of memory": "frames", "needs finite losses": "learning_rate"}  # what training may say, and which setting is halved then
SHORTEST = 20.0  # seconds: with less left it is not started again


class Training:
    """`command` is all but the settings; `seconds_left` tells how long a run that begins now may take."""

    def __init__(
        self,
        command: Callable[[], Sequence[str]],
        settings: Mapping[str, Any],
        out: Path,
        log: Path,
        journal: Journal,
        seconds_left: Callable[[], float],
    ) -> None:
        self._command, self._settings, self._out, self._log = command, dict(settings), out, log
        self._journal, self._seconds_left = journal, seconds_left
        self._process: Process | None = None
        self._starts = 0
        self.succeeded: bool | None = None  # None: not yet known

    @property
    def begun(self) -> bool:
        return self._starts > 0

    def begin(self) -> None:
        """Start, or go on; training counts the minutes of all its stretches together."""
        earlier = float(last_line(self._out / "log.jsonl").get("seconds", 0.0))
        minutes = round((earlier + max(1.0, self._seconds_left())) / 60, 3)  # 0 would be without end
        command = [*self._command(), *options({**self._settings, "minutes": minutes})]
        self._process = Process(command, self._log, environment=THREADS)
        self._starts += 1
        self._journal.note("training begins", start=self._starts, **{**self._settings, "minutes": minutes})

    def tick(self) -> None:
        """Notice its end; after a failure begin again with what can be changed for the better."""
        if self._process is None or self._process.result is None or self.succeeded is not None:
            return
        if self._process.result == 0:
            self._journal.note("training ended", output=self._process.tail())
            self.succeeded = True
            return
        output = self._process.tail()
        self._journal.note("training failed", status=self._process.result, output=output)
        if self._starts >= MOST_STARTS or self._seconds_left() < SHORTEST:
            self.succeeded = False
            return
        for words, name in REMEDIES.items():
            if words in output.lower() and name in self._settings:
                self._settings[name] = type(self._settings[name])(self._settings[name] / 2)
        self.begin()

    def end_by(self, is_late: Callable[[], bool], tick: float) -> None:
        """Ask it to save and end, look every `tick` seconds whether it did, and end it when it is late."""
        if self._process is None:
            return
        if self._process.result is None:
            self._journal.note("training is asked to end")
            self._process.ask_to_end()
            while self._process.result is None and not is_late():
                time.sleep(tick)
        if self._process.result is None:
            self._journal.note("training did not end in time")
        self._process.end()
