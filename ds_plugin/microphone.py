"""The microphone, through PortAudio (extra `mic`): PCM bytes as they are recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ds_engine.audio import AudioFormat
from ds_engine.errors import InputError

BLOCK_SECONDS = 0.05
MAX_WAITING = 200  # blocks, 10 s, recorded and not yet taken; newer ones are dropped then


@asynccontextmanager
async def microphone(source: AudioFormat, device: str | None = None) -> AsyncIterator[AsyncIterator[bytes]]:
    """Opens an input device; yields an endless iterator of PCM in `source`'s format (16 bit). Raises InputError without one."""
    sounddevice = _portaudio()
    loop = asyncio.get_running_loop()
    blocks: asyncio.Queue[bytes] = asyncio.Queue(MAX_WAITING)

    def record(data: Any, frames: int, time: Any, status: Any) -> None:  # noqa: ARG001 - PortAudio's signature
        loop.call_soon_threadsafe(_put, blocks, bytes(data))

    try:
        stream = sounddevice.RawInputStream(
            samplerate=source.rate,
            channels=source.channels,
            dtype="int16",
            blocksize=round(source.rate * BLOCK_SECONDS),
            device=int(device) if device and device.isdigit() else device,
            callback=record,
        )
    except (sounddevice.PortAudioError, ValueError) as error:
        raise InputError(f"microphone: {error}") from error
    with stream:
        yield _blocks(blocks)


async def _blocks(blocks: asyncio.Queue[bytes]) -> AsyncIterator[bytes]:
    while True:
        yield await blocks.get()


def _put(blocks: asyncio.Queue[bytes], block: bytes) -> None:
    if not blocks.full():
        blocks.put_nowait(block)


def _portaudio() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        raise InputError("microphone: install the extra 'mic': pip install 'ds-plugin[mic]'") from error
    except OSError as error:  # the library itself is missing: Debian's libportaudio2
        raise InputError(f"microphone: {error}; on Debian: apt install libportaudio2") from error
    return sounddevice
