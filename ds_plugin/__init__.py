"""ds_plugin: the host of the recogniser: hooks, plugins, configuration, model store and command line."""

from ds_plugin.hookspecs import hookimpl

__version__ = "0.1.0"

__all__ = ["hookimpl"]
