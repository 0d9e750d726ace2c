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
ALTERNATIVES = 2  # sentences: acceptance asks by how much the best leads, and each one must be aligned in the end
UNFINISHED = 2.0  # nats by which a sentence that is said only in part may be likelier than the best whole one, for that to count as said
_MACHINES = 8  # sets of grammars of which the walked part is remembered


class ClosedDecoder(KernelDecoder):
    """See ds_engine.decoder.Decoder. An utterance that is no sentence of the bias's grammars has one hypothesis without words."""

    def __init__(self, alphabet: Alphabet, timing: Timing, open_: KernelDecoder, policy: SearchPolicy) -> None:
        """`open_` searches beside this one: what a wildcard may hold is its vocabulary, weighed as it weighs it."""
        vocabulary = open_.vocabulary.under(policy) if open_.vocabulary else None
        super().__init__(alphabet, timing, vocabulary, policy, replace(open_.calibration, confidence=None))
        self._open = open_
        self._tries: Any = lru_cache(_MACHINES)(self._make_tries)
        self._tries_of: Any = lru_cache(_MACHINES)(self._find_tries)  # a bias remembers its hash, a tuple of names does not
        self._machine: Any = lru_cache(_MACHINES)(partial(Machine, wildcard=WILDCARD))

    @classmethod
    def beside(cls, open_: KernelDecoder, context: DecoderContext) -> ClosedDecoder:
        """The closed search beside an open one, whose language model it shares. Raises as `make` does.

        Its settings are the open search's, overridden by the bundle's `calibration.closed`; the user's weights of the language
        model are for open speech and do not count here.
        """
        given = {name: value for name, value in context.search.items() if name not in _OPEN_ONLY}
        policy = SearchPolicy.of(calibrated(context, "search"), calibrated(context, "closed"), given, {"alternatives": ALTERNATIVES})
        return cls(context.alphabet, context.timing, open_, policy)

    def _space(self, bias: Bias, compiled: Compiled) -> Space:
        sentences = ClosedAutomaton(self._tries_of(bias))
        return Space(Layers((sentences, *self._open.automata(compiled)), sentences.gates), sentences, self._open.policy)

    def attention(self, state: State) -> Attention:
        """Whether the likeliest beginning of a sentence is one already. See Attentive."""
        heard = super().attention(state)
        readings = state.kernel.readings()
        if not readings or state.kernel.score() - readings[0][1] > UNFINISHED:
            return replace(heard, sentence=Sentence.INCOMPLETE)
        place = cast("Place", state.language.place(readings[0][0]))
        more = place.words or place.lists or place.wildcard
        return replace(heard, sentence=Sentence.COMPLETE if more else Sentence.FINISHED)

    def finish(self, state: State) -> tuple[Hypothesis, ...]:
        """The likeliest sentences, best first, the best with what it means; one hypothesis without words where none is left."""
        found = dict(state.kernel.readings())
        if not found:
            return (Hypothesis("", (), 0.0, state.kernel.score()),)
        best, *others = self._aligned(state, found)
        meaning = match_in(self._machine(state.bias.grammars), [word.text for word in best.words]) if best.words else None
        return (replace(best, match=meaning), *others)

    def _find_tries(self, bias: Bias) -> Tries:
        return cast("Tries", self._tries(bias.grammars, bias.pronunciations))

    def _make_tries(self, grammars: tuple[Grammar, ...], pronunciations: tuple[Pronunciation, ...]) -> Tries:
        compiled = self._vocabulary.trie if self._vocabulary else unweighted
        return Tries(self._machine(grammars), Speller(self._alphabet, pronunciations, compiled))
