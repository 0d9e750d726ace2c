"""One step of training after the other."""

# ruff: noqa: E402  # without torch the whole module is skipped

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ds_training.batches import Batch, Targets
from ds_training.checkpoint import load_checkpoint, save_checkpoint
from ds_training.settings import Settings, SettingsError
from ds_training.trainer import MOST_SKIPPED, DivergedError, Position, Trainer
from tests.ds_training.tiny import CPU, SILENCE, batches, network, settings, taught


def trainer(told: Settings) -> Trainer:
    return Trainer(network(), told, SILENCE, CPU)


def first_batch(told: Settings) -> Batch:
    return next(batches(trainer(told), told))


def state(one: Trainer) -> dict[str, Any]:
    parts = {"network": one.network, "average": one.average, "phones": one.phones}
    return {f"{part}.{name}": value.clone() for part, module in parts.items() for name, value in module.state_dict().items()}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("stop", [0, 1, 5, 9])
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path, stop: int) -> None:
    told = settings(hours=1.0, ramp=0.01)
    whole = trainer(told)
    losses = taught(whole, told, 12)
    first = trainer(told)
    taught(first, told, stop)
    save_checkpoint(tmp_path / "last.pt", first.checkpoint())
    second = trainer(replace(told))
    second.resume(load_checkpoint(tmp_path / "last.pt"))
    assert taught(second, told, 12 - stop) == losses[stop:]
    assert second.position == whole.position
    assert same(state(second), state(whole))


def test_a_checkpoint_of_version_0_2_is_resumed(tmp_path: Path) -> None:
    told = settings(hours=1.0)
    one = trainer(told)
    taught(one, told, 4)
    checkpoint = one.checkpoint()
    position = checkpoint["position"]
    checkpoint["position"] = {name: position[name] for name in ("epoch", "index", "step", "hours", "best_cer")}
    save_checkpoint(tmp_path / "last.pt", checkpoint)
    other = trainer(told)
    other.resume(load_checkpoint(tmp_path / "last.pt"))
    at = one.position
    expected = Position(at.epoch, at.index, at.step, at.hours, drawn=at.hours, evaluated=at.hours, snapshot=at.hours)
    assert other.position == expected
    assert taught(other, told, 2)[0] is not None


def test_training_lowers_the_loss() -> None:
    told = settings(hours=10.0, learning_rate=5e-3, warm_up=1, strength=(0.0, 0.0))
    one = trainer(told)
    losses = [loss or 0.0 for loss in taught(one, told, 40)]
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])


def test_bfloat16_changes_the_loss_a_little() -> None:
    exact, rough = (taught(trainer(told), told, 1)[0] for told in (settings(), settings(half=True)))
    assert exact
    assert rough == pytest.approx(exact, rel=0.05)
    assert rough != exact


def test_the_loss_on_phones_counts_by_its_weight_alone() -> None:
    none, some, more = (taught(trainer(told), told, 1)[0] or 0.0 for told in map(phones, (0.0, 0.5, 1.0)))
    assert more - none == pytest.approx(2 * (some - none), rel=1e-3)
    assert some > none


def phones(weight: float) -> Settings:
    return settings(phones=weight)


def test_the_loss_on_phones_is_that_of_the_utterances_whose_phones_are_known() -> None:
    batch = first_batch(settings())
    rows = [[1, 2, 2], [3], [4, 5], [6, 7, 8]][: len(batch.names)]

    def loss(*known: int) -> float:
        some = [row if index in known else [] for index, row in enumerate(rows)]
        return trainer(settings()).step(replace(batch, phones=Targets.of(some))) or 0.0

    alone = [loss(index) for index in range(len(rows))]
    assert sum(alone) / len(alone) == pytest.approx(loss(*range(len(rows))), rel=1e-5)
    assert min(alone) > loss() == trainer(phones(0.0)).step(batch)


def test_the_average_follows_the_weights() -> None:
    told = settings(averaging=0.5, hours=1.0)
    one = trainer(told)
    before = one.average.head.weight.clone()
    taught(one, told, 30)
    live = one.network.head.weight
    assert (one.average.head.weight - live).abs().max() < 0.2 * (before - live).abs().max()


def break_features(batch: Batch) -> Batch:
    features = batch.features.copy()
    features[0, 3, 5] = np.nan
    return replace(batch, features=features)


def overflow(batch: Batch) -> Batch:
    return replace(batch, features=np.full_like(batch.features, 3e38))


@pytest.mark.parametrize("spoil", [break_features, overflow])
def test_a_batch_without_a_finite_loss_or_gradient_changes_nothing_but_the_position(spoil: Callable[[Batch], Batch]) -> None:
    told = settings(hours=1.0)
    one = trainer(told)
    taught(one, told, 2)
    batch = next(batches(one, told))
    before, optimizer = state(one), repr(one.optimizer.state_dict()["state"])
    assert one.step(spoil(batch)) is None
    assert same(state(one), before)
    assert repr(one.optimizer.state_dict()["state"]) == optimizer
    assert (one.position.skipped, one.position.step, one.position.index) == (1, 3, 3)
    assert one.step(next(batches(one, told))) is not None


def test_too_many_of_them_in_a_row_end_the_run() -> None:
    told = settings(hours=100.0)
    one = trainer(told)
    every = islice(batches(one, told), 3 * MOST_SKIPPED)
    for _ in range(MOST_SKIPPED - 1):
        assert one.step(break_features(next(every))) is None
    assert one.step(next(every)) is not None  # they have to stand in a row
    for _ in range(MOST_SKIPPED - 1):
        one.step(break_features(next(every)))
    with pytest.raises(DivergedError, match=f"got {MOST_SKIPPED} batches in a row"):
        one.step(break_features(next(every)))


def test_a_text_longer_than_its_sound_is_counted_and_does_no_harm() -> None:
    told = settings()
    batch = first_batch(told)
    endless = replace(batch, symbols=Targets.of([[1] * 500, *([2] for _ in batch.names[1:])]), unaligned=1)
    one = trainer(told)
    assert one.step(endless) is not None
    assert one.position.unaligned == 1


def test_frozen_blocks_keep_everything_and_the_others_learn() -> None:
    told = settings(freeze=1, hours=1.0)
    one = trainer(told)
    before = state(one)
    taught(one, told, 3)
    changed = {name for name, value in state(one).items() if not torch.equal(value, before[name])}
    assert not {name for name in changed if ".blocks.0." in name}
    assert {"network.blocks.1.conv.weight", "network.blocks.1.norm.running_mean", "average.head.weight"} <= changed


def test_frozen_batch_norms_keep_their_statistics_and_still_learn_their_scale() -> None:
    told = settings(norm_frozen=True, hours=1.0)
    one = trainer(told)
    before = state(one)
    taught(one, told, 3)
    changed = {name for name, value in state(one).items() if not torch.equal(value, before[name])}
    assert not {name for name in changed if "running" in name or "tracked" in name}
    assert {"network.blocks.0.norm.weight", "network.blocks.0.conv.weight"} <= changed


def test_a_run_may_go_on_with_other_blocks_frozen() -> None:
    free, held = settings(hours=1.0), settings(hours=1.0, freeze=2)
    one, other = trainer(free), trainer(held)
    taught(one, free, 2)
    other.resume(one.checkpoint())
    taught(other, held, 2)
    third = trainer(free)
    third.resume(other.checkpoint())
    assert taught(third, free, 1)[0] is not None


def test_more_frozen_blocks_than_there_are_is_refused() -> None:
    with pytest.raises(SettingsError, match="at most the network's 2 blocks, got 3"):
        trainer(settings(freeze=3))


def test_the_rate_is_lowered_by_the_factor_of_the_position() -> None:
    told = settings(warm_up=0)
    one, other = trainer(told), trainer(told)
    other.position.factor = 0.25
    assert other.rate() == one.rate() / 4
    before = network().head.bias
    for each in (one, other):
        each.step(first_batch(told))
    moves = [(each.network.head.bias - before).abs().max().item() for each in (one, other)]
    assert moves[1] == pytest.approx(moves[0] / 4, rel=1e-2)
