"""How a run tells of itself: one JSON line for each evaluation, and a bar where standard error is a terminal."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

SMOOTHING = 0.98  # share of the old in the displayed loss, per step


class Display:
    """A bar of the progress with hours, loss, rate, best CER and time left; nothing where `console` is no terminal."""

    def __init__(self, hours: float, console: Console | None = None) -> None:
        """`hours` of audio are the whole bar."""
        console = console or Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn())
        both = sys.stdout.isatty()  # what is printed goes above the bar on the same terminal, and past it elsewhere
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal, redirect_stdout=both)
        self._hours = hours
        self._loss: float | None = None
        self._task = self._bar.add_task("starting", total=hours)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()

    def step(self, reached: float, hours: float, loss: float | None, hours_per_second: float, best_cer: float) -> None:
        """After a step: hours of the schedule reached and of audio heard, its loss if it has one."""
        if loss is not None:
            self._loss = loss if self._loss is None else SMOOTHING * self._loss + (1 - SMOOTHING) * loss
        heard = "-" if self._loss is None else f"{self._loss:.3f}"
        best = "-" if math.isinf(best_cer) else f"{best_cer:.4f}"
        words = f"{hours:.1f} of {self._hours:g} h  loss {heard}  {hours_per_second:.3f} h/s  CER {best}"
        self._bar.update(self._task, completed=reached, description=words)


def write_line(log: Path, entry: Mapping[str, Any]) -> None:
    """Append to the log and print."""
    line = json.dumps(entry, ensure_ascii=False)
    with log.open("a", encoding="utf-8") as file:
        print(line, file=file)
    print(line, flush=True)
