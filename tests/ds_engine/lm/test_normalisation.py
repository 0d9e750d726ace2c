from __future__ import annotations

import numpy as np
import pytest

from ds_engine.lm.backoff import Rows
from ds_engine.lm.normalisation import LEAST, normalised
from tests.ds_engine.lm.tables import Table

WORDS = ("<unk>", "<s>", "</s>", "a", "b")


def bigrams(*probabilities: tuple[int, int, float], unigrams: tuple[float, ...] = (0.1, 0, 0.2, 0.3, 0.4)) -> Table:
    rows = Rows(len(WORDS))
    rows.add(np.array([first * len(WORDS) + second for first, second, _ in probabilities], np.int64))
    return Table.of(normalised(WORDS, rows, [np.array(unigrams), np.array([value for *_, value in probabilities])]))


def sums_to_one(table: Table) -> bool:
    return all(table.total(context) == pytest.approx(1, abs=1e-12) for context in table.contexts())


def test_back_off_shares_out_what_a_context_leaves() -> None:
    table = bigrams((3, 3, 0.5), (3, 4, 0.2))
    assert 10 ** table.back_offs["a",] == pytest.approx(0.3 / 0.3)
    assert 10 ** table.back_offs["b",] == 1
    assert sums_to_one(table)


@pytest.mark.parametrize("excess", [0, 1e-7])
def test_a_context_that_leaves_nothing_is_made_to_leave_a_little(excess: float) -> None:
    table = bigrams((3, 3, 0.5), (3, 4, 0.5 + excess))
    assert 10 ** table.log_prob(("a",), "<unk>") == pytest.approx(LEAST / 3, rel=1e-3)
    assert sums_to_one(table)


@pytest.mark.parametrize("total", [1, 0.9, 1.1])
def test_a_context_that_holds_every_word_has_no_back_off(total: float) -> None:
    table = bigrams(*((3, word, total / 4) for word in (0, 2, 3, 4)))
    assert table.back_offs["a",] == 0
    assert sums_to_one(table)


def test_unigrams_are_made_to_sum_to_one_without_the_start() -> None:
    assert sums_to_one(bigrams((3, 3, 0.5), unigrams=(0.1, 1, 0.2, 0.3, 0.5)))
