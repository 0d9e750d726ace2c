"""The head of a WAV, read while it arrives: bytes of a RIFF stream in, their AudioFormat and the PCM bytes among them out.

Sans-I/O and bounded: chunks before `data` are kept only up to MAX_HEAD_BYTES, chunks after it are passed over. Programs that
write to a pipe cannot know how long the data will be and put 0, 2^32-1 or any large number: then everything that comes is audio.
Source: Multimedia Programming Interface and Data Specifications 1.0 (RIFF, WAVE), and WAVEFORMATEXTENSIBLE of Microsoft.
"""

from __future__ import annotations

import math
import struct

from ds_engine.audio import AudioFormat
from ds_engine.errors import AudioError

MAX_HEAD_BYTES = 2**20  # before the audio; tags and padding of real files stay far below
RIFF_BYTES = 12  # RIFF, size, WAVE
_CHUNK_BYTES = 8  # name, size
_FORMAT = struct.Struct("<HHIIHH")  # tag, channels, rate, bytes a second, bytes a frame, bits a sample
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_SUBFORMAT_AT = 24  # in the body of an extensible format: the tag, then _SUBFORMAT_TAIL
_SUBFORMAT_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_UNKNOWN_SIZES = (0, 0xFFFF_FFFF)


class WavReader:
    """Reads one WAV, in pieces of any size. Thrown away with it.

    With `believe_size` off, everything after the head is audio, whatever length it gives.
    """

    def __init__(self, *, believe_size: bool = True) -> None:
        self._believe_size = believe_size
        self.format: AudioFormat | None = None  # known before the first byte of audio comes out
        self._head = bytearray()  # from RIFF up to the audio
        self._at = RIFF_BYTES  # the next chunk in it
        self._left = 0.0  # bytes of audio that may still come; infinite where the size is unknown
        self._in_audio = False

    def feed(self, data: bytes) -> bytes:
        """Takes bytes, returns the audio among them. Raises AudioError where this is no WAV of integer or float PCM."""
        if not self._in_audio:
            data = self._read_head(data)
        audio = data[: int(min(self._left, len(data)))]
        self._left -= len(audio)
        return audio

    def finish(self) -> AudioFormat:
        """The format, once everything has come. Raises AudioError where the audio never began."""
        if not self._in_audio or self.format is None:
            raise AudioError("the body is empty, needed a WAV" if not self._head else "the WAV ends before its audio begins")
        return self.format

    def _read_head(self, data: bytes) -> bytes:
        """Returns what lies beyond the head."""
        self._head += data
        if len(self._head) >= RIFF_BYTES and not (self._head.startswith(b"RIFF") and self._head.startswith(b"WAVE", 8)):
            raise AudioError("not a WAV: it must begin with RIFF and WAVE")
        while len(self._head) >= self._at + _CHUNK_BYTES:
            name, size = struct.unpack_from("<4sI", self._head, self._at)
            body = self._at + _CHUNK_BYTES
            if name == b"data":
                return self._begin_audio(size, body)
            end = body + size + size % 2  # chunks are padded to even sizes
            if end > MAX_HEAD_BYTES:
                raise AudioError(f"a WAV's audio must begin within {MAX_HEAD_BYTES} bytes")
            if len(self._head) < end:
                break
            if name == b"fmt ":
                self.format = _format(bytes(self._head[body : body + size]))
            self._at = end
        return b""

    def _begin_audio(self, size: int, body: int) -> bytes:
        if self.format is None:
            raise AudioError("the WAV has no format before its audio")
        self._in_audio = True
        self._left = size if self._believe_size and size not in _UNKNOWN_SIZES else math.inf
        data = bytes(self._head[body:])
        del self._head[body:]
        return data


def _format(body: bytes) -> AudioFormat:
    if len(body) < _FORMAT.size:
        raise AudioError(f"the WAV's format needs {_FORMAT.size} bytes, got {len(body)}")
    tag, channels, rate, _, frame_bytes, bits = _FORMAT.unpack_from(body)
    if tag == _EXTENSIBLE and body[_SUBFORMAT_AT + 2 : _SUBFORMAT_AT + 16] == _SUBFORMAT_TAIL:
        (tag,) = struct.unpack_from("<H", body, _SUBFORMAT_AT)
    if tag not in {_PCM, _FLOAT}:
        raise AudioError(f"WAV encoding {tag:#06x} is not supported, needed integer or float PCM")
    width = -(-bits // 8)  # 12 bits stand in the upper part of 2 bytes
    if frame_bytes != width * channels:
        raise AudioError(f"the WAV's frames of {frame_bytes} bytes contradict {channels} channels of {bits} bits")
    return AudioFormat(rate, width, channels, floating=tag == _FLOAT)
