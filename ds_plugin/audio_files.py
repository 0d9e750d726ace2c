"""Audio files: any format that libsndfile reads, as blocks of PCM bytes for an utterance."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile

from ds_engine.audio import AudioFormat
from ds_engine.errors import AudioError

_FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True)
class AudioFile:
    """An open file. Every sample format becomes float32 in [-1, 1], exactly."""

    path: Path
    format: AudioFormat
    seconds: float  # as its header says
    _file: Any

    def blocks(self, seconds: float) -> Iterator[bytes]:
        """The rest of the file in blocks of this duration. Raises AudioError where it is broken in the middle."""
        frames = max(1, round(seconds * self.format.rate))
        while True:
            try:
                block = self._file.read(frames, dtype="float32")
            except soundfile.SoundFileError as error:
                raise AudioError(f"{self.path}: broken audio ({error})") from error
            if not len(block):
                return
            yield block.tobytes()


@contextmanager
def open_audio(path: Path) -> Iterator[AudioFile]:
    """Opens a file. Raises AudioError that names it where it is missing, a directory, or not audio."""
    with ExitStack() as stack:
        try:
            yield _opened(path, stack)
        except AudioError as error:
            raise error if str(path) in str(error) else AudioError(f"{path}: {error}") from error


def _opened(path: Path, stack: ExitStack) -> AudioFile:
    if path.is_dir():
        raise AudioError(f"{path}: is a directory")
    try:
        file = stack.enter_context(soundfile.SoundFile(stack.enter_context(path.open("rb"))))
    except OSError as error:
        raise AudioError(f"{path}: {error.strerror}") from error
    except soundfile.SoundFileError as error:
        raise AudioError(f"{path}: not audio that can be read ({_reason(error)})") from error
    source = AudioFormat(file.samplerate, _FLOAT_BYTES, file.channels, floating=True)
    return AudioFile(path, source, len(file) / file.samplerate, file)


def _reason(error: Exception) -> str:
    return str(getattr(error, "error_string", error)).strip().rstrip(".")
