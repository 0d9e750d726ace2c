from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.audio import AudioFormat, PcmDecoder, to_mono
from ds_engine.errors import AudioError
from ds_engine.features import FloatArray
from tests.ds_engine.fakes import cut

SUBTYPES = {  # soundfile's name -> ours
    "PCM_U8": AudioFormat(width=1),
    "PCM_16": AudioFormat(width=2),
    "PCM_24": AudioFormat(width=3),
    "PCM_32": AudioFormat(width=4),
    "FLOAT": AudioFormat(width=4, floating=True),
    "DOUBLE": AudioFormat(width=8, floating=True),
}
RATES = (4_000, 8_000, 11_025, 16_000, 22_050, 44_100, 48_000)
widths = st.sampled_from([(1, False), (2, False), (3, False), (4, False), (4, True), (8, True)])
sizes = st.lists(st.integers(1, 700), min_size=1, max_size=5)


@st.composite
def formats(draw: st.DrawFn) -> AudioFormat:
    width, floating = draw(widths)
    return AudioFormat(draw(st.sampled_from(RATES)), width, draw(st.sampled_from([1, 2, 3, 8])), floating)


def noise(source: AudioFormat, frames: int, seed: int = 0) -> bytes:
    random = np.random.default_rng(seed)
    if source.floating:
        return random.uniform(-1, 1, frames * source.channels).astype(f"<f{source.width}").tobytes()
    return random.bytes(frames * source.frame_bytes)


def whole(source: AudioFormat, pieces: list[bytes], rate: int = 16_000) -> FloatArray:
    decoder = PcmDecoder(source, rate)
    return np.concatenate([*(decoder.decode(piece) for piece in pieces), decoder.flush()])


@pytest.mark.parametrize("channels", [1, 2, 8])
@pytest.mark.parametrize("subtype", SUBTYPES)
def test_every_width_decodes_as_soundfile_does(subtype: str, channels: int) -> None:
    kind = SUBTYPES[subtype]
    sound = np.random.default_rng(1).uniform(-1, 1, (500, channels))
    file = io.BytesIO()
    soundfile.write(file, sound, 16_000, subtype, format="WAV")
    raw = file.getvalue()[-500 * channels * kind.width :]
    file.seek(0)
    expected, _ = soundfile.read(file, dtype="float32", always_2d=True)
    decoded = to_mono(raw, AudioFormat(16_000, kind.width, channels, kind.floating))
    np.testing.assert_allclose(decoded, expected.mean(axis=1), atol=2e-7)
    assert decoded.dtype == np.float32


@pytest.mark.parametrize(("width", "silent", "lowest"), [(1, b"\x80", b"\x00"), (2, b"\0\0", b"\0\x80"), (3, b"\0\0\0", b"\0\0\x80")])
def test_silence_is_zero_and_the_lowest_value_minus_one(width: int, silent: bytes, lowest: bytes) -> None:
    assert to_mono(silent + lowest, AudioFormat(width=width)).tolist() == [0.0, -1.0]


@settings(max_examples=60, deadline=None)
@given(source=formats(), sizes=sizes, frames=st.integers(0, 400))
def test_the_cutting_of_bytes_never_changes_a_sample(source: AudioFormat, sizes: list[int], frames: int) -> None:
    data = noise(source, frames)
    np.testing.assert_array_equal(whole(source, cut(data, sizes)), whole(source, [data]))


@pytest.mark.parametrize("rate", RATES)
def test_bytes_fed_one_by_one_give_the_same_samples(rate: int) -> None:
    source = AudioFormat(rate, 3, 2)
    data = noise(source, rate // 20)
    np.testing.assert_array_equal(whole(source, cut(data, [1])), whole(source, [data]))


@pytest.mark.parametrize("rate", [rate for rate in RATES if rate != 16_000])
def test_streamed_resampling_equals_soxr_in_one_shot(rate: int) -> None:
    data = noise(AudioFormat(rate), rate // 2)
    expected = soxr.resample(to_mono(data, AudioFormat(rate)), rate, 16_000)
    resampled = whole(AudioFormat(rate), cut(data, [997]))
    assert abs(len(resampled) - 8_000) <= 1
    np.testing.assert_allclose(resampled, expected, atol=1e-6)


@settings(max_examples=100, deadline=None)
@given(source=formats(), pieces=st.lists(st.binary(max_size=200), max_size=4))
def test_arbitrary_bytes_give_samples_or_an_audio_error(source: AudioFormat, pieces: list[bytes]) -> None:
    try:
        samples = whole(source, pieces)
    except AudioError:
        assert source.floating
        return
    assert samples.dtype == np.float32
    assert np.isfinite(samples).all()
    if source.rate == 16_000:
        assert np.abs(samples).max(initial=0) <= 1


def test_an_unfinished_frame_at_the_end_is_dropped() -> None:
    assert len(whole(AudioFormat(channels=2), [b"\1\2\3\4\5"])) == 1


def test_a_flushed_decoder_keeps_nothing_of_the_unfinished_frame() -> None:
    decoder = PcmDecoder(AudioFormat(), 16_000)
    decoder.decode(b"\1")
    decoder.flush()
    assert decoder.decode(b"\0\x40").tolist() == [0.5]


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("width", [4, 8])
def test_nan_and_infinity_are_an_audio_error(odd: float, width: int) -> None:
    data = np.array([0.5, odd], f"<f{width}").tobytes()
    with pytest.raises(AudioError, match="NaN or infinity"):
        to_mono(data, AudioFormat(width=width, floating=True))


@pytest.mark.parametrize("width", [4, 8])
def test_floats_beyond_full_scale_are_clipped(width: int) -> None:
    largest = float(np.finfo(f"<f{width}").max)
    data = np.array([2.0, -largest, largest], f"<f{width}").tobytes()
    assert to_mono(data, AudioFormat(width=width, floating=True)).tolist() == [1.0, -1.0, 1.0]


@pytest.mark.parametrize("data", [bytearray(b"\0\x40\0"), memoryview(b"\0\x40\0")])
def test_any_buffer_is_taken_and_may_be_reused(data: bytes) -> None:
    decoder = PcmDecoder(AudioFormat(), 16_000)
    assert decoder.decode(data).tolist() == [0.5]
    assert decoder.decode(b"\x20").tolist() == [0.25]


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"rate": 3_999}, "sample rate"),
        ({"rate": 192_001}, "sample rate"),
        ({"rate": 16_000.0}, "sample rate"),
        ({"rate": True}, "sample rate"),
        ({"channels": 0}, "channel count"),
        ({"channels": 9}, "channel count"),
        ({"channels": "2"}, "channel count"),
        ({"width": 0}, "sample width"),
        ({"width": 5}, "sample width"),
        ({"width": 8}, "sample width"),
        ({"width": 2.0}, "sample width"),
        ({"width": 2, "floating": True}, "sample width"),
    ],
)
def test_a_format_that_cannot_be_decoded_is_named(values: dict[str, int], named: str) -> None:
    with pytest.raises(AudioError, match=named):
        AudioFormat(**values)  # type: ignore[arg-type]


def test_seconds_and_bytes_are_counted_in_whole_frames() -> None:
    source = AudioFormat(44_100, 3, 2)
    assert source.frame_bytes == 6
    assert source.seconds(44_100 * 6) == 1.0
    assert source.bytes_for(0.5) == 22_050 * 6
    assert source.bytes_for(1e-5) % 6 == 0
