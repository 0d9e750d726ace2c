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
from ds_engine.errors import AudioError, AudioTooLongError, BundleError, ClosedError, PluginError
from ds_engine.features import FloatArray
from ds_engine.greedy import GreedyDecoder
from ds_engine.limits import Limits
from ds_engine.native import NativeModel
from ds_engine.recognizer import Recognizer
from ds_engine.stream import Stream, advance_together
from ds_engine.transcript import Final, Partial
from tests.ds_engine import bundles
from tests.ds_engine.fakes import NO_BIAS, BrokenModel, ReplayModel, babble, cut, pcm16, replaying, said, silence

PCM = AudioFormat()
sizes = st.lists(st.integers(1, 9_000), min_size=1, max_size=5)
formats = st.builds(
    lambda rate, kind, channels: AudioFormat(rate, kind[0], channels, kind[1]),
    st.sampled_from([8_000, 16_000, 22_050, 44_100]),
    st.sampled_from([(1, False), (2, False), (3, False), (4, False), (4, True)]),
    st.integers(1, 2),
)


def encoded(sound: FloatArray, source: AudioFormat) -> bytes:
    """Samples in [-1, 1] as interleaved PCM of that format, the second channel fainter."""
    both = np.stack([sound * (1 - 0.5 * channel) for channel in range(source.channels)], axis=1).ravel()
    if source.floating:
        return both.astype("<f4").tobytes()
    whole = np.round(both * (2.0 ** (8 * source.width - 1) - 1)).astype("<i8")
    if source.width == 1:
        return (whole + 128).astype(np.uint8).tobytes()
    return whole[:, None].view(np.uint8).reshape(-1, 8)[:, : source.width].tobytes()


def run(stream: Stream, pieces: list[bytes]) -> tuple[list[Partial], Final]:
    partials = [event for piece in pieces for event in stream.feed(piece) if isinstance(event, Partial)]
    return partials, stream.finish()


@settings(max_examples=25, deadline=None)
@given(source=formats, sizes=sizes, seed=st.integers(0, 99))
def test_a_stream_fed_in_any_cutting_equals_one_fed_whole(source: AudioFormat, sizes: list[int], seed: int) -> None:
    data = encoded(babble(0.4, seed, 0.6, source.rate), source)
    recognizer = replaying()
    partials, final = run(recognizer.stream(source), cut(data, sizes))
    offline, expected = run(recognizer.stream(source), [data])
    assert final == expected
    assert (partials or [Partial()])[-1] == (offline or [Partial()])[-1]


@pytest.mark.parametrize(
    "source", [AudioFormat(), AudioFormat(44_100, 3, 2), AudioFormat(8_000, 1), AudioFormat(22_050, 4, 2, floating=True)]
)
def test_a_stream_fed_byte_by_byte_equals_one_fed_whole(source: AudioFormat) -> None:
    data = encoded(babble(0.15, 5, 0.6, source.rate), source)
    recognizer = replaying()
    _, final = run(recognizer.stream(source), cut(data, [1]))
    assert final == run(recognizer.stream(source), [data])[1]


@settings(max_examples=20, deadline=None)
@given(sizes=sizes)
def test_log_probs_are_bit_identical_for_any_cutting(sizes: list[int]) -> None:
    data = pcm16(babble(0.5, 1, 0.6))
    np.testing.assert_array_equal(heard(cut(data, sizes)), heard([data]))


def heard(pieces: list[bytes]) -> FloatArray:
    decoder = Recorder()
    run(replaying(decoder=decoder).stream(PCM), pieces)
    return np.concatenate(decoder.rows)


class Recorder(GreedyDecoder):
    """A decoder that keeps its rows; for one utterance."""

    def __init__(self) -> None:
        model = replaying()
        super().__init__(model.decoder._alphabet, model.model.timing)  # type: ignore[attr-defined]
        self.rows: list[FloatArray] = []

    def advance(self, state: Any, log_probs: FloatArray) -> Any:
        self.rows.append(log_probs)
        return super().advance(state, log_probs)


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(1, 4_000), min_size=1, max_size=4), seed=st.integers(0, 99), words=st.booleans())
def test_stable_text_grows_and_begins_everything_later(sizes: list[int], seed: int, words: bool) -> None:  # noqa: FBT001
    data = said("turn on the light")[:-700] if words else pcm16(babble(0.6, seed, 0.6))
    partials, final = run(replaying().stream(PCM), cut(data, sizes))
    stable = ""
    for partial in partials:
        assert partial.stable.startswith(stable)
        assert partial.text.startswith(partial.stable)
        stable = partial.stable
    assert final.transcript.text.startswith(stable)
    times = [time for word in final.transcript.best.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert all(0 <= time <= final.transcript.audio_seconds for time in times)


def test_what_is_said_comes_back_with_its_times_while_it_is_said() -> None:
    stream = replaying().stream(PCM)
    partials, final = run(stream, cut(said("turn on") + silence(0.1), [320]))
    assert partials[0].text == "tu"
    assert Partial("turn on", "turn") in partials
    transcript = final.transcript
    assert (transcript.text, transcript.language, transcript.model) == ("turn on", "en", "replay 1")
    assert [(word.text, word.start) for word in transcript.best.words] == [("turn", 0.0), ("on", pytest.approx(0.15))]
    assert transcript.audio_seconds == stream.audio_seconds == pytest.approx(0.31)
    assert all(word.end <= transcript.audio_seconds for word in transcript.best.words)


@pytest.mark.parametrize("data", [b"", b"\0", silence(0.001), silence(3.0)])
def test_no_audio_a_byte_of_it_and_silence_give_empty_text(data: bytes) -> None:
    bundle = Bundle.open(bundles.EN_SMALL)
    for recognizer in (replaying(), Recognizer.load(bundle, NativeModel, GreedyDecoder.make, RuntimeOptions())):
        partials, final = run(recognizer.stream(PCM), [data])
        assert partials == []
        assert (final.transcript.text, final.transcript.best.words) == ("", ())


def test_the_bundled_model_times_words_within_the_audio() -> None:
    recognizer = Recognizer.load(Bundle.open(bundles.EN_SMALL), NativeModel, GreedyDecoder.make, RuntimeOptions())
    for seed in range(4):
        sound = babble(1.2, seed)
        transcript = run(recognizer.stream(PCM), [pcm16(sound)])[1].transcript
        times = [time for word in transcript.best.words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert all(0 <= time <= transcript.audio_seconds for time in times)


def test_a_finished_stream_takes_nothing_more() -> None:
    stream = replaying().stream(PCM)
    stream.finish()
    for verb in (lambda: stream.feed(b"\0\0"), stream.finish, lambda: stream.push(b"")):
        with pytest.raises(ClosedError, match="already been finished"):
            verb()


def test_an_utterance_may_last_exactly_its_limit() -> None:
    stream = replaying().stream(PCM, limits=Limits(utterance_seconds=0.1))
    stream.feed(silence(0.1))
    with pytest.raises(AudioTooLongError, match=r"utterance_seconds: an utterance may last 0\.1 s"):
        stream.feed(b"\0")
    assert stream.audio_seconds == 0.1


def test_broken_floats_are_an_audio_error() -> None:
    with pytest.raises(AudioError):
        replaying().stream(AudioFormat(width=4, floating=True)).feed(np.array([np.nan], "<f4").tobytes())


def test_streams_advanced_together_come_out_as_alone() -> None:
    sounds = [pcm16(babble(0.5, seed, 0.05 if seed == 0 else 0.9)) for seed in range(8)]
    together = [replaying(ReplayModel(max_batch=8)).stream(PCM) for _ in sounds]
    for stream, data in zip(together, sounds, strict=True):
        stream.push(data)
    while together[0].ready:
        advance_together(together)
    for stream, data in zip(together, sounds, strict=True):
        assert stream.finish() == run(replaying().stream(PCM), [data])[1]


def test_a_model_that_returns_too_few_states_changes_no_stream() -> None:
    class Forgetful(ReplayModel):
        def step(self, chunks: FloatArray, states: Any) -> tuple[FloatArray, list[Any]]:
            rows, after = super().step(chunks, states)
            return rows, after[:-1]

    streams = [replaying(Forgetful(max_batch=2)).stream(PCM) for _ in range(2)]
    for stream in streams:
        stream.push(silence(0.06))
    with pytest.raises(ValueError, match="shorter"):
        advance_together(streams)
    assert all(stream.ready for stream in streams)


def test_a_model_that_fails_raises_its_own_error() -> None:
    def fail() -> None:
        raise BundleError("the network gave NaN")

    stream = replaying(BrokenModel(fail)).stream(PCM)
    with pytest.raises(BundleError, match="gave NaN"):
        stream.feed(pcm16(np.ones(2_000, np.float32)))


class Halve:
    """An audio filter that keeps the sizes of its blocks."""

    def __init__(self, rate: int) -> None:
        self.sizes: list[int] = []

    def process(self, block: FloatArray) -> FloatArray:
        self.sizes.append(len(block))
        return block * np.float32(0.5)


@settings(max_examples=15, deadline=None)
@given(sizes=sizes)
def test_audio_filters_see_blocks_of_ten_milliseconds_whatever_the_cutting(sizes: list[int]) -> None:
    made: list[Halve] = []

    def factory(rate: int) -> Halve:
        made.append(Halve(rate))
        return made[-1]

    data = pcm16(babble(0.2, 2, 0.6))[:-14]
    final = run(replaying().stream(PCM, filters=[factory, factory]), cut(data, sizes))[1]
    assert [one.sizes for one in made] == [[160] * 19 + [153]] * 2
    assert final.transcript.best == run(replaying().stream(PCM, filters=[Halve, Halve]), [data])[1].transcript.best


def test_a_filter_changes_what_is_heard() -> None:
    assert run(replaying().stream(PCM, filters=[Halve]), [said("z")])[1].transcript.text == "m"  # column 27 -> 14
    assert run(replaying().stream(PCM, NO_BIAS), [said("z")])[1].transcript.text == "z"


@pytest.mark.parametrize(
    ("process", "told"),
    [
        (lambda block: None, "must return float32"),
        (lambda block: block.astype(np.float64), "must return float32"),
        (lambda block: block[:-1], "must return float32"),
        (lambda block: block * np.float32(np.nan), "NaN or infinity"),
    ],
)
def test_a_filter_that_returns_nonsense_is_a_plugin_error_with_its_name(process: Callable[[FloatArray], Any], told: str) -> None:
    class Odd:
        def process(self, block: FloatArray) -> FloatArray:
            result: FloatArray = process(block)
            return result

    with pytest.raises(PluginError, match=f"audio filter Odd .*{told}"):
        replaying().stream(PCM, filters=[lambda rate: Odd()]).feed(silence(0.02))
