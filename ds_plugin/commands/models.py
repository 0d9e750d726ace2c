"""ds-plugin models: what is installed, what a bundle says of itself, and whether it is whole."""

from __future__ import annotations

import json

import click

from ds_engine.errors import BundleError
from ds_plugin.cli import App
from ds_plugin.commands.common import json_option, load_host
from ds_plugin.models import ModelStore, StoredModel


@click.group()
def models() -> None:
    """List, describe and verify model bundles."""


@models.command("list")
@json_option
@click.pass_obj
def list_models(app: App, as_json: bool) -> None:  # noqa: FBT001 - click passes by name
    """List every bundle, broken ones included."""
    stored = _store(app).list()
    if as_json:
        click.echo(json.dumps([_entry(model) for model in stored]))
        return
    for model in stored:
        about = model.error if model.bundle is None else f"{model.bundle.manifest.language}  {model.bundle.manifest.description}"
        click.echo(f"{model.name}  {'BROKEN  ' if model.bundle is None else ''}{about}")


@models.command()
@click.argument("name")
@json_option
@click.pass_obj
def info(app: App, name: str, as_json: bool) -> None:  # noqa: FBT001 - click passes by name
    """Describe one bundle."""
    bundle = _store(app).open(name)
    manifest = bundle.manifest
    facts = {
        "name": manifest.name,
        "version": manifest.version,
        "language": manifest.language,
        "description": manifest.description,
        "license": manifest.license,
        "family": manifest.family,
        "symbols": len(manifest.alphabet.symbols),
        "bytes": sum(entry.size for entry in manifest.files.values()),
        "path": str(bundle.path),
    }
    click.echo(json.dumps(facts) if as_json else "\n".join(f"{key}: {value}" for key, value in facts.items()))


@models.command()
@click.argument("names", nargs=-1)
@click.pass_obj
def verify(app: App, names: tuple[str, ...]) -> None:
    """Check checksums and load each bundle (all of them, unless NAMES are given)."""
    broken = []
    for name in names or [model.name for model in _store(app).list()]:
        try:
            load_host(app, name)
        except BundleError as error:
            broken.append(name)
            click.echo(f"{name}: {error}")
        else:
            click.echo(f"{name}: whole")
    if broken:
        raise BundleError(f"broken: {', '.join(broken)}")


def _store(app: App) -> ModelStore:
    return ModelStore.standard(app.settings().get("models_folder"))


def _entry(model: StoredModel) -> dict[str, str]:
    about = {} if model.bundle is None else {"version": model.bundle.manifest.version, "language": model.bundle.manifest.language}
    return {"name": model.name, "path": str(model.path), **about, **({"error": model.error} if model.error else {})}
