"""Measuring the engine on this machine: real-time factor, final latency at speaking pace, concurrent streams, memory, the model's size.

Audio is fed as a microphone delivers it: a piece of PIECE_SECONDS whenever one would have been recorded. The final latency is
the time from the last piece to the transcript, by the wall clock, with everything that a server does in between.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ds_engine.audio import AudioFormat
from ds_plugin.audio_files import open_audio
from ds_plugin.host import Host

SAMPLE = Path(__file__).parent / "samples" / "turn_on_the_kitchen_light.wav"
PIECE_SECONDS = 0.02
SHORT_SECONDS, LONG_SECONDS = 3.0, 30.0
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Clip:
    """Speech to feed: PCM bytes and their format."""

    source: AudioFormat
    data: bytes

    def lasting(self, seconds: float) -> Clip:
        """This clip, repeated and cut to a duration."""
        size = self.source.bytes_for(seconds)
        return Clip(self.source, (self.data * (size // len(self.data) + 1))[:size])


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was found; times in seconds."""

    rtf: float  # seconds of computing per second of audio, one stream
    streams_per_core: float  # 1 / rtf
    final_latency_short: float  # one stream of SHORT_SECONDS
    final_latency_long: float  # one stream of LONG_SECONDS
    streams: int
    final_latency_streams: float  # the worst of `streams` at once, SHORT_SECONDS each
    memory_mib: float  # resident, peak, of this process, which serves as a server does
    look_ahead: float  # s by which the model trails the audio
    bundle_mb: float  # 10^6 bytes of all its files
    largest_mb: float  # 10^6 bytes of the largest: the network

    def as_json(self) -> dict[str, Any]:
        """Rounded for reading."""
        return {name: round(value, _DIGITS) for name, value in asdict(self).items()}


def load_clip(path: Path = SAMPLE) -> Clip:
    """A recording as a clip. Raises AudioError."""
    with open_audio(path) as audio:
        return Clip(audio.format, b"".join(audio.blocks(audio.seconds)))


async def measure(host: Host, clip: Clip, streams: int) -> Measurement:
    """Takes all measurements, one after the other; about 40 s."""
    rtf = await real_time_factor(host, clip.lasting(LONG_SECONDS))
    short = await final_latency(host, clip.lasting(SHORT_SECONDS))
    long = await final_latency(host, clip.lasting(LONG_SECONDS))
    worst = max(await asyncio.gather(*(final_latency(host, clip.lasting(SHORT_SECONDS)) for _ in range(streams))))
    sizes = [entry.size / 1e6 for entry in host.manifest.files.values()]
    delay = host.engine.recognizer.model.timing.delay
    return Measurement(rtf, 1 / rtf, short, long, streams, worst, peak_memory_mib(), delay, sum(sizes), max(sizes, default=0.0))


async def real_time_factor(host: Host, clip: Clip) -> float:
    """Seconds of computing per second of audio, fed as fast as it is taken."""
    async with await host.open(clip.source, origin="benchmark") as utterance:
        for piece in _pieces(clip):
            await utterance.feed(piece)
        transcript = await utterance.finish()
    return transcript.compute_seconds / transcript.audio_seconds


async def final_latency(host: Host, clip: Clip) -> float:
    """Seconds from the last piece of audio to the transcript, fed at speaking pace."""
    async with await host.open(clip.source, origin="benchmark") as utterance:
        began = time.perf_counter()
        for number, piece in enumerate(_pieces(clip), 1):
            await asyncio.sleep(max(0.0, began + number * PIECE_SECONDS - time.perf_counter()))
            await utterance.feed(piece)
        said = time.perf_counter()
        await utterance.finish()
        return time.perf_counter() - said


def peak_memory_mib() -> float:
    """Peak resident memory of this process."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10  # bytes there, KiB elsewhere


def _pieces(clip: Clip) -> Sequence[bytes]:
    size = clip.source.bytes_for(PIECE_SECONDS)
    return [clip.data[start : start + size] for start in range(0, len(clip.data), size)]
