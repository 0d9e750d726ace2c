"""What commands share: the options --model and those of the vocabulary, loading a host, and progress on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ds_engine.limits import Limits
from ds_engine.search.hybrid import Mode
from ds_plugin.cli import App
from ds_plugin.host import Host

F = TypeVar("F", bound=Callable[..., Any])

model_option = click.option("--model", metavar="M", help="Name or path of the model bundle.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


_VOCABULARY = {
    "grammar": ("", "grammars"),
    "vocabulary": ("", "vocabulary"),
    "hot_word": ("", "hot_words"),
    "grammar_mode": ("grammar", "mode"),
}


def vocabulary_options(command: F) -> F:
    """Adds --grammar, --vocabulary, --hot-word and --grammar-mode; `vocabulary_arguments` makes settings of them."""
    for option in (
        click.option(
            "--grammar-mode", type=click.Choice([mode.value for mode in Mode]), help="What becomes of grammars.  [default: hybrid]"
        ),
        click.option("--hot-word", metavar="WORD:BOOST", multiple=True, help="A word or several to listen for, and its boost in nats."),
        click.option(
            "--vocabulary", metavar="FILE", multiple=True, help="Names to expect: a phrase per line, perhaps a tab and its boost."
        ),
        click.option(
            "--grammar", metavar="FILE", multiple=True, help="Sentences to expect: Home Assistant's YAML or Rhasspy's sentences.ini."
        ),
    ):
        command = option(command)
    return command


def vocabulary_arguments(**options: Any) -> dict[tuple[str, str], Any]:
    """The values of `vocabulary_options` as settings; each that is given replaces the configured one."""
    return {_VOCABULARY[name]: list(value) if isinstance(value, tuple) else value for name, value in options.items() if value}


def load_host(app: App, model: str | None, arguments: Mapping[tuple[str, str], Any] | None = None, **limits: Any) -> Host:
    """A host of the configured model, or of `model`; `arguments` and `limits` replace the configured ones."""
    settings = app.settings({("", "model"): model, **(arguments or {})})
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
