"""The WAV reader against libsndfile: every kind it writes, cut in any way, and every way to be broken."""

from __future__ import annotations

import io
import struct
import wave
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ds_engine.audio import AudioFormat, to_mono
from ds_engine.errors import AudioError
from ds_plugin.wav import MAX_HEAD_BYTES, WavReader
from tests.ds_engine.fakes import babble, cut
from tests.ds_http.helpers import written

SPEECH = babble(0.02)
SUBTYPES = {
    "PCM_U8": (1, False),
    "PCM_16": (2, False),
    "PCM_24": (3, False),
    "PCM_32": (4, False),
    "FLOAT": (4, True),
    "DOUBLE": (8, True),
}
WAV = written(SPEECH)


def read(*pieces: bytes) -> tuple[AudioFormat, bytes]:
    reader = WavReader()
    audio = b"".join(map(reader.feed, pieces))
    return reader.finish(), audio


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    return struct.pack("<4sI", name, len(body) if size is None else size) + body + b"\0" * (len(body) % 2)


def pcm_format(tag: int = 1, channels: int = 1, rate: int = 16_000, frame: int = 2, bits: int = 16) -> bytes:
    return struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits)


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return struct.pack("<4sI", b"RIFF", len(body)) + body


FORMAT = chunk(b"fmt ", pcm_format())
DATA = chunk(b"data", b"\1\2\3\4")


@pytest.mark.parametrize("container", ["WAV", "WAVEX"])
@pytest.mark.parametrize("subtype", SUBTYPES)
@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (44_100, 2), (8_000, 3)])
def test_every_kind_of_pcm_is_read_as_libsndfile_reads_it(container: str, subtype: str, rate: int, channels: int) -> None:
    data = written(np.stack([SPEECH] * channels, axis=1), rate, subtype, container)
    expected, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    source, audio = read(data)
    width, floating = SUBTYPES[subtype]
    assert source == AudioFormat(rate, width, channels, floating)
    np.testing.assert_allclose(to_mono(audio, source), expected.mean(axis=1), atol=1e-6)


@given(st.sampled_from(sorted(SUBTYPES)), st.sampled_from(["WAV", "WAVEX"]), st.lists(st.integers(1, 200), max_size=5))
def test_the_cutting_of_the_bytes_does_not_matter(subtype: str, container: str, sizes: list[int]) -> None:
    data = written(SPEECH, 16_000, subtype, container) + chunk(b"LIST", b"INFO after the audio")
    assert read(*cut(data, sizes)) == read(*cut(data, [1])) == read(data)


def test_the_standard_librarys_files_are_read() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((2, 2, 22_050, 0, "NONE", ""))
        writer.writeframes(b"\1\2\3\4" * 5)
    assert read(file.getvalue()) == (AudioFormat(22_050, 2, 2), b"\1\2\3\4" * 5)


def test_other_chunks_are_passed_over_and_odd_ones_are_padded() -> None:
    odd = chunk(b"LIST", b"odd")
    assert read(riff(odd, FORMAT, odd, chunk(b"fact", bytes(4)), DATA, odd, FORMAT)) == (AudioFormat(), b"\1\2\3\4")


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF, 0x7FFF_FFFF, 1_000])
def test_a_writer_that_cannot_know_the_size_is_understood(size: int) -> None:
    assert read(riff(FORMAT, chunk(b"data", b"\1\2\3\4", size))) == (AudioFormat(), b"\1\2\3\4")


@pytest.mark.parametrize("audio", [b"", b"\1"])
def test_audio_may_be_empty_or_end_in_half_a_sample(audio: bytes) -> None:
    assert read(riff(FORMAT, chunk(b"data", b"", len(audio)) + audio)) == (AudioFormat(), audio)


def test_samples_of_twelve_bits_stand_in_two_bytes() -> None:
    assert read(riff(chunk(b"fmt ", pcm_format(bits=12)), DATA))[0] == AudioFormat()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the body is empty, needed a WAV"),
        (b"RIFF", "ends before its audio begins"),
        (riff(), "ends before its audio begins"),
        (riff(FORMAT), "ends before its audio begins"),
        (riff(FORMAT, b"data"), "ends before its audio begins"),
        (b"OggS" + bytes(20), "must begin with RIFF"),
        (b"RIFX" + WAV[4:], "must begin with RIFF"),
        (b"RIFF\0\0\0\0AVI " + bytes(9), "must begin with RIFF"),
        (b'{"audio": "none"}', "must begin with RIFF"),
        (riff(DATA, FORMAT), "no format before its audio"),
        (riff(chunk(b"fmt ", pcm_format()[:14]), DATA), "needs 16 bytes, got 14"),
        (riff(chunk(b"fmt ", pcm_format(tag=7)), DATA), "0x0007 is not supported"),
        (riff(chunk(b"fmt ", pcm_format(tag=0xFFFE)), DATA), "0xfffe is not supported"),
        (riff(chunk(b"fmt ", pcm_format(frame=3)), DATA), "frames of 3 bytes contradict 1 channels of 16 bits"),
        (riff(chunk(b"fmt ", pcm_format(frame=8, bits=64)), DATA), "sample width must be"),
        (riff(chunk(b"fmt ", pcm_format(frame=0, bits=0)), DATA), "sample width must be"),
        (riff(chunk(b"fmt ", pcm_format(tag=3)), DATA), "sample width must be"),
        (riff(chunk(b"fmt ", pcm_format(rate=0)), DATA), "sample rate must be"),
        (riff(chunk(b"fmt ", pcm_format(channels=0, frame=0)), DATA), "channel count must be"),
        (riff(chunk(b"fmt ", pcm_format(channels=99, frame=198)), DATA), "channel count must be"),
        (riff(FORMAT, chunk(b"JUNK", b"", MAX_HEAD_BYTES)), f"within {MAX_HEAD_BYTES} bytes"),
        (written(SPEECH, 16_000, "ULAW"), "0x0007 is not supported"),
        (written(SPEECH, 16_000, "ULAW", "WAVEX"), "0x0007 is not supported"),
        (written(SPEECH, 16_000, "MS_ADPCM"), "0x0002 is not supported"),
    ],
)
def test_what_cannot_be_used_is_refused_however_it_is_cut(data: bytes, message: str) -> None:
    for pieces in ([data], cut(data, [1])):
        with pytest.raises(AudioError, match=message):
            read(*pieces)


@given(st.binary(max_size=80), st.integers(0, len(WAV)), st.integers(0, 60))
def test_any_bytes_are_read_or_refused(noise: bytes, at: int, skip: int) -> None:
    for data in (noise, WAV[:at] + noise + WAV[at + skip :], WAV[:36] + noise):
        outcome: Any
        try:
            outcome = read(data)
        except AudioError:
            continue
        assert len(outcome[1]) <= len(data)


def test_a_head_is_kept_only_up_to_its_limit() -> None:
    reader = WavReader()
    reader.feed(riff(*(chunk(b"JUNK", bytes(1_000)) for _ in range(1_000))))
    with pytest.raises(AudioError, match="within"):
        reader.feed(chunk(b"JUNK", bytes(60_000)))
