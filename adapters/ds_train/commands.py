"""ds-plugin train and ds-plugin export: recipes, fine-tuning, corpora, curves and bundles (extra `train`)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from ds_engine.errors import InputError, InternalError
from ds_plugin.adapter import extra
from ds_plugin.cli import App
from ds_plugin.models import DEFAULT_MODEL, ModelStore

if TYPE_CHECKING:
    from ds_training.recipe import Recipe

WEIGHTS = ("float16", "float32", "int8")
KINDS = ("librispeech", "common-voice", "deepspeech", "ljspeech", "lhotse")

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_path = click.Path(path_type=Path)
_POLICY = click.Choice(["error", "skip"])


def _training(command: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """A command that needs the extra, and whose input may be at fault."""

    @wraps(command)
    def run(*arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        with extra("train"), _faults():
            return command(*arguments, **options)

    return run


@contextmanager
def _faults() -> Iterator[None]:
    """Errors of recipes, corpora and checkpoints are those of the input."""
    from ds_training.corpus import CorpusError
    from ds_training.exportable import ExportError
    from ds_training.loading import WorkerError
    from ds_training.plan import InterruptedTrainingError
    from ds_training.recipe_tables import RecipeError
    from ds_training.trainer import DivergedError
    from ds_training.verification import VerificationError

    try:
        yield
    except (CorpusError, RecipeError, ExportError, VerificationError, DivergedError) as error:
        raise InputError(str(error)) from error
    except WorkerError as error:
        raise InternalError(str(error)) from error
    except InterruptedTrainingError as error:
        click.echo(str(error), err=True)
        raise click.Abort from error


@click.group()
def train() -> None:
    """Train and fine-tune models from recordings."""


@train.command()
@click.argument("recipe", type=_path)
@click.option("--work", metavar="FOLDER", type=_path, required=True, help="Where everything is made; run again, it goes on.")
@click.option("--again", metavar="STAGE", help="Begin at this stage, whatever was done before.")
@click.option("--list", "only_list", is_flag=True, help="Print the stages and which are done, and do nothing.")
@_training
def run(recipe: Path, work: Path, again: str | None, only_list: bool) -> None:  # noqa: FBT001 - click passes by name
    """Follow a RECIPE (TOML) to a verified model bundle."""
    from ds_training.recipe import read_recipe

    _follow(read_recipe(recipe), work, again, only_list=only_list)


@train.command("fine-tune")
@click.argument("manifest", metavar="MANIFEST.tsv", type=_path)
@click.argument("out", metavar="OUT_FOLDER", type=_path)
@click.option("--model", default=DEFAULT_MODEL, show_default=True, metavar="M", help="Name or path of the bundle to start from.")
@click.option("--name", help="Of the new bundle.  [default: that of OUT_FOLDER]")
@click.option("--passes", type=click.IntRange(1), help="How often every recording is heard.")
@click.option(
    "--blend", type=click.FloatRange(0, 1, min_open=True), help="Share of the new weights; the less, the less others are forgotten."
)
@click.option("--unwritable", type=_POLICY, default="error", show_default=True, help="Lines that the alphabet cannot write.")
@click.option("--work", metavar="FOLDER", type=_path, help="Where everything is made.  [default: OUT_FOLDER.work]")
@click.pass_obj
@_training
def fine_tune(
    app: App,
    manifest: Path,
    out: Path,
    model: str,
    name: str | None,
    passes: int | None,
    blend: float | None,
    unwritable: str,
    work: Path | None,
) -> None:
    """Teach a bundle the voices of MANIFEST.tsv (columns file and text); ten minutes of a speaker are a good start."""
    from ds_training.fine_tuning import BLEND, PASSES, Wish, recipe_for

    bundle = ModelStore.standard(app.settings().get("models_folder")).open(model)
    folder = work or out.with_name(f"{out.name}.work")
    wish = Wish(manifest, bundle.path, name or out.name, passes or PASSES, blend or BLEND, unwritable)
    result = _follow(recipe_for(wish, folder), folder, None)
    shutil.copytree(result, out, dirs_exist_ok=True)
    click.echo(f"{out}: ds-plugin transcribe --model {out} ...", err=True)


def _follow(recipe: Recipe, work: Path, again: str | None, *, only_list: bool = False) -> Path:
    """The bundle that came of it."""
    from ds_training.plan import Plan
    from ds_training.stages import Work

    plan, place = Plan(recipe, work), Work(work)
    if only_list:
        for stage in plan.stages():
            click.echo(f"{stage.name}\t{'done' if place.done(stage) else 'to do'}")
        return plan.bundle
    figures = place.run(plan.stages(), lambda line: click.echo(line, err=True), again=again)
    click.echo(json.dumps(figures))
    return plan.bundle


@train.command("import")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("source", type=_path)
@click.argument("out", metavar="OUT.tsv", type=_path)
@click.option("--part", "parts", multiple=True, help="A part of the corpus, such as train-clean-100; may be repeated.")
@click.option("--speaker", help="Whose voice it is (ljspeech).")
@click.option("--audio", metavar="FOLDER", type=_path, help="Where relative paths start (lhotse).")
@click.option("--up-votes", type=click.IntRange(0), help="Sentences with fewer are left out (common-voice).")
@click.option("--missing", type=_POLICY, default="error", show_default=True, help="Lines whose audio file is not there.")
@_training
def import_corpus(kind: str, source: Path, out: Path, parts: tuple[str, ...], missing: str, **options: object) -> None:
    """Write a manifest of a corpus that another project published."""
    from ds_training.corpora import IMPORTERS, write_manifest

    options = {name: value for name, value in {"parts": parts or None, **options}.items() if value is not None}
    written = write_manifest(out, IMPORTERS[kind].recordings(source, **options), missing)
    for line in (f"{out}: {written.recordings} recordings, {written.speakers} named speakers", *written.left.told()):
        click.echo(line, err=True)


@train.command()
@click.argument("manifests", metavar="MANIFEST.tsv...", nargs=-1, required=True, type=_path)
@click.option("--alphabet", metavar="FILE", type=_path, help="alphabet.txt to check against.  [default: English]")
@_training
def check(manifests: tuple[Path, ...], alphabet: Path | None) -> None:
    """Count the characters of manifests, and tell those that would be lost."""
    from ds_training.corpora.characters import alphabet_from_file, count_characters
    from ds_training.text import ENGLISH, Orthography

    orthography = Orthography(alphabet_from_file(alphabet)) if alphabet else ENGLISH
    for found in count_characters(manifests, orthography):
        click.echo(f"{found.symbol!r}\t{found.times}" + ("" if found.written else f"\tcannot be written, first in {found.place}"))


@train.command()
@click.argument("logs", metavar="LOG.jsonl...", nargs=-1, required=True, type=_path)
@click.argument("out", metavar="OUT.png", type=_path)
@_training
def plot(logs: tuple[Path, ...], out: Path) -> None:
    """Draw loss and error rates of one or several runs."""
    from ds_training.plot import plot as draw

    draw(logs, out)


@click.command()
@click.argument("checkpoint", type=_path)
@click.argument("out", metavar="OUT_FOLDER", type=_path)
@click.option("--name", required=True, help="Of the bundle.")
@click.option("--description", required=True, help="One line on what it is for.")
@click.option("--version", default="0.1.0", show_default=True)
@click.option("--language", default="en", show_default=True, help="BCP 47.")
@click.option("--license", "licence", default="CC-BY-4.0", show_default=True, help="SPDX.")
@click.option("--license-file", "notices", multiple=True, type=_path, help="The text of LICENSE; several follow one another.")
@click.option("--card", type=_path, required=True, help="The model card in Markdown, or its facts in TOML or JSON.")
@click.option("--weights", type=click.Choice(WEIGHTS), default=WEIGHTS[0], show_default=True)
@click.option("--keep-language-model", metavar="BUNDLE", type=_path, help="Of a bundle of the same alphabet, with its calibration.")
@_training
def export(
    checkpoint: Path,
    out: Path,
    name: str,
    description: str,
    version: str,
    language: str,
    licence: str,
    notices: tuple[Path, ...],
    card: Path,
    weights: str,
    keep_language_model: Path | None,
) -> None:
    """Write the model bundle of a CHECKPOINT, or of another bundle's model.onnx."""
    from ds_training.card_facts import read_facts
    from ds_training.checkpoint import load_network
    from ds_training.export import Identity, write_bundle
    from ds_training.export import notices as joined
    from ds_training.weights import WeightFormat

    difference = write_bundle(
        load_network(checkpoint),
        out,
        Identity(name, version, language, description, licence),
        read_facts(card) if card.suffix in {".toml", ".json"} else card.read_text("utf-8"),
        notice=joined(notices) if notices else None,
        weights=WeightFormat(weights),
        keep_language_model=keep_language_model,
    )
    click.echo(f"{out}: PyTorch and ONNX Runtime agree within {difference:.2g}", err=True)


COMMANDS = (train, export)
