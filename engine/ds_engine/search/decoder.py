"""The kernel behind the decoder contract: vocabulary and policy once, a search for every utterance.

Without a language model every word may be spelled freely and at no price: plain CTC prefix search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from ds_engine.alphabet import Alphabet
from ds_engine.automaton import NODE_BITS, Automaton, Layers
from ds_engine.bias import Bias
from ds_engine.decoder import Attention, DecoderContext, Timing, trailing_rows
from ds_engine.errors import BundleError, InputError
from ds_engine.features import FloatArray
from ds_engine.search.confidence import Belief, of_utterance
from ds_engine.search.constraint import FREE, Constraint
from ds_engine.search.kernel import Kernel
from ds_engine.search.language import FIRST, Language, Said
from ds_engine.search.lattice import Lattice
from ds_engine.search.phrases import Phrases
from ds_engine.search.policy import SearchPolicy
from ds_engine.search.respelling import Respelling
from ds_engine.search.sources import of_bundle, of_file
from ds_engine.search.spelling import Spelling, SpellingModel
from ds_engine.search.timeline import Calibration, Timeline
from ds_engine.search.vocabulary import Vocabulary
from ds_engine.transcript import Hypothesis, Partial, Word

SETTLE_ROWS = 25  # rows between two looks at what has become certain
FORGET_HISTORIES = 4096  # of one utterance, before those that no beam needs are forgotten
FORGET_NODES = 2**18  # of free spelling, the same
_BIASES = 16  # snapshots of which the compiled form is remembered


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a bias becomes."""

    phrases: Phrases
    overlay: Automaton | None
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Space:
    """What one utterance may say."""

    layers: Layers
    constraint: Constraint = FREE
    overlays: SearchPolicy | None = None  # how the words above the base are weighed, where otherwise


@dataclass(slots=True)
class State:
    """One utterance."""

    kernel: Kernel
    language: Language
    timeline: Timeline
    lattice: Lattice | None
    layers: Layers
    bias: Bias
    rows: int = 0
    trailing: int = 0  # rows at the end in which nothing was said
    root: int = FIRST  # the history of the settled words


class KernelDecoder:
    """See ds_engine.decoder.Decoder."""

    def __init__(
        self,
        alphabet: Alphabet,
        timing: Timing,
        vocabulary: Vocabulary | None,
        policy: SearchPolicy,
        calibration: Calibration | None = None,
    ) -> None:
        """Without a vocabulary the policy's `recombine` and language weights mean nothing."""
        self._alphabet = alphabet
        self._timing = timing
        self._vocabulary = vocabulary
        self._policy = policy if vocabulary else replace(policy, alpha=0.0, beta=0.0, recombine=False)
        self._compiled: Any = lru_cache(_BIASES)(self._compile)
        self._letters = SpellingModel.free(alphabet)
        self._calibration = calibration or Calibration()

    @classmethod
    def make(cls, context: DecoderContext) -> KernelDecoder:
        """The decoder factory. Raises BundleError or LanguageModelError for a broken file, InputError for a wrong setting."""
        source = of_file(context.language_model, context.alphabet) if context.language_model else of_bundle(context.bundle)
        policy = SearchPolicy.of(calibrated(context, "search"), source.settings if source else {}, context.search)
        return cls(
            context.alphabet,
            context.timing,
            Vocabulary(context.alphabet, source, policy, Respelling.of(context.bundle.manifest)) if source else None,
            policy,
            Calibration.of(context.bundle.manifest),
        )

    @property
    def policy(self) -> SearchPolicy:
        """The settings."""
        return self._policy

    @property
    def calibration(self) -> Calibration:
        """What is known of the model's words."""
        return self._calibration

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The words that may be said, and the language model."""
        return self._vocabulary

    def start(self, bias: Bias) -> State:
        """The state before any row."""
        compiled: Compiled = self._compiled(bias)
        space = self._space(bias, compiled)
        model = self._vocabulary.model if self._vocabulary else None
        language = Language(space.layers, model, compiled.phrases, self._policy, space.constraint, space.overlays)
        lattice = Lattice(language) if self._calibration.confidence else None
        kernel = Kernel(self._alphabet, space.layers, language, self._policy, lattice)
        return State(kernel, language, Timeline(self._alphabet, self._timing, self._calibration), lattice, space.layers, bias)

    def advance(self, state: State, log_probs: FloatArray) -> State:
        """Takes float32 [steps, symbols] and updates the state in place."""
        state.trailing = trailing_rows(log_probs, self._alphabet, state.trailing)
        while len(log_probs):
            piece = log_probs[: SETTLE_ROWS - state.rows % SETTLE_ROWS]
            log_probs = log_probs[len(piece) :]
            state.kernel.advance(piece)
            state.timeline.hear(piece)
            state.rows += len(piece)
            if state.rows % SETTLE_ROWS == 0:  # at rows that do not depend on how they were cut into calls
                self._settle(state)
        return state

    def partial(self, state: State) -> Partial:
        """The best hypothesis, its unfinished word included; stable are the words that all hypotheses share."""
        shared = state.language.shared(state.kernel.histories())
        settled = [word.text for word in state.timeline.settled]
        stable = settled + [said.text for said in state.language.said(shared, state.root)]
        history, node = state.kernel.best()
        open_word = self._alphabet.word(state.layers.spelling(node))
        likely = settled + [said.text for said in state.language.said(history, state.root)]
        return Partial(self._alphabet.join([*likely, open_word]), self._alphabet.join(stable))

    def attention(self, state: State) -> Attention:
        """Words of the likeliest hypothesis, and how long nothing was said. See Attentive."""
        history, node = state.kernel.best()
        words = len(state.timeline.settled) + len(state.language.said(history, state.root)) + bool(state.layers.spelling(node))
        return Attention(words, self._timing.step * state.trailing)

    def finish(self, state: State) -> tuple[Hypothesis, ...]:
        """The likeliest readings, best first, words aligned. Confidences are probabilities where the bundle is calibrated, see timeline."""
        if found := dict(state.kernel.readings()):
            return self._aligned(state, found)
        return self._aligned(state, {state.kernel.best()[0]: state.kernel.score()}, state.kernel.weights())

    def _aligned(self, state: State, found: Mapping[int, float], weights: Mapping[int, float] | None = None) -> tuple[Hypothesis, ...]:
        """The hypotheses of histories and their scores, the best first. `weights` are what words are weighed by, where otherwise."""
        readings: dict[str, int] = {}
        for history in found:
            readings.setdefault(self._alphabet.join(said.text for said in state.language.said(history, state.root)), history)
            if len(readings) == self._policy.alternatives:
                break
        chosen = list(readings.values())
        beliefs = self._beliefs(state, weights or found, chosen)
        words = state.timeline.finish([state.language.said(history, state.root) for history in chosen], beliefs)
        return tuple(self._hypothesis(found[history], said) for history, said in zip(chosen, words, strict=True))

    def _hypothesis(self, score: float, words: Sequence[Word]) -> Hypothesis:
        confidence = of_utterance([word.confidence for word in words])
        return Hypothesis(self._alphabet.join(word.text for word in words), tuple(words), confidence, score)

    def _beliefs(self, state: State, weights: Mapping[int, float], histories: Sequence[int]) -> list[list[Belief]]:
        """In the words of each history after the settled ones, and in the utterance's end; nothing where the bundle is not calibrated."""
        paths = [state.language.path(history, state.root) for history in histories]
        return state.lattice.beliefs(weights, paths, state.root) if state.lattice else []

    def _settle(self, state: State) -> None:
        """Aligns what all hypotheses share and forgets what none needs."""
        histories = state.kernel.histories()
        shared = state.language.shared(histories)
        if shared != state.root:
            beliefs = self._beliefs(state, state.kernel.weights(), [shared]) or [[]]
            words = state.language.said(shared, state.root)
            state.timeline.settle(words, self._following(state, shared), beliefs[0][: len(words)])
            state.root = shared
        if len(state.language) > FORGET_HISTORIES or any(len(free) > FORGET_NODES for _, free in _free(state.layers)):
            alive = state.lattice.alive(state.kernel.weights(), shared) if state.lattice else []
            renamed = state.language.forget([*histories, *alive], shared)
            state.kernel.rename(renamed, self._forgotten(state))
            if state.lattice:
                state.lattice.rename(renamed)
            state.root = FIRST

    def _following(self, state: State, shared: int) -> list[Said]:
        """What the likeliest hypothesis says after the shared words, its unfinished word included."""
        history, node = state.kernel.best()
        spelling = state.layers.spelling(node)
        return state.language.said(history, shared) + [Said(self._alphabet.word(spelling), spelling)] * bool(spelling)

    def _forgotten(self, state: State) -> Any:
        """The nodes of the beam, after free spelling has forgotten what no hypothesis spells."""
        nodes = state.kernel.beam.nodes
        for layer, free in _free(state.layers):
            inside = nodes >> NODE_BITS == layer
            nodes[inside] = free.forget(nodes[inside] & ((1 << NODE_BITS) - 1)) | (layer << NODE_BITS)
        return nodes

    def _space(self, bias: Bias, compiled: Compiled) -> Space:
        return Space(Layers(self.automata(compiled)))

    def automata(self, compiled: Compiled) -> tuple[Automaton, ...]:
        """The vocabulary, and what a bias adds to it."""
        if self._vocabulary is None:
            return (Spelling(self._letters, self._alphabet, 0, 0.0, 0.0, _unheard_of),)
        made = (self._vocabulary.base, compiled.overlay, self._vocabulary.free(compiled.names))
        return tuple(automaton for automaton in made if automaton is not None)

    def _compile(self, bias: Bias) -> Compiled:
        overlay = self._vocabulary.overlay(bias) if self._vocabulary else None
        return Compiled(Phrases(bias.phrases), overlay, frozenset(word for phrase in bias.phrases for word in phrase.text.split()))


def _free(layers: Layers) -> list[tuple[int, Spelling]]:
    """The layers of free spelling, of which there is one at most."""
    return [(layer, automaton) for layer, automaton in enumerate(layers.automata) if isinstance(automaton, Spelling)]


def calibrated(context: DecoderContext, name: str) -> Mapping[str, Any]:
    """The settings of a search in the bundle's manifest. Raises BundleError where it knows no such settings."""
    settings = context.bundle.manifest.calibration.get(name, dict, {})
    try:
        SearchPolicy.of(settings)
    except InputError as error:
        raise BundleError(f"manifest: calibration.{name}: {error}") from error
    return settings


def _unheard_of(_: str) -> bool:
    """Without a lexicon every word is new."""
    return False
