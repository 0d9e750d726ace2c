from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from ds_engine.errors import LanguageModelError
from ds_engine.lm.backoff import BackoffModel, Ngrams, Rows, assemble
from tests.ds_engine.lm.models import Dictionary, dictionaries, dictionary

WORDS = ("<s>", "</s>", "b", "a")


def ngrams(rows: list[tuple[int, ...]], log_probs: list[float] | None = None, back_offs: list[float] | None = None) -> Ngrams:
    count = len(rows)
    return Ngrams(
        np.array(rows, np.int32),
        np.array(log_probs or [-1.0] * count),
        np.array(back_offs or [0.0] * count),
    )


def none_of(order: int) -> Ngrams:
    return Ngrams(np.zeros((0, order), np.int32), np.zeros(0), np.zeros(0))


UNIGRAMS = ngrams([(0,), (1,), (2,), (3,)], [-99, -0.5, -0.25, -0.75], [-0.125, 0, -1, 0])


def closed(model: BackoffModel) -> bool:
    grams = dictionary(model).keys()
    return all(gram[1:] in grams and gram[:-1] in grams for gram in grams if len(gram) > 1)


@given(dictionaries())
def test_a_model_of_loose_parts_is_sorted_and_complete_and_keeps_every_value(parts: Dictionary) -> None:
    model = parts.model()
    found = dictionary(model)
    assert model.words[:3] == ("<unk>", "<s>", "</s>")
    assert list(model.words[3:]) == sorted(model.words[3:], key=str.encode)
    assert len(found) == sum(len(level.ids) for level in model.orders)
    assert all(level.ids.tolist() == sorted(level.ids.tolist()) for level in model.orders)
    assert model.orders[0].ids[:, 0].tolist() == list(range(len(model.words)))
    assert closed(model)
    assert {gram: found[gram] for gram in parts.grams} == parts.grams


@given(dictionaries())
def test_assembling_again_changes_nothing(parts: Dictionary) -> None:
    model = parts.model()
    again = assemble(model.words, model.orders)
    assert again.words == model.words
    for level, same in zip(model.orders, again.orders, strict=True):
        assert np.array_equal(level.ids, same.ids)
        assert np.array_equal(level.log_probs, same.log_probs)
        assert np.array_equal(level.back_offs, same.back_offs)


@given(dictionaries())
def test_rows_are_where_the_n_grams_stand(parts: Dictionary) -> None:
    model = parts.model()
    rows = Rows.of(model)
    for order, level in enumerate(model.orders, 1):
        assert rows.find(level.ids).tolist() == list(range(len(level.ids)))
        if order > 1:
            below = model.orders[order - 2].ids
            assert np.array_equal(below[rows.prefixes(order)], level.ids[:, :-1])
            assert np.array_equal(below[rows.suffixes[order - 1]], level.ids[:, 1:])


def test_what_is_missing_is_filled_in_with_what_backing_off_gives() -> None:
    model = assemble(WORDS, [UNIGRAMS, ngrams([(0, 2)], [-0.5], [-2]), ngrams([(0, 2, 3), (3, 3, 2)])])
    found = dictionary(model)
    assert found["<unk>",] == (-100.0, 0.0)
    assert found["b", "a"] == (-1 + -0.75, 0.0)  # the suffix of <s> b a
    assert found["a", "a"] == (0 + -0.75, 0.0)  # the prefix of a a b
    assert found["a", "b"] == (0 + -0.25, 0.0)  # its suffix
    assert len(found) == 5 + 4 + 2


def test_what_is_filled_in_is_itself_made_complete() -> None:
    model = assemble(WORDS, [UNIGRAMS, ngrams([(2, 3)], [-0.5], [-0.25]), none_of(3), ngrams([(2, 3, 2, 3)])])
    found = dictionary(model)
    assert found["a", "b"] == (-0.25, 0.0)
    assert found["b", "a", "b"] == (-0.25 + -0.25, 0.0)
    assert found["a", "b", "a"] == (-0.5, 0.0)
    assert closed(model)


def test_orders_without_n_grams_are_kept() -> None:
    model = assemble(WORDS, [UNIGRAMS, none_of(2), none_of(3)])
    assert model.order == 3
    assert [len(level.ids) for level in model.orders] == [5, 0, 0]


def test_a_probability_above_one_by_rounding_becomes_one() -> None:
    assert assemble(WORDS, [UNIGRAMS, ngrams([(2, 3)], [1e-7])]).orders[1].log_probs.tolist() == [0.0]


@pytest.mark.parametrize(
    ("words", "orders", "message"),
    [
        (WORDS, [], "0 orders"),
        (WORDS, [UNIGRAMS] * 6, "6 orders"),
        (("<s>", "</s>", "a", "a"), [UNIGRAMS], "'a' stands twice"),
        (("<s>", "</s>", "a", "a b"), [UNIGRAMS], "blank"),
        (("<s>", "</s>", "a", ""), [UNIGRAMS], "empty"),
        (("<s>", "</s>", "a\tb", ""), [UNIGRAMS], "empty"),
        (("<s>", "</s>", "a", "b\0"), [UNIGRAMS], "NUL"),
        (("<s>", "</s>", "a", "\ud800"), [UNIGRAMS], "Unicode"),
        (("<s>", "a", "b", "c"), [UNIGRAMS], "</s> is missing"),
        (("</s>", "a", "b", "c"), [UNIGRAMS], "<s> is missing"),
        ((*WORDS, "c"), [ngrams([(0,), (1,), (2,), (3,)])], "'c' stands 0 times"),
        (WORDS, [ngrams([(0,), (1,), (2,), (3,), (3,)])], "'a' stands 2 times"),
        (WORDS, [ngrams([(0,), (1,), (2,), (4,)])], "outside"),
        (WORDS, [ngrams([(0,), (1,), (2,), (-1,)])], "outside"),
        (WORDS, [UNIGRAMS, ngrams([(2, 3, 2)])], "shapes"),
        (WORDS, [UNIGRAMS, Ngrams(np.zeros((2, 2), np.int32), np.zeros(1), np.zeros(2))], "shapes"),
        (WORDS, [UNIGRAMS, ngrams([(2, 3), (3, 3), (2, 3)])], "'b a' stands twice"),
        (WORDS, [UNIGRAMS, ngrams([(2, 3)], [np.nan])], "no logarithms"),
        (WORDS, [UNIGRAMS, ngrams([(2, 3)], [-np.inf])], "no logarithms"),
        (WORDS, [UNIGRAMS, ngrams([(2, 3)], [-1], [np.inf]), ngrams([(2, 3, 2)])], "no logarithms"),
        (WORDS, [UNIGRAMS, ngrams([(2, 3)], [-1e9])], "no logarithms"),
        (WORDS, [UNIGRAMS, ngrams([(2, 3)], [0.5])], "above 1"),
        (WORDS, [UNIGRAMS, ngrams([(2, 3)], [-0.5], [-0.5])], "highest order"),
    ],
)
def test_what_is_no_model_is_refused(words: tuple[str, ...], orders: list[Ngrams], message: str) -> None:
    with pytest.raises(LanguageModelError, match=message):
        assemble(words, orders)


@pytest.mark.parametrize("rows", [[(2, 3), (2, 3)], [(3, 2), (2, 3)]])
def test_rows_of_a_model_out_of_order_are_refused(rows: list[tuple[int, ...]]) -> None:
    model = BackoffModel(("<unk>", "<s>", "</s>", "a"), (UNIGRAMS, ngrams(rows)))
    with pytest.raises(LanguageModelError, match="2-grams are not sorted"):
        Rows.of(model)
