"""What the tests here share: hosts with toy plugins, served on a free port; recordings; a client's usual moves."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.event import Event

from ds_engine.audio import AudioFormat
from ds_engine.bias import Bias
from ds_engine.decoder import DecoderContext, DecoderFactory
from ds_engine.features import FloatArray
from ds_engine.limits import Limits
from ds_engine.transcript import Hypothesis, Partial
from ds_plugin import builtin
from ds_plugin.config import Schema
from ds_plugin.hooks import Hooks
from ds_plugin.hookspecs import hookimpl
from ds_plugin.host import HOST_OPTIONS, Host
from ds_plugin.loading import ALL_MODELS
from ds_plugin.models import BUNDLED, DEFAULT_MODEL
from ds_plugin.plugins import Plugins
from ds_wyoming.plugin import serve
from ds_wyoming.settings import WyomingSettings

SAMPLES = sorted((Path(builtin.__file__).parent / "samples").glob("*.wav"))
LIGHT = next(path for path in SAMPLES if path.stem.startswith("turn_on"))
SECONDS = 10.0  # that a client of these tests waits for anything
SPEECH = AudioFormat()  # 16 kHz, 16 bit, mono

_WIDTHS = {"PCM_U8": 1, "PCM_16": 2, "PCM_24": 3}


def pcm(path: Path) -> tuple[AudioFormat, bytes]:
    """A recording's bytes, without its header, and their format."""
    with soundfile.SoundFile(path) as file:
        width = _WIDTHS[file.subtype]
        samples = file.read(dtype="int32", always_2d=True)
        source = AudioFormat(file.samplerate, width, file.channels)
    raw = samples.reshape(-1).astype("<i4").view(np.uint8).reshape(-1, 4)[:, 4 - width :]
    return source, (raw ^ 0x80 if width == 1 else raw).tobytes()  # 8-bit PCM is unsigned


def whole(path: Path) -> bytes:
    """A recording's file as it is."""
    return path.read_bytes()


def silence(seconds: float, source: AudioFormat = SPEECH) -> bytes:
    return bytes(source.bytes_for(seconds))


class Heard:
    """One utterance of a CountingDecoder; it gets its number with its first rows, for a host may also try out what is never heard."""

    def __init__(self, bias: Bias) -> None:
        self.bias = bias
        self.number = 0


class CountingDecoder:
    """Hears a numbered word in every ten rows, whatever is said; complete words are stable."""

    ROWS = 10

    def __init__(self, before_advance: Callable[[int], None] = lambda utterance: None) -> None:
        self._before_advance = before_advance
        self._numbers = itertools.count(1)
        self.biases: list[Bias] = []  # of the utterances, by number

    def make(self, context: DecoderContext) -> CountingDecoder:
        return self

    def start(self, bias: Bias) -> tuple[Heard, int]:
        return Heard(bias), 0

    def advance(self, state: tuple[Heard, int], log_probs: FloatArray) -> tuple[Heard, int]:
        heard, rows = state
        if not heard.number:
            heard.number = next(self._numbers)
            self.biases.append(heard.bias)
        self._before_advance(heard.number)
        return heard, rows + len(log_probs)

    def partial(self, state: tuple[Heard, int]) -> Partial:
        words = [f"word{number}" for number in range(state[1] // self.ROWS)]
        return Partial(" ".join([*words, "perhaps"]), " ".join(words))

    def finish(self, state: tuple[Heard, int]) -> tuple[Hypothesis, ...]:
        return (Hypothesis(f"{self.partial(state).stable} end".strip(), (), 1.0, 0.0),)


class Gate:
    """Holds the decoder of the first utterance until it is opened."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.reached = threading.Event()

    def __call__(self, utterance: int) -> None:
        if utterance == 1:
            self.reached.set()
            self.open.wait(SECONDS)


class DecoderPlugin:
    """Registers a decoder under the name `toy`."""

    def __init__(self, factory: DecoderFactory) -> None:
        self._factory = factory

    @hookimpl
    def ds_register_decoder(self, register: Callable[[str, DecoderFactory], None]) -> None:
        register("toy", self._factory)


def load_host(
    plugins: Iterable[object] = (),
    decoder: str = "kernel",
    limits: Limits | None = None,
    *,
    models: Path | None = None,
    kind: type[Host] = Host,
) -> Host:
    """`models` is a folder of bundles that are offered beside the bundled one."""
    loaded = Plugins()
    for number, plugin in enumerate([builtin, *plugins]):
        assert not loaded.add(f"plugin{number}", lambda plugin=plugin: plugin).error  # type: ignore[misc]
    chosen = {("", "decoder"): decoder, ("", "models_folder"): str(models or "/nowhere"), ("", "models"): [ALL_MODELS] if models else []}
    return kind.load(Schema(HOST_OPTIONS).load(arguments=chosen), Hooks(loaded), limits)


def add_model(folder: Path, name: str, language: str, *, broken: bool = False) -> None:
    """The bundled model once more, under another name and language; a broken one passes for sound until it is loaded."""
    (folder / name).mkdir(parents=True)
    manifest = json.loads((BUNDLED / DEFAULT_MODEL / "manifest.json").read_text()) | {"name": name, "language": language}
    for file in manifest["files"]:
        (folder / name / file).symlink_to(BUNDLED / DEFAULT_MODEL / file)
    (folder / name / "manifest.json").write_text(json.dumps(manifest | ({"files": {}} if broken else {})))


@asynccontextmanager
async def serving(host: Host, uri: str = "tcp://127.0.0.1:0", **values: Any) -> AsyncIterator[str]:
    """Serves the host; gives the address."""
    async with host, serve(host, {"uri": uri, **values}) as served:
        yield served.address


@asynccontextmanager
async def serving_model(limits: Limits | None = None, *, models: Path | None = None, **values: Any) -> AsyncIterator[tuple[str, Host]]:
    """The bundled model."""
    host = load_host(limits=limits, models=models)
    async with serving(host, **values) as address:
        yield address, host


@asynccontextmanager
async def serving_toy(
    decoder: CountingDecoder | None = None,
    plugins: Iterable[object] = (),
    limits: Limits | None = None,
    *,
    models: Path | None = None,
    kind: type[Host] = Host,
    **values: Any,
) -> AsyncIterator[tuple[str, Host]]:
    """The counting decoder."""
    host = load_host([DecoderPlugin((decoder or CountingDecoder()).make), *plugins], "toy", limits, models=models, kind=kind)
    async with serving(host, **values) as address:
        yield address, host


def client_of(address: str) -> AsyncClient:
    return AsyncClient.from_uri(address, read_timeout=SECONDS)


async def plain_text(host: Host, source: AudioFormat, audio: bytes) -> str:
    """What the host makes of it without any protocol."""
    async with await host.open(source) as utterance:
        await utterance.feed(audio)
        return (await utterance.finish()).text


def start_event(source: AudioFormat = SPEECH) -> Event:
    return AudioStart(source.rate, source.width, source.channels).event()


def chunk_event(audio: bytes, source: AudioFormat = SPEECH) -> Event:
    return AudioChunk(source.rate, source.width, source.channels, audio).event()


def stop_event() -> Event:
    return AudioStop().event()


def chunks(audio: bytes, size: int) -> list[bytes]:
    return [audio[i : i + size] for i in range(0, len(audio), size)]


async def say(client: AsyncClient, audio: bytes, source: AudioFormat = SPEECH, size: int | None = None, **asked: Any) -> None:
    """One utterance, as Home Assistant sends it; `size` in bytes, everything at once without it."""
    await client.write_event(Transcribe(**asked).event())
    await client.write_event(start_event(source))
    for piece in chunks(audio, size or max(1, len(audio))):
        await client.write_event(chunk_event(piece, source))
    await client.write_event(stop_event())


async def answer(client: AsyncClient) -> list[Event]:
    """The events of one answer, up to transcript-stop or an error or the end."""
    events: list[Event] = []
    while not events or events[-1].type not in {"transcript-stop", "error"}:
        event = await client.read_event()
        if event is None:
            break
        events.append(event)
    return events


def transcript_of(events: list[Event]) -> str:
    """The text of a complete, well-formed answer."""
    kinds = [event.type for event in events]
    pieces = [event.data["text"] for event in events if event.type == "transcript-chunk"]
    assert kinds == ["transcript-start", *["transcript-chunk"] * len(pieces), "transcript", "transcript-stop"], events
    text = events[-2].data["text"]
    assert "".join(pieces) == text
    assert all(pieces)
    assert isinstance(text, str)
    return text


async def transcribed(address: str, audio: bytes, source: AudioFormat = SPEECH, size: int | None = None, **asked: Any) -> str:
    """What a client of its own gets for one utterance."""
    async with client_of(address) as client:
        await say(client, audio, source, size, **asked)
        return transcript_of(await answer(client))


async def refused(client: AsyncClient) -> str:
    """The code of the error that comes next; the server must close after it."""
    event = await client.read_event()
    while event is not None and event.type != "error":
        event = await client.read_event()
    assert event is not None
    assert event.data["text"]
    assert await client.read_event() is None
    return str(event.data["code"])


async def until(condition: Callable[[], bool]) -> None:
    """Waits for something that nobody announces."""
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110 - whatever is waited for has no event to set
            await asyncio.sleep(0.005)


def settings(**values: Any) -> WyomingSettings:
    return WyomingSettings(**values)
