"""The decoder contract: log-probs in, hypotheses out, for any search.

A decoder is immutable once made and serves any number of utterances; all that belongs to one of them is the state that
`start` returns and that `advance` takes and gives back. A caller never looks into a state and never uses an old one again, so
a decoder may update it in place. One that compares two searches (open and closed) is a decoder too, over a pair of states.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from ds_engine.alphabet import Alphabet
    from ds_engine.bias import Bias
    from ds_engine.bundle import Bundle
    from ds_engine.features import FloatArray
    from ds_engine.transcript import Hypothesis, Partial

DecoderState = Any  # opaque: each decoder has its own


@dataclass(frozen=True, slots=True)
class Timing:
    """When the rows of log-probs were said: row k ends at (k + 1) * step - delay, seconds from the first sample."""

    step: float  # s a row
    delay: float = 0.0  # s of look-ahead by which a row trails the audio

    def start(self, row: int) -> float:
        """The second at which row `row` starts, never negative."""
        return max(0.0, row * self.step - self.delay)


class Decoder(Protocol):
    """A search over log-probs. Rows are steps, columns the alphabet's symbols, values natural logarithms."""

    def start(self, bias: Bias) -> DecoderState:
        """The state before any row. `bias` holds for this utterance only."""
        ...

    def advance(self, state: DecoderState, log_probs: FloatArray) -> DecoderState:
        """Takes float32 [steps, symbols], steps >= 0. However the rows are cut into calls, the result is the same."""
        ...

    def partial(self, state: DecoderState) -> Partial:
        """The text so far. Costs little, changes nothing, and its `stable` only ever grows."""
        ...

    def finish(self, state: DecoderState) -> tuple[Hypothesis, ...]:
        """All hypotheses, best first, at least one; the best one's text begins with the last `stable`."""
        ...


class Sentence(Enum):
    """What the likeliest reading is to the closed grammars of the utterance."""

    UNKNOWN = "unknown"  # there are none, or what is said is likely none of their sentences
    INCOMPLETE = "incomplete"  # the beginning of a sentence
    COMPLETE = "complete"  # a sentence; more words could follow
    FINISHED = "finished"  # a sentence that no word can follow


@dataclass(frozen=True, slots=True)
class Attention:
    """What the rows so far say about whether somebody is still speaking."""

    words: int  # of the likeliest reading, one that has only begun included
    trailing: float  # s at the end of the rows in which nothing was said
    sentence: Sentence = Sentence.UNKNOWN


@runtime_checkable
class Attentive(Protocol):
    """A decoder that tells an endpointer more than its partials do. Optional: without it, time passes since the text last changed."""

    def attention(self, state: DecoderState) -> Attention:
        """As of the last row. Costs as little as `partial`, changes nothing, and does not depend on how the rows were cut."""
        ...


def trailing_rows(log_probs: FloatArray, alphabet: Alphabet, before: int = 0) -> int:
    """How many rows at the end of [rows, symbols] are won by silence (blank, ignored, separator), after `before` such rows."""
    winners = log_probs.argmax(axis=1).tolist()
    for count, column in enumerate(reversed(winners)):
        if not alphabet.is_silent(column) and column != alphabet.separator:
            return count
    return before + len(winners)


@dataclass(frozen=True, slots=True)
class DecoderContext:
    """What a decoder is made from: the model's alphabet and timing, its bundle with language model and calibration, the user's settings."""

    alphabet: Alphabet
    timing: Timing
    bundle: Bundle
    language_model: Path | None = None  # instead of the bundle's own
    search: Mapping[str, Any] = field(default_factory=dict)  # settings of the search, before the bundle's calibration
    grammar: Mapping[str, Any] = field(default_factory=dict)  # settings of closed grammars: see ds_engine.search.hybrid.GrammarPolicy


DecoderFactory = Callable[[DecoderContext], Decoder]
