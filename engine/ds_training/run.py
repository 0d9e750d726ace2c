"""A run from where it is to its end: batches in, a log, checkpoints and snapshots out.

It ends by itself: after its hours of audio, before its minutes are over, when the development CER stands still, or when it is asked to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path

import numpy as np

from ds_training.batches import Batch
from ds_training.checkpoint import save_checkpoint, save_weights
from ds_training.evaluate import Figures
from ds_training.loading import WorkerError
from ds_training.model import Network
from ds_training.progress import Display, write_line
from ds_training.settings import Settings
from ds_training.trainer import Position, Trainer

MOST_NAMED = 8  # utterances of a skipped batch
EVALUATION_SHARE = 0.05  # of the minutes that are left for the last evaluation, as long as none has been timed


class Ended(Enum):
    """Why a run has ended."""

    HOURS = "hours"  # all of them were heard
    MINUTES = "minutes"  # the time was over
    PATIENCE = "patience"  # so many evaluations brought nothing better
    STOPPED = "stopped"  # somebody asked for it; run again, it goes on


class Run:
    """A trainer under supervision: `out` is the folder of all that is written, `clock` gives the seconds since this stretch of it began."""

    def __init__(
        self,
        trainer: Trainer,
        out: Path,
        settings: Settings,
        evaluate: Callable[[Network], Figures],
        clock: Callable[[], float],
        display: Display,
    ) -> None:
        self._trainer, self._out, self._settings = trainer, out, settings
        self._evaluate, self._clock, self._display = evaluate, clock, display
        self._earlier = trainer.position.seconds  # of former stretches
        self._since = (trainer.position.hours, self._seconds())  # when training last went on
        self._losses: list[float] = []  # since the last evaluation
        self._longest: float | None = None  # seconds of an evaluation
        self.figures: Figures | None = None  # of the last evaluation

    def train(self, batches: Iterator[Batch], stop: Callable[[], bool]) -> Ended:
        """To the end. When asked to stop it saves `last.pt` at once, in all other cases after a last evaluation."""
        position, settings = self._trainer.position, self._settings
        while (ended := self._ended(stop)) is None:
            try:
                batch = next(batches)
            except WorkerError:  # SIGTERM to all processes ends those that make batches, too
                if not stop():
                    raise
                continue
            self._learn(batch)
            if position.hours >= position.evaluated + settings.every:
                self._report()
            if settings.snapshots and position.hours >= position.snapshot + settings.snapshot_every:
                self._snapshot()
        if position.hours > position.evaluated:
            self._report() if ended is not Ended.STOPPED else self._save("last.pt")
        return ended

    def _ended(self, stop: Callable[[], bool]) -> Ended | None:
        position, settings = self._trainer.position, self._settings
        position.seconds = self._seconds()
        if stop():
            return Ended.STOPPED
        if position.hours >= settings.hours:
            return Ended.HOURS
        reserve = 60 * settings.minutes * EVALUATION_SHARE if self._longest is None else self._longest
        if settings.minutes and position.seconds + reserve >= 60 * settings.minutes:
            return Ended.MINUTES
        return Ended.PATIENCE if settings.patience and position.stale >= settings.patience else None

    def _learn(self, batch: Batch) -> None:
        trainer, position = self._trainer, self._trainer.position
        loss = trainer.step(batch)
        if loss is None:
            self._name(batch)
        else:
            self._losses.append(loss)
        reached = trainer.schedule.reached(position.hours, position.seconds)
        self._display.step(reached, position.hours, loss, self._speed(), position.best_cer)

    def _name(self, batch: Batch) -> None:
        """Log which batch was skipped, and of its utterances those to blame: with features that are not finite, else all."""
        broken = np.flatnonzero(~np.isfinite(batch.features).all((1, 2)))
        names = [batch.names[row] for row in broken] or batch.names
        position, (epoch, index, _) = self._trainer.position, batch.place
        place = {"step": position.step, "hours": round(position.hours, 2), "skipped": position.skipped, "epoch": epoch, "batch": index}
        write_line(self._out / "log.jsonl", {**place, "utterances": names[:MOST_NAMED], "and_more": len(names[MOST_NAMED:])})

    def _report(self) -> None:
        """Evaluate the moving average, judge it, write the checkpoints and a line of the log."""
        position, speed, before = self._trainer.position, self._speed(), self._seconds()
        self.figures = self._evaluate(self._trainer.average)
        position.seconds, position.evaluated = self._seconds(), position.hours
        self._longest = max(self._longest or 0.0, position.seconds - before)
        better = judge(position, self.figures.cer, self._settings)
        self._save("last.pt", *(["best.pt"] if better else []))
        write_line(self._out / "log.jsonl", {**line(self._trainer, self.figures, self._losses), "hours_per_second": round(speed, 4)})
        self._losses, self._since = [], (position.hours, self._seconds())

    def _save(self, *names: str) -> None:
        for name in names:
            save_checkpoint(self._out / name, self._trainer.checkpoint())

    def _snapshot(self) -> None:
        position = self._trainer.position
        position.snapshot = position.hours
        save_weights(self._out / f"snapshot-{position.step:08}.pt", self._trainer.average)
        for old in sorted(self._out.glob("snapshot-*.pt"))[: -self._settings.snapshots]:
            old.unlink()

    def _speed(self) -> float:
        hours, seconds = self._since
        return (self._trainer.position.hours - hours) / max(1e-3, self._seconds() - seconds)

    def _seconds(self) -> float:
        """Of all stretches of the run together."""
        return self._earlier + self._clock()


def judge(position: Position, cer: float, settings: Settings) -> bool:
    """Note an evaluation in the position: best, goal, how long without a better one, and the rate that follows. True for a new best."""
    better = cer < position.best_cer
    position.best_cer = min(cer, position.best_cer)
    if cer < position.goal_cer - settings.min_delta:
        position.goal_cer, position.stale = cer, 0
    else:
        position.stale += 1
        if settings.plateau and position.stale % settings.plateau == 0:
            position.factor *= settings.plateau_factor
    return better


def line(trainer: Trainer, figures: Figures, losses: list[float]) -> dict[str, float | None]:
    """What the log says of an evaluation; seconds are those of the whole run, skipped and unaligned are totals."""
    position = trainer.position
    loss = round(sum(losses) / len(losses), 4) if losses else None
    return {
        "step": position.step,
        "hours": round(position.hours, 2),
        "seconds": round(position.seconds),
        "loss": loss,
        "cer": round(figures.cer, 4),
        "wer": round(figures.wer, 4),
        "learning_rate": float(f"{trainer.rate():.4g}"),
        "strength": round(trainer.strength(position.drawn), 4),
        "skipped": position.skipped,
        "unaligned": position.unaligned,
    }
