"""The command line's own commands, one per module; the built-in plugin registers them."""

from __future__ import annotations

import click

from ds_plugin.commands.benchmark import benchmark
from ds_plugin.commands.evaluate import evaluate
from ds_plugin.commands.listen import listen
from ds_plugin.commands.lm import lm
from ds_plugin.commands.models import models
from ds_plugin.commands.plugins import plugins
from ds_plugin.commands.scorer import scorer
from ds_plugin.commands.serve import serve
from ds_plugin.commands.transcribe import transcribe
from ds_plugin.commands.vocabulary import vocabulary

COMMANDS: tuple[click.Command, ...] = (benchmark, evaluate, listen, lm, models, plugins, scorer, serve, transcribe, vocabulary)
