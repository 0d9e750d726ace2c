"""ds-plugin transcribe: audio files to text, JSON lines or subtitles."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from ds_engine.errors import InputError, LimitError
from ds_plugin.cli import App
from ds_plugin.commands.common import load_host, model_option, progress_bar, vocabulary_arguments, vocabulary_options
from ds_plugin.host import Host
from ds_plugin.output import FORMATS, render
from ds_plugin.transcription import MAX_FILE_SECONDS, transcribe_file


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@model_option
@vocabulary_options
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="What to print.")
@click.pass_obj
def transcribe(app: App, /, files: tuple[Path, ...], model: str | None, form: str, **options: Any) -> None:
    """Transcribe audio FILES (WAV, FLAC, Ogg, MP3, ...) and print what was said.

    Several files print one after the other; JSON is one object per line. A file that cannot be read is reported, the others
    are transcribed all the same, and the exit code is 2.
    """
    host = load_host(app, model, vocabulary_arguments(**options), utterance_seconds=MAX_FILE_SECONDS)
    if failed := asyncio.run(_transcribe(host, files, form)):
        raise InputError(failed[0] if len(failed) == 1 else f"{len(failed)} of {len(files)} files could not be transcribed")


async def _transcribe(host: Host, files: tuple[Path, ...], form: str) -> list[str]:
    """Prints every transcript; returns what went wrong with the others."""
    failed = []
    async with host:
        for number, file in enumerate(files):
            try:
                text = await _rendered(host, file, form)
            except (InputError, LimitError) as error:
                failed.append(str(error))
                if len(files) > 1:
                    click.echo(f"Error: {error}", err=True)
            else:
                click.echo(("\n" if number and form in {"srt", "vtt"} else "") + text)
    return failed


async def _rendered(host: Host, file: Path, form: str) -> str:
    with progress_bar() as progress:
        task = progress.add_task(file.name, total=1.0)
        done = await transcribe_file(host, file, lambda part: progress.update(task, completed=part))
    return render(form, str(file), done.transcript)
