"""Confidence: what speaks for words and against them in, probabilities that they are right out.

The probability of a word is that of a logistic model over a few numbers: what else the search could have put in its place (see
lattice.py), how well it fits the sound, how it goes with the words before and after, and how well those fit. Its weights come from
`calibration.confidence` of the bundle's manifest, fitted by `ds_training.confidence` on people.

A word is right where the edit distance to what was said matches it with the same word; a wrong word was put in or said otherwise.
The confidence of an utterance is the mean over its words: the share of them that one may expect to be right. Words that were said
and not recognised do not lower it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Self

from ds_engine.errors import BundleError
from ds_engine.manifest import Manifest

BIAS = "bias"
SECTION = "confidence"  # of the manifest's calibration
LEAST_SHARE = 1e-3  # of a word's posterior; the search's own errors are more frequent than what lies outside
MAX_NATS = 30.0  # of any logarithm that speaks for or against a word, and of the sum: no word is certain


@dataclass(frozen=True, slots=True)
class Belief:
    """What the search believes of a word."""

    share: float  # posterior of the word at its place, whatever the words around it are, in 0..1
    support: float  # nats by which the language model finds it likelier after the words before it than anywhere


@dataclass(frozen=True, slots=True)
class Fit:
    """How a word fits the sound."""

    symbols: int  # that spell it
    rows: int  # between its neighbours' symbols: all that it may have been said in
    log_prob: float  # nats, of the best path through them
    evenness: float  # geometric mean of its symbols' best probabilities, in 0..1
    others: float  # symbols that one would expect between its first and its last, other than its own


EVIDENCE = (
    "share",  # log odds of the search's posterior
    "path",  # nats per symbol of the best path
    "others",  # other symbols that one would expect in the word, per symbol of its own
    "stretch",  # long words leave no rows to spare: log of symbols times log of rows per symbol
    "before",  # nats by which the language model is against it after the words before it, times the posterior of the one before
    "after",  # nats by which it is against what follows, times the posterior of that
    "beside",  # evenness of the words before and after
)
KNOWN = (BIAS, *EVIDENCE)


def evidence(fits: Sequence[Fit], beliefs: Sequence[Belief]) -> list[tuple[float, ...]]:
    """The numbers of EVIDENCE for each word of an utterance. `beliefs` have one more: of the utterance's end, which only has a support."""
    evenness = [fit.evenness for fit in fits]
    shares = [belief.share for belief in beliefs]
    against = [max(-MAX_NATS, min(0.0, belief.support)) for belief in beliefs]  # support above zero says little
    found: list[tuple[float, ...]] = []
    for place, fit in enumerate(fits):
        beside = evenness[max(0, place - 1) : place] + evenness[place + 1 : place + 2] or evenness
        share = min(max(shares[place], LEAST_SHARE), 1 - LEAST_SHARE)
        symbols = max(1, fit.symbols)
        found.append(
            (
                math.log(share / (1 - share)),
                max(fit.log_prob / symbols, -MAX_NATS),
                fit.others / symbols,
                math.log(symbols) * math.log(max(1, fit.rows) / symbols),
                against[place] * (shares[place - 1] if place else 1.0),
                against[place + 1] * shares[place + 1],
                sum(beside) / len(beside),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Confidence:
    """The weights of the evidence, and of nothing at all ("bias"). Immutable."""

    weights: Mapping[str, float]

    @classmethod
    def of(cls, manifest: Manifest) -> Self | None:
        """Those of a bundle, or None where it has none. Raises BundleError for a weight that is missing, unknown or no finite number."""
        if SECTION not in manifest.calibration.values:
            return None
        given = manifest.calibration.section(SECTION)
        unknown = [name for name in given.values if name not in KNOWN]
        weights = {name: given.get(name, float) for name in KNOWN}
        if unknown or not all(map(math.isfinite, weights.values())):
            wrong = f"{unknown[0]!r:.40}" if unknown else f"{weights}"
            raise BundleError(f"manifest: {given.path[:-1]} must have finite numbers for {', '.join(KNOWN)} and no others, got {wrong}")
        return cls(weights)

    def words(self, fits: Sequence[Fit], beliefs: Sequence[Belief]) -> list[float]:
        """The probability of each word of an utterance, in 0..1 and never either; `beliefs` as in `evidence`."""
        bias, *weights = (self.weights[name] for name in KNOWN)
        return [probability(bias + sum(map(mul, weights, numbers))) for numbers in evidence(fits, beliefs)]


def probability(log_odds: float) -> float:
    """That of these log odds, never 0 or 1."""
    return 1 / (1 + math.exp(-max(-MAX_NATS, min(MAX_NATS, log_odds))))


def of_utterance(words: Sequence[float]) -> float:
    """The confidence of an utterance whose words have these: the share of them that is right, as one may expect; 0 without words."""
    return math.fsum(words) / len(words) if words else 0.0
