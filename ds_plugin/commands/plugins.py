"""ds-plugin plugins: what is loaded, from where, which hooks, and what failed."""

from __future__ import annotations

import json

import click

from ds_plugin.cli import App
from ds_plugin.commands.common import json_option


@click.command()
@json_option
@click.pass_obj
def plugins(app: App, as_json: bool) -> None:  # noqa: FBT001 - click passes by name
    """List plugins, their hooks, and what they add; one that failed is listed with its error."""
    hooks = app.hooks
    added = {
        "model families": sorted(hooks.model_families()),
        "decoders": sorted(hooks.decoders()),
        "adapters": sorted(hooks.adapters()),
        "audio filters": sorted(hooks.audio_filters()),
        "commands": sorted(hooks.commands()),
    }
    loaded = [{"name": each.name, "source": each.source, "hooks": each.hooks, "error": each.error} for each in app.plugins.loaded]
    if as_json:
        click.echo(json.dumps({"plugins": loaded, **{key.replace(" ", "_"): names for key, names in added.items()}}))
        return
    for plugin in app.plugins.loaded:
        click.echo(f"{plugin.name}: {plugin.source}")
        click.echo(f"  FAILED: {plugin.error}" if plugin.error else f"  {', '.join(plugin.hooks) or 'no hooks'}")
        for fault in plugin.guard.faults if not plugin.error else []:
            click.echo(f"  fault: {fault}")
    for kind, names in added.items():
        click.echo(f"{kind}: {', '.join(names) or 'none'}")
