"""Synthesis on many cores: seeds in, a growing folder of shards out, by as many processes as the recipe has at the time.

Each process makes one shard, of a seed of its own; which seeds were finished is the only thing that depends on how fast it went.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ds_training.box.journal import Journal
from ds_training.box.processes import Process
from ds_training.box.recipe import Recipe

MOST_FAILURES = 8  # in a row, after which no more are started: something is wrong for good
NICENESS = 10  # training and its workers come first
BYTES_PER_HOUR = 2 * 80 * 100 * 3600  # of a shard: float16, bands, frames a second


class Pool:
    """`command` gives the command that makes the shard of a seed, `synthetic-SEED-0.npz` in the folder."""

    def __init__(self, recipe: Recipe, folder: Path, logs: Path, journal: Journal, command: Callable[[int], Sequence[str]]) -> None:
        self._recipe, self._folder, self._logs, self._journal, self._command = recipe, folder, logs, journal, command
        self._waiting = [seed for seed in range(recipe.seed, recipe.seed + recipe.shards) if not self._shard(seed).exists()][::-1]
        self._running: dict[int, Process] = {}
        self._failures = 0
        folder.mkdir(parents=True, exist_ok=True)

    def tick(self, minute: float) -> None:
        """See who is done, and start as many as are wanted; who is too many may finish."""
        for seed, process in list(self._running.items()):
            if process.result is not None:
                del self._running[seed]
                self._judge(seed, process)
        while self._waiting and not self.given_up and len(self._running) < self._recipe.processes_at(minute):
            seed = self._waiting.pop()
            self._running[seed] = Process(self._command(seed), self._logs / f"synthesis-{seed}.txt", NICENESS, {"OMP_NUM_THREADS": "1"})

    def _judge(self, seed: int, process: Process) -> None:
        if process.result == 0 and self._shard(seed).exists():
            self._failures = 0
            return
        self._failures += 1
        self._journal.note("synthesis failed", seed=seed, status=process.result, output=process.tail())
        if self.given_up:
            self._journal.note("synthesis given up", failures=self._failures)

    @property
    def given_up(self) -> bool:
        return self._failures >= MOST_FAILURES

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return not self._running and (not self._waiting or self.given_up)

    @property
    def made(self) -> int:
        """Shards that are there."""
        return len(self._shards())

    @property
    def hours(self) -> float:
        """Of speech in them, by their size."""
        return sum(path.stat().st_size for path in self._shards()) / BYTES_PER_HOUR

    def end(self) -> None:
        for process in self._running.values():
            process.end()
        self._running.clear()

    def _shards(self) -> list[Path]:
        return list(self._folder.glob("synthetic-*.npz"))

    def _shard(self, seed: int) -> Path:
        return self._folder / f"synthetic-{seed}-0.npz"
