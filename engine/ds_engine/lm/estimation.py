"""N-gram estimation: counts in, an interpolated modified Kneser-Ney model out.

The recipe is that of Chen and Goodman (1998, "An empirical study of smoothing techniques for language modeling", equation 26
and section 3) as KenLM's lmplz works it out (Heafield et al., 2013, "Scalable modified Kneser-Ney language model estimation"):

- the adjusted count of an n-gram is, at the highest order and after <s>, how often it was seen, and elsewhere the number of
  distinct words seen before it; <s> itself has none, for it is never predicted;
- each order's discounts for counts of 1, 2 and 3 or more come from its numbers of n-grams with adjusted counts 1 to 4;
- unigrams are interpolated with the uniform distribution over all words, <unk> and </s> included and <s> not;
- pruned n-grams (seen at most so often) are counted with all others, and their mass goes to the back-off.

For weights that are no whole numbers every count becomes its expectation (Zhang and Chiang, 2014, "Kneser-Ney smoothing on
expected counts"); with whole numbers the two are the same. Where lmplz gives up, or needs --discount_fallback, `FALLBACK` stands in.

One oversight of lmplz is not copied: for the last n-gram in its sorting it takes the real instead of the adjusted count when it
derives the discounts, so that a text's last new word can move them. Everything else is equal to within single precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ds_engine.errors import InputError
from ds_engine.lm.backoff import START, ZERO, BackoffModel, DoubleArray, IntArray, Ngrams
from ds_engine.lm.counts import Counts, Level
from ds_engine.lm.expected import Sightings, sightings, summed

# Discounts for adjusted counts of 1, 2 and 3 or more where an order has no n-grams of adjusted count 1, 2 or 3, or where its own
# lie outside (0, 1], (0, 2] and (0, 3]: those of lmplz --discount_fallback. Ten sentences need them, and so do repeated ones.
FALLBACK = (0.5, 1.0, 1.5)

_BoolArray = npt.NDArray[np.bool_]


def estimate(counts: Counts, prune: Sequence[float] = ()) -> BackoffModel:
    """The model of a text. `prune` holds a threshold per order, the last one for all higher orders too.

    An n-gram whose sentences weigh no more than its order's threshold is left out. As for lmplz, thresholds must not fall from
    one order to the next, and the first must be 0: words are left out by the vocabulary. Raises InputError otherwise.
    """
    levels = counts.levels
    thresholds = _thresholds(prune, len(levels))
    raw = [sightings(level.seen, level.weights, len(level.last)) for level in levels]
    ids, kept = np.zeros((1, 0), np.int32), np.ones(1, np.bool_)  # the order 0: the uniform distribution
    probabilities = np.full(1, 1.0 / (len(counts.words) - 1))
    orders: list[Ngrams] = []
    for number, (level, threshold) in enumerate(zip(levels, thresholds, strict=True)):
        ids = np.column_stack([ids[level.prefixes], level.last.astype(np.int32)])
        keep = (raw[number].mean > threshold) & kept[level.prefixes] & kept[level.suffixes] if number else np.ones(len(ids), np.bool_)
        if not keep.any():
            break
        adjusted = _adjusted(levels, raw, number, ids[:, 0])
        probabilities, back_offs = _smoothed(level, adjusted, keep, probabilities)
        if orders:
            orders[-1] = Ngrams(orders[-1].ids, orders[-1].log_probs, _log10(back_offs[kept]))
        orders.append(Ngrams(ids[keep], _log10(probabilities[keep]), np.zeros(np.count_nonzero(keep))))
        kept = keep
    orders[0].log_probs[START] = ZERO
    return BackoffModel(counts.words, tuple(orders))


def discounts(histogram: Sequence[float]) -> tuple[float, float, float]:
    """Chen and Goodman's equation 26: the numbers of n-grams with adjusted counts 1 to 4 -> discounts for 1, 2, and 3 or more."""
    if min(histogram[:3]) > 0:
        y = histogram[0] / (histogram[0] + 2 * histogram[1])
        first, second, third = (size - (size + 1) * y * more / some for size, (some, more) in enumerate(pairwise(histogram), 1))
        if 0 < first <= 1 and 0 < second <= 2 and 0 < third <= 3:
            return first, second, third
    return FALLBACK


def _adjusted(levels: Sequence[Level], raw: Sequence[Sightings], number: int, first: IntArray) -> Sightings:
    """Adjusted counts: sightings at the highest order and after <s>, distinct words before elsewhere; `first` words [count]."""
    if number == len(levels) - 1:
        return raw[number]
    continued = sightings(levels[number + 1].suffixes, raw[number + 1].ever, len(first))
    return continued.where(np.flatnonzero(first == START), raw[number])


def _smoothed(level: Level, adjusted: Sightings, keep: _BoolArray, lower: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
    """Probabilities [count], and back-off weights of the contexts [count of the order below], whose probabilities are `lower`."""
    discount = np.array(discounts(adjusted.chances[:, 1:].sum(axis=0).tolist()))
    own = np.where(keep, np.maximum(adjusted.mean - adjusted.spread() @ discount, 0.0), 0.0)
    totals = summed(level.prefixes, adjusted.mean, len(lower))
    freed = summed(level.prefixes, adjusted.mean - own, len(lower))
    back_offs = np.divide(freed, totals, out=np.ones(len(lower)), where=totals > 0)
    share = np.divide(own, totals[level.prefixes], out=own, where=own > 0)
    return share + back_offs[level.prefixes] * lower[level.suffixes], back_offs


def _thresholds(prune: Sequence[float], orders: int) -> list[float]:
    given = [float(value) for value in prune] or [0.0]
    if given[0] != 0 or any(not low <= high for low, high in pairwise(given)):
        raise InputError(f"thresholds of pruning must begin with 0 and never fall, got {' '.join(f'{value:g}' for value in given)}")
    return (given + given[-1:] * orders)[:orders]


def _log10(values: DoubleArray) -> DoubleArray:
    """Of probabilities and weights, which lie between 0 and 1 but for rounding."""
    return np.log10(np.clip(values, 10.0**ZERO, 1.0))
