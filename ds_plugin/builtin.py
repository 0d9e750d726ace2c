"""The built-in plugin: our own model family, decoder, commands and normalisation, through the same hooks as everybody's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ds_engine.greedy import GreedyDecoder
from ds_engine.search.hybrid import HybridDecoder
from ds_plugin import normalisation
from ds_plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    import click

    from ds_engine.acoustic import AcousticModel, ModelFamily, RuntimeOptions
    from ds_engine.bundle import Bundle
    from ds_engine.decoder import Decoder, DecoderContext, DecoderFactory
    from ds_plugin.config import Option, Values


@hookimpl
def ds_register_model_family(register: Callable[[str, ModelFamily], None]) -> None:
    """Family `native`."""
    register("native", _native)


@hookimpl
def ds_register_decoder(register: Callable[[str, DecoderFactory], None]) -> None:
    """Decoders `kernel`, `greedy` and, for those who have its extra, `pyctcdecode`."""
    register("kernel", HybridDecoder.make)
    register("greedy", GreedyDecoder.make)
    register("pyctcdecode", _pyctcdecode)


@hookimpl
def ds_register_command(register: Callable[[click.Command], None]) -> None:
    """The command line's own commands."""
    from ds_plugin.commands import COMMANDS

    for command in COMMANDS:
        register(command)


@hookimpl
def ds_register_options(register: Callable[[str, tuple[Option, ...]], None]) -> None:
    """Section `normalise`."""
    register(normalisation.SECTION, normalisation.OPTIONS)


@hookimpl
def ds_configure(settings: Mapping[str, Values], register: Callable[[object], None]) -> None:
    """The normaliser, where the settings ask for one: text that nobody rewrites can go out while somebody speaks."""
    if normaliser := normalisation.Normalisation(**settings[normalisation.SECTION]).normaliser():
        register(normaliser)


def _pyctcdecode(context: DecoderContext) -> Decoder:
    from ds_engine.pyctcdecode import PyctcdecodeDecoder  # it knows when to ask for its extra

    return PyctcdecodeDecoder.make(context)


def _native(bundle: Bundle, options: RuntimeOptions) -> AcousticModel:
    from ds_engine.native import NativeModel  # onnxruntime: only once a model is really loaded

    return NativeModel(bundle, options)
