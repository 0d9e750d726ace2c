from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from ds_engine.errors import InputError
from ds_engine.lm.backoff import START, UNKNOWN, ZERO, BackoffModel, Rows
from ds_engine.lm.counts import Vocabulary, count, encode
from ds_engine.lm.estimation import FALLBACK, discounts, estimate
from tests.ds_engine.lm.kneser_ney import Reference
from tests.ds_engine.lm.tables import Table, random_sentences, words_of

LMPLZ = Path(__file__).parent / "lmplz"
HOUSEHOLD = words_of((LMPLZ / "household.txt").read_text().splitlines())
FLOAT32 = 5e-7  # of a logarithm: lmplz computes in single precision


def estimated(
    sentences: Sequence[Sequence[str]],
    order: int,
    prune: Sequence[float] = (),
    weights: Sequence[float] | None = None,
    vocabulary: Vocabulary | None = None,
) -> BackoffModel:
    return estimate(count(encode(sentences, weights), order, vocabulary), prune)


# lmplz of KenLM 0.3.0 wrote the files: lmplz -o 3 --discount_fallback < household.txt > household-3.arpa, and so on
@pytest.mark.parametrize(
    ("file", "sentences", "order", "prune"),
    [("household-3", 40, 3, ()), ("household-4-pruned", 40, 4, (0, 0, 1)), ("ten-sentences-5", 10, 5, ())],
)
def test_the_result_is_that_of_lmplz(file: str, sentences: int, order: int, prune: tuple[float, ...]) -> None:
    theirs = Table.read((LMPLZ / f"{file}.arpa").read_text().splitlines())
    ours = Table.of(estimated(HOUSEHOLD[:sentences], order, prune))
    assert theirs.log_probs.pop(("<s>",)) == 0  # for lmplz, the start is certain
    assert ours.log_probs.pop(("<s>",)) == ZERO
    assert ours.log_probs == pytest.approx(theirs.log_probs, abs=FLOAT32)
    assert ours.back_offs == pytest.approx(theirs.back_offs, abs=FLOAT32)


def agree(model: BackoffModel, reference: Reference) -> None:
    ours = Table.of(model)
    assert ours.log_probs.pop(("<s>",)) == ZERO
    assert {gram: 10**value for gram, value in ours.log_probs.items()} == pytest.approx(
        {gram: float(value) for gram, value in reference.probabilities.items()}, rel=1e-9
    )
    expected = {gram: float(value) for gram, value in reference.back_offs.items() if gram}
    assert {gram: 10**value for gram, value in ours.back_offs.items()} == pytest.approx(
        dict.fromkeys(ours.back_offs, 1.0) | expected, rel=1e-9
    )


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("seed", "sentences", "prune"), [(1, 3, (0,)), (2, 40, (0,)), (3, 40, (0, 0, 1)), (4, 120, (0, 1, 2))])
def test_the_result_is_that_of_the_papers_formulas(order: int, seed: int, sentences: int, prune: tuple[int, ...]) -> None:
    text = random_sentences(seed, sentences)
    agree(estimated(text, order, prune), Reference([(each, Fraction(1)) for each in text], order, prune=prune))


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize(("seed", "prune"), [(5, (0,)), (6, (0, 1))])
def test_weights_are_expected_counts(order: int, seed: int, prune: tuple[int, ...]) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test's corpus
    text = random_sentences(seed, 40)
    weights = [Fraction(chance.choice([1, 4, 8, 12, 21, 31]), 8) for _ in text]
    model = estimated(text, order, prune, [float(weight) for weight in weights])
    agree(model, Reference(list(zip(text, weights, strict=True)), order, prune=prune))


def test_words_outside_the_vocabulary_are_unknown_and_its_unseen_ones_are_words() -> None:
    text = random_sentences(7, 60)
    words = ["a", "c", "d", "never"]
    model = estimated(text, 3, vocabulary=Vocabulary(words))
    assert model.words == ("<unk>", "<s>", "</s>", *words)
    agree(model, Reference([(each, Fraction(1)) for each in text], 3, words))


@pytest.mark.parametrize("seed", range(3))
def test_a_whole_weight_is_that_many_sentences(seed: int) -> None:
    text = random_sentences(seed, 30)
    times = [1 + number % 3 for number in range(30)]
    weighted = estimated(text, 3, weights=[float(each) for each in times])
    repeated = estimated([each for each, number in zip(text, times, strict=True) for _ in range(number)], 3)
    for one, other in zip(weighted.orders, repeated.orders, strict=True):
        assert np.array_equal(one.ids, other.ids)
        assert np.array_equal(one.log_probs, other.log_probs)
        assert np.array_equal(one.back_offs, other.back_offs)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("prune", [(), (0, 1)])
@pytest.mark.parametrize("fractional", [False, True])
@pytest.mark.parametrize("sentences", [1, 10, 200])
def test_the_probabilities_of_every_context_sum_to_one(order: int, prune: tuple[float, ...], fractional: bool, sentences: int) -> None:  # noqa: FBT001 - a parameter
    text = random_sentences(order + sentences, sentences)
    chance = random.Random(sentences)  # noqa: S311 - a test's corpus
    weights = [3 * chance.random() for _ in text] if fractional else None
    table = Table.of(estimated(text, order, prune, weights, Vocabulary(top=5)))
    for context in table.contexts():
        assert table.total(context) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        [["stop"]],
        [["stop"]] * 10,
        [["turn", "on", "the", "light"]] * 3,
        [[]],
        HOUSEHOLD[:10],
        [["ja"] * 500],
    ],
    ids=["one word", "repeated", "one sentence", "no word", "ten sentences", "one word again and again"],
)
@pytest.mark.parametrize("order", [1, 3, 5])
def test_the_smallest_texts_give_a_model(text: list[list[str]], order: int) -> None:
    model = estimated(text, order)
    Rows.of(model)  # raises where n-grams are missing or out of order
    table = Table.of(model)
    assert all(table.total(context) == pytest.approx(1, abs=1e-9) for context in table.contexts())
    assert all(np.isfinite(level.log_probs).all() and np.isfinite(level.back_offs).all() for level in model.orders)


@pytest.mark.parametrize("weight", [1e-12, 1e-3, 0.5, 1 - 1e-12, 1e9])
def test_weights_of_any_size_give_a_model(weight: float) -> None:
    text = random_sentences(8, 50)
    table = Table.of(estimated(text, 3, weights=[weight] * 50))
    assert all(table.total(context) == pytest.approx(1, abs=1e-9) for context in table.contexts())


def test_many_halves_weigh_as_much_as_half_as_many_wholes() -> None:
    many = estimated([["ja"]] * 2000 + [["nein"]] * 1000, 2, weights=[0.5] * 3000)
    table = Table.of(many)
    assert table.log_prob(("<s>",), "ja") - table.log_prob(("<s>",), "nein") == pytest.approx(np.log10(2), abs=1e-3)


@pytest.mark.parametrize("histogram", [(0, 1, 1, 1), (5, 0, 1, 1), (5, 3, 0, 1), (10, 1, 50, 1), (5, 3, 1, 9), (0, 0, 0, 0)])
def test_what_the_formula_cannot_give_falls_back(histogram: tuple[int, ...]) -> None:
    assert discounts(histogram) == FALLBACK


def test_discounts_follow_chen_and_goodman() -> None:
    assert discounts((10, 5, 3, 2)) == pytest.approx((0.5, 1.1, 5 / 3))


def test_an_order_that_is_pruned_altogether_is_no_order() -> None:
    model = estimated(HOUSEHOLD[:3], 3, (0, 0, 100))
    assert model.order == 2
    assert not model.orders[-1].back_offs.any()


def test_the_special_words_come_first_and_the_start_is_never_predicted() -> None:
    model = estimated([["b", "a"]], 2)
    assert model.words == ("<unk>", "<s>", "</s>", "a", "b")
    assert model.orders[0].log_probs[START] == ZERO
    assert 10 ** model.orders[0].log_probs[UNKNOWN] > 0.01


@pytest.mark.parametrize("prune", [(1,), (0, 2, 1), (0, float("nan")), (-1,)])
def test_thresholds_that_lmplz_would_not_take_are_refused(prune: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="thresholds of pruning"):
        estimated(HOUSEHOLD[:3], 3, prune)
