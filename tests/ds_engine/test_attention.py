"""Trailing silence: rows in, how many of the last ones nobody spoke in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_engine.decoder import Attentive, trailing_rows
from ds_engine.features import FloatArray
from ds_engine.greedy import GreedyDecoder
from tests.ds_engine.fakes import CHARACTERS, PIECES, replaying


def rows(symbols: str) -> FloatArray:
    """A row won by each of these characters; "_" is the blank."""
    found = np.full((len(symbols), len(CHARACTERS.symbols)), -9.0, np.float32)
    for row, symbol in enumerate(symbols):
        found[row, CHARACTERS.symbols.index(symbol)] = -0.1
    return found


@pytest.mark.parametrize(("symbols", "trailing"), [("", 0), ("a", 0), ("a_", 1), ("_a__ _", 4), ("___", 3), ("a_b", 0)])
def test_blanks_and_separators_at_the_end_are_silence(symbols: str, trailing: int) -> None:
    assert trailing_rows(rows(symbols), CHARACTERS) == trailing


@given(st.text("_ ab", max_size=12), st.integers(0, 12))
def test_trailing_rows_are_the_same_however_they_are_cut(symbols: str, where: int) -> None:
    before = trailing_rows(rows(symbols[:where]), CHARACTERS)
    assert trailing_rows(rows(symbols[where:]), CHARACTERS, before) == trailing_rows(rows(symbols), CHARACTERS)


def test_ignored_symbols_are_silence_and_a_word_piece_is_none() -> None:
    found = np.full((2, len(PIECES.symbols)), -9.0, np.float32)
    found[0, PIECES.symbols.index("▁on")] = found[1, 0] = -0.1
    assert trailing_rows(found, PIECES) == 1


def test_a_decoder_takes_part_by_having_an_attention() -> None:
    assert not isinstance(replaying().decoder, Attentive)
    assert isinstance(type("Attending", (GreedyDecoder,), {"attention": print})(CHARACTERS, replaying().model.timing), Attentive)
