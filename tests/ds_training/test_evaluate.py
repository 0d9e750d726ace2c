"""Texts of a network, greedy and with the search of a bundle."""

# without torch the whole module is skipped

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from ds_engine.features import FloatArray
from ds_training.evaluate import greedy, searching
from ds_training.text import SYMBOLS
from tests.ds_engine.bundles import EN_SMALL


def rows_saying(text: str) -> FloatArray:
    columns = [column for letter in text for column in (SYMBOLS.index(letter), 0)]
    rows = np.full((len(columns), len(SYMBOLS)), np.log(0.01), np.float32)
    rows[np.arange(len(columns)), columns] = np.log(0.7)
    return rows


def test_greedy_writes_what_is_there() -> None:
    assert greedy(SYMBOLS)(rows_saying("turm on the light")) == "turm on the light"


def test_the_search_of_a_bundle_knows_words() -> None:
    assert searching(EN_SMALL)(rows_saying("turm on the light")) == "turn on the light"
