"""The order of training and the batches that come of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, pairwise

import numpy as np
import pytest

pytest.importorskip("torch")

from ds_training.augment import Augmenter
from ds_training.batches import PADDING, Batch, Batches, Draw, Preparer
from ds_training.corpus import CorpusError, Utterance
from ds_training.text import ENGLISH
from tests.ds_training.tiny import MEL, REAL, SYNTHETIC, utterances

ORDER = Batches(REAL, lambda: SYNTHETIC, seed=1, frames=400)
PREPARER = Preparer(Augmenter(MEL), ENGLISH, 1, 4)


def full(_drawn: float) -> float:
    return 1.0


def equal(one: Batch, other: Batch) -> bool:
    arrays = [
        (batch.features, batch.frames, batch.symbols.indices, batch.symbols.lengths, batch.phones.indices, batch.phones.lengths)
        for batch in (one, other)
    ]
    same = all(np.array_equal(ours, theirs) for ours, theirs in zip(*arrays, strict=True))
    return same and (one.names, one.unaligned, one.place) == (other.names, other.unaligned, other.place)


def test_every_epoch_hears_all_real_utterances_once_beside_as_many_synthetic_ones() -> None:
    heard = [id(item) for batch in ORDER.epoch(0, SYNTHETIC) for item in batch]
    assert sorted(item for item in heard if item in set(map(id, REAL))) == sorted(map(id, REAL))
    assert len(heard) == 2 * len(REAL)
    assert [id(item) for batch in ORDER.epoch(1, SYNTHETIC) for item in batch] != heard


def test_without_real_utterances_every_synthetic_one_is_heard_once() -> None:
    batches = Batches([], lambda: SYNTHETIC, seed=1, frames=400).epoch(0, SYNTHETIC)
    assert sorted(id(item) for batch in batches for item in batch) == sorted(map(id, SYNTHETIC))


def test_batches_hold_about_the_frames_asked_for() -> None:
    for batch in ORDER.epoch(0, SYNTHETIC):
        assert len(batch) == 1 or max(len(item.log_power) + PADDING for item in batch) * len(batch) <= 400


def test_the_order_can_be_entered_anywhere() -> None:
    whole = list(islice(ORDER.draws(0, 0, 0.0, full), 15))
    for place in (1, 4, 9):
        before, after = whole[place - 1], whole[place:]
        entered = list(islice(ORDER.draws(before.epoch, before.index + 1, before.drawn, full), len(after)))
        assert [(draw.epoch, draw.index, draw.drawn) for draw in entered] == [(draw.epoch, draw.index, draw.drawn) for draw in after]
        assert all(equal(PREPARER(one), PREPARER(other)) for one, other in zip(entered, after, strict=True))


def test_the_strength_follows_the_hours_drawn_before() -> None:
    asked: list[float] = []

    def strength(drawn: float) -> float:
        asked.append(drawn)
        return drawn

    draws = list(islice(ORDER.draws(0, 0, 0.5, strength), 3))
    assert asked == [0.5, draws[0].drawn, draws[1].drawn]
    assert [draw.strength for draw in draws] == asked


def test_what_comes_in_later_is_drawn_from_the_next_epoch_on() -> None:
    found = list(SYNTHETIC[:2])
    order = Batches([], lambda: list(found), seed=1, frames=400)
    draws = order.draws(0, 0, 0.0, full)
    first = [next(draws)]
    found.extend(SYNTHETIC[2:])
    draws_of_two = list(islice(draws, 40))
    epochs = {epoch: sum(len(draw.utterances) for draw in [*first, *draws_of_two] if draw.epoch == epoch) for epoch in (0, 1)}
    assert epochs == {0: 2, 1: len(SYNTHETIC)}


def test_nothing_to_draw_is_refused_rather_than_looked_for_for_ever() -> None:
    with pytest.raises(CorpusError, match="at least one utterance"):
        next(Batches([], list, seed=1).draws(0, 0, 0.0, full))


def test_a_batch_is_padded_to_whole_steps_and_tells_what_it_is_made_of() -> None:
    draw = next(ORDER.draws(0, 0, 0.0, full))
    batch = PREPARER(draw)
    assert batch.features.shape[1] % 4 == 0
    assert len(batch.features) == len(batch.frames) == len(draw.utterances)
    assert batch.names == tuple(f"s: {item.text}" for item in draw.utterances)
    assert batch.symbols.lengths.tolist() == [len(item.text) for item in draw.utterances]
    assert batch.hours == pytest.approx(batch.frames.sum() / 360_000)


def test_utterances_with_more_symbols_than_steps_are_counted() -> None:
    short, *_ = utterances(1, 3)
    draw = Draw(0, 0, (short, replace(short, text="a" * 400), replace(short, text="ab" * 20)), (short.log_power,), 0.0, 0.0)
    gabbled = PREPARER(draw)
    steps = (gabbled.frames // 4).tolist()
    assert gabbled.unaligned == (steps[1] < 799) + (steps[2] < 40)
    assert gabbled.unaligned >= 1


def test_phones_may_be_unknown() -> None:
    unknown = Utterance(REAL[0].log_power, "on")
    batch = PREPARER(Draw(0, 0, (unknown, REAL[1]), (REAL[2].log_power,), 0.5, 0.0))
    assert batch.phones.lengths.tolist()[0] == 0
    assert batch.phones.lengths.tolist()[1] > 0


def test_the_first_epochs_may_go_from_short_to_long() -> None:
    order = Batches(REAL, lambda: SYNTHETIC, seed=1, frames=400, short_first=1)
    longest = [max(len(item.log_power) for item in batch) for batch in order.epoch(0, SYNTHETIC)]
    assert all(one <= other + 60 for one, other in pairwise(longest))  # but for the jitter of the sorting
    assert longest[0] < longest[-1]
    shuffled = order.epoch(1, SYNTHETIC)
    assert [[id(item) for item in batch] for batch in shuffled] == [[id(item) for item in batch] for batch in ORDER.epoch(1, SYNTHETIC)]
