from __future__ import annotations

import math

import numpy as np
import pytest

from ds_engine.errors import InputError
from ds_engine.lm.backoff import BackoffModel, Rows
from ds_engine.lm.counts import count, encode
from ds_engine.lm.estimation import estimate
from ds_engine.lm.frequencies import frequencies
from ds_engine.lm.pruning import entropy_change, prune
from tests.ds_engine.lm.tables import Table, random_sentences


def made(order: int, sentences: int = 200, words: int = 12) -> BackoffModel:
    return estimate(count(encode(random_sentences(order, sentences, words)), order))


def size(model: BackoffModel) -> int:
    return sum(len(level.ids) for level in model.orders)


@pytest.mark.parametrize("order", [2, 3, 5])
@pytest.mark.parametrize("threshold", [1e-6, 1e-4, 1e-2, 0.9])
def test_what_is_left_is_a_model_that_sums_to_one(order: int, threshold: float) -> None:
    before = made(order)
    after = prune(before, threshold)
    Rows.of(after)  # raises where n-grams are missing or out of order
    table = Table.of(after)
    assert after.words == before.words
    assert set(table.log_probs) <= set(Table.of(before).log_probs)
    assert all(table.total(context) == pytest.approx(1, abs=1e-9) for context in table.contexts())


def test_a_higher_threshold_leaves_less() -> None:
    sizes = [size(prune(made(3), threshold)) for threshold in (0, 1e-4, 1e-2, 0.9)]
    assert sizes == sorted(set(sizes), reverse=True)
    assert sizes[-1] == 3 + 12  # words stay


def test_no_threshold_and_no_longer_n_grams_change_nothing() -> None:
    model, unigrams = made(3), made(1)
    assert prune(model, 0) is model
    assert prune(unigrams, 0.5) is unigrams


def test_the_change_is_the_divergence_of_the_contexts_distribution() -> None:
    model = made(3, sentences=30, words=5)
    table, rows, level = Table.of(model), Rows.of(model), model.orders[2]
    own, lower = 10**level.log_probs, 10 ** model.orders[1].log_probs[rows.suffixes[2]]
    change = entropy_change(own, lower, model.orders[1].back_offs, rows.prefixes(3))
    for row, ids in enumerate(level.ids.tolist()):
        *context, dropped = (model.words[index] for index in ids)
        h = tuple(context)
        held = [word for word in table.words() if (*h, word) in table.log_probs and word != dropped]
        back_off = (1 - sum(10 ** table.log_prob(h, word) for word in held)) / (1 - sum(10 ** table.log_prob(h[1:], word) for word in held))
        divergence = 0.0
        for word in table.words():
            before = 10 ** table.log_prob(h, word)
            after = before if word in held else back_off * 10 ** table.log_prob(h[1:], word)
            divergence += before * math.log(before / after)
        assert change[row] == pytest.approx(divergence, abs=1e-12)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_what_is_left_is_as_frequent_as_before(order: int) -> None:
    before = made(order)
    after = prune(before, 1e-3)
    assert size(after) < 0.5 * size(before)
    was, now = (frequencies(model, Rows.of(model)) for model in (before, after))
    assert np.abs(was.spoken[0] - now.spoken[0]).sum() < 0.02
    rows = Rows.of(before).find(after.orders[1].ids)
    assert np.abs(was.spoken[1][rows] - now.spoken[1]).sum() < 0.02


@pytest.mark.parametrize("threshold", [-1e-9, 1, float("nan")])
def test_a_threshold_outside_is_refused(threshold: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        prune(made(2), threshold)
