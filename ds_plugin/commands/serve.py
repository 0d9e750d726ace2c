"""ds-plugin serve: one or several adapters over one engine, until a signal or the end of the last of them.

The options of the adapters come from the adapters themselves: `uri` of `wyoming` is --wyoming-uri, and --uri as long as no other
adapter has an option of that name.
"""

from __future__ import annotations

import asyncio
import gc
import signal
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

import click

from ds_plugin.adapter import Adapter, Serving
from ds_plugin.cli import App
from ds_plugin.commands.common import model_option
from ds_plugin.config import Option, Settings
from ds_plugin.host import Host

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
# Python's collector stops all threads. What was loaded lives as long as the service and is never looked at again; new names of a large
# household are many objects at once, which would be looked at over and over while somebody speaks. The first number bounds the garbage of
# utterances that waits: at 50,000 the memory rose by 5 MB before it fell.
_COLLECTIONS = (2_000, 20, 20)  # thresholds of gc


class _ServeCommand(click.Command):
    """A command that also takes the options of every adapter."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        app = ctx.find_object(App)
        adapters = app.hooks.adapters().values() if app else ()
        shared = Counter(option.name for adapter in adapters for option in adapter.options)
        taken = {name for parameter in self.params for name in parameter.opts}
        own = [_parameter(adapter, option, shared, taken) for adapter in adapters for option in adapter.options]
        return [*self.params, *own, *filter(None, [self.get_help_option(ctx)])]


@click.command(cls=_ServeCommand)
@click.argument("adapters", nargs=-1, required=True, metavar="ADAPTER...")
@model_option
@click.pass_obj
def serve(app: App, /, adapters: tuple[str, ...], model: str | None, **options: Any) -> None:
    """Serve speech-to-text through one or several ADAPTERs at once, e.g. `serve wyoming http`.

    Every option can also be set in the configuration file, or as DS_PLUGIN_<ADAPTER>_<OPTION> in the environment. Addresses are
    printed to standard error once clients can connect.
    """
    known = app.hooks.adapters()
    for name in adapters:
        if name not in known:
            raise click.UsageError(f"no adapter {name!r}; known are: {', '.join(sorted(known)) or 'none'}")
    given = [(*key.split("__", 1), value) for key, value in options.items()]
    settings = app.settings({("", "model"): model, **{(adapter, option): value for adapter, option, value in given}})
    asyncio.run(_serve(Host.load(settings, app.hooks), [known[name] for name in dict.fromkeys(adapters)], settings))


async def _serve(host: Host, adapters: list[Adapter], settings: Settings) -> None:
    stop = asyncio.Event()
    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(host)
        settle()
        serving = [await stack.enter_async_context(adapter.serve(host, settings.section(adapter.name))) for adapter in adapters]
        for adapter, served in zip(adapters, serving, strict=True):
            click.echo(f"{adapter.name} listens on {served.address}", err=True)
        await _until_over(stop, serving)


def settle() -> None:
    """Tunes the collector for a service that has loaded everything; see _COLLECTIONS."""
    gc.collect()
    gc.freeze()
    gc.collect()  # whose count of what lives long decides when to look at everything again
    gc.set_threshold(*_COLLECTIONS)


async def _until_over(stop: asyncio.Event, serving: list[Serving]) -> None:
    """Returns at a signal, or when every adapter has ended; raises the fault of one that ended with it."""
    signalled = asyncio.ensure_future(stop.wait())
    running = {asyncio.ensure_future(served.wait()) for served in serving}
    try:
        while running and not signalled.done():
            done, _ = await asyncio.wait({signalled, *running}, return_when=asyncio.FIRST_COMPLETED)
            running -= done
            for ended in done - {signalled}:
                await ended
    finally:
        for task in (signalled, *running):
            task.cancel()
        await asyncio.gather(signalled, *running, return_exceptions=True)


def _parameter(adapter: Adapter, option: Option, shared: Counter[str], taken: set[str]) -> click.Option:
    flag = option.name.replace("_", "-")
    names = [f"--{adapter.name}-{flag}"]
    if shared[option.name] == 1 and f"--{flag}" not in taken:
        names.append(f"--{flag}")
    kind = option.kind if option.kind in {int, float, bool} else str
    default = "" if option.default in ("", [], None) else f" [default: {option.default}]"
    return click.Option([*names, f"{adapter.name}__{option.name}"], type=kind, help=f"{adapter.name}: {option.help}{default}")
