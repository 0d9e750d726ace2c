"""Batches, schedule and the resumable loop."""

# ruff: noqa: E402, RUF001  # without torch the whole module is skipped; phonetic letters look like others

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ds_engine.features import LogMel, LogMelSpec
from ds_training.augment import Augmenter
from ds_training.batches import Batches
from ds_training.checkpoint import load_checkpoint, save_checkpoint
from ds_training.corpus import Utterance
from ds_training.evaluate import measure, transcripts
from ds_training.model import BlockSpec, Network, NetworkSpec
from ds_training.train import Schedule, Trainer, run

TINY = NetworkSpec((BlockSpec(80, 8, 5, 2, 1), BlockSpec(8, 8, 5, 2, 1)), width=6)
MEL = LogMel(LogMelSpec())


def utterances(count: int, seed: int) -> list[Utterance]:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(20, 60, count)
    said = [("on", "ɔ n") if length % 2 else ("a b", "eɪ b iː") for length in lengths]
    powers = [rng.normal(-3, 3, (length, 80)).astype(np.float16) for length in lengths]
    return [Utterance(power, text, "s", phones) for power, (text, phones) in zip(powers, said, strict=True)]


REAL, SYNTHETIC = utterances(6, 1), utterances(20, 2)


def trainer(hours: float) -> Trainer:
    torch.manual_seed(7)
    batches = Batches(REAL, SYNTHETIC, Augmenter(MEL), seed=1, frames=400)
    return Trainer(Network(TINY), batches, Schedule(hours=hours, warm_up=3, ramp=0.001), MEL)


def train(one: Trainer, steps: int) -> None:
    for _, _ in zip(range(steps), one.steps(), strict=False):
        pass


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    whole = trainer(1.0)
    train(whole, 12)
    first = trainer(1.0)
    train(first, 5)
    save_checkpoint(tmp_path / "last.pt", first.checkpoint())
    second = trainer(1.0)
    second.resume(load_checkpoint(tmp_path / "last.pt"))
    train(second, 7)
    assert second.position == whole.position
    for name in ("network", "average", "phones"):
        pairs = zip(getattr(whole, name).state_dict().values(), getattr(second, name).state_dict().values(), strict=True)
        assert all(torch.equal(one, other) for one, other in pairs)


def test_a_run_writes_its_log_and_checkpoints_and_stops_at_its_hours(tmp_path: Path) -> None:
    one = trainer(0.01)
    run(one, tmp_path, REAL, MEL, every=0.004)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["best.pt", "last.pt", "log.jsonl"]
    assert len(lines) == 3
    assert 0.01 <= one.position.hours < 0.013
    assert load_checkpoint(tmp_path / "last.pt")["position"]["step"] == one.position.step


def test_training_lowers_the_loss() -> None:
    torch.manual_seed(7)
    batches = Batches(REAL, [], Augmenter(MEL), seed=1, frames=400)
    one = Trainer(Network(TINY, dropout=0.0), batches, Schedule(learning_rate=5e-3, warm_up=1, strength=(0.0, 0.0)), MEL)
    losses = [loss for _, loss in zip(range(40), one.steps(), strict=False)]
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])


def test_the_loss_on_phones_counts_by_its_weight_alone() -> None:
    def first_loss(weight: float) -> float:
        torch.manual_seed(7)
        batches = Batches(REAL, [], Augmenter(MEL), seed=1, frames=400)
        return next(Trainer(Network(TINY), batches, Schedule(phones=weight), MEL).steps())

    none, some, more = (first_loss(weight) for weight in (0.0, 0.5, 1.0))
    assert more - none == pytest.approx(2 * (some - none), rel=1e-3)
    assert some > none


def test_every_epoch_hears_all_real_utterances_once_beside_as_many_synthetic_ones() -> None:
    batches = Batches(REAL, SYNTHETIC, Augmenter(MEL), seed=1, frames=400)
    heard = [id(item) for batch in batches.epoch(0) for item in batch]
    assert sorted(heard[i] for i in range(len(heard)) if heard[i] in set(map(id, REAL))) == sorted(map(id, REAL))
    assert len(heard) == 2 * len(REAL)
    assert [id(item) for batch in batches.epoch(1) for item in batch] != heard


def test_batches_hold_about_the_frames_asked_for() -> None:
    batches = Batches(REAL, SYNTHETIC, Augmenter(MEL), seed=1, frames=400)
    for batch in batches.epoch(0):
        assert len(batch) == 1 or max(len(item.log_power) + 60 for item in batch) * len(batch) <= 400


def test_the_learning_rate_rises_stays_and_falls() -> None:
    schedule = Schedule(hours=100, learning_rate=1.0, warm_up=10, cool_down=0.5)
    assert [schedule.rate_at(step, hours) for step, hours in ((0, 0), (4, 1), (99, 20), (99, 75), (99, 100))] == [0.1, 0.5, 1.0, 0.51, 0.01]
    assert [schedule.strength_at(hours) for hours in (0, 50, 200)] == [0.5, 0.75, 1.0]


def test_neighbours_in_a_batch_do_not_change_what_is_recognised() -> None:
    torch.manual_seed(1)
    network = Network(TINY)
    powers = [item.log_power for item in SYNTHETIC]
    assert transcripts(network, powers, MEL, batch=20) == transcripts(network, powers, MEL, batch=1)


def test_figures_count_utterances_speakers_and_errors() -> None:
    figures, found = measure(Network(TINY), REAL, MEL)
    assert (figures.utterances, figures.speakers) == (6, 1)
    assert len(found) == 6
    assert figures.cer > 0
