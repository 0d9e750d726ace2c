"""How well a language model foresees text: sentences in, the log-probability of every word and the perplexity out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ds_engine.lm.model import LanguageModel


@dataclass(frozen=True, slots=True)
class ScoredSentence:
    """A sentence; the arrays have one element more than there are words, for </s>, which is never unknown."""

    words: tuple[str, ...]
    log_probs: tuple[float, ...]  # natural logarithms
    unknown: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """A text. The two perplexities are NaN where there is no word to divide by."""

    sentences: tuple[ScoredSentence, ...]

    @property
    def tokens(self) -> int:
        """Words, and a </s> for every sentence."""
        return sum(len(sentence.log_probs) for sentence in self.sentences)

    @property
    def unknown(self) -> int:
        """Words that the model does not have."""
        return sum(sum(sentence.unknown) for sentence in self.sentences)

    @property
    def log_prob(self) -> float:
        """Of the whole text; natural logarithm."""
        return math.fsum(value for sentence in self.sentences for value in sentence.log_probs)

    @property
    def perplexity(self) -> float:
        """Over all tokens; unknown words count with the probability of <unk>."""
        return _perplexity(self.log_prob, self.tokens)

    @property
    def known_perplexity(self) -> float:
        """Over the tokens that the model has."""
        known = [
            log_prob
            for sentence in self.sentences
            for log_prob, unknown in zip(sentence.log_probs, sentence.unknown, strict=True)
            if not unknown
        ]
        return _perplexity(math.fsum(known), len(known))


def score(model: LanguageModel, sentences: Iterable[Sequence[str]]) -> Score:
    """Asks the model for every word of every sentence in turn, and for the sentences' ends."""
    return Score(tuple(_scored(model, tuple(sentence)) for sentence in sentences))


def _scored(model: LanguageModel, words: tuple[str, ...]) -> ScoredSentence:
    context, log_probs = model.start, []
    indices = [model.index(word) for word in words]
    for index in indices:
        log_prob, context = model.advance(context, index)
        log_probs.append(log_prob)
    log_probs.append(model.end(context))
    return ScoredSentence(words, tuple(log_probs), (*(index == model.unknown for index in indices), False))


def _perplexity(log_prob: float, tokens: int) -> float:
    try:
        return math.exp(-log_prob / tokens) if tokens else math.nan
    except OverflowError:  # words that the model holds for impossible
        return math.inf
