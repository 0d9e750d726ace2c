"""Transcribing a file: its audio goes through an utterance of the host, block by block, as a client's would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ds_engine.transcript import Transcript
from ds_plugin.audio_files import open_audio
from ds_plugin.host import Host

BLOCK_SECONDS = 0.5  # read from a file at a time
MAX_FILE_SECONDS = 86_400.0  # of one file: a day; memory does not grow with it, but nothing may run for ever


@dataclass(frozen=True, slots=True)
class FileTranscript:
    """A file and what was said in it."""

    path: Path
    transcript: Transcript


async def transcribe_file(host: Host, path: Path, progress: Callable[[float], None] | None = None) -> FileTranscript:
    """Transcribes one file; `progress` is told the seconds done, relative to all. Raises AudioError or LimitError."""
    with open_audio(path) as audio:
        async with await host.open(audio.format, origin="file") as utterance:
            done = 0.0
            for block in audio.blocks(BLOCK_SECONDS):
                await utterance.feed(block)
                done += audio.format.seconds(len(block))
                if progress:
                    progress(min(1.0, done / audio.seconds))
            return FileTranscript(path, await utterance.finish())
