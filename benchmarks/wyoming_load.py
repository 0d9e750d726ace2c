"""The Wyoming server under load: the real server process with the bundled model, the real client, the bundled recordings.

    python benchmarks/wyoming_load.py [PART ...] [--parallel 20] [--row 1000] [--seconds 20] [--streams 4] [--rounds 8]

Parts, all of them by default:
  parallel  that many utterances at once, as fast as they are taken: how many texts equal those of the same recordings one by one
  row       utterances one after the other, each on its own connection: what the server holds before and after (resident memory,
            file descriptors, threads, asyncio tasks), and the growth of its memory over the second half
  describe  from connecting to `info`, on a new connection, while as many utterances as the limits allow are being decoded
  final     from audio-stop to `transcript`, with streams at speaking pace in chunks of 10 ms, as Home Assistant sends them
Prints one JSON line per part. Ends with 1 where a text differs or an utterance fails; a latency is only printed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import psutil
import soundfile
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.info import Describe, Info

import ds_plugin
from ds_engine.limits import Limits

SAMPLES = sorted((Path(ds_plugin.__file__).parent / "samples").glob("*.wav"))
PARTS = ("parallel", "row", "describe", "final")
CHUNK_SECONDS = 0.01  # Home Assistant's
PROBE_SECONDS = 0.05  # between two `describe`
SAMPLING = 25  # utterances between two looks at the server's memory
WARM_UP = 20  # utterances before anything is measured: lazy imports, and arenas of the allocator, are no leak
MAX_SECONDS = 120.0  # for one utterance

# The command line itself, and a signal that makes the server say how many tasks it has.
SERVE = """
import asyncio, signal, sys
signal.signal(signal.SIGUSR1, lambda *_: print("tasks", len(asyncio.all_tasks()), file=sys.stderr, flush=True))
from ds_plugin.cli import main
main()
"""


@dataclass(frozen=True, slots=True)
class Speech:
    """16-bit mono PCM."""

    name: str
    rate: int  # Hz
    data: bytes

    @property
    def seconds(self) -> float:
        return len(self.data) / (2 * self.rate)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the server process has."""

    rss_kib: int
    files: int
    threads: int
    tasks: int


class Server:
    """A server process."""

    def __init__(self, process: Process, address: str) -> None:
        self.address = address
        self._process = process
        self._facts = psutil.Process(process.pid)

    def rss_kib(self) -> int:
        return int(self._facts.memory_info().rss) // 1024

    async def holdings(self) -> Holdings:
        """Once the last connections have ended there, too."""
        await asyncio.sleep(1.0)
        self._process.send_signal(signal.SIGUSR1)
        if self._process.stderr is None:
            raise SystemExit("the server has no standard error")
        while not (line := await self._process.stderr.readline()).startswith(b"tasks "):
            if not line:
                raise SystemExit("the server has ended")
        return Holdings(self.rss_kib(), self._facts.num_fds(), self._facts.num_threads(), int(line.split()[1]))


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    """A server of its own, on a free port, without settings from the environment."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DS_PLUGIN_")}
    arguments = ("-c", SERVE, "serve", "wyoming", "--uri", "tcp://127.0.0.1:0")
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stderr=PIPE, env=clean)
    try:
        line = await process.stderr.readline() if process.stderr else b""
        if not line.startswith(b"wyoming listens on "):
            raise SystemExit(f"the server did not start: {line.decode()}")
        yield Server(process, line.decode().split()[-1])
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


def load(path: Path) -> Speech:
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    return Speech(path.stem, rate, samples[:, 0].tobytes())


async def say(client: AsyncClient, speech: Speech, *, paced: bool) -> float:
    """One utterance, at speaking pace or as fast as it is taken; the moment when audio-stop was sent."""
    size = 2 * round(CHUNK_SECONDS * speech.rate)
    await client.write_event(Transcribe(language="en").event())
    await client.write_event(AudioStart(speech.rate, 2, 1).event())
    began = time.perf_counter()
    for position in range(0, len(speech.data), size):
        if paced:
            await asyncio.sleep(max(0.0, began + (position + size) / (2 * speech.rate) - time.perf_counter()))
        await client.write_event(AudioChunk(speech.rate, 2, 1, speech.data[position : position + size]).event())
    stopped = time.perf_counter()
    await client.write_event(AudioStop().event())
    return stopped


async def hear(client: AsyncClient) -> tuple[str, float]:
    """The transcript, and the moment when it came."""
    while (event := await client.read_event()) is not None:
        if Transcript.is_type(event.type):
            return Transcript.from_event(event).text, time.perf_counter()
        if Error.is_type(event.type):
            raise SystemExit(f"the server refused: {event.data}")
    raise SystemExit("the server closed the connection")


async def transcribed(address: str, speech: Speech, *, paced: bool = False) -> tuple[str, float]:
    """The text of one utterance on a connection of its own, and the seconds that it took after audio-stop."""
    async with asyncio.timeout(MAX_SECONDS), AsyncClient.from_uri(address) as client:
        stopped, (text, came) = await asyncio.gather(say(client, speech, paced=paced), hear(client))
    return text, came - stopped


def latencies(seconds: Sequence[float]) -> dict[str, float]:
    """In milliseconds."""
    ordered = sorted(1000 * value for value in seconds)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return {"median_ms": round(statistics.median(ordered), 1), "p95_ms": round(p95, 1), "worst_ms": round(ordered[-1], 1)}


async def parallel(server: Server, speeches: list[Speech], options: argparse.Namespace) -> dict[str, Any]:
    alone = {speech.name: (await transcribed(server.address, speech))[0] for speech in speeches}
    spoken = list(islice(cycle(speeches), options.parallel))
    began = time.perf_counter()
    together = await asyncio.gather(*(transcribed(server.address, speech) for speech in spoken))
    seconds = time.perf_counter() - began
    equal = sum(text == alone[speech.name] for speech, (text, _) in zip(spoken, together, strict=True))
    return {"utterances": len(spoken), "equal": equal, "wrong": len(spoken) - equal, "seconds": round(seconds, 2)}


async def row(server: Server, speeches: list[Speech], options: argparse.Namespace) -> dict[str, Any]:
    short = sorted(speeches, key=lambda speech: speech.seconds)[: (len(speeches) + 1) // 2]
    alone = {speech.name: (await transcribed(server.address, speech))[0] for speech in short}
    for speech in islice(cycle(short), WARM_UP):
        await transcribed(server.address, speech)
    before, wrong, memory = await server.holdings(), 0, []
    for number, speech in enumerate(islice(cycle(short), options.row)):
        text, _ = await transcribed(server.address, speech)
        wrong += text != alone[speech.name]
        if number >= options.row // 2 and number % SAMPLING == 0:
            memory.append((number, server.rss_kib()))
    after = await server.holdings()
    slope = statistics.linear_regression(*zip(*memory, strict=True)).slope if len(memory) > 1 else 0.0
    held = {name: [getattr(before, name), getattr(after, name)] for name in Holdings.__slots__}
    return {"utterances": options.row, "wrong": wrong, **held, "rss_slope_kib_per_100": round(100 * slope, 1)}


async def feed(address: str, speeches: list[Speech]) -> None:
    """Keeps as many utterances decoding as the limits allow, for ever. Runs in a process of its own, away from what measures."""

    async def speak(speech: Speech) -> None:
        while True:
            await transcribed(address, speech)

    longest = max(speeches, key=lambda speech: speech.seconds)
    print("feeding", flush=True)
    await asyncio.gather(*(speak(longest) for _ in range(Limits().utterances)))


async def described(address: str) -> float:
    """Seconds from connecting to `info`."""
    began = time.perf_counter()
    async with asyncio.timeout(MAX_SECONDS), AsyncClient.from_uri(address) as client:
        await client.write_event(Describe().event())
        event = await client.read_event()
    if event is None or not Info.is_type(event.type):
        raise SystemExit(f"no info: {event}")
    return time.perf_counter() - began


async def describe(server: Server, _: list[Speech], options: argparse.Namespace) -> dict[str, Any]:
    idle = [await described(server.address) for _ in range(20)]
    feeder = await asyncio.create_subprocess_exec(sys.executable, __file__, "--feed", server.address, stdout=PIPE)
    try:
        if feeder.stdout is None or not await feeder.stdout.readline():
            raise SystemExit("the load did not start")
        await asyncio.sleep(2.0)  # until all of them are open
        until, seen = time.perf_counter() + options.seconds, []
        while time.perf_counter() < until:
            seen.append(await described(server.address))
            await asyncio.sleep(PROBE_SECONDS)
        if feeder.returncode is not None:
            raise SystemExit("the load ended early")
    finally:
        if feeder.returncode is None:
            feeder.terminate()
        await feeder.wait()
    facts = {"utterances": Limits().utterances, "probes": len(seen), "idle_median_ms": latencies(idle)["median_ms"]}
    return {**facts, **latencies(seen)}


async def final(server: Server, speeches: list[Speech], options: argparse.Namespace) -> dict[str, Any]:
    alone = {speech.name: (await transcribed(server.address, speech))[0] for speech in speeches}
    wrong, seen = 0, []

    async def stream(number: int) -> None:
        nonlocal wrong
        for speech in islice(cycle(speeches), number, number + options.rounds):
            text, seconds = await transcribed(server.address, speech, paced=True)
            seen.append(seconds)
            wrong += text != alone[speech.name]

    await asyncio.gather(*(stream(number) for number in range(options.streams)))
    return {"streams": options.streams, "utterances": len(seen), "wrong": wrong, **latencies(seen)}


def loaded_by_others() -> float:
    """What the machine did before we began."""
    return round(os.getloadavg()[0], 2)


async def main(options: argparse.Namespace) -> int:
    speeches = [load(path) for path in SAMPLES]
    if options.feed:
        await feed(options.feed, speeches)
    run = {"parallel": parallel, "row": row, "describe": describe, "final": final}
    wrong = 0
    for part in options.parts or PARTS:
        load_before = loaded_by_others()
        async with serving() as server:
            result = await run[part](server, speeches, options)
        print(json.dumps({"part": part, **result, "load_before": load_before, "cores": os.cpu_count()}), flush=True)
        wrong += result.get("wrong", 0)
    return 1 if wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--parallel", type=int, default=20, help="utterances at once")
    parser.add_argument("--row", type=int, default=1000, help="utterances in a row")
    parser.add_argument("--seconds", type=float, default=20.0, help="of asking for `describe`")
    parser.add_argument("--streams", type=int, default=4, help="at speaking pace")
    parser.add_argument("--rounds", type=int, default=8, help="utterances of each stream")
    parser.add_argument("--feed", default="", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    sys.exit(asyncio.run(main(chosen)))
