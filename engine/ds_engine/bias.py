"""Bias: the names and phrases that this speaker is likely to say, as one immutable snapshot for one utterance.

A decoder takes it at `start`; a source that changes later changes the next utterance, never this one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ds_engine.errors import BiasError

MAX_PHRASES = 10_000  # in one snapshot
MAX_PHRASE_LENGTH = 200  # characters
MAX_BOOST = 20.0  # nats, either way


@dataclass(frozen=True, slots=True)
class Phrase:
    """One or more words to expect. Raises BiasError for an empty or endless phrase and a boost out of range."""

    text: str
    boost: float = 0.0  # nats a phrase gains over what the language model says; 0 only makes it known

    def __post_init__(self) -> None:
        if not isinstance(self.text, str) or not self.text.strip() or len(self.text) > MAX_PHRASE_LENGTH:
            raise BiasError(f"a phrase needs 1 to {MAX_PHRASE_LENGTH} characters, got {self.text!r:.60}")
        if not isinstance(self.boost, int | float) or not math.isfinite(self.boost) or abs(self.boost) > MAX_BOOST:
            raise BiasError(f"the boost of {self.text!r} must lie within +-{MAX_BOOST} nats, got {self.boost!r}")


@dataclass(frozen=True, slots=True)
class Bias:
    """What one utterance is biased by. Raises BiasError for more than MAX_PHRASES."""

    phrases: tuple[Phrase, ...] = ()

    def __post_init__(self) -> None:
        if len(self.phrases) > MAX_PHRASES:
            raise BiasError(f"at most {MAX_PHRASES} phrases, got {len(self.phrases)}")

    def merged(self, *others: Bias) -> Bias:
        """This bias and the others, in order, each phrase once with its highest boost; what is over MAX_PHRASES is left out."""
        boosts: dict[str, float] = {}
        for bias in (self, *others):
            for phrase in bias.phrases:
                boosts[phrase.text] = max(phrase.boost, boosts.get(phrase.text, phrase.boost))
        return Bias(tuple(Phrase(text, boost) for text, boost in list(boosts.items())[:MAX_PHRASES]))
