from __future__ import annotations

import itertools

import pytest

from ds_engine.errors import InputError
from ds_engine.lm.backoff import BackoffModel, Rows
from ds_engine.lm.counts import Vocabulary, count, encode
from ds_engine.lm.estimation import estimate
from ds_engine.lm.interpolation import interpolate
from tests.ds_engine.lm.tables import Gram, Table, random_sentences, words_of


def made(seed: int, order: int, *, top: int | None = None, words: int = 8, sentences: int = 40) -> BackoffModel:
    return estimate(count(encode(random_sentences(seed, sentences, words)), order, Vocabulary(top=top)))


def seen_by(table: Table, other: Table, context: Gram, word: str) -> float:
    """What a model gives to a word, <unk> split among those that only the other one has, and the rest."""
    known = set(table.words())
    inside = tuple(each if each in known or each == "<s>" else "<unk>" for each in context)
    if word in known - {"<unk>"}:
        return 10 ** table.log_prob(inside, word)
    outsiders = ["<unk>", *(each for each in other.words() if each not in known)]
    share = 10 ** other.log_prob((), word) / sum(10 ** other.log_prob((), each) for each in outsiders)
    return float(10 ** table.log_prob(inside, "<unk>") * share)


PAIRS = {
    "the same words": (made(1, 3), made(2, 3)),
    "a smaller domain": (made(3, 3), made(4, 2, top=3)),
    "a larger domain": (made(5, 2, top=4), made(6, 4, words=12)),
    "both with words of their own": (made(7, 3, top=5), estimate(count(encode(words_of(["x y a", "y b", "x"] * 3)), 3))),
    "nothing in common": (made(8, 3), estimate(count(encode(words_of(["x y z"])), 3))),
    "unigrams": (made(9, 1), made(10, 3)),
}


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("pair", PAIRS)
def test_every_n_gram_of_either_has_the_weighted_mean_and_every_context_sums_to_one(pair: str, weight: float) -> None:
    base, domain = PAIRS[pair]
    model = interpolate(base, domain, weight)
    Rows.of(model)  # raises where n-grams are missing or out of order
    mixed, left, right = Table.of(model), Table.of(base), Table.of(domain)
    assert set(mixed.log_probs) == set(left.log_probs) | set(right.log_probs)
    for gram in mixed.log_probs.keys() - {("<s>",)}:
        parts = seen_by(left, right, gram[:-1], gram[-1]), seen_by(right, left, gram[:-1], gram[-1])
        assert 10 ** mixed.log_probs[gram] == pytest.approx((1 - weight) * parts[0] + weight * parts[1], rel=1e-9)
    for context in mixed.contexts():
        assert mixed.total(context) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("pair", PAIRS)
def test_the_sides_can_be_exchanged(pair: str) -> None:
    base, domain = PAIRS[pair]
    one, other = Table.of(interpolate(base, domain, 0.2)), Table.of(interpolate(domain, base, 0.8))
    assert one.log_probs == pytest.approx(other.log_probs)
    assert one.back_offs == pytest.approx(other.back_offs)


def test_a_model_mixed_with_itself_stays_what_it_is() -> None:
    model = made(11, 3)
    before, after = Table.of(model), Table.of(interpolate(model, model, 0.4))
    for context, word in itertools.product(before.contexts(), before.words()):
        assert after.log_prob(context, word) == pytest.approx(before.log_prob(context, word), abs=1e-9)


def test_a_domain_of_few_words_leaves_the_base_its_words() -> None:
    base = estimate(count(encode(words_of(["turn on the light", "what time is it"] * 5)), 3))
    domain = estimate(count(encode(words_of(["turn on grandmas lamp"] * 5)), 3, Vocabulary(["turn", "on", "grandmas", "lamp"])))
    mixed, alone = Table.of(interpolate(base, domain, 0.5)), Table.of(base)
    assert mixed.log_prob(("<s>",), "what") > alone.log_prob(("<s>",), "what") - 0.5
    assert mixed.log_prob(("on",), "grandmas") > -1


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_a_weight_outside_is_refused(weight: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        interpolate(*PAIRS["unigrams"], weight)
