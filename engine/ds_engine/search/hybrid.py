"""Open speech and closed grammars side by side on the same rows: a sentence of a grammar where it was really said, open text otherwise.

Both searches hear everything. In the end `acceptance` says how sure it is that the closed search's best sentence was said; above the
policy's strictness it is the result, with intent and slots. What was stable in both searches is stable here, because it stays
whichever of the two the result will be.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, Self

from ds_engine.alphabet import Alphabet, BoundaryRule
from ds_engine.bias import Bias
from ds_engine.decoder import Attention, DecoderContext, Sentence
from ds_engine.errors import InputError
from ds_engine.features import FloatArray
from ds_engine.search.acceptance import Acceptance
from ds_engine.search.closed_decoder import ClosedDecoder
from ds_engine.search.decoder import KernelDecoder, State
from ds_engine.transcript import Hypothesis, Partial

BEHIND_PER_CHARACTER = 1.0  # nats behind open speech up to which a sentence counts as said while one still listens
HOPELESS = 80.0  # nats behind open speech; sentences of people that were right ended at most 62 behind, half of them 20 ahead
LOOK_ROWS = 25  # between two looks at that
BEHIND_BEGUN = 5.0  # nats, and one that has only begun


class Mode(StrEnum):
    """What becomes of the grammars of an utterance."""

    OPEN = "open"  # they are not looked at
    HYBRID = "hybrid"  # one of their sentences where it was said, open text otherwise
    CLOSED = "closed"  # one of their sentences, or nothing


@dataclass(frozen=True, slots=True)
class GrammarPolicy:
    """Settings of closed grammars. Raises InputError where one is out of its range."""

    mode: str = Mode.HYBRID.value
    strictness: float = 0.3  # probability that a sentence of a grammar was said, below which it is not taken; 0: it always is

    def __post_init__(self) -> None:
        if self.mode not in set(Mode):
            raise InputError(f"grammar: mode must be one of {', '.join(Mode)}, got {self.mode!r:.40}")
        if not 0 <= self.strictness <= 1:
            raise InputError(f"grammar: strictness must lie in 0..1, got {self.strictness!r:.40}")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The defaults, overridden. Raises InputError for an unknown name or a wrong kind of value."""
        kinds = {field.name: type(field.default) for field in fields(cls)}
        for name, value in values.items():
            if name not in kinds:
                raise InputError(f"grammar: {name!r:.40} is unknown; known are {', '.join(kinds)}")
            if type(value) is not kinds[name]:
                raise InputError(f"grammar: {name} must be {kinds[name].__name__}, got {value!r:.40}")
        return cls(**values)


@dataclass(frozen=True, slots=True)
class _Alone:
    """An utterance that only one search hears."""

    search: KernelDecoder
    state: State


@dataclass(slots=True)
class _Both:
    """An utterance that both hear."""

    open: State
    closed: State
    rows: int = 0


class HybridDecoder:
    """See ds_engine.decoder.Decoder. Without grammars it is the open search."""

    def __init__(
        self, alphabet: Alphabet, open_: KernelDecoder, closed: ClosedDecoder, acceptance: Acceptance, policy: GrammarPolicy
    ) -> None:
        self._alphabet = alphabet
        self._open = open_
        self._closed = closed
        self._acceptance = acceptance
        self._policy = policy

    @classmethod
    def make(cls, context: DecoderContext) -> HybridDecoder:
        """The decoder factory. Raises BundleError or LanguageModelError for a broken file, InputError for a wrong setting."""
        policy = GrammarPolicy.of(context.grammar)
        open_ = KernelDecoder.make(context)
        return cls(context.alphabet, open_, ClosedDecoder.beside(open_, context), Acceptance.of(context.bundle.manifest), policy)

    def start(self, bias: Bias) -> _Alone | _Both:
        """The state before any row."""
        if not bias.grammars or self._policy.mode == Mode.OPEN:
            return _Alone(self._open, self._open.start(bias))
        if self._policy.mode == Mode.CLOSED and not self._policy.strictness:
            return _Alone(self._closed, self._closed.start(bias))
        return _Both(self._open.start(bias), self._closed.start(bias))

    def advance(self, state: _Alone | _Both, log_probs: FloatArray) -> _Alone | _Both:
        """Takes float32 [steps, symbols] and updates the state in place."""
        while isinstance(state, _Both) and len(log_probs):
            now = log_probs[: LOOK_ROWS - state.rows % LOOK_ROWS]  # at rows that do not depend on how they were cut into calls
            log_probs = log_probs[len(now) :]
            self._open.advance(state.open, now)
            self._closed.advance(state.closed, now)
            state.rows += len(now)
            if state.rows % LOOK_ROWS == 0 and self._hopeless(state):
                state = _Alone(self._open, state.open)
        if isinstance(state, _Alone):
            state.search.advance(state.state, log_probs)
        return state

    def partial(self, state: _Alone | _Both) -> Partial:
        """Of two searches the one that is ahead, and what is stable in both; a sentence that may still be rejected is never stable."""
        match state:
            case _Alone(search, heard):
                return search.partial(heard)
            case _Both(spoken, sentence):
                closed = self._closed.partial(sentence)
                if self._policy.mode == Mode.CLOSED:
                    return replace(closed, stable="")
                free = self._open.partial(spoken)
                ahead = closed if sentence.kernel.score() >= spoken.kernel.score() else free
                return Partial(ahead.text, self._shared(free.stable, closed.stable))

    def attention(self, state: _Alone | _Both) -> Attention:
        """As the open search has it, with the sentence of the closed one while that is believed. See Attentive."""
        match state:
            case _Alone(search, heard):
                return search.attention(heard)
            case _Both(spoken, sentence):
                believed = self._closed.attention(sentence).sentence
                behind = spoken.kernel.score() - sentence.kernel.score()
                characters = len(self._closed.partial(sentence).text.replace(" ", ""))
                trusted = BEHIND_BEGUN if believed is Sentence.INCOMPLETE else BEHIND_PER_CHARACTER * characters
                return replace(self._open.attention(spoken), sentence=believed if behind <= trusted else Sentence.UNKNOWN)

    def finish(self, state: _Alone | _Both) -> tuple[Hypothesis, ...]:
        """The hypotheses of the search that is believed, best first; the other's best is an alternative."""
        match state:
            case _Alone(search, heard):
                return search.finish(heard)
            case _Both(spoken, sentence):
                return self._chosen(self._open.finish(spoken), self._closed.finish(sentence))

    def _chosen(self, spoken: tuple[Hypothesis, ...], sentences: tuple[Hypothesis, ...]) -> tuple[Hypothesis, ...]:
        sure = self._acceptance.probability(sentences, spoken[0])
        if sentences[0].match is not None and sure >= self._policy.strictness:
            return (_surely(sentences[0], sure), *sentences[1:], spoken[0])
        if self._policy.mode == Mode.CLOSED:
            return (Hypothesis("", (), 1 - sure, spoken[0].score), *(each for each in sentences if each.words))
        return spoken

    def _hopeless(self, state: _Both) -> bool:
        """True where the closed search is so far behind that nothing it could find would be believed: it need not go on."""
        return self._policy.mode == Mode.HYBRID and state.open.kernel.score() - state.closed.kernel.score() > HOPELESS

    def _shared(self, one: str, other: str) -> str:
        """The words with which both begin; where words are not told apart by spaces, the characters."""
        unit = "" if self._alphabet.boundary.rule is BoundaryRule.NONE else " "
        pairs = zip(*(text.split(unit) if unit else text for text in (one, other)), strict=False)
        return unit.join(first for first, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _surely(sentence: Hypothesis, sure: float) -> Hypothesis:
    """The sentence and its words with the probability that all of it is right."""
    return replace(sentence, words=tuple(replace(word, confidence=sure) for word in sentence.words), confidence=sure)
