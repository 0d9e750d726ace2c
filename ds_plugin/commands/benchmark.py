"""ds-plugin benchmark: speed, latency, streams and memory on this machine."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import click

from ds_plugin.cli import App
from ds_plugin.commands.common import json_option, load_host, model_option
from ds_plugin.host import Host
from ds_plugin.measurement import LONG_SECONDS, SAMPLE, SHORT_SECONDS, Clip, Measurement, load_clip, measure


@click.command()
@model_option
@click.option("--audio", type=click.Path(path_type=Path), default=SAMPLE, help="Recording to feed (default: a bundled one).")
@click.option("--streams", type=click.IntRange(1, 64), default=8, show_default=True, help="Streams at once in the last part.")
@json_option
@click.pass_obj
def benchmark(app: App, model: str | None, audio: Path, streams: int, as_json: bool) -> None:  # noqa: FBT001 - click passes by name
    """Measure real-time factor, final latency at speaking pace, concurrent streams, memory and size; takes about 40 seconds."""
    host = load_host(app, model)
    if not as_json:
        click.echo(f"feeding {SHORT_SECONDS:g} s and {LONG_SECONDS:g} s of audio as they are spoken ...", err=True)
    result = asyncio.run(_measure(host, load_clip(audio), streams))
    click.echo(json.dumps(result.as_json()) if as_json else _readable(result))


async def _measure(host: Host, clip: Clip, streams: int) -> Measurement:
    async with host:
        return await measure(host, clip, streams)


def _readable(result: Measurement) -> str:
    return (
        f"real-time factor           {result.rtf:.4f} ({result.streams_per_core:.0f} streams per core)\n"
        f"final latency, {SHORT_SECONDS:g} s         {result.final_latency_short * 1000:.1f} ms\n"
        f"final latency, {LONG_SECONDS:g} s        {result.final_latency_long * 1000:.1f} ms\n"
        f"worst of {result.streams} streams at once  {result.final_latency_streams * 1000:.1f} ms\n"
        f"peak memory                {result.memory_mib:.0f} MiB\n"
        f"model bundle               {result.bundle_mb:.1f} MB (largest file {result.largest_mb:.1f} MB)\n"
        f"look-ahead                 {result.look_ahead * 1000:.0f} ms"
    )
