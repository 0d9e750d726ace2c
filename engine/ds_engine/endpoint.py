"""The endpoint: what a voice detector and a decoder say, moment by moment -> speech started, speech ended. No state but values.

Speech starts with voice that lasts for `onset`; without a detector, with a word. It ends after a silence whose length depends on
what was said: short after a whole sentence of a closed grammar, longer after open speech, longest in the middle of a sentence.
Silence is consecutive: every sound of speech begins it anew. Detector and decoder must both be silent, and the decoder, which hears
later than the detector, must have heard all of the voice. Where one of them is missing the other decides alone.

The trailing-silence rules are in the line of Kaldi's online endpointing, with a grammar's verdict in the place of its final costs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ds_engine.decoder import Sentence
from ds_engine.errors import InputError
from ds_engine.transcript import EndReason, SpeechEnded, SpeechStarted

if TYPE_CHECKING:
    from ds_engine.decoder import Attention

HYSTERESIS = 0.15  # of probability: voice that has begun goes on down to `voice` less this


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """How long to wait. Raises InputError for times that are no times, or not in their order; infinite is never."""

    finished: float = 0.3  # s of silence after a sentence of a grammar that no word can follow
    complete: float = 0.6  # s of silence after one that could go on
    silence: float = 0.9  # s of silence after open speech
    incomplete: float = 1.5  # s of silence in the middle of a sentence
    nothing_said: float = 5.0  # s of audio without a word
    longest: float = 20.0  # s of audio in all
    onset: float = 0.09  # s of voice that are speech; less is a click
    voice: float = 0.5  # probability from which a frame is voice

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if not isinstance(value, int | float) or math.isnan(value) or value <= 0:
                raise InputError(f"endpoint: {setting.name} must be above zero, got {value!r:.40}")
        if not self.finished <= self.complete <= self.silence <= self.incomplete:
            raise InputError("endpoint: finished, complete, silence and incomplete must not get shorter from one to the next")
        if self.voice >= 1:
            raise InputError(f"endpoint: voice must lie between 0 and 1, got {self.voice!r}")


PRESETS: Mapping[str, EndpointSettings] = MappingProxyType(
    {
        "quick": EndpointSettings(finished=0.2, complete=0.4, silence=0.6, incomplete=0.9, nothing_said=3.0, longest=10.0),
        "normal": EndpointSettings(),
        "patient": EndpointSettings(finished=0.6, complete=0.9, silence=1.4, incomplete=2.2, nothing_said=10.0, longest=45.0),
    }
)


def preset(name: str) -> EndpointSettings:
    """The settings of that name. Raises InputError for an unknown one."""
    if name not in PRESETS:
        raise InputError(f"endpoint: {name!r:.40} is unknown; known are: {', '.join(PRESETS)}")
    return PRESETS[name]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known at one moment of an utterance; moments come in order."""

    time: float  # s of audio so far
    voice: float | None = None  # probability of the frame that ends at `time`; None: there is no detector
    attention: Attention | None = None  # of the decoder; None: it has none, or no text yet
    heard: float = 0.0  # s of audio that the decoder has heard, at most `time`


@dataclass(frozen=True, slots=True)
class EndpointState:
    """What is remembered from one moment to the next. Times in seconds."""

    time: float = 0.0
    voiced_since: float | None = None  # where the voice began that is heard right now
    last_voice: float = 0.0  # the end of voice that was speech
    began: float | None = None  # the speech
    ended: bool = False


def endpoint(
    settings: EndpointSettings, state: EndpointState, evidence: Evidence
) -> tuple[EndpointState, SpeechStarted | SpeechEnded | None]:
    """The state after a moment, and what happened in it: SpeechStarted and SpeechEnded at most once each."""
    state = _listened(settings, state, evidence)
    if state.ended:
        return state, None
    last_symbol = _last_symbol(state, evidence)
    last = max(state.last_voice, last_symbol)
    if state.began is None and last > 0:
        began = last if state.voiced_since is None else state.voiced_since
        return replace(state, began=began), SpeechStarted(began)
    reason = _reason(settings, state, evidence, last, wordless=evidence.attention is not None and last_symbol == 0)
    return (state, None) if reason is None else (replace(state, ended=True), SpeechEnded(last, evidence.time, reason))


def _listened(settings: EndpointSettings, state: EndpointState, evidence: Evidence) -> EndpointState:
    """Takes in a frame of the detector."""
    since, last = None, state.last_voice
    if evidence.voice is not None:
        least = settings.voice if state.voiced_since is None else settings.voice - HYSTERESIS
        if evidence.voice >= least:
            since = state.time if state.voiced_since is None else state.voiced_since
            last = evidence.time if evidence.time - since >= settings.onset else last
    return replace(state, time=evidence.time, voiced_since=since, last_voice=last)


def _last_symbol(state: EndpointState, evidence: Evidence) -> float:
    """The second at which the decoder last heard a symbol of this speech; 0 where it heard none.

    Decoders find letters in noise, too. Where there is a detector, what was found before any voice is no speech.
    """
    attention = evidence.attention
    if attention is None or not attention.words:
        return 0.0
    symbol = evidence.heard - attention.trailing
    possible = evidence.voice is None or (state.began is not None and symbol >= state.began)
    return symbol if possible else 0.0


def _reason(settings: EndpointSettings, state: EndpointState, evidence: Evidence, last: float, *, wordless: bool) -> EndReason | None:
    if evidence.time >= settings.longest:
        return EndReason.TOO_LONG
    silence = (evidence.heard if evidence.voice is None else evidence.time) - last  # what the decoder has not heard, the detector has
    if state.began is None or wordless:  # whatever made the sound, the speaker may not have begun yet
        return EndReason.NOTHING_SAID if evidence.time >= settings.nothing_said and silence >= settings.silence else None
    if state.voiced_since is not None or (evidence.attention is not None and evidence.heard < state.last_voice):
        return None
    sentence = Sentence.UNKNOWN if evidence.attention is None else evidence.attention.sentence
    if silence < _patience(settings, sentence):
        return None
    return EndReason.COMPLETE if sentence in {Sentence.COMPLETE, Sentence.FINISHED} else EndReason.SILENCE


def _patience(settings: EndpointSettings, sentence: Sentence) -> float:
    """Seconds of silence that end the speech."""
    return {
        Sentence.FINISHED: settings.finished,
        Sentence.COMPLETE: settings.complete,
        Sentence.UNKNOWN: settings.silence,
        Sentence.INCOMPLETE: settings.incomplete,
    }[sentence]
