"""ds-plugin evaluate: error rates, speed and latency over a manifest of recordings."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import click

from ds_plugin.cli import App
from ds_plugin.commands.common import json_option, load_host, model_option, progress_bar, vocabulary_arguments, vocabulary_options
from ds_plugin.evaluation import Evaluation, Utterance, read_manifest
from ds_plugin.evaluation import evaluate as run
from ds_plugin.host import Host
from ds_plugin.transcription import MAX_FILE_SECONDS


@click.command()
@click.argument("manifest", type=click.Path(path_type=Path))
@model_option
@vocabulary_options
@json_option
@click.pass_obj
def evaluate(app: App, /, manifest: Path, model: str | None, as_json: bool, **options: Any) -> None:  # noqa: FBT001 - click passes by name
    """Recognise the recordings of MANIFEST, a TSV with the columns file and text, and print error rates, speed and latency."""
    host = load_host(app, model, vocabulary_arguments(**options), utterance_seconds=MAX_FILE_SECONDS)
    result = asyncio.run(_evaluate(host, read_manifest(manifest)))
    click.echo(json.dumps(result.as_json()) if as_json else _readable(result))


async def _evaluate(host: Host, utterances: list[Utterance]) -> Evaluation:
    with progress_bar() as progress:
        task = progress.add_task("evaluate", total=len(utterances))
        async with host:
            return await run(host, utterances, lambda: progress.advance(task))


def _readable(result: Evaluation) -> str:
    return (
        f"{result.utterances} utterances, {result.speakers or 'unknown'} speakers\n"
        f"WER {result.wer:.1%}  CER {result.cer:.1%}  sentences right {result.sentence_accuracy:.1%}\n"
        f"RTF {result.rtf:.4f}  final latency (95 %) {result.final_latency_p95 * 1000:.1f} ms"
    )
