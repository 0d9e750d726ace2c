"""WAV headers in front of audio: Home Assistant's HTTP path passes on whole files. Bytes in, PCM and its format out.

A header may be cut anywhere. Only its format is believed: where it differs from what the client announced, the file is right;
the sizes it gives are often invented by whoever streamed it, so everything after the header counts as audio.
"""

from __future__ import annotations

import struct
from typing import NoReturn

from ds_engine.audio import AudioFormat
from ds_engine.errors import AudioError

MAX_HEADER_BYTES = 64 * 2**10  # before the audio: formats, tags, a cover even

_RIFF_BYTES, _CHUNK_BYTES, _FORMAT_BYTES, _EXTENSIBLE_BYTES = 12, 8, 16, 26  # the last: up to the code of the real format
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE  # format codes (RFC 2361)


class HeaderSkipper:
    """Separates the header, if there is one, from the audio of one utterance."""

    def __init__(self, announced: AudioFormat) -> None:
        self.format = announced  # of the audio; certain as soon as `feed` or `finish` has returned some
        self._held: bytes | None = b""  # what may belong to a header; None once the audio has begun

    def feed(self, data: bytes) -> bytes:
        """The audio among the bytes so far. Raises AudioError for a header that cannot be used."""
        if self._held is None:
            return data
        self._held += data
        if not _may_be_wav(self._held):
            return self._begin(self._held)
        if len(self._held) >= _RIFF_BYTES and (start := self._data_start(self._held)) is not None:
            return self._begin(self._held[start:])
        return b""

    def finish(self) -> bytes:
        """The audio that was held back until now. Raises AudioError where a header was cut off."""
        held = self._held or b""
        if len(held) >= _RIFF_BYTES:
            raise AudioError("the WAV header is cut off")
        return self._begin(held)

    def _begin(self, audio: bytes) -> bytes:
        self._held = None
        return audio

    def _data_start(self, header: bytes) -> int | None:
        """Where the audio begins, or None where that has not arrived; sets the format."""
        position, found = _RIFF_BYTES, None
        while position + _CHUNK_BYTES <= len(header):
            name, size = struct.unpack_from("<4sI", header, position)
            body = position + _CHUNK_BYTES
            if name == b"data":
                self.format = found or _no_format()
                return body
            if name == b"fmt " and body + size <= len(header):
                found = _format(header[body : body + size])
            position = body + size + size % 2
            if position > MAX_HEADER_BYTES:
                raise AudioError(f"a WAV header may have {MAX_HEADER_BYTES} bytes")
        return None


def _may_be_wav(start: bytes) -> bool:
    """True for a WAV file's first bytes, however few."""
    return start[:4] == b"RIFF"[: len(start)] and start[8:12] == b"WAVE"[: max(0, len(start) - 8)]


def _format(body: bytes) -> AudioFormat:
    if len(body) < _FORMAT_BYTES:
        _no_format()
    code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if code == _EXTENSIBLE and len(body) >= _EXTENSIBLE_BYTES:
        (code,) = struct.unpack_from("<H", body, _EXTENSIBLE_BYTES - 2)
    if code not in {_PCM, _FLOAT}:
        raise AudioError(f"a WAV file must hold PCM or floating-point samples, got format {code:#06x}")
    return AudioFormat(rate, (bits + 7) // 8, channels, floating=code == _FLOAT)


def _no_format() -> NoReturn:
    raise AudioError("the WAV header has no format")
