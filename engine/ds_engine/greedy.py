"""The greedy decoder: the best symbol of every step, repeats merged, blanks dropped (best-path decoding, Graves et al. 2006).

No language model and no bias; it is the baseline that every other decoder is measured against. A word is stable as soon as
the next one has begun. Confidences are geometric means of the winning probabilities, not calibrated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ds_engine.transcript import Hypothesis, Partial, Word

if TYPE_CHECKING:
    from ds_engine.alphabet import Alphabet
    from ds_engine.bias import Bias
    from ds_engine.decoder import DecoderContext, Timing
    from ds_engine.features import FloatArray


@dataclass(frozen=True, slots=True)
class _Run:
    """Consecutive rows [first, last] won by one symbol, and the best log-prob among them."""

    column: int
    first: int
    last: int
    log_prob: float


@dataclass(slots=True)
class _State:
    rows: int = 0
    score: float = 0.0  # log-prob of the best path
    current: int | None = None  # column that won the last row
    words: list[Word] = field(default_factory=list)  # complete ones
    open: list[_Run] = field(default_factory=list)  # symbols of the word that is being said


class GreedyDecoder:
    """Best-path decoding over any alphabet; see ds_engine.decoder.Decoder."""

    def __init__(self, alphabet: Alphabet, timing: Timing) -> None:
        self._alphabet = alphabet
        self._timing = timing

    @classmethod
    def make(cls, context: DecoderContext) -> GreedyDecoder:
        """The decoder factory."""
        return cls(context.alphabet, context.timing)

    def start(self, bias: Bias) -> _State:
        """The state before any row; greedy search has no use for a bias."""
        return _State()

    def advance(self, state: _State, log_probs: FloatArray) -> _State:
        """Takes float32 [steps, symbols] and updates the state in place."""
        for column, log_prob in zip(log_probs.argmax(axis=1).tolist(), log_probs.max(axis=1).tolist(), strict=True):
            self._take(state, column, log_prob)
        return state

    def partial(self, state: _State) -> Partial:
        """Complete words are stable; the open word is only likely."""
        stable = self._text(state.words)
        return Partial(self._text([*state.words, *self._open_word(state)]), stable)

    def finish(self, state: _State) -> tuple[Hypothesis, ...]:
        """The one hypothesis there is."""
        words = (*state.words, *self._open_word(state))
        confidence = math.exp(state.score / state.rows) if state.rows else 0.0
        return (Hypothesis(self._text(words), words, confidence, state.score),)

    def _take(self, state: _State, column: int, log_prob: float) -> None:
        repeated = column == state.current
        state.rows, state.score, state.current = state.rows + 1, state.score + log_prob, column
        if self._alphabet.is_silent(column):
            return
        row = state.rows - 1
        if repeated and state.open and state.open[-1].column == column:
            run = state.open[-1]
            state.open[-1] = replace(run, last=row, log_prob=max(run.log_prob, log_prob))
        elif not repeated:
            self._emit(state, _Run(column, row, row, log_prob))

    def _emit(self, state: _State, run: _Run) -> None:
        if run.column == self._alphabet.separator or self._alphabet.starts_word(run.column):
            state.words.extend(self._open_word(state))
            state.open = []
        if run.column != self._alphabet.separator:
            state.open.append(run)

    def _open_word(self, state: _State) -> list[Word]:
        runs = state.open
        text = self._alphabet.word([run.column for run in runs])
        if not text:
            return []
        confidence = math.exp(sum(run.log_prob for run in runs) / len(runs))
        return [Word(text, self._timing.start(runs[0].first), self._timing.start(runs[-1].last + 1), confidence)]

    def _text(self, words: list[Word] | tuple[Word, ...]) -> str:
        return self._alphabet.join(word.text for word in words)
