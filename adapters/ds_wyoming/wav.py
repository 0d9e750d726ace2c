"""WAV headers in front of audio: Home Assistant's HTTP path passes on whole files. Bytes in, PCM and its format out.

A header may be cut anywhere. Only its format is believed: where it differs from what the client announced, the file is right;
the sizes it gives are often invented by whoever streamed it, so everything after the header counts as audio.
"""

from __future__ import annotations

from ds_engine.audio import AudioFormat
from ds_plugin.wav import RIFF_BYTES, WavReader


class HeaderSkipper:
    """Separates the header, if there is one, from the audio of one utterance."""

    def __init__(self, announced: AudioFormat) -> None:
        self.format = announced  # of the audio; certain as soon as `feed` or `finish` has returned some
        self._start: bytes | None = b""  # what may become a header; None once that is decided
        self._wav: WavReader | None = None

    def feed(self, data: bytes) -> bytes:
        """The audio among the bytes so far. Raises AudioError for a header that cannot be used."""
        if self._start is not None:
            data = self._decided(self._start + data)
        if self._wav is None:
            return data
        audio = self._wav.feed(data)
        self.format = self._wav.format or self.format
        return audio

    def finish(self) -> bytes:
        """The audio that was held back until now. Raises AudioError where a header was cut off."""
        if self._wav is not None:
            self._wav.finish()
        start, self._start = self._start, None
        return start or b""

    def _decided(self, start: bytes) -> bytes:
        """The bytes to go on with, or none as long as they may be either."""
        wav = _may_be_wav(start)
        if wav and len(start) < RIFF_BYTES:
            self._start = start
            return b""
        self._start = None
        self._wav = WavReader(believe_size=False) if wav else None
        return start


def _may_be_wav(start: bytes) -> bool:
    """True for a WAV file's first bytes, however few."""
    return start[:4] == b"RIFF"[: len(start)] and start[8:12] == b"WAVE"[: max(0, len(start) - 8)]
