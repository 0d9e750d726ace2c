"""ds-plugin scorer: a language model in DeepSpeech's and Coqui's own format, for those who keep their programs."""

from __future__ import annotations

from pathlib import Path

import click

from ds_engine.alphabet_file import read_alphabet
from ds_engine.errors import InputError
from ds_engine.lm.backoff import SPECIAL
from ds_engine.lm.files import read_backoff
from ds_engine.lm.scorer import write_scorer
from ds_plugin.cli import App
from ds_plugin.commands.common import counted, model_option
from ds_plugin.models import ModelStore
from ds_plugin.text_files import read_tokens

ALPHA, BETA = 0.931289039105002, 1.1834137581510284  # of DeepSpeech 0.9.3's English scorer
SHOWN = 10  # words that are named where some are left out

_path = click.Path(path_type=Path)


@click.group()
def scorer() -> None:
    """Make scorers for DeepSpeech 0.9 and Coqui STT 1.4."""


@scorer.command()
@click.option("--output", metavar="FILE", required=True, type=_path, help="The .scorer to write.")
@click.option("--language-model", metavar="FILE", required=True, type=_path, help=".ngram or ARPA.")
@click.option("--words", metavar="FILE", type=_path, help="The words that can be recognised.  [default: the language model's]")
@click.option("--alpha", type=float, default=ALPHA, show_default=True, help="Weight of the language model.")
@click.option("--beta", type=float, default=BETA, show_default=True, help="Nats for every word.")
@click.option("--alphabet", metavar="FILE", type=_path, help="DeepSpeech's alphabet.txt, instead of a bundle's alphabet.")
@model_option
@click.pass_obj
def make(
    app: App, output: Path, language_model: Path, words: Path | None, alpha: float, beta: float, alphabet: Path | None, model: str | None
) -> None:
    """Write a scorer for the alphabet of a bundle (the configured one if none is named) or of an alphabet.txt."""
    symbols, bytes_mode = _symbols(app, alphabet, model)
    backoff = read_backoff(language_model)
    chosen = read_tokens(words) if words else [word for word in backoff.words if word not in SPECIAL]
    try:
        skipped = write_scorer(output, backoff, chosen, symbols, alpha, beta, bytes_mode=bytes_mode)
    except OSError as error:
        raise InputError(f"{output}: {error.strerror or error}") from error
    if skipped:
        named = ", ".join(skipped[:SHOWN]) + (", ..." if len(skipped) > SHOWN else "")
        click.echo(f"left out {counted(len(skipped), 'word')} that the alphabet cannot spell: {named}", err=True)
    click.echo(f"{output}: {counted(len(set(chosen)) - len(skipped), 'word')}; {counted(output.stat().st_size, 'byte')}", err=True)


def _symbols(app: App, alphabet: Path | None, model: str | None) -> tuple[tuple[str, ...], bool]:
    """The acoustic model's symbols without the blank, and whether they are bytes."""
    if alphabet is not None:
        if model is not None:
            raise InputError("--alphabet and --model both name an alphabet; one of them is needed")
        return read_alphabet(alphabet), False
    settings = app.settings({("", "model"): model})
    known = ModelStore.standard(settings.get("models_folder")).open(settings.get("model")).manifest.alphabet
    return tuple(symbol for column, symbol in enumerate(known.symbols) if not known.is_silent(column)), known.bytes_mode
