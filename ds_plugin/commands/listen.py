"""ds-plugin listen: live from the microphone, the text growing as one speaks (extra `mic`)."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from ds_engine.audio import AudioFormat
from ds_engine.transcript import Final, Partial
from ds_engine.utterance import Utterance
from ds_plugin.cli import App
from ds_plugin.commands.common import load_host, model_option
from ds_plugin.host import Host
from ds_plugin.microphone import microphone

MAX_LISTEN_SECONDS = 3600.0  # of one utterance at the microphone


@click.command()
@model_option
@click.option("--device", help="Name or number of the input device (default: the system's).")
@click.pass_obj
def listen(app: App, model: str | None, device: str | None) -> None:
    """Transcribe the microphone live; Ctrl-C ends the utterance and prints it."""
    host = load_host(app, model, utterance_seconds=MAX_LISTEN_SECONDS)
    click.echo(asyncio.run(_listen(host, device)))


async def _listen(host: Host, device: str | None) -> str:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    source = AudioFormat(rate=host.engine.recognizer.model.sample_rate)
    async with host, microphone(source, device) as pieces:
        return await listen_to(host, source, pieces, stop)


async def listen_to(host: Host, source: AudioFormat, pieces: AsyncIterator[bytes], stop: asyncio.Event) -> str:
    """Feeds pieces until they or the user end, showing partials on a terminal; returns the text."""
    async with await host.open(source, origin="microphone") as utterance:
        showing = asyncio.create_task(_show(utterance))
        try:
            await _feed(utterance, pieces, stop)
            return (await utterance.finish()).text
        finally:
            showing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await showing


async def _feed(utterance: Utterance, pieces: AsyncIterator[bytes], stop: asyncio.Event) -> None:
    stopped = asyncio.ensure_future(stop.wait())
    try:
        while not stop.is_set():
            piece = asyncio.ensure_future(anext(pieces, b""))
            await asyncio.wait({piece, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not piece.done():
                piece.cancel()
            elif not piece.result():
                return
            else:
                await utterance.feed(piece.result())
    finally:
        stopped.cancel()


async def _show(utterance: Utterance) -> None:
    with Live(console=Console(stderr=True), transient=True, auto_refresh=False) as live:
        async for event in utterance.events():
            match event:
                case Partial(text, stable):
                    live.update(Text.assemble((stable, "bold"), (text[len(stable) :], "dim")), refresh=True)
                case Final():
                    return
