"""The values that come out: words, hypotheses, the events of an utterance and its transcript.

Times are seconds from the first sample of the utterance; confidences lie in [0, 1] (how they were made, and whether they are
calibrated, is the decoder's to say); scores are natural-log values that only compare hypotheses of one utterance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum


@dataclass(frozen=True, slots=True)
class Word:
    """One word and when it was said."""

    text: str
    start: float  # s
    end: float  # s
    confidence: float


@dataclass(frozen=True, slots=True)
class Match:
    """The sentence of a closed grammar that an utterance was found to be."""

    grammar: str
    intent: str
    sentence: str
    slots: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One reading of a whole utterance."""

    text: str
    words: tuple[Word, ...]
    confidence: float
    score: float
    match: Match | None = None


@dataclass(frozen=True, slots=True)
class Partial:
    """What has been understood so far. `stable` begins `text` and never changes again; the rest may."""

    text: str = ""
    stable: str = ""


@dataclass(frozen=True, slots=True)
class Transcript:
    """The result of one utterance: the best hypothesis, the others best first, and what it took."""

    best: Hypothesis
    alternatives: tuple[Hypothesis, ...] = ()
    language: str = ""
    model: str = ""
    audio_seconds: float = 0.0
    compute_seconds: float = 0.0

    @property
    def text(self) -> str:
        """The text of the best hypothesis."""
        return self.best.text

    def with_text(self, text: str) -> Transcript:
        """This transcript with another text; words, times and confidence stay those of what was said."""
        return replace(self, best=replace(self.best, text=text))


class EndReason(Enum):
    """Why speech was taken to have ended; the values are stable names that protocols and logs may carry."""

    SILENCE = "silence"
    COMPLETE = "complete"  # a whole sentence of a closed grammar, and a silence that is enough after one
    NOTHING_SAID = "nothing-said"  # no word in the time that a speaker has to begin
    TOO_LONG = "too-long"  # the most that one utterance may last


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody began to speak."""

    time: float  # s


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The speaker has said it all, as far as one can tell."""

    time: float  # s: the end of what was last heard of speech; 0 where none was
    noticed: float  # s of audio that it took to tell, so `noticed - time` is what the speaker waited
    reason: EndReason


@dataclass(frozen=True, slots=True)
class Final:
    """The last event of an utterance."""

    transcript: Transcript


Progress = Partial | SpeechStarted | SpeechEnded
Event = Progress | Final
