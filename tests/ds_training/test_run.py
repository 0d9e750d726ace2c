"""When a run evaluates, what it writes, and why it ends."""

# ruff: noqa: E402  # without torch the whole module is skipped

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ds_training.batches import Batch
from ds_training.checkpoint import load_checkpoint, load_network
from ds_training.evaluate import Figures, measure
from ds_training.loading import WorkerError
from ds_training.model import Network
from ds_training.progress import Display
from ds_training.run import Ended, Run, judge
from ds_training.settings import Settings
from ds_training.trainer import Position, Trainer
from tests.ds_training.tiny import CPU, MEL, REAL, SILENCE, batches, network, settings


def never() -> bool:
    return False


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def judged(*cers: float) -> Callable[[Network], Figures]:
    """Evaluations that come to these CERs, and then to the last one again and again."""
    figures, _ = measure(network(), REAL, MEL)
    left = list(cers)
    return lambda _network: replace(figures, cer=left.pop(0) if len(left) > 1 else left[0])


class Story:
    """A run in a folder with a clock of its own; every batch takes `seconds`."""

    def __init__(self, out: Path, told: Settings, evaluate: Callable[[Network], Figures] | None = None, seconds: float = 0.0) -> None:
        self.clock, self.told, self.seconds, self.out = Clock(), told, seconds, out
        self.trainer = Trainer(network(), told, SILENCE, CPU)
        self.run = Run(self.trainer, out, told, evaluate or judged(0.5), self.clock, Display(told.hours))

    def train(self, stop: Callable[[], bool] = never) -> Ended:
        return self.run.train(self.timed(batches(self.trainer, self.told)), stop)

    def timed(self, made: Iterable[Batch]) -> Iterator[Batch]:
        for batch in made:
            self.clock.now += self.seconds
            yield batch

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.out / "log.jsonl").read_text("utf-8").splitlines()]


def test_a_run_writes_its_log_and_checkpoints_and_stops_at_its_hours(tmp_path: Path) -> None:
    story = Story(tmp_path, settings(), seconds=2)
    assert story.train() is Ended.HOURS
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["best.pt", "last.pt", "log.jsonl"]
    first, _, last = story.log()
    position = story.trainer.position
    assert 0.01 <= position.hours < 0.013
    assert load_checkpoint(tmp_path / "last.pt")["position"]["step"] == position.step == last["step"]
    assert (last["seconds"], last["skipped"], last["strength"]) == (2 * position.step, 0, 1.0)
    assert first["learning_rate"] > last["learning_rate"]
    assert first["hours_per_second"] == pytest.approx(position.hours / (2 * position.step), rel=0.3)


def test_only_what_is_better_becomes_the_best(tmp_path: Path) -> None:
    story = Story(tmp_path, settings(), judged(0.5, 0.4, 0.6))
    story.train()
    assert [line["cer"] for line in story.log()] == [0.5, 0.4, 0.6]
    assert load_checkpoint(tmp_path / "best.pt")["position"]["step"] == story.log()[1]["step"]
    assert load_checkpoint(tmp_path / "last.pt")["position"]["best_cer"] == 0.4


def test_a_run_that_is_over_does_nothing_more(tmp_path: Path) -> None:
    story = Story(tmp_path, settings())
    story.train()
    lines = story.log()
    assert story.train() is Ended.HOURS
    assert story.log() == lines


def test_time_ends_a_run_early_enough_for_the_last_evaluation(tmp_path: Path) -> None:
    told = settings(hours=1000.0, every=0.004, minutes=2.0)
    story = Story(tmp_path, told, seconds=3)
    story.run = Run(story.trainer, tmp_path, told, slow(story.clock, 20), story.clock, Display(1.0))
    assert story.train() is Ended.MINUTES
    assert 90 < story.clock.now <= 120 + 3  # the step that was begun
    assert story.log()[-1]["seconds"] == story.clock.now


def slow(clock: Clock, seconds: float) -> Callable[[Network], Figures]:
    def evaluate(one: Network) -> Figures:
        clock.now += seconds
        return judged(0.5)(one)

    return evaluate


def test_time_ends_a_run_that_was_never_evaluated_and_evaluates_it(tmp_path: Path) -> None:
    story = Story(tmp_path, settings(hours=1000.0, every=500.0, minutes=1.0), seconds=4)
    assert story.train() is Ended.MINUTES
    assert 50 < story.clock.now <= 60
    assert len(story.log()) == 1
    assert (tmp_path / "best.pt").exists()


def test_with_time_bounded_the_rate_falls_and_the_strength_rises_by_time(tmp_path: Path) -> None:
    story = Story(tmp_path, settings(hours=1000.0, every=0.002, minutes=1.0, ramp=500.0, strength=[0, 1], warm_up=0), seconds=4)
    story.train()
    rates, strengths = ([line[name] for line in story.log()] for name in ("learning_rate", "strength"))
    assert rates[0] == 1e-3
    assert rates[-1] < 4e-4
    assert strengths[0] == 0.4
    assert strengths[-1] == 1.0


def test_time_counts_on_when_a_run_is_resumed(tmp_path: Path) -> None:
    told = settings(hours=1000.0, minutes=1.0)
    story = Story(tmp_path, told, seconds=4)
    story.trainer.position.seconds = 48.0
    again = Story(tmp_path, told, seconds=4)
    again.trainer.resume(story.trainer.checkpoint())
    again.run = Run(again.trainer, tmp_path, told, judged(0.5), again.clock, Display(1.0))
    assert again.train() is Ended.MINUTES
    assert again.clock.now <= 12


def test_patience_ends_a_run_that_gets_no_better(tmp_path: Path) -> None:
    story = Story(tmp_path, settings(hours=1000.0, every=0.001, patience=3, min_delta=0.02), judged(0.5, 0.4, 0.39, 0.385, 0.41))
    assert story.train() is Ended.PATIENCE
    assert [line["cer"] for line in story.log()] == [0.5, 0.4, 0.39, 0.385, 0.41]
    assert load_checkpoint(tmp_path / "best.pt")["position"]["best_cer"] == 0.385  # better, though not by enough to go on


def test_a_plateau_lowers_the_rate_each_time() -> None:
    told = settings(plateau=2, plateau_factor=0.5, min_delta=0.01)
    position = Position()
    factors = [judge(position, cer, told) or position.factor for cer in (0.5, 0.495, 0.5, 0.5, 0.5, 0.3, 0.31)]
    assert factors == [True, True, 0.5, 0.5, 0.25, True, 0.25]


def test_asked_to_stop_it_saves_at_once_and_goes_on_from_there(tmp_path: Path) -> None:
    told = settings(hours=0.02, every=0.008)
    whole = Story(tmp_path / "whole", told)
    (tmp_path / "whole").mkdir()
    whole.train()
    first, answers = Story(tmp_path, told), iter([False] * 5 + [True])
    assert first.train(lambda: next(answers)) is Ended.STOPPED
    assert first.trainer.position.step == 5
    assert not (tmp_path / "log.jsonl").exists()
    second = Story(tmp_path, told)
    second.trainer.resume(load_checkpoint(tmp_path / "last.pt"))
    second.run = Run(second.trainer, tmp_path, told, judged(0.5), second.clock, Display(1.0))
    assert second.train() is Ended.HOURS
    assert [line["step"] for line in second.log()] == [line["step"] for line in whole.log()]  # evaluated at the same places
    states = [story.trainer.average.state_dict().values() for story in (whole, second)]
    assert all(torch.equal(*pair) for pair in zip(*states, strict=True))


def test_a_run_that_was_stopped_and_is_now_over_is_evaluated(tmp_path: Path) -> None:
    answers = iter([False] * 5 + [True])
    story = Story(tmp_path, settings(every=1.0))
    story.train(lambda: next(answers))
    again = Story(tmp_path, settings(every=1.0, hours=0.001))
    again.trainer.resume(load_checkpoint(tmp_path / "last.pt"))
    again.run = Run(again.trainer, tmp_path, again.told, judged(0.5), again.clock, Display(1.0))
    assert again.train() is Ended.HOURS
    assert [line["step"] for line in again.log()] == [5]


def test_processes_that_end_because_all_are_asked_to_are_no_fault(tmp_path: Path) -> None:
    told = settings()

    def breaking(asked: list[bool]) -> Iterator[Batch]:
        yield next(batches(Trainer(network(), told, SILENCE, CPU), told))
        asked.append(True)
        raise WorkerError

    wanted: list[bool] = []
    assert Story(tmp_path, told).run.train(breaking(wanted), lambda: bool(wanted)) is Ended.STOPPED
    assert (tmp_path / "last.pt").exists()
    with pytest.raises(WorkerError):
        Story(tmp_path, told).run.train(breaking([]), never)


def test_a_skipped_batch_is_named_in_the_log(tmp_path: Path) -> None:
    story = Story(tmp_path, settings())
    made = next(batches(story.trainer, story.told))
    features = made.features.copy()
    features[1, 0, 0] = np.inf
    broken = replace(made, features=features)

    def spoiled() -> Iterator[Batch]:
        yield broken
        yield from batches(story.trainer, story.told)

    story.run.train(spoiled(), never)
    skipped, *evaluations = story.log()
    assert skipped["utterances"] == [broken.names[1]]
    assert (skipped["epoch"], skipped["batch"], skipped["skipped"], skipped["and_more"]) == (0, 0, 1, 0)
    assert [line["skipped"] for line in evaluations] == [1] * len(evaluations)


def test_losses_may_all_have_been_skipped(tmp_path: Path) -> None:
    story = Story(tmp_path, settings(every=0.0001, hours=0.0005))
    made = next(batches(story.trainer, story.told))
    story.run.train(iter([replace(made, features=np.full_like(made.features, np.nan))]), never)
    named, evaluated = story.log()
    assert evaluated["loss"] is None
    assert named["utterances"] == list(made.names)


def test_the_newest_snapshots_are_kept(tmp_path: Path) -> None:
    story = Story(tmp_path, settings(snapshots=2, snapshot_every=1e-6))
    story.train()
    kept = sorted(path.name for path in tmp_path.glob("snapshot-*.pt"))
    assert len(kept) == 2
    assert kept[-1] == f"snapshot-{story.trainer.position.step:08}.pt"
    weights = load_network(tmp_path / kept[-1]).head.weight
    assert torch.equal(weights, story.trainer.average.head.weight.half().float())
