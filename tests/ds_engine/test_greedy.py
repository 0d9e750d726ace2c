from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.alphabet import Alphabet
from ds_engine.decoder import Timing
from ds_engine.features import FloatArray
from ds_engine.greedy import GreedyDecoder
from ds_engine.transcript import Hypothesis
from tests.ds_engine.fakes import BYTES, CHARACTERS, NO_BIAS, PIECES

ALPHABETS = {"characters": CHARACTERS, "pieces": PIECES, "bytes": BYTES}


def one_hot(columns: list[int], alphabet: Alphabet, probability: float = 0.8) -> FloatArray:
    rows = np.full((len(columns), len(alphabet.symbols)), np.log(1e-3), np.float32)
    rows[np.arange(len(columns)), columns] = np.log(probability)
    return rows


def decoded(rows: FloatArray, alphabet: Alphabet, timing: Timing | None = None) -> Hypothesis:
    decoder = GreedyDecoder(alphabet, timing or Timing(0.1))
    (best,) = decoder.finish(decoder.advance(decoder.start(NO_BIAS), rows))
    return best


@settings(max_examples=80, deadline=None)
@given(name=st.sampled_from(sorted(ALPHABETS)), data=st.data())
def test_the_text_is_the_best_path_collapsed(name: str, data: st.DataObject) -> None:
    alphabet = ALPHABETS[name]
    columns = data.draw(st.lists(st.integers(0, len(alphabet.symbols) - 1), max_size=40))
    collapsed = [column for column, _ in itertools.groupby(columns)]
    assert decoded(one_hot(columns, alphabet), alphabet).text == alphabet.text(collapsed)


@pytest.mark.parametrize(
    ("path", "text"),
    [("aab_b", "abb"), ("a__a", "aa"), ("__", ""), (" a  b ", "a b"), ("a_ _b", "a b"), ("   ", ""), ("", "")],
)
def test_repeats_merge_unless_a_blank_parts_them(path: str, text: str) -> None:
    assert decoded(one_hot([CHARACTERS.symbols.index(symbol) for symbol in path], CHARACTERS), CHARACTERS).text == text


def test_an_ignored_symbol_parts_repeats_and_is_not_text() -> None:
    columns = [PIECES.symbols.index(symbol) for symbol in ("▁on", "<unk>", "ed", "<unk>", "ed")]
    assert decoded(one_hot(columns, PIECES), PIECES).text == "oneded"


def test_words_are_timed_by_the_rows_of_their_symbols() -> None:
    columns = [CHARACTERS.symbols.index(symbol) for symbol in "_oo_n__ _bed"]
    first, second = decoded(one_hot(columns, CHARACTERS), CHARACTERS, Timing(0.1, 0.05)).words
    assert (first.text, second.text) == ("on", "bed")
    assert [first.start, first.end, second.start, second.end] == pytest.approx([0.05, 0.45, 0.85, 1.15])


def test_confidences_are_geometric_means_of_the_winning_probabilities() -> None:
    columns = [CHARACTERS.symbols.index(symbol) for symbol in "o_n"]
    rows = np.concatenate([one_hot(columns[:1], CHARACTERS, 0.9), one_hot(columns[1:], CHARACTERS, 0.4)])
    best = decoded(rows, CHARACTERS)
    assert best.words[0].confidence == pytest.approx(math.sqrt(0.9 * 0.4))
    assert best.confidence == pytest.approx((0.9 * 0.4 * 0.4) ** (1 / 3))
    assert best.score == pytest.approx(math.log(0.9 * 0.4 * 0.4))


def test_a_word_is_stable_once_the_next_has_begun() -> None:
    decoder = GreedyDecoder(CHARACTERS, Timing(0.1))
    state = decoder.start(NO_BIAS)
    seen = []
    for symbol in "on be":
        state = decoder.advance(state, one_hot([CHARACTERS.symbols.index(symbol)], CHARACTERS))
        seen.append((decoder.partial(state).text, decoder.partial(state).stable))
    assert seen == [("o", ""), ("on", ""), ("on", "on"), ("on b", "on"), ("on be", "on")]
