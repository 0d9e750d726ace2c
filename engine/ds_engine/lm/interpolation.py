"""Two models in, one out: static linear interpolation, as SRILM's -mix-lm does it.

P(w | h) = (1 - weight) P_base(w | h) + weight P_domain(w | h) for every n-gram that either model holds; all others are reached
by back-off, whose weights are computed anew so that every context sums to one.

<unk> of a model stands for all words that it does not hold, and those that only the other one holds are among them. Its
probability is therefore split: each of those words gets the share that the other model's unigrams give it among them and <unk>, and
<unk> keeps the rest. So no mass is counted twice, and a domain of fifty words does not deny the existence of all others.
"""

from __future__ import annotations

import numpy as np

from ds_engine.errors import InputError
from ds_engine.lm.backoff import SPECIAL, UNKNOWN, BackoffModel, DoubleArray, IntArray, LongArray, Rows
from ds_engine.lm.normalisation import normalised


def interpolate(base: BackoffModel, domain: BackoffModel, weight: float) -> BackoffModel:
    """The mixture over all words and n-grams of both; `weight` is the domain's, from 0 to 1.

    Raises InputError for a weight outside, and LanguageModelError where a model's n-grams are not as `Ngrams` promises.
    """
    if not 0 <= weight <= 1:
        raise InputError(f"the weight of a model must lie between 0 and 1, got {weight:g}")
    words = (*SPECIAL, *sorted({*base.words, *domain.words}.difference(SPECIAL)))
    sides = _Side(base, domain, words), _Side(domain, base, words)
    rows = Rows(len(words))
    ids = np.arange(len(words), dtype=np.int32)[:, None]
    probabilities = []
    for order in range(1, max(base.order, domain.order) + 1):
        if order > 1:
            rows.add(np.unique(np.concatenate([rows.keys_of(side.ngrams(order)) for side in sides])))
            prefixes, last = np.divmod(rows.keys[-1], len(words))
            ids = np.column_stack([ids[prefixes], last.astype(np.int32)])
        first, second = (side.probabilities(ids, rows) for side in sides)
        probabilities.append((1 - weight) * first + weight * second)
    return normalised(words, rows, probabilities)


class _Side:
    """One of the two models, seen from their union; asked for its probabilities order by order from the lowest up."""

    def __init__(self, model: BackoffModel, other: BackoffModel, words: tuple[str, ...]) -> None:
        self._model, self._rows = model, Rows.of(model)
        self._numbers = _numbers(words, model)
        self._to_union = _numbers(model.words, BackoffModel(words, ()))
        self._shares = _shares(self._numbers, _unigrams(other, words))
        self._found: LongArray = np.zeros(0, np.int64)  # of the order below: the union's n-grams among the model's, -1 where not
        self._log_probs: DoubleArray = np.zeros(0)  # of the order below: log10, <unk> not split

    def ngrams(self, order: int) -> IntArray:
        """int32 [count, order]: the model's own n-grams in the union's words."""
        own = self._model.orders[order - 1].ids if order <= self._model.order else np.zeros((0, order), np.int32)
        return self._to_union[own]

    def probabilities(self, ids: IntArray, rows: Rows) -> DoubleArray:
        """[count]: what the model gives to the union's n-grams `ids` [count, order], which are the last order of `rows`."""
        order = ids.shape[1]
        level = self._model.orders[min(order, self._model.order) - 1]
        if order == 1:
            self._found = self._numbers.astype(np.int64)
            self._log_probs = level.log_probs[self._numbers]
        else:
            lower = self._model.orders[min(order - 1, self._model.order) - 1]
            context = self._found[rows.prefixes(order)]
            backed_off = np.where(context >= 0, lower.back_offs[context], 0.0) + self._log_probs[rows.suffixes[order - 1]]
            known = order <= self._model.order
            self._found = self._rows.find(self._numbers[ids]) if known else np.full(len(ids), -1)
            self._log_probs = np.where(self._found >= 0, level.log_probs[self._found], backed_off) if known else backed_off
        return np.power(10.0, self._log_probs) * self._shares[ids[:, -1]]


def _numbers(words: tuple[str, ...], model: BackoffModel) -> IntArray:
    """The model's index of each word, that of <unk> for those it does not hold."""
    index = {word: number for number, word in enumerate(model.words)}
    return np.fromiter((index.get(word, UNKNOWN) for word in words), np.int32, len(words))


def _unigrams(model: BackoffModel, words: tuple[str, ...]) -> DoubleArray:
    """The model's probability of each word, and of <unk> for each that it does not hold."""
    return np.power(10.0, model.orders[0].log_probs[_numbers(words, model)])


def _shares(numbers: IntArray, other: DoubleArray) -> DoubleArray:
    """The part of what a model gives to each word or, where it does not hold the word, to <unk>, that is the word's own."""
    unknown = np.flatnonzero(numbers == UNKNOWN)  # <unk> itself, and the words that only the other model holds
    shares = np.ones(len(numbers))
    shares[unknown] = other[unknown] / max(other[unknown].sum(), np.finfo(np.float64).tiny)
    return shares
