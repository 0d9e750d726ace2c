"""Sends a WAV file (16-bit PCM) to a Wyoming server with the official client and prints what comes back.

Usage: python examples/wyoming_client.py tcp://127.0.0.1:10300 FILE.wav
"""

import asyncio
import sys
import wave
from pathlib import Path

from wyoming.asr import Transcribe, Transcript, TranscriptChunk
from wyoming.audio import wav_to_chunks
from wyoming.client import AsyncClient
from wyoming.error import Error

SAMPLES_PER_CHUNK = 1600  # 100 ms at 16 kHz


async def main(uri: str, path: Path) -> str:
    """Returns the transcript."""
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Transcribe(language="en").event())
        with wave.open(str(path), "rb") as wav:
            for event in wav_to_chunks(wav, SAMPLES_PER_CHUNK, start_event=True, stop_event=True):
                await client.write_event(event.event())
        while (event := await client.read_event()) is not None:
            if TranscriptChunk.is_type(event.type):
                print(f"  heard: {TranscriptChunk.from_event(event).text!r}", file=sys.stderr)
            elif Transcript.is_type(event.type):
                return Transcript.from_event(event).text
            elif Error.is_type(event.type):
                raise SystemExit(f"the server says: {Error.from_event(event).text}")
    raise SystemExit("the server closed the connection")


if __name__ == "__main__":
    print(asyncio.run(main(sys.argv[1], Path(sys.argv[2]))))
