"""Loading plugins: one by one, each in its own guard, with a report of what came of each.

Built-ins and strangers' plugins pass through the same door. One that cannot be imported, has an unknown or misspelt hook, or
hangs while loading is listed with its error, and everything else goes on.
"""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from ds_engine.errors import PluginError
from ds_plugin import hookspecs
from ds_plugin.guard import Guard

LOAD_DEADLINE = 20.0  # s, for the import of one plugin: machines are small, and some import a lot

BUILTIN = "builtin"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Implementation:
    """One plugin's function for one hook."""

    guard: Guard
    hook: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]

    def bind(self, values: dict[str, Any]) -> Callable[[], Any]:
        """The function with those of `values` that it asks for."""
        return functools.partial(self.function, **{name: values[name] for name in self.arguments})


@dataclass(slots=True)
class LoadedPlugin:
    """What the report says of one plugin."""

    name: str
    source: str  # module, and the distribution it comes from
    guard: Guard
    hooks: list[str] = field(default_factory=list)
    error: str = ""


class Plugins:
    """All plugins of one process, and pluggy's manager behind them."""

    def __init__(self, load_deadline: float = LOAD_DEADLINE) -> None:
        self._load_deadline = load_deadline
        self.loaded: list[LoadedPlugin] = []
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._guards: dict[str, Guard] = {}
        self._configured: dict[str, list[str]] = {}  # what plugins have registered on being configured, by plugin

    @classmethod
    def discover(cls, disabled: Collection[str] = ()) -> Plugins:
        """The built-in plugin, then every entry point of the group, by name; names in `disabled` are left out."""
        from ds_plugin import builtin

        plugins = cls()
        plugins.add(BUILTIN, lambda: builtin, "ds_plugin.builtin (ds-plugin)")
        for entry in _sorted(entry_points(group=hookspecs.PROJECT)):
            if entry.name not in disabled:
                plugins.add(entry.name, entry.load, f"{entry.value} ({entry.dist.name if entry.dist else '?'})")
        return plugins

    def add(self, name: str, load: Callable[[], object], source: str = "") -> LoadedPlugin:
        """Loads and registers one plugin; a failure is in the report, never raised."""
        unique = next(each for each in itertools.chain([name], map(f"{name}_{{}}".format, itertools.count(2))) if each not in self._guards)
        report = LoadedPlugin(unique, source, Guard(unique))
        self.loaded.append(report)
        try:
            plugin = report.guard.call("loading", load, self._load_deadline)
        except PluginError as error:
            report.error = str(error)
            return report
        try:
            self._register(unique, plugin, report.guard)
        except PluginError as error:
            report.error = f"plugin {unique}: {error}"
            _log.warning("%s", report.error)
        else:
            report.hooks = self._hooks(unique)
        return report

    def replace_configured(self, name: str, objects: Sequence[object]) -> None:
        """Registers objects with hooks under a plugin's guard, in place of those before; none at all where it raises PluginError."""
        self._forget_configured(name)
        for number, each in enumerate(objects, 1):
            part = f"{name}, configured {number}"
            try:
                self._register(part, each, self._guards[name])
                self._configured[name].append(part)
                self._refuse_late(part)
            except PluginError:
                self._forget_configured(name)
                raise

    def implementations(self, hook: str) -> list[Implementation]:
        """Who implements a hook, in pluggy's calling order, without those that are disabled by now."""
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        return [
            Implementation(guard, hook, impl.function, tuple(impl.argnames))
            for impl in reversed(caller.get_hookimpls())
            if not (guard := self._guards[impl.plugin_name]).disabled
        ]

    def _register(self, name: str, plugin: object, guard: Guard) -> None:
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
            self._refuse_wrappers(plugin)
        except Exception as error:  # pluggy's own, or what a property of the plugin raises while pluggy looks at it
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            reason = " ".join(str(error).split())  # pluggy's go over several lines
            raise PluginError(reason) from error
        self._guards[name] = guard

    def _hooks(self, name: str) -> list[str]:
        return sorted(caller.name for caller in self._manager.get_hookcallers(self._manager.get_plugin(name)) or [])

    def _refuse_late(self, name: str) -> None:
        """What is registered at start has been asked for already, and nobody would notice that it is missing."""
        hooks = self._hooks(name)
        if late := [hook for hook in hooks if hook.startswith("ds_register_") or hook == "ds_configure"]:
            raise PluginError(f"{late[0]} comes too late")
        if not hooks:
            raise PluginError("it has no hooks")

    def _forget_configured(self, name: str) -> None:
        for part in self._configured.get(name, []):
            self._manager.unregister(name=part)
            del self._guards[part]
        self._configured[name] = []

    def _refuse_wrappers(self, plugin: object) -> None:
        for caller in self._manager.get_hookcallers(plugin) or []:
            if any(impl.wrapper or impl.hookwrapper for impl in caller.get_hookimpls()):
                raise PluginError(f"{caller.name}: hook wrappers are not supported")


def _sorted(found: Iterable[EntryPoint]) -> list[EntryPoint]:
    return sorted(found, key=lambda entry: (entry.name, entry.value))
