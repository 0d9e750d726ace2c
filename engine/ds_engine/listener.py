"""The listener of one utterance: samples and decoder states in, as they come; SpeechStarted and SpeechEnded out.

It brings two hearings onto one time line. The detector's frames are asked for as soon as their samples are there, the decoder after
each acoustic step. A frame that ends before the samples of the next step are whole is judged before that step, any other one after
it: so the evidence comes in the same order however the audio was cut, and the endpoint is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ds_engine.decoder import Attention, Attentive
from ds_engine.endpoint import EndpointSettings, EndpointState, Evidence, endpoint
from ds_engine.voice_activity import Detector, VoiceActivityFactory

if TYPE_CHECKING:
    from ds_engine.decoder import Decoder, DecoderState
    from ds_engine.features import FloatArray
    from ds_engine.recognizer import Recognizer
    from ds_engine.transcript import SpeechEnded, SpeechStarted


@dataclass(frozen=True, slots=True)
class Endpointing:
    """What an utterance is opened with that shall tell when its speech starts and ends."""

    settings: EndpointSettings
    voice_activity: VoiceActivityFactory | None = None  # None: the decoder alone tells


class Listener:
    """Of one utterance; thrown away with it."""

    def __init__(self, endpointing: Endpointing, recognizer: Recognizer) -> None:
        model = recognizer.model
        self._settings = endpointing.settings
        self._rate = model.sample_rate
        self._timing = model.timing
        self._detector = Detector(endpointing.voice_activity, model.sample_rate)
        self._text = _TextWatch(recognizer.decoder)
        self._shift = model.shift_samples
        self._horizon = model.chunk_samples  # samples from the start of the utterance that make the next acoustic step whole
        self._samples = np.zeros(0, np.float32)  # not yet judged
        self._judged = 0  # samples before those
        self._rows = 0
        self._heard = 0.0
        self._attention: Attention | None = None
        self._state = EndpointState()
        self._events: list[SpeechStarted | SpeechEnded] = []

    def hear(self, samples: FloatArray) -> None:
        """Takes float32 [n]."""
        if self._detector.there and not self._state.ended:
            self._samples = np.concatenate([self._samples, samples])
            self._judge_frames()

    def understand(self, state: DecoderState, rows: int) -> None:
        """Takes the decoder's state after an acoustic step, and how many rows that step had."""
        if self._state.ended:
            return
        self._rows += rows
        time = self._horizon / self._rate
        self._heard = min(time, self._timing.start(self._rows))
        self._attention = self._text.attention(state, self._heard)
        if not self._detector.there:
            self._judge(time, None)
        self._horizon += self._shift
        self._judge_frames()

    def events(self) -> list[SpeechStarted | SpeechEnded]:
        """What has happened since the last call."""
        events, self._events = self._events, []
        return events

    def _judge_frames(self) -> None:
        size = self._detector.frame_samples
        while self._detector.there and len(self._samples) >= size and self._judged + size < self._horizon:
            voice = self._detector.probability(self._samples[:size])
            self._samples = self._samples[size:]
            self._judged += size
            if voice is not None:
                self._judge(self._judged / self._rate, voice)

    def _judge(self, time: float, voice: float | None) -> None:
        evidence = Evidence(time, voice, self._attention, self._heard)
        self._state, event = endpoint(self._settings, self._state, evidence)
        if event is not None:
            self._events.append(event)


class _TextWatch:
    """A decoder's attention; for one that has none, what its partials show: how many words, and since when they are the same."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._text = ""
        self._changed = 0.0

    def attention(self, state: DecoderState, heard: float) -> Attention | None:
        """None before there is any text: the decoder may be one that shows none before the end."""
        if isinstance(self._decoder, Attentive):
            return self._decoder.attention(state)
        text = self._decoder.partial(state).text
        if text != self._text:
            self._text, self._changed = text, heard
        return Attention(len(text.split()), heard - self._changed) if text else None
