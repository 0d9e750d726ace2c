"""A stream that listens for the endpoint: when, in any cutting, and beside what the stream does anyway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.acoustic import RuntimeOptions
from ds_engine.audio import AudioFormat
from ds_engine.bundle import Bundle
from ds_engine.decoder import Attention, Decoder, Sentence, Timing
from ds_engine.endpoint import EndpointSettings
from ds_engine.features import FloatArray
from ds_engine.greedy import GreedyDecoder
from ds_engine.listener import Endpointing
from ds_engine.native import NativeModel
from ds_engine.recognizer import Recognizer
from ds_engine.transcript import EndReason, Final, SpeechEnded, SpeechStarted
from ds_engine.voice_activity import VoiceActivityFactory
from tests.ds_engine import bundles
from tests.ds_engine.fakes import CHARACTERS, ReplayModel, babble, cut, pcm16, replaying, said, silence

PCM = AudioFormat()
SETTINGS = EndpointSettings(finished=0.1, complete=0.15, silence=0.2, incomplete=0.3, nothing_said=1.0, longest=3.0, onset=0.05)
GAP = 240  # samples


class Loudness:
    """A detector that hears voice in everything but digital silence of some length: `said` has 10 ms of it between two symbols."""

    def __init__(self, frame_samples: int = 512) -> None:
        self.frame_samples = frame_samples
        self.frames: list[FloatArray] = []
        self.silent = GAP

    def probability(self, frame: FloatArray) -> float:
        self.frames.append(frame.copy())
        loud = np.flatnonzero(frame)
        self.silent = len(frame) - 1 - int(loud[-1]) if len(loud) else self.silent + len(frame)
        return float(self.silent < GAP or len(loud) > 0)


class Attending(GreedyDecoder):
    """A greedy decoder with an attention; its grammar has one sentence."""

    def __init__(self, sentence: str = "") -> None:
        super().__init__(CHARACTERS, Timing(0.01))
        self.sentence = sentence

    def attention(self, state: Any) -> Attention:
        text = self.partial(state).text
        last = max([run.last + 1 for run in state.open] + [round(word.end * 100) for word in state.words], default=0)
        known = Sentence.UNKNOWN if not self.sentence else Sentence.FINISHED if text == self.sentence else Sentence.INCOMPLETE
        return Attention(len(text.split()), (state.rows - last) * 0.01, known)


def listened(
    pieces: list[bytes],
    factory: VoiceActivityFactory | None = None,
    decoder: Decoder | None = None,
    source: AudioFormat = PCM,
    recognizer: Recognizer | None = None,
) -> tuple[list[SpeechStarted | SpeechEnded], Final]:
    """What a stream tells of speech, and its final."""
    stream = (recognizer or replaying(decoder=decoder)).stream(source)
    stream.listen(Endpointing(SETTINGS, factory))
    told = [event for piece in pieces for event in stream.feed(piece) if isinstance(event, SpeechStarted | SpeechEnded)]
    return told, stream.finish()


SPEECH = silence(0.3) + said("turn on") + silence(0.1) + said(" light") + silence(0.6)
END = (len(SPEECH) - len(silence(0.6))) / 32_000 - 0.01  # s: the last 10 ms of `said` are silence
DETECTORS: dict[str, VoiceActivityFactory | None] = {
    "none": None,
    "512": lambda rate: Loudness(),
    "80": lambda rate: Loudness(80),
    "7000": lambda rate: Loudness(7_000),
    "failing": lambda rate: Failing(9),
}


class Failing(Loudness):
    """A detector that fails after so many frames."""

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.left = frames

    def probability(self, frame: FloatArray) -> float:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("the network is gone")
        return super().probability(frame)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(99, 9_000), min_size=1, max_size=5),
    factory=st.sampled_from(list(DETECTORS)),
    decoder=st.sampled_from([None, Attending(), Attending("turn on")]),
)
def test_speech_starts_and_ends_at_the_same_time_however_the_audio_is_cut(sizes: list[int], factory: str, decoder: Decoder | None) -> None:
    whole, final = listened([SPEECH], DETECTORS[factory], decoder)
    assert [type(event) for event in whole] == [SpeechStarted, SpeechEnded]
    assert listened(cut(SPEECH, sizes), DETECTORS[factory], decoder) == (whole, final)
    assert final.transcript.text == "turn on light"


@pytest.mark.parametrize("source", [PCM, AudioFormat(32_000, 3), AudioFormat(8_000, 1)])
def test_byte_by_byte_is_no_other_way_of_cutting(source: AudioFormat) -> None:
    sound = np.frombuffer(SPEECH[-32_000:], "<i2")[:: 16_000 // 8_000].repeat(source.rate // 8_000).astype(np.int64)
    wide = (sound // 256 + 128).astype(np.uint8) if source.width == 1 else (sound << (8 * (source.width - 2))).astype("<i8")
    samples = wide[:, None].view(np.uint8).reshape(len(wide), -1)[:, : source.width]
    data = np.repeat(samples, source.channels, axis=0).tobytes()
    quick: VoiceActivityFactory = lambda rate: Loudness(400)  # noqa: E731
    assert listened(cut(data, [1]), quick, source=source)[0] == listened([data], quick, source=source)[0] != []


def test_times_are_those_of_the_audio() -> None:
    for factory, exact in ((DETECTORS["512"], 0.032), (DETECTORS["80"], 0.005), (None, 0.04)):
        (started, ended), _ = listened([SPEECH], factory, Attending())
        assert isinstance(started, SpeechStarted)
        assert isinstance(ended, SpeechEnded)
        assert started.time == pytest.approx(0.3, abs=exact + 0.02)
        assert ended.time == pytest.approx(END, abs=exact + 0.01)
        assert ended.noticed - ended.time == pytest.approx(SETTINGS.silence, abs=exact + 0.06)
        assert ended.reason is EndReason.SILENCE


def test_the_decoder_tells_the_time_by_what_it_has_heard() -> None:
    late = replaying(ReplayModel(timing=Timing(0.01, 0.15)), Attending())
    (_, ended), _ = listened([SPEECH], recognizer=late)
    assert isinstance(ended, SpeechEnded)
    assert ended.time == pytest.approx(END - 0.15, abs=0.011)  # as the model says: its rows trail the audio
    assert ended.noticed - ended.time == pytest.approx(SETTINGS.silence + 0.15, abs=0.06)
    steps = (ended.noticed * 16_000 - late.model.chunk_samples) / late.model.shift_samples
    assert steps == pytest.approx(round(steps))


def test_a_detector_hears_every_sample_once_and_in_order_until_speech_has_ended() -> None:
    made: list[Loudness] = []

    def factory(rate: int) -> Loudness:
        assert rate == 16_000
        made.append(Loudness(100))
        return made[0]

    (_, ended), _ = listened(cut(SPEECH, [333]), factory)
    assert isinstance(ended, SpeechEnded)
    heard = np.concatenate(made[0].frames)
    assert heard.dtype == np.float32
    np.testing.assert_array_equal(heard, np.frombuffer(SPEECH, "<i2")[: len(heard)].astype(np.float32) / 2**15)
    assert len(heard) == round(ended.noticed * 16_000)


def test_listening_changes_nothing_of_what_is_understood() -> None:
    data = pcm16(babble(0.6, 3, 0.6))
    stream = replaying().stream(PCM)
    partials = [event for piece in cut(data, [999]) for event in stream.feed(piece)]
    listening = replaying().stream(PCM)
    listening.listen(Endpointing(SETTINGS, DETECTORS["512"]))
    told = [event for piece in cut(data, [999]) for event in listening.feed(piece)]
    assert [event for event in told if not isinstance(event, SpeechStarted | SpeechEnded)] == partials
    assert listening.finish() == stream.finish()


def test_a_whole_sentence_ends_sooner() -> None:
    data = said("turn on") + silence(0.6)
    (_, open_end), _ = listened([data], DETECTORS["80"], Attending())
    (_, closed_end), _ = listened([data], DETECTORS["80"], Attending("turn on"))
    assert isinstance(open_end, SpeechEnded)
    assert isinstance(closed_end, SpeechEnded)
    assert (open_end.reason, closed_end.reason) == (EndReason.SILENCE, EndReason.COMPLETE)
    assert open_end.noticed - closed_end.noticed == pytest.approx(SETTINGS.silence - SETTINGS.finished, abs=0.05)


def test_half_a_sentence_is_waited_for() -> None:
    half = said("turn on") + silence(SETTINGS.silence + 0.05)
    (_, end), final = listened([half + said(" light") + silence(0.5)], DETECTORS["80"], Attending("turn on light"))
    assert isinstance(end, SpeechEnded)
    assert (end.reason, final.transcript.text) == (EndReason.COMPLETE, "turn on light")
    assert end.time > len(half) / 32_000


@pytest.mark.parametrize(
    "factory",
    [
        lambda rate: Failing(0),
        lambda rate: Loudness(0),
        lambda rate: Loudness(16_001),
        lambda rate: None,
    ],
)
def test_without_its_detector_the_decoder_tells(factory: Callable[[int], Any], caplog: pytest.LogCaptureFixture) -> None:
    assert listened(cut(SPEECH, [500]), factory) == listened([SPEECH])
    assert len(caplog.records) == 1


@pytest.mark.parametrize("frames", [1, 9, 20, 30, 40])
def test_a_detector_that_fails_on_the_way_leaves_an_end(frames: int, caplog: pytest.LogCaptureFixture) -> None:
    (_, end), _ = listened([SPEECH], lambda rate: Failing(frames))
    assert isinstance(end, SpeechEnded)
    assert end.time == pytest.approx(END, abs=0.05)
    assert end.reason is EndReason.SILENCE


def test_a_decoder_that_shows_no_text_leaves_it_to_the_detector() -> None:
    class Mute(GreedyDecoder):
        def partial(self, state: Any) -> Any:
            return super().partial(self.start(None))  # type: ignore[arg-type]

    (_, end), final = listened([SPEECH], DETECTORS["512"], Mute(CHARACTERS, Timing(0.01)))
    assert isinstance(end, SpeechEnded)
    assert end.reason is EndReason.SILENCE
    assert final.transcript.text == "turn on light"


@pytest.mark.parametrize("factory", [None, DETECTORS["512"]])
def test_silence_is_told_as_nothing_said(factory: VoiceActivityFactory | None) -> None:
    (end,), _ = listened(cut(silence(2.0), [640]), factory)
    assert isinstance(end, SpeechEnded)
    assert (end.reason, end.time) == (EndReason.NOTHING_SAID, 0.0)
    assert end.noticed == pytest.approx(SETTINGS.nothing_said, abs=0.04)


@pytest.mark.parametrize("data", [b"", b"\0", silence(0.01)])
def test_next_to_no_audio_has_neither_start_nor_end(data: bytes) -> None:
    assert listened([data], DETECTORS["512"])[0] == []


def test_many_streams_stepped_together_hear_each_its_own_end() -> None:
    from ds_engine.stream import advance_together

    sounds = [silence(0.1 * number) + said("on") + silence(1.0) for number in range(4)]
    streams = [replaying(ReplayModel(max_batch=4)).stream(PCM) for _ in sounds]
    for stream, sound in zip(streams, sounds, strict=True):
        stream.listen(Endpointing(SETTINGS, DETECTORS["512"]))
        stream.push(sound)
    while ready := [stream for stream in streams if stream.ready]:
        advance_together(ready)
    for stream, sound in zip(streams, sounds, strict=True):
        assert [event for event in stream.changes() if isinstance(event, SpeechEnded)] == listened([sound], DETECTORS["512"])[0][1:]


def test_the_bundled_model_ends_after_its_speaker_in_any_cutting() -> None:
    recognizer = Recognizer.load(Bundle.open(bundles.EN_SMALL), NativeModel, GreedyDecoder.make, RuntimeOptions())
    data = silence(0.3) + pcm16(babble(1.0, 2)) + silence(1.0)
    told, _ = listened([data], DETECTORS["512"], recognizer=recognizer)
    assert [type(event) for event in told] == [SpeechStarted, SpeechEnded]
    assert told == listened(cut(data, [640, 31]), DETECTORS["512"], recognizer=recognizer)[0]
