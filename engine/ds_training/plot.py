"""Logs of runs in, one picture out: loss, character and word errors over the hours of audio.

    python -m ds_training.plot LOG... OUT.png

A LOG is a `log.jsonl`, or the folder of a run with one in it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ds_training.corpus import CorpusError

SIZE = (9.0, 7.5)  # inches
DPI = 130  # dots per inch


class LogError(CorpusError):
    """A log that cannot be drawn: the message names the file, and the line if there is one."""


@dataclass(frozen=True, slots=True)
class Curve:
    """The evaluations of one run. Losses are NaN where a stretch had none."""

    name: str
    hours: tuple[float, ...]
    loss: tuple[float, ...]
    cer: tuple[float, ...]  # fractions
    wer: tuple[float, ...]


def read_curve(path: Path, name: str) -> Curve:
    """The lines of a log that tell of evaluations. Raises LogError where there is none, or a line is no such object."""
    log = path / "log.jsonl" if path.is_dir() else path
    try:
        lines = log.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LogError(f"{log}: cannot be read ({error})") from error
    rows = [row for number, line in enumerate(lines, 1) if (row := _row(log, number, line))]
    if not rows:
        raise LogError(f"{log}: needs at least one evaluation, got {len(lines)} lines without")
    return Curve(name, *zip(*rows, strict=True))


def _row(log: Path, number: int, line: str) -> tuple[float, ...] | None:
    try:
        entry: dict[str, Any] = json.loads(line)
        if "cer" not in entry:  # tells of something else, as a skipped batch
            return None
        return tuple(float("nan") if (value := entry[key]) is None else float(value) for key in ("hours", "loss", "cer", "wer"))
    except (ValueError, TypeError, KeyError) as error:
        raise LogError(f"{log}: line {number} needs an object with hours, loss, cer and wer, got {line!r:.60}") from error


def plot(logs: Sequence[Path], out: Path) -> None:
    """Draw the runs into a PNG. Raises LogError for a log that cannot be drawn, or none at all."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not logs:
        raise LogError("a picture needs at least one log, got none")
    curves = [read_curve(log, name) for log, name in zip(logs, _names(logs), strict=True)]
    figure = Figure(SIZE, DPI, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for index, curve in enumerate(curves):
        look = {"color": f"C{index % 10}", "marker": ".", "markersize": 4}
        above.plot(curve.hours, curve.loss, label=curve.name, **look)
        below.plot(curve.hours, [100 * value for value in curve.cer], label=f"{curve.name}: CER", **look)
        below.plot(curve.hours, [100 * value for value in curve.wer], label=f"{curve.name}: WER", linestyle="--", **look)
    above.set_ylabel("training loss (nats per symbol)")
    below.set_ylabel("errors on development speakers (%)")
    below.set_xlabel("audio heard (hours)")
    for axes in (above, below):
        axes.grid(visible=True, alpha=0.3)
        axes.legend(fontsize="small")
    FigureCanvasAgg(figure).print_png(str(out))


def _names(logs: Sequence[Path]) -> list[str]:
    """Each run by its folder, or by its whole path where two folders are called the same."""
    folders = [(log if log.is_dir() else log.resolve().parent).name for log in logs]
    return [folder if folders.count(folder) == 1 else str(log) for folder, log in zip(folders, logs, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the logs of training runs.")
    parser.add_argument("logs", type=Path, nargs="+", metavar="LOG")
    parser.add_argument("out", type=Path, metavar="OUT.png")
    options = parser.parse_args()
    try:
        plot(options.logs, options.out)
    except (CorpusError, OSError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
