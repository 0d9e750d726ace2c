"""The whole run: an unpacked archive and its recipe in, a folder of results out that is complete at any moment.

At once the machine is probed, the recordings are prepared, and as many processes synthesise as the recipe says. Training begins when
there is enough to hear, on a folder that still grows. What fails is noted and, where it can be, done without; only without a device,
development recordings or anything to hear there is no training. Whatever happens, the best checkpoint so far is delivered.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ds_training.box import deliver
from ds_training.box.contents import BoxError, Contents
from ds_training.box.gpu import Gauge
from ds_training.box.journal import Journal
from ds_training.box.place import DEVELOPMENT, TRAIN, Place
from ds_training.box.pool import Pool
from ds_training.box.processes import Process
from ds_training.box.recipe import Recipe
from ds_training.box.training import Training
from ds_training.box.voices import heard, known

TICK = 0.2  # seconds between two looks at everything
DELIVERY, SAMPLE = 20.0, 10.0  # seconds between two deliveries, and between two questions to the GPU
_PROBE, _TRAIN, _DEVELOPMENT = "probe", "prepare-train", "prepare-development"  # helpers
GIVE_UP = 3.0  # seconds before the end at which nobody is waited for any more


class Supervisor:
    """One run of `recipe.minutes`, from these weights or those that came along; `stop` tells whether somebody wants an early end."""

    def __init__(self, place: Place, recipe: Recipe, start: Path | None = None, stop: Callable[[], bool] = lambda: False) -> None:
        began = time.monotonic()
        self._clock: Callable[[], float] = lambda: time.monotonic() - began
        self._place, self._recipe, self._stop = place, recipe, stop
        self._journal = Journal(place.result / "box.jsonl", self._clock)
        self._gauge, self._facts = Gauge(), dict[str, Any]()
        self._without: tuple[str, ...] = ()  # voices that were not carried, or do not speak here
        self._helpers: dict[str, Process] = {}  # that must be done before training begins
        self._pool = Pool(recipe, place.shards, place.logs, self._journal, lambda seed: place.synthesis(seed, recipe, self._without))
        self._training = Training(
            lambda: place.trainer(start), recipe.training, place.training, place.log("training"), self._journal, self._seconds_left
        )
        self._next = {"delivery": 0.0, "sample": 0.0}  # seconds
        self._newest = 0.0  # time of change of the checkpoint delivered last

    def run(self) -> bool:
        """To the end; True if training ended in order and there is a best checkpoint."""
        try:
            self._begin()
            while self._going():
                self._tick()
                time.sleep(TICK)
        except (ValueError, LookupError, OSError) as error:  # BoxError, or a probe that prints something else than facts
            self._journal.note("failed", error=str(error))
        finally:
            self._finish()
        return bool(self._training.succeeded) and (self._place.result / "best.pt").exists()

    def _seconds_left(self) -> float:
        """For training."""
        return self._recipe.minutes * 60 - self._recipe.margin - self._clock()

    def _begin(self) -> None:
        recipe, place = self._recipe, self._place
        self._journal.note("began", minutes=recipe.minutes, cores=len(os.sched_getaffinity(0)))
        contents = Contents.read(place.box)
        contents.check(place.box)
        self._help(_PROBE, place.probe(recipe))
        for name, part in ((_TRAIN, TRAIN), (_DEVELOPMENT, DEVELOPMENT)):
            if not place.real(part).exists():
                self._help(name, place.preparation(part))
        self._without = (*contents.without, *self._silent(contents.without))

    def _help(self, name: str, command: Sequence[str]) -> None:
        self._helpers[name] = Process(command, self._place.log(name), environment={"OMP_NUM_THREADS": "1"})

    def _silent(self, absent: Sequence[str]) -> list[str]:
        names = sorted(known().keys() - set(absent))
        try:
            said = heard(names) if names else {}
        except BoxError as error:
            self._journal.note("voices were not heard", error=str(error))
            return []
        silent = [name for name in names if not said[name]]
        if silent:
            self._journal.note("voices are silent", voices=silent)
        return silent

    def _going(self) -> bool:
        if self._stop():
            self._journal.note("stopped")
            return False
        return self._training.succeeded is None and self._seconds_left() > -self._recipe.margin / 2

    def _tick(self) -> None:
        minute = self._clock() / 60
        self._pool.tick(minute)
        for name, process in list(self._helpers.items()):
            if process.result is not None:
                del self._helpers[name]
                self._helped(name, process)
        self._training.tick()
        if not self._training.begun and not self._helpers and self._is_enough(minute):
            self._training.begin()
        for name, seconds, act in (("delivery", DELIVERY, self._deliver), ("sample", SAMPLE, self._gauge.sample)):
            if self._clock() >= self._next[name]:
                self._next[name] = self._clock() + seconds
                act()

    def _helped(self, name: str, process: Process) -> None:
        """Note what a helper found. Raises BoxError where there is no training without it."""
        output = process.tail()
        if process.result == 0:
            self._journal.note(f"{name} is done", output=output)
            if name == _PROBE:
                self._facts["machine"] = json.loads(output.splitlines()[-1])
            return
        self._journal.note(f"{name} failed", status=process.result, output=output)
        if name != _TRAIN:
            raise BoxError(f"training needs {name} to work here, got: {output.splitlines()[-1] if output else process.result}")

    def _is_enough(self, minute: float) -> bool:
        """Whether there is enough to hear. Raises BoxError where there is nothing, and will be nothing."""
        made, real = self._pool.made, self._place.real(TRAIN).exists()
        if self._pool.over and not made and not real:
            raise BoxError("training needs something to hear, got neither recordings nor synthetic speech")
        waited = self._pool.over or minute >= self._recipe.patience
        return made >= self._recipe.start_with or (waited and (made > 0 or real))

    def _deliver(self) -> None:
        """Bring the results up to date; what goes wrong here is noted, and does not end the run."""
        place, result = self._place, self._place.result
        try:
            self._deliver_best()
            deliver.copy_end(place.training / "log.jsonl", result / "log.jsonl")
            deliver.copy_end(place.log("training"), result / "training.txt")
            deliver.write_facts(self._gathered(), result / "facts.json")
        except (ValueError, OSError, RuntimeError) as error:  # CheckpointError among them, and PyTorch's
            self._journal.note("delivery failed", error=str(error))

    def _deliver_best(self) -> None:
        """The best checkpoint, before there was an evaluation the last one, unless it was delivered before."""
        names = [self._place.training / name for name in ("best.pt", "last.pt")]
        found = next((path for path in names if path.exists()), None)
        if found is not None and found.stat().st_mtime != self._newest:
            newest = found.stat().st_mtime
            deliver.write_best(found, self._place.result / "best.pt")
            self._newest = newest

    def _gathered(self) -> dict[str, Any]:
        synthesis = {"shards": self._pool.made, "hours": round(self._pool.hours, 2), "without": self._without}
        training = deliver.last_line(self._place.training / "log.jsonl")
        return {**self._facts, "seconds": round(self._clock()), "synthesis": synthesis, "training": training, "gpu": self._gauge.means()}

    def _finish(self) -> None:
        """Stop everybody, training with time to save what it has, and deliver."""
        self._pool.end()
        for process in self._helpers.values():
            process.end()
        latest = min(self._clock() + self._recipe.margin / 2, self._recipe.minutes * 60 - GIVE_UP)
        self._training.end_by(lambda: self._clock() > latest, TICK)
        self._deliver()
        self._journal.note("ended", succeeded=bool(self._training.succeeded))
