"""The decoder `pyctcdecode`: Kensho's pyctcdecode 0.5 behind the decoder contract, for those who know its settings (extra `pyctcdecode`).

It cannot stream: rows are kept and decoded at the end, so partials are empty and the final comes later the longer one speaks. It
needs an alphabet of single characters with a separator; ignored symbols count as blanks. Words of boosted phrases become its hot
words, all at the highest boost, since it knows one weight; a phrase without a boost, or with a negative one, changes nothing. Its beams
carry times but no confidences: ours are shares of the n-best list's probability, not calibrated.
"""

from __future__ import annotations

import logging
import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ds_engine.alphabet import Alphabet, BoundaryRule
from ds_engine.errors import InputError
from ds_engine.lm.backoff import SPECIAL
from ds_engine.search.decoder import calibrated
from ds_engine.search.policy import SearchPolicy
from ds_engine.search.sources import of_bundle, of_file
from ds_engine.search.vocabulary import LanguageSource
from ds_engine.transcript import Hypothesis, Partial, Word

if TYPE_CHECKING:
    from ds_engine.bias import Bias
    from ds_engine.decoder import DecoderContext, Timing
    from ds_engine.features import FloatArray
    from ds_engine.lm.model import Context

_PIECE_MARK = "▁"  # in an alphabet, makes pyctcdecode take it for word pieces
_BLANK, _SPACE = "", " "  # as pyctcdecode writes them
_UNKNOWN_OFFSET = -10.0  # log10, of an unknown word, and nats while it is begun: DEFAULT_UNK_LOGP_OFFSET
_USUAL_LENGTH = 6  # characters of a word, after which an unknown one costs more: AVG_TOKEN_LEN

_Heard = tuple[int, float, float, float]  # a word of one beam: which beam, start and end in seconds, the beam's share


@dataclass(frozen=True, slots=True)
class Settings:
    """pyctcdecode's own, and its defaults."""

    alpha: float = 0.5  # weight of the language model's natural-log probabilities
    beta: float = 1.5  # nats that every word gains
    beam: int = 100  # hypotheses kept
    alternatives: int = 5  # hypotheses that are given in the end

    @classmethod
    def of(cls, *layers: Mapping[str, Any]) -> Self:
        """The defaults, overridden by each mapping in turn. Raises InputError as SearchPolicy.of does, and for what only that has."""
        policy, known = SearchPolicy.of(*layers), [setting.name for setting in fields(cls)]
        names = {name for layer in layers for name in layer}
        if unknown := sorted(names.difference(known)):
            raise InputError(f"search: decoder pyctcdecode has no {', '.join(unknown)}; known are {', '.join(known)}")
        return cls(**{name: getattr(policy, name) for name in names})


@dataclass(slots=True)
class _State:
    hot_words: list[str]
    weight: float  # nats that each of them gains
    rows: list[FloatArray] = field(default_factory=list)


class PyctcdecodeDecoder:
    """See ds_engine.decoder.Decoder."""

    def __init__(self, alphabet: Alphabet, timing: Timing, source: LanguageSource | None = None, settings: Settings | None = None) -> None:
        """Raises InputError where the extra is missing or the alphabet does not suit. Without a source there is no language model."""
        self._columns, labels = _labels(alphabet)
        self._alphabet = alphabet
        self._timing = timing
        self._settings = settings or Settings()
        self._search = _search(labels, _LanguageModel(source, self._settings) if source else None)

    @classmethod
    def make(cls, context: DecoderContext) -> PyctcdecodeDecoder:
        """The decoder factory. Of the kernel's calibration it takes the weights. Raises also BundleError or LanguageModelError."""
        source = of_file(context.language_model, context.alphabet) if context.language_model else of_bundle(context.bundle)
        weights = {name: value for name, value in calibrated(context, "search").items() if name in {"alpha", "beta"}}
        return cls(context.alphabet, context.timing, source, Settings.of(weights, source.settings if source else {}, context.search))

    def start(self, bias: Bias) -> _State:
        """The state before any row."""
        boosted = [phrase for phrase in bias.phrases if phrase.boost > 0]
        words = dict.fromkeys(word for phrase in boosted for word in phrase.text.split())
        return _State(list(words), max((phrase.boost for phrase in boosted), default=0.0))

    def advance(self, state: _State, log_probs: FloatArray) -> _State:
        """Takes float32 [steps, symbols] and keeps them."""
        state.rows.append(self._merged(log_probs))
        return state

    def partial(self, state: _State) -> Partial:
        """Nothing: see the module."""
        return Partial()

    def finish(self, state: _State) -> tuple[Hypothesis, ...]:
        """Decodes everything; the best hypotheses, best first."""
        if not sum(map(len, state.rows)):
            return (Hypothesis("", (), 0.0, 0.0),)
        rows = np.ascontiguousarray(np.concatenate(state.rows))  # one layout, whatever the cutting: sums are rounded by it
        beams = self._search.decode_beams(rows, beam_width=self._settings.beam, hotwords=state.hot_words, hotword_weight=state.weight)
        scores = np.array([beam[-1] for beam in beams], np.float64)
        shares = np.exp(scores - scores.max())
        return self._hypotheses([beam[2] for beam in beams], scores.tolist(), (shares / shares.sum()).tolist())

    def _merged(self, log_probs: FloatArray) -> FloatArray:
        """The rows that pyctcdecode is given: the blank and the ignored symbols together first, then all others."""
        silent = [self._alphabet.blank, *sorted(self._alphabet.ignored - {self._alphabet.blank})]
        blank = np.logaddexp.reduce(log_probs[:, silent], axis=1, keepdims=True)
        merged: FloatArray = np.concatenate([blank, log_probs[:, self._columns]], axis=1)
        return merged

    def _hypotheses(self, beams: Sequence[Any], scores: Sequence[float], shares: Sequence[float]) -> tuple[Hypothesis, ...]:
        timed = [[(text, self._timing.start(first), self._timing.start(end)) for text, (first, end) in beam] for beam in beams]
        heard: dict[str, list[_Heard]] = defaultdict(list)
        for number, words in enumerate(timed):
            for text, start, end in words:
                heard[text].append((number, start, end, shares[number]))
        found = []
        for number, words in enumerate(timed[: self._settings.alternatives]):
            said = tuple(Word(text, start, end, _share(heard[text], start, end)) for text, start, end in words)
            text = self._alphabet.join(word.text for word in said)
            found.append(Hypothesis(text, said, shares[number], scores[number]))
        return tuple(found)


class _LanguageModel:
    """Our models as pyctcdecode's AbstractLanguageModel, with the scores of its own LanguageModel over kenlm (its language_model.py)."""

    def __init__(self, source: LanguageSource, settings: Settings) -> None:
        self._model, self._settings = source.model, settings
        self._words = sorted(set(source.words).difference(SPECIAL))

    @property
    def order(self) -> int:
        """The longest n-gram, in words."""
        return self._model.order

    def get_start_state(self) -> Context:
        """The context after <s>."""
        return self._model.start

    def score_partial_token(self, begun: str) -> float:
        """What is taken off, for the time being, from a word that no known one begins with."""
        if self._next(begun).startswith(begun):
            return 0.0
        return _UNKNOWN_OFFSET * max(1.0, len(begun) / _USUAL_LENGTH)

    def score(self, context: Context, word: str, is_last_word: bool = False) -> tuple[float, Context]:  # noqa: FBT001, FBT002  # its signature
        """The weighted score of a word, with that of </s> after the last, and the context after it."""
        log_prob, after = self._model.advance(context, self._model.index(word))
        if self._next(word) != word:
            log_prob += _UNKNOWN_OFFSET * math.log(10)
        if is_last_word:
            log_prob += self._model.end(after)
        return self._settings.alpha * log_prob + self._settings.beta, after

    def _next(self, text: str) -> str:
        """The first known word that is not before `text`."""
        place = bisect_left(self._words, text)
        return self._words[place] if place < len(self._words) else ""


def _share(heard: Sequence[_Heard], start: float, end: float) -> float:
    """The shares of all beams in which the word was said within these times, give or take."""
    beams = {number: share for number, first, last, share in heard if first < end and start < last}
    return min(1.0, sum(beams.values()))


def _labels(alphabet: Alphabet) -> tuple[list[int], list[str]]:
    """The columns of all symbols that become text, and what pyctcdecode is to call the blank and them."""
    columns = [column for column in range(len(alphabet.symbols)) if not alphabet.is_silent(column)]
    labels = [_SPACE if column == alphabet.separator else alphabet.symbols[column] for column in columns]
    letters = [label for label, column in zip(labels, columns, strict=True) if column != alphabet.separator]
    characters = all(len(letter) == 1 and not letter.isspace() and letter != _PIECE_MARK for letter in letters)
    if alphabet.boundary.rule is not BoundaryRule.SEPARATOR or alphabet.bytes_mode or not characters:
        raise InputError("decoder pyctcdecode: needs an alphabet of single characters with a separator; this model has another")
    return columns, [_BLANK, *labels]


def _search(labels: list[str], language_model: _LanguageModel | None) -> Any:
    logging.getLogger("pyctcdecode").setLevel(logging.ERROR)  # it warns that kenlm is missing, which is not needed here
    try:
        import pyctcdecode
    except ImportError as error:
        raise InputError(f"decoder pyctcdecode: needs the extra 'pyctcdecode', pip install 'ds-plugin[pyctcdecode]' ({error})") from error
    return pyctcdecode.BeamSearchDecoderCTC(pyctcdecode.Alphabet.build_alphabet(labels), language_model)
