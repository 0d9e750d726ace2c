"""What commands share: the option --model, loading a host, and progress on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ds_engine.limits import Limits
from ds_plugin.cli import App
from ds_plugin.host import Host

model_option = click.option("--model", metavar="M", help="Name or path of the model bundle.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def load_host(app: App, model: str | None, **limits: Any) -> Host:
    """A host of the configured model, or of `model`; `limits` replace the configured ones."""
    settings = app.settings({("", "model"): model})
    return Host.load(settings, app.hooks, replace(Limits(**settings.section("limits")), **limits))


def counted(number: int, noun: str) -> str:
    """A number and what there are so many of: 1 word, 2,000 words."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress display on standard error, where that is a terminal; nothing elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield progress
