"""Latency over the wire: the real server process, the real client, recorded speech at speaking pace. Prints JSON lines.

    python benchmarks/wyoming_latency.py [--wav FILE] [--chunk-ms 10]

`final_latency`: from audio-stop sent to transcript received, the worst of the clients; `first_chunk`: from the first audio sent
to the first transcript-chunk. Times in seconds. Takes less than 90 s, or ends with an error.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import soundfile
from wyoming.asr import Transcribe, Transcript, TranscriptChunk
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error

import ds_plugin

SAMPLE = Path(ds_plugin.__file__).parent / "samples" / "turn_on_the_kitchen_light.wav"
RUNS = ((1, 3.0), (1, 30.0), (8, 3.0), (8, 10.0))  # clients at once, seconds each
MAX_SECONDS = 90.0
SERVE = ("-c", "from ds_plugin.cli import main; main()", "serve", "wyoming", "--uri", "tcp://127.0.0.1:0")


@dataclass(frozen=True, slots=True)
class Speech:
    """16-bit mono PCM."""

    rate: int  # Hz
    data: bytes

    def lasting(self, seconds: float) -> Speech:
        """Repeated, and cut to a duration."""
        size = 2 * round(seconds * self.rate)
        return Speech(self.rate, (self.data * (size // len(self.data) + 1))[:size])


@dataclass(frozen=True, slots=True)
class Timing:
    """What one client saw, in seconds."""

    final: float
    first_chunk: float | None


def load(path: Path) -> Speech:
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    return Speech(rate, samples[:, 0].tobytes())


@asynccontextmanager
async def server() -> AsyncIterator[tuple[Process, str]]:
    """The server process and its address."""
    process = await asyncio.create_subprocess_exec(sys.executable, *SERVE, stderr=PIPE)
    if process.stderr is None:
        raise SystemExit("the server has no standard error")
    try:
        while not (line := (await process.stderr.readline()).decode()).startswith("wyoming listens on "):
            if not line:
                raise SystemExit("the server did not start")
        yield process, line.split()[-1]
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def play(client: AsyncClient, speech: Speech, chunk_seconds: float) -> float:
    """Sends the speech as a microphone records it; returns when audio-stop was sent."""
    size = 2 * round(chunk_seconds * speech.rate)
    await client.write_event(Transcribe().event())
    await client.write_event(AudioStart(speech.rate, 2, 1).event())
    began = time.perf_counter()
    for position in range(0, len(speech.data), size):
        recorded = began + (position + size) / (2 * speech.rate)
        await asyncio.sleep(max(0.0, recorded - time.perf_counter()))
        await client.write_event(AudioChunk(speech.rate, 2, 1, speech.data[position : position + size]).event())
    stopped = time.perf_counter()
    await client.write_event(AudioStop().event())
    return stopped


async def listen(client: AsyncClient) -> tuple[float | None, float]:
    """When the first transcript-chunk came, and when the transcript did."""
    first = None
    while (event := await client.read_event()) is not None:
        if TranscriptChunk.is_type(event.type) and first is None:
            first = time.perf_counter()
        if Transcript.is_type(event.type):
            return first, time.perf_counter()
        if Error.is_type(event.type):
            raise SystemExit(f"the server refused: {event.data}")
    raise SystemExit("the server closed the connection")


async def timed(address: str, speech: Speech, chunk_seconds: float) -> Timing:
    async with AsyncClient.from_uri(address) as client:
        began = time.perf_counter()
        stopped, (first, final) = await asyncio.gather(play(client, speech, chunk_seconds), listen(client))
    return Timing(final - stopped, None if first is None else first - began)


async def main(path: Path, chunk_seconds: float) -> None:
    speech = load(path)
    async with server() as (process, address):
        await timed(address, speech.lasting(0.5), chunk_seconds)  # warm up
        for clients, seconds in RUNS:
            played = speech.lasting(seconds)
            timings = await asyncio.gather(*(timed(address, played, chunk_seconds) for _ in range(clients)))
            firsts = [timing.first_chunk for timing in timings if timing.first_chunk is not None]
            result = {
                "clients": clients,
                "seconds": seconds,
                "chunk_seconds": chunk_seconds,
                "final_latency": round(max(timing.final for timing in timings), 4),
                "first_chunk": round(max(firsts), 3) if firsts else None,
                "server_rss_mib": round(psutil.Process(process.pid).memory_info().rss / 2**20, 1),
            }
            print(json.dumps(result), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wav", type=Path, default=SAMPLE, help="speech to play (its first channel)")
    parser.add_argument("--chunk-ms", type=float, default=10.0, help="audio in one event")
    arguments = parser.parse_args()
    asyncio.run(asyncio.wait_for(main(arguments.wav, arguments.chunk_ms / 1000), MAX_SECONDS))
