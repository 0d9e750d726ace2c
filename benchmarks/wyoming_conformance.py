"""Text over the wire beside text from the file: the real server process and client, every transport, every chunk size.

    python benchmarks/wyoming_conformance.py [FILE.wav ...]

Every WAV (by default the bundled ones) goes through `ds-plugin transcribe`, and then over tcp, unix and stdio in chunks of 1 byte,
10 ms, 200 ms and as a whole. Prints a line per transport and chunk size: how many texts were equal, and in how many of those that
have several words the first transcript-chunk came before the audio had ended. Ends with 1 where a text differs.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import soundfile
from wyoming.asr import Transcript, TranscriptChunk
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error

import ds_plugin
from ds_engine.audio import AudioFormat
from ds_plugin.wav import WavReader

SAMPLES = Path(ds_plugin.__file__).parent / "samples"
COMMAND = (sys.executable, "-m", "ds_plugin")
CHUNK_SECONDS = {"1 byte": 0.0, "10 ms": 0.01, "200 ms": 0.2, "whole": 3600.0}
PATIENCE = 2.0  # s that the client waits, all audio but the last chunk sent, for the first transcript-chunk
MAX_SECONDS = 120.0  # for one utterance


class PipeClient(AsyncClient):
    """The real client's reading and writing, at a process's pipes."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        self._reader, self._writer = process.stdout, process.stdin


@asynccontextmanager
async def connected(scheme: str, folder: Path) -> AsyncIterator[AsyncClient]:
    """A client of a server process of its own."""
    uri = {"tcp": "tcp://127.0.0.1:0", "unix": f"unix://{folder / 'socket'}", "stdio": "stdio://"}[scheme]
    process = await asyncio.create_subprocess_exec(*COMMAND, "serve", "wyoming", "--uri", uri, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    try:
        line = await process.stderr.readline() if process.stderr else b""
        address = line.decode().split()[-1]
        client = PipeClient(process) if scheme == "stdio" else AsyncClient.from_uri(address)
        await client.connect()
        yield client
        if scheme != "stdio":
            await client.disconnect()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def say(client: AsyncClient, source: AudioFormat, audio: bytes, seconds: float) -> tuple[str, bool]:
    """The transcript, and whether a part of it came before the last chunk was sent."""
    facts = {"rate": source.rate, "width": source.width, "channels": source.channels}
    size = max(1, source.bytes_for(seconds))
    heard: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    answer = asyncio.create_task(listen(client, heard))
    await client.write_event(AudioStart(**facts).event())
    *chunks, last = [audio[start : start + size] for start in range(0, len(audio), size)]
    for chunk in chunks:
        await client.write_event(AudioChunk(audio=chunk, **facts).event())
    if chunks:
        await asyncio.wait({heard}, timeout=PATIENCE)
    sent = time.perf_counter()
    await client.write_event(AudioChunk(audio=last, **facts).event())
    await client.write_event(AudioStop().event())
    text = await asyncio.wait_for(answer, MAX_SECONDS)
    return text, heard.done() and heard.result() < sent


async def listen(client: AsyncClient, heard: asyncio.Future[float]) -> str:
    while (event := await client.read_event()) is not None:
        if TranscriptChunk.is_type(event.type) and not heard.done():
            heard.set_result(time.perf_counter())
        elif Transcript.is_type(event.type):
            text = Transcript.from_event(event).text
        elif Error.is_type(event.type):
            raise SystemExit(Error.from_event(event).text)
        elif event.type == "transcript-stop":
            return text
    raise SystemExit("the server closed the connection")


def expected(files: list[Path]) -> list[str]:
    done = subprocess.run([*COMMAND, "transcribe", "--format", "json", *map(str, files)], capture_output=True, text=True, check=True)
    return [json.loads(line)["text"] for line in done.stdout.splitlines()]


def pcm(path: Path) -> tuple[AudioFormat, bytes]:
    if soundfile.info(path).format not in {"WAV", "WAVEX"}:
        raise SystemExit(f"{path}: needs to be a WAV, so that both ways get the same samples")
    reader = WavReader()
    audio = reader.feed(path.read_bytes())
    return reader.finish(), audio


async def main(files: list[Path]) -> int:
    texts, wrong = expected(files), 0
    with tempfile.TemporaryDirectory() as folder:
        for scheme in ("tcp", "unix", "stdio"):
            async with connected(scheme, Path(folder)) as client:
                for name, seconds in CHUNK_SECONDS.items():
                    results = [await say(client, *pcm(file), seconds) for file in files]
                    equal = sum(text == wanted for (text, _), wanted in zip(results, texts, strict=True))
                    early = [began for (_, began), wanted in zip(results, texts, strict=True) if " " in wanted]
                    print(f"{scheme:6} {name:7} equal {equal}/{len(files)}  partial before the end {sum(early)}/{len(early)}", flush=True)
                    wrong += len(files) - equal
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main([Path(name) for name in sys.argv[1:]] or sorted(SAMPLES.glob("*.wav")))))
