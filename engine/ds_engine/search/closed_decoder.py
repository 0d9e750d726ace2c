"""The kernel over closed grammars: only their sentences are heard, each with the intent and the slots that it means."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, cast

from ds_engine.alphabet import Alphabet
from ds_engine.automaton import Layers
from ds_engine.bias import Bias, Pronunciation
from ds_engine.decoder import Attention, DecoderContext, Sentence, Timing
from ds_engine.grammar.graph import Grammar
from ds_engine.grammar.machine import Machine
from ds_engine.grammar.machine import State as Place
from ds_engine.grammar.matching import match_in
from ds_engine.search.closed import WILDCARD, ClosedAutomaton, Speller, Tries
from ds_engine.search.decoder import Compiled, KernelDecoder, Space, State, calibrated
from ds_engine.search.lexicon import unweighted
from ds_engine.search.policy import SearchPolicy
from ds_engine.transcript import Hypothesis

_OPEN_ONLY = frozenset({"alpha", "beta"})
_MACHINES = 8  # sets of grammars of which the walked part is remembered


class ClosedDecoder(KernelDecoder):
    """See ds_engine.decoder.Decoder. An utterance that is no sentence of the bias's grammars has one hypothesis without words."""

    def __init__(self, alphabet: Alphabet, timing: Timing, open_: KernelDecoder, policy: SearchPolicy) -> None:
        """`open_` searches beside this one: what a wildcard may hold is its vocabulary, weighed as it weighs it."""
        super().__init__(alphabet, timing, open_.vocabulary.under(policy) if open_.vocabulary else None, policy)
        self._open = open_
        self._tries: Any = lru_cache(_MACHINES)(self._make_tries)
        self._machine: Any = lru_cache(_MACHINES)(partial(Machine, wildcard=WILDCARD))

    @classmethod
    def beside(cls, open_: KernelDecoder, context: DecoderContext) -> ClosedDecoder:
        """The closed search beside an open one, whose language model it shares. Raises as `make` does.

        Its settings are the open search's, overridden by the bundle's `calibration.closed`; the user's weights of the language
        model are for open speech and do not count here.
        """
        given = {name: value for name, value in context.search.items() if name not in _OPEN_ONLY}
        policy = SearchPolicy.of(calibrated(context, "search"), calibrated(context, "closed"), given)
        return cls(context.alphabet, context.timing, open_, policy)

    def _space(self, bias: Bias, compiled: Compiled) -> Space:
        sentences = ClosedAutomaton(self._tries(bias.grammars, bias.pronunciations))
        return Space(Layers((sentences, *self._open.automata(compiled)), sentences.gates), sentences, self._open.policy)

    def attention(self, state: State) -> Attention:
        """Whether the likeliest beginning of a sentence is one already. See Attentive."""
        history, node = state.kernel.best()
        ended = state.language.step(history, node).history
        if ended < 0 and node != state.language.root(history):
            return replace(super().attention(state), sentence=Sentence.INCOMPLETE)  # in the middle of a word
        place = cast("Place", state.language.place(history if ended < 0 else ended))
        if place.final is None:
            sentence = Sentence.INCOMPLETE
        else:
            sentence = Sentence.COMPLETE if place.words or place.lists or place.wildcard else Sentence.FINISHED
        return replace(super().attention(state), sentence=sentence)

    def finish(self, state: State) -> tuple[Hypothesis, ...]:
        """The likeliest sentences, best first, the best with what it means; one hypothesis without words where none is left."""
        if not state.kernel.readings():
            return (Hypothesis("", (), 0.0, state.kernel.score()),)
        best, *others = super().finish(state)
        meaning = match_in(self._machine(state.bias.grammars), [word.text for word in best.words]) if best.words else None
        return (replace(best, match=meaning), *others)

    def _make_tries(self, grammars: tuple[Grammar, ...], pronunciations: tuple[Pronunciation, ...]) -> Tries:
        compiled = self._vocabulary.trie if self._vocabulary else unweighted
        return Tries(self._machine(grammars), Speller(self._alphabet, pronunciations, compiled))
