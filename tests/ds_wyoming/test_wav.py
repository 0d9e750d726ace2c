from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ds_engine.audio import AudioFormat
from ds_engine.errors import AudioError
from ds_plugin.wav import MAX_HEAD_BYTES
from ds_wyoming.wav import HeaderSkipper
from tests.ds_wyoming.serving import SAMPLES, SPEECH, pcm

AUDIO = bytes(range(200))


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(body) if size is None else size) + body


def fmt(code: int = 1, channels: int = 1, rate: int = 16_000, bits: int = 16) -> bytes:
    return chunk(b"fmt ", struct.pack("<HHIIHH", code, channels, rate, 0, channels * -(-bits // 8), bits))


def riff(*parts: bytes) -> bytes:
    return b"RIFF\x00\x00\x00\x00WAVE" + b"".join(parts)


def skipped(data: bytes, size: int = 1) -> tuple[bytes, AudioFormat]:
    skipper = HeaderSkipper(SPEECH)
    audio = b"".join(skipper.feed(data[i : i + size]) for i in range(0, len(data), size))
    return audio + skipper.finish(), skipper.format


@pytest.mark.parametrize("size", [1, 2, 7, 44, 45, 10_000])
def test_a_header_is_skipped_however_it_is_cut(size: int) -> None:
    header = riff(chunk(b"JUNK", b"odd"), b"\x00", fmt(rate=8000), chunk(b"LIST", b"RIFFdata"))
    for sizes in (0, 1, 0xFFFFFFFF):
        assert skipped(header + chunk(b"data", AUDIO, sizes), size) == (AUDIO, AudioFormat(8000))


@pytest.mark.parametrize("audio", [b"", b"R", b"RIF", b"RIFF", b"RIFFxxxxWAV", b"RIFFxxxxAVI " + AUDIO, AUDIO, b"RIFX" + AUDIO])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_what_is_no_header_is_audio(audio: bytes, size: int) -> None:
    assert skipped(audio, size) == (audio, SPEECH)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_bundled_recordings_give_their_own_format(path: Path) -> None:
    audio, source = skipped(path.read_bytes(), 4096)
    assert (source, audio) == pcm(path)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE", "PCM_32"])
@pytest.mark.parametrize("container", ["WAV", "WAVEX"])
def test_other_sample_types_are_understood(subtype: str, container: str) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.zeros((8, 2), np.float32), 22_050, subtype=subtype, format=container)
    width = 8 if subtype == "DOUBLE" else 4
    audio, source = skipped(file.getvalue())
    assert source == AudioFormat(22_050, width, 2, floating=subtype != "PCM_32")
    assert audio[: 16 * width] == bytes(16 * width)


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (riff(chunk(b"data", AUDIO)), "no format"),
        (riff(chunk(b"fmt ", b"1234")), "needs 16 bytes"),
        (riff(fmt(code=7), chunk(b"data", AUDIO)), "0x0007"),
        (riff(fmt(rate=0), chunk(b"data", AUDIO)), "sample rate"),
        (riff(fmt(channels=0), chunk(b"data", AUDIO)), "channel"),
        (riff(fmt(bits=0), chunk(b"data", AUDIO)), "width"),
        (riff(fmt(bits=72), chunk(b"data", AUDIO)), "width"),
        (riff(chunk(b"JUNK", b"", MAX_HEAD_BYTES)), str(MAX_HEAD_BYTES)),
        (riff(chunk(b"fmt ", b"", 0xFFFFFFFF)), str(MAX_HEAD_BYTES)),
        (riff(fmt())[:-1], "ends before its audio"),
        (riff(), "ends before its audio"),
    ],
)
def test_a_header_that_cannot_be_used_says_why(header: bytes, why: str) -> None:
    with pytest.raises(AudioError, match=why):
        skipped(header)
