"""How often a model comes by each of its n-grams, if it is left to talk: sentence after sentence, each word drawn from it.

A Kneser-Ney model's lower orders are not the frequencies of words (they say how a word continues *new* contexts), so what
happens how often cannot be read off them. Here the probability mass itself is moved, from context to context, until it no longer
changes. A state is the longest context that what was said last ends in; what it does not hold itself backs off to the context
one word shorter, less the words that it does hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ds_engine.lm.backoff import END, START, BackoffModel, DoubleArray, Rows
from ds_engine.lm.expected import summed

MAX_ROUNDS = 100  # of moving all mass by one word
SETTLED = 1e-5  # of mass that still comes to lie elsewhere: nobody needs a frequency more exactly
_ROUNDING = 1e-9  # of what arrives at a context: less than this is left for a word by rounding only


@dataclass(frozen=True, slots=True, eq=False)
class Frequencies:
    """Frequencies per word spoken; `[n - 1]` of each list belongs to the n-grams of n words."""

    states: list[DoubleArray]  # [count] each, for all but the highest order: that this is the state
    histories: list[DoubleArray]  # [count] each: that this was said last; the states that end in it together
    reached: list[DoubleArray]  # [count] each: that it was this n-gram which gave a word its probability
    spoken: list[DoubleArray]  # [count] each: that this was said last, </s> included; those reached that end in it together


def frequencies(model: BackoffModel, rows: Rows) -> Frequencies:
    """The frequencies of a model of at least two orders, whose n-grams stand in `rows`."""
    probabilities = [np.power(10.0, level.log_probs) for level in model.orders]
    probabilities[0][START] = 0.0
    back_offs = [np.power(10.0, level.back_offs) for level in model.orders[:-1]]
    ends = [np.flatnonzero(keys % rows.words == END) for keys in rows.keys]
    states = [np.zeros(len(each)) for each in back_offs]
    states[0][START] = 1.0
    for _ in range(MAX_ROUNDS):
        reached = [mass * each for mass, each in zip(offered(states, back_offs, rows), probabilities, strict=True)]
        before, states = states, _next_states(reached, ends, rows)
        if sum(float(np.abs(new - old).sum()) for new, old in zip(states, before, strict=True)) < SETTLED:
            break
    return Frequencies(states, _with_longer(states, rows), reached, _with_longer(reached, rows))


def offered(states: Sequence[DoubleArray], back_offs: Sequence[DoubleArray], rows: Rows) -> list[DoubleArray]:
    """Mass by state and back-off weights by context -> for every n-gram, [count] each, the mass that its probability is of.

    That is the mass of its own context, and what backs off to there from longer contexts that do not hold the n-gram's last word.
    """
    result = []
    arrived = states[-1] if states else np.ones(1)
    held = np.zeros(len(rows.keys[-1]))  # what has backed off, by word that its context holds itself
    for level in range(len(states), 0, -1):
        here = arrived[rows.prefixes(level + 1)]
        result.append(_less(here, held))
        backed_off = arrived * back_offs[level - 1]
        held = summed(rows.suffixes[level], backed_off[rows.prefixes(level + 1)], len(backed_off))
        arrived = backed_off
        if level > 1:
            arrived = states[level - 2] + summed(rows.suffixes[level - 1], backed_off, len(states[level - 2]))
    result.append(_less(np.full(rows.words, arrived.sum()), held))
    return result[::-1]


def _less(arrived: DoubleArray, held: DoubleArray) -> DoubleArray:
    rest = arrived - held
    return np.where(rest > _ROUNDING * arrived, rest, 0.0)


def _next_states(reached: Sequence[DoubleArray], ends: Sequence[npt.NDArray[np.intp]], rows: Rows) -> list[DoubleArray]:
    """Mass by n-gram -> by the state after it; after </s> a new sentence begins."""
    states = [each.copy() for each in reached]
    for state, where in zip(states, ends, strict=True):
        states[0][START] += state[where].sum()
        state[where] = 0.0
    longest = states.pop()
    states[-1] += summed(rows.suffixes[len(states)], longest, len(states[-1]))
    return states


def _with_longer(masses: Sequence[DoubleArray], rows: Rows) -> list[DoubleArray]:
    """Each n-gram's mass and that of all longer ones that end in it."""
    result = [each.copy() for each in masses]
    for level in range(len(result) - 1, 0, -1):
        result[level - 1] += summed(rows.suffixes[level], result[level], len(result[level - 1]))
    return result
