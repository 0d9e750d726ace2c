"""The plugin: it registers the commands; PyTorch is loaded only when one of them works."""

from __future__ import annotations

from collections.abc import Callable

import click

from ds_plugin import hookimpl


@hookimpl
def ds_register_command(register: Callable[[click.Command], None]) -> None:
    """`train` and `export`."""
    from ds_train.commands import COMMANDS

    for command in COMMANDS:
        register(command)
