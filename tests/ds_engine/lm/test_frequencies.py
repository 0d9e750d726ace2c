from __future__ import annotations

from collections import defaultdict

import pytest

from ds_engine.lm.backoff import BackoffModel, Rows
from ds_engine.lm.counts import count, encode
from ds_engine.lm.estimation import estimate
from ds_engine.lm.frequencies import frequencies
from tests.ds_engine.lm.tables import Gram, Table, random_sentences


def told(model: BackoffModel, rounds: int = 400) -> dict[Gram, float]:
    """How often each n-gram is said, from all histories one by one, however improbable."""
    table, words = Table.of(model), Table.of(model).words()
    histories: dict[Gram, float] = {("<s>",): 1.0}
    for _ in range(rounds):
        said: defaultdict[Gram, float] = defaultdict(float)
        for history, mass in histories.items():
            for word in words:
                said[*history, word] += mass * 10 ** table.log_prob(history, word)
        following: defaultdict[Gram, float] = defaultdict(float)
        for gram, mass in said.items():
            following[("<s>",) if gram[-1] == "</s>" else gram[-(model.order - 1) :]] += mass
        histories = following
    result: defaultdict[Gram, float] = defaultdict(float)
    for gram, mass in said.items():
        for length in range(1, len(gram) + 1):
            result[gram[-length:]] += mass
    return result


@pytest.mark.parametrize("order", [2, 3, 4])
def test_frequencies_are_those_of_telling_every_history_apart(order: int) -> None:
    model = estimate(count(encode(random_sentences(order, 30, words=4)), order))
    found, expected = frequencies(model, Rows.of(model)), told(model)
    for level, spoken in zip(model.orders, found.spoken, strict=True):
        for ids, mass in zip(level.ids.tolist(), spoken.tolist(), strict=True):
            assert mass == pytest.approx(expected[tuple(model.words[index] for index in ids)], abs=1e-5)
    for level, spoken, histories in zip(model.orders, found.spoken, found.histories, strict=False):
        inner = [row for row, ids in enumerate(level.ids.tolist()) if ids[0] != 1 and ids[-1] != 2]
        assert histories[inner] == pytest.approx(spoken[inner], abs=1e-5)
    assert sum(each.sum() for each in found.states) == pytest.approx(1)
    assert sum(each.sum() for each in found.reached) == pytest.approx(1)
