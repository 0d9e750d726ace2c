"""ds-plugin listen: live from the microphone, the text growing as one speaks (extra `mic`)."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Self

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from ds_engine.audio import AudioFormat
from ds_engine.endpoint import PRESETS
from ds_engine.listener import Endpointing
from ds_engine.transcript import Final, Partial, SpeechEnded
from ds_engine.utterance import Utterance
from ds_plugin.cli import App
from ds_plugin.commands.common import load_host, model_option
from ds_plugin.host import Host
from ds_plugin.microphone import microphone
from ds_plugin.vad import OFF, endpointing

MAX_LISTEN_SECONDS = 3600.0  # of one utterance at the microphone


@click.command()
@model_option
@click.option("--device", help="Name or number of the input device (default: the system's).")
@click.option("--endpoint", type=click.Choice([*PRESETS, OFF]), default="normal", show_default=True, help="How soon a silence ends it.")
@click.option("--continuous", is_flag=True, help="Go on with the next utterance, until Ctrl-C.")
@click.pass_obj
def listen(app: App, model: str | None, device: str | None, endpoint: str, *, continuous: bool) -> None:
    """Transcribe the microphone live and print what was said once the speaker falls silent, or at Ctrl-C."""
    host = load_host(app, model, utterance_seconds=MAX_LISTEN_SECONDS)
    asyncio.run(_listen(host, device, endpointing(endpoint), continuous=continuous))


async def _listen(host: Host, device: str | None, ends: Endpointing | None, *, continuous: bool) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    source = AudioFormat(rate=host.engine.recognizer.model.sample_rate)
    async with host, microphone(source, device) as pieces:
        if continuous:
            await listen_on(host, source, pieces, stop, ends, click.echo)
        else:
            click.echo(await listen_to(host, source, pieces, stop, ends))


async def listen_to(
    host: Host, source: AudioFormat, pieces: AsyncIterator[bytes], stop: asyncio.Event, ends: Endpointing | None = None
) -> str:
    """Feeds pieces until they, the speech or the user end, showing partials on a terminal; returns the text."""
    async with _Line(pieces, stop) as line:
        return await _one(host, source, line, ends)


async def listen_on(
    host: Host,
    source: AudioFormat,
    pieces: AsyncIterator[bytes],
    stop: asyncio.Event,
    ends: Endpointing | None,
    tell: Callable[[str], None],
) -> None:
    """One utterance after the other until the pieces or the user end; tells the text of each in which something was said."""
    async with _Line(pieces, stop) as line:
        while not line.over:
            if text := await _one(host, source, line, ends):
                tell(text)


class _Line:
    """The pieces of a microphone. One that is still waited for when an utterance ends is the next utterance's first."""

    def __init__(self, pieces: AsyncIterator[bytes], stop: asyncio.Event) -> None:
        self._pieces = pieces
        self._stop = stop
        self._next: asyncio.Future[bytes] | None = None
        self._ended = False

    @property
    def over(self) -> bool:
        """True once there are no more pieces, or the user wants none."""
        return self._ended or self._stop.is_set()

    async def piece(self, enough: asyncio.Event) -> bytes:
        """The next piece; nothing where there is none, or as soon as it is enough."""
        if self._next is None:
            self._next = asyncio.ensure_future(anext(self._pieces, b""))
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(event.wait()) for event in (self._stop, enough)]
        try:
            await asyncio.wait([self._next, *waits], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self._stop.is_set() or enough.is_set():
            return b""
        piece, self._next = self._next.result(), None
        self._ended = not piece
        return piece

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._next is not None:
            self._next.cancel()
            await asyncio.gather(self._next, return_exceptions=True)


async def _one(host: Host, source: AudioFormat, line: _Line, ends: Endpointing | None) -> str:
    ended = asyncio.Event()
    async with await host.open(source, origin="microphone", endpointing=ends) as utterance:
        showing = asyncio.create_task(_show(utterance, ended))
        try:
            while piece := await line.piece(ended):
                await utterance.feed(piece)
            return (await utterance.finish()).text
        finally:
            showing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await showing


async def _show(utterance: Utterance, ended: asyncio.Event) -> None:
    with Live(console=Console(stderr=True), transient=True, auto_refresh=False) as live:
        async for event in utterance.events():
            match event:
                case Partial(text, stable):
                    live.update(Text.assemble((stable, "bold"), (text[len(stable) :], "dim")), refresh=True)
                case SpeechEnded():
                    ended.set()
                case Final():
                    return
