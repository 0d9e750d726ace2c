"""Home Assistant's own Wyoming client, run by Home Assistant's Python: orders come as lines of JSON, answers go as lines of JSON.

Usage: PYTHON driver.py [FOLDER]. FOLDER holds a `homeassistant` to import in the place of the installed one (newest.py makes it).

`{"id", "do": "load", "host", "port"}`: asks the server what it is, as setting up an integration does; it holds for what follows.
`{"id", "do": "transcribe", "audio": file, "language", "hold"}`: one utterance. With `hold` the client says `{"id", "held": true}` after
the audio, and does not end it before `{"id", "do": "release"}`. `text`, `state` and `sent` (bytes that it has taken) are the answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

CHUNK_BYTES = 320  # 10 ms, as its pipeline cuts audio


def say(**message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


class Client:
    """What Home Assistant keeps for one configured server."""

    def __init__(self) -> None:
        self._data = import_module("homeassistant.components.wyoming.data")
        self._provider = import_module("homeassistant.components.wyoming.stt").WyomingSttProvider
        self._stt = import_module("homeassistant.components.stt")
        self._entity: Any = None
        self._held: dict[int, asyncio.Event] = {}

    async def do(self, order: dict[str, Any]) -> None:
        """Carries out one order, and answers it."""
        if order["do"] == "release":
            self._held[order["id"]].set()
        elif order["do"] == "load":
            say(id=order["id"], **await self._load(order["host"], order["port"]))
        else:
            say(id=order["id"], **await self._transcribe(order))

    async def _load(self, host: str, port: int) -> dict[str, Any]:
        began = time.monotonic()
        service = await self._data.WyomingService.create(host, port)
        if service is None:
            return {"platforms": None}
        self._entity = self._provider(SimpleNamespace(entry_id="entry"), service)
        return {
            "platforms": [str(platform) for platform in service.platforms],
            "languages": self._entity.supported_languages,
            "name": service.get_name(),
            "seconds": time.monotonic() - began,
        }

    async def _transcribe(self, order: dict[str, Any]) -> dict[str, Any]:
        sent, whole = 0, Path(order["audio"]).read_bytes()  # noqa: ASYNC240 - a small file, and nothing else runs

        async def audio() -> AsyncIterator[bytes]:
            nonlocal sent
            for i in range(0, len(whole), CHUNK_BYTES):
                sent = min(i + CHUNK_BYTES, len(whole))
                yield whole[i : i + CHUNK_BYTES]
            if order["hold"]:
                held = self._held[order["id"]] = asyncio.Event()
                say(id=order["id"], held=True)
                await held.wait()

        result = await self._entity.async_process_audio_stream(self._metadata(order["language"]), audio())
        return {"text": result.text, "state": result.result.value, "sent": sent}

    def _metadata(self, language: str) -> Any:
        stt = self._stt
        rate, channel = stt.AudioSampleRates.SAMPLERATE_16000, stt.AudioChannels.CHANNEL_MONO
        return stt.SpeechMetadata(language, stt.AudioFormats.WAV, stt.AudioCodecs.PCM, stt.AudioBitRates.BITRATE_16, rate, channel)


async def main() -> None:
    """Until standard input ends."""
    client, orders = Client(), asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    running: set[asyncio.Task[None]] = set()
    say(ready=True)
    while line := await orders.readline():
        task = asyncio.create_task(client.do(json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)


if __name__ == "__main__":
    logging.disable()  # what it thinks of our answers is in the answers
    sys.path[:1] = sys.argv[1:]  # not our folder, the one that was named
    asyncio.run(main())
