"""Entropy pruning: a model in, a smaller one out that says almost the same.

An n-gram goes where leaving its word to the back-off changes the perplexity by less than a threshold (Stolcke, 1998,
"Entropy-based pruning of backoff language models"). Two things differ from that paper, because it fails for Kneser-Ney models
(Chelba et al., 2010, "Study on interaction between entropy pruning and Kneser-Ney smoothing"):

- how often a context comes up is not the product of lower-order probabilities but what the model really does (`frequencies`);
- the probabilities that are left are fitted anew, so that every n-gram is as frequent as before: the very constraint that
  Kneser-Ney models are made to satisfy, which for them depends on what the higher orders hold.

`benchmarks/estimation.py` prints what that is worth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ds_engine.errors import InputError
from ds_engine.lm.backoff import BackoffModel, DoubleArray, LongArray, Rows
from ds_engine.lm.expected import summed
from ds_engine.lm.frequencies import frequencies, offered
from ds_engine.lm.normalisation import normalised

# Parts of the threshold at which to prune and fit, one after the other: what is left is judged better once it has been fitted.
STAGES = (0.3, 1.0)

BoolArray = npt.NDArray[np.bool_]


def prune(model: BackoffModel, threshold: float) -> BackoffModel:
    """The model without n-grams, from two words up, that matter less than the threshold: a relative change of the perplexity.

    1e-8 takes little and 1e-5 most. What a longer n-gram needs stays; words stay. Raises InputError for a threshold that is not
    between 0 and 1, and LanguageModelError where the model's n-grams are not as `Ngrams` promises.
    """
    if not 0 <= threshold < 1:
        raise InputError(f"the threshold of entropy pruning must lie between 0 and 1, got {threshold:g}")
    for part in STAGES if threshold else ():
        if model.order > 1:
            model = _pruned(model, part * threshold)
    return model


def choose(model: BackoffModel, rows: Rows, histories: Sequence[DoubleArray], threshold: float) -> list[BoolArray]:
    """[count] for every order: which n-grams stay. `histories` says how often each context comes up, [count] for all orders but one."""
    probabilities = [np.power(10.0, level.log_probs) for level in model.orders]
    keep = [np.ones(len(each), np.bool_) for each in probabilities]
    needed = np.zeros(len(keep[-1]), np.bool_)
    for level in range(model.order - 1, 0, -1):
        prefixes, suffixes = rows.prefixes(level + 1), rows.suffixes[level]
        change = entropy_change(probabilities[level], probabilities[level - 1][suffixes], model.orders[level - 1].back_offs, prefixes)
        keep[level] = needed | (np.expm1(histories[level - 1][prefixes] * change) >= threshold)
        needed = np.zeros(len(keep[level - 1]), np.bool_)
        needed[prefixes[keep[level]]] = True
        needed[suffixes[keep[level]]] = True
    return keep


def entropy_change(own: DoubleArray, lower: DoubleArray, back_offs: DoubleArray, prefixes: LongArray) -> DoubleArray:
    """[count]: by how much the entropy of an n-gram's context grows, in nats, where the n-gram is left to the back-off.

    Stolcke's equation 3: its probability and that of its suffix, [count] each; log10 back-off weights of the contexts.
    """
    rest = np.maximum(1.0 - summed(prefixes, own, len(back_offs)), 0.0)[prefixes]
    room = np.maximum(1.0 - summed(prefixes, lower, len(back_offs)), 0.0)[prefixes]
    then = np.log((rest + own) / (room + lower))  # the back-off weight without the n-gram
    before = math.log(10.0) * back_offs[prefixes]
    change: DoubleArray = own * (np.log(own / lower) - then) + rest * (before - then)
    return change


def without(rows: Rows, keep: Sequence[BoolArray]) -> Rows:
    """The rows that stay, in as many orders as have any."""
    left, moved = Rows(rows.words), np.arange(rows.words)
    for keys, chosen in zip(rows.keys[1:], keep[1:], strict=True):
        if not chosen.any():
            break
        prefixes, last = np.divmod(keys[chosen], rows.words)
        left.add(moved[prefixes] * rows.words + last)
        moved = np.cumsum(chosen) - 1
    return left


def _pruned(model: BackoffModel, threshold: float) -> BackoffModel:
    rows = Rows.of(model)
    known = frequencies(model, rows)
    keep = choose(model, rows, known.histories, threshold)
    left = without(rows, keep)
    order = len(left.keys)
    probabilities = [np.power(10.0, level.log_probs[chosen]) for level, chosen in zip(model.orders[:order], keep, strict=False)]
    smaller = normalised(model.words, left, probabilities)
    wanted = _handed_down(known.reached, known.spoken, keep, rows)[:order]
    contexts = [*keep[: order - 1], *(np.zeros_like(each) for each in keep[order - 1 :])]
    states = _handed_down(known.states, known.histories, contexts, rows)[: order - 1]
    masses = offered(states, [np.power(10.0, level.back_offs) for level in smaller.orders[:-1]], left)
    fitted = [
        np.divide(aim, mass, out=own, where=(mass > 0) & (aim > 0)) for own, aim, mass in zip(probabilities, wanted, masses, strict=True)
    ]
    return normalised(model.words, left, [np.minimum(each, 1.0) for each in fitted])


def _handed_down(
    own: Sequence[DoubleArray], with_longer: Sequence[DoubleArray], keep: Sequence[BoolArray], rows: Rows
) -> list[DoubleArray]:
    """The mass of those that stay, and of the longer ones that do not."""
    result = []
    for level, mass in enumerate(own):
        handed = mass
        if level + 1 < len(own):
            handed = mass + summed(rows.suffixes[level + 1], np.where(keep[level + 1], 0.0, with_longer[level + 1]), len(mass))
        result.append(handed[keep[level]])
    return result
