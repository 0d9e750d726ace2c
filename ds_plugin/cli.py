"""The command line: global options, then a command, ours or a plugin's.

Exit codes: 0 done; 1 a fault of ours (a traceback with --debug only); 2 a wrong argument or input, in one line that names it;
130 interrupted. Transcripts go to standard output, everything else to standard error.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import click

from ds_engine.errors import ClosedError, InternalError, PluginError, SpeechError
from ds_plugin import __version__
from ds_plugin.config import CONFIG_VARIABLE, ConfigError, Schema, Settings
from ds_plugin.hooks import Hooks
from ds_plugin.host import HOST_OPTIONS
from ds_plugin.plugins import Plugins

_OUR_FAULTS = (ClosedError, InternalError, PluginError)
_LOG_LEVELS = ("debug", "info", "warning", "error")

_log = logging.getLogger(__name__)


class App:
    """What all commands share: where the configuration is, and the plugins, loaded once and only when needed."""

    def __init__(self, config: Path | None, environment: Mapping[str, str], *, debug: bool = False) -> None:
        self._config = config
        self._environment = environment
        self._debug = debug

    @cached_property
    def plugins(self) -> Plugins:
        """All plugins but those that the configuration disables."""
        schema = Schema({"plugins": HOST_OPTIONS["plugins"]}, partial=True)
        return Plugins.discover(schema.load(self._config, self._environment).get("disabled", "plugins"))

    @cached_property
    def hooks(self) -> Hooks:
        """The façade over the plugins."""
        return Hooks(self.plugins)

    def settings(self, arguments: Mapping[tuple[str, str], Any] | None = None) -> Settings:
        """All settings, the command's `arguments` before everything else. Raises ConfigError."""
        adapters = {adapter.name: adapter.options for adapter in self.hooks.adapters().values()}
        settings = Schema({**HOST_OPTIONS, **adapters, **self.hooks.options()}).load(self._config, self._environment, arguments)
        level = settings.get("log_level").lower()
        if level not in _LOG_LEVELS:
            raise ConfigError(f"log_level must be one of {', '.join(_LOG_LEVELS)}, got {level!r}")
        logging.getLogger().setLevel(logging.DEBUG if self._debug else level.upper())
        return settings


class _Commands(click.Group):
    """A group whose commands come from the hook `ds_register_command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_app(ctx).hooks.commands())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _app(ctx).hooks.commands().get(cmd_name)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": None})
@click.option("--config", type=click.Path(path_type=Path), envvar=CONFIG_VARIABLE, help="TOML file with settings.")
@click.option("--debug", is_flag=True, help="Log everything, and show tracebacks.")
@click.version_option(__version__, prog_name="ds-plugin")
def cli(config: Path | None, debug: bool) -> None:  # noqa: FBT001 - read from the context, by _app and main
    """Offline streaming speech-to-text for Home Assistant, OVOS/Mycroft and Rhasspy."""


def main() -> NoReturn:
    """The console script."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.DEBUG if debug else logging.WARNING)
    try:
        cli.main(arguments, prog_name="ds-plugin", standalone_mode=False)
        sys.exit(0)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the last resort: one line, or the traceback that was asked for
        _fail(error, debug=debug)


def _fail(error: Exception, *, debug: bool) -> NoReturn:
    known = isinstance(error, SpeechError)
    if debug:
        _log.error("failed", exc_info=error)
    click.echo(f"Error: {error}" if known else f"Error: {type(error).__name__}: {error} (a fault of ours; --debug shows where)", err=True)
    sys.exit(2 if known and not isinstance(error, _OUR_FAULTS) else 1)


def _app(ctx: click.Context) -> App:
    """The App of this call; made here because --help asks for the commands before the group itself has run."""
    if not isinstance(ctx.obj, App):
        ctx.obj = App(ctx.params.get("config") or _configured(), os.environ, debug=ctx.params.get("debug", False))
    return ctx.obj


def _configured() -> Path | None:
    path = os.environ.get(CONFIG_VARIABLE)
    return Path(path) if path else None
