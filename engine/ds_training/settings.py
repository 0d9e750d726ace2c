"""What a training run is told, as data: a table of a recipe or the options of a command line in, checked `Settings` out."""

from __future__ import annotations

import argparse
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from ds_training.corpus import CorpusError
from ds_training.model import SIZES
from ds_training.recipe_tables import RecipeError, from_table

DEVICES = ("auto", "cpu", "cuda")


class SettingsError(CorpusError):
    """A setting that is unknown, of the wrong kind, out of its range, or at odds with the machine or the network."""


def setting(default: object, meaning: str, low: float = 0.0, high: float = 1e9, choices: tuple[str, ...] = ()) -> Any:
    """A field of Settings: its help, and what it may be."""
    return field(default=default, metadata={"meaning": meaning, "low": low, "high": high, "choices": choices})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a run needs beside its data and its start. Raises SettingsError where a value is out of its range."""

    size: str = setting("small", "of a network that starts from nothing, see model.py", choices=tuple(sorted(SIZES)))
    dropout: float = setting(0.1, "share of what the convolutions heard that the LSTM misses", 0, 0.9)
    share: float = setting(0.5, "share of real utterances in an epoch, 0 to 1", 0.001, 1)
    frames: int = setting(6000, "feature frames in a batch", 1)
    short_first: int = setting(0, "first epochs that go from short utterances to long ones, all others are shuffled", 0, 1000)
    hours: float = setting(300.0, "of audio, in all", 1e-6)
    minutes: float = setting(0.0, "of time, in all, the last evaluation included; 0: no limit. Progress is the larger of both shares")
    every: float = setting(5.0, "hours of audio between evaluations", 1e-6)
    patience: int = setting(0, "evaluations without a better CER after which the run ends; 0: never")
    min_delta: float = setting(0.0, "of development CER: what counts as better for patience and plateau", 0, 1)
    learning_rate: float = setting(1e-3, "at its height", 1e-9, 10)
    warm_up: int = setting(200, "steps until then")
    cool_down: float = setting(0.25, "last share of the progress in which the rate falls to nothing, 0 to 1", 0, 1)
    plateau: int = setting(0, "evaluations without a better CER after which the rate is lowered; 0: never")
    plateau_factor: float = setting(0.5, "by which it is lowered", 0.001, 1)
    strength: tuple[float, float] = setting((0.5, 1.0), "of augmentation, at the start and later", 0, 1)
    ramp: float = setting(100.0, "hours until the later strength")
    averaging: float = setting(0.999, "decay per step of the moving average of the weights", 0, 0.999999)
    phones: float = setting(0.3, "weight of the loss on phones; 0: none", 0, 100)
    keep: int | None = setting(None, "blocks of the start that keep their weights, all else begins anew; without: everything is kept")
    grow: int = setting(0, "residual blocks added to the start, which change nothing at first", 0, 100)
    freeze: int = setting(0, "first blocks that are not trained, batch-norm statistics included", 0, 100)
    norm_frozen: bool = setting(False, "keep the start's batch-norm statistics: for a few minutes of one speaker")
    snapshots: int = setting(0, "newest snapshots that are kept, float16 weights to average later")
    snapshot_every: float = setting(5.0, "hours of audio between snapshots", 1e-6)
    seed: int = setting(1, "of drawing, augmentation and dropout", 0, 2**31)
    device: str = setting("auto", "auto: the GPU that PyTorch finds, else the processor", choices=DEVICES)
    half: bool = setting(False, "bfloat16 for the heavy parts, where the hardware has it")
    threads: int = setting(0, "of PyTorch; 0: as many as it likes", 0, 1024)
    workers: int = setting(0, "processes that augment ahead; 0: none, in between the steps", 0, 1024)

    def __post_init__(self) -> None:
        for item in fields(self):
            value, allowed = getattr(self, item.name), item.metadata
            if allowed["choices"] and value not in allowed["choices"]:
                raise SettingsError(f"{item.name} needs one of {', '.join(allowed['choices'])}, got {value!r:.40}")
            numbers = value if isinstance(value, tuple) else (value,) if isinstance(value, int | float) else ()
            if not all(allowed["low"] <= number <= allowed["high"] for number in numbers):
                raise SettingsError(f"{item.name} needs to lie in {allowed['low']:g}..{allowed['high']:g}, got {value!r:.40}")

    @classmethod
    def of(cls, *layers: Mapping[str, Any]) -> Self:
        """The defaults, overridden by each mapping in turn. Raises SettingsError for an unknown name or a wrong kind of value."""
        try:
            return from_table(cls, dict(ChainMap(*map(dict, reversed(layers)))), "training")
        except (RecipeError, OverflowError) as error:
            raise SettingsError(str(error)) from error


def add_options(parser: argparse.ArgumentParser) -> None:
    """An option for each setting, with its default."""
    for item in fields(Settings):
        name, meaning = "--" + item.name.replace("_", "-"), item.metadata["meaning"]
        if item.default is False:
            parser.add_argument(name, action="store_true", help=meaning)
        elif isinstance(item.default, tuple):
            parser.add_argument(name, type=float, nargs=2, default=item.default, help=meaning)
        else:
            kind = int if item.default is None else type(item.default)
            parser.add_argument(name, type=kind, choices=item.metadata["choices"] or None, default=item.default, help=meaning)


def from_options(options: argparse.Namespace) -> Settings:
    """What was chosen on a command line that `add_options` made. Raises SettingsError."""
    chosen = {item.name: getattr(options, item.name) for item in fields(Settings)}
    return Settings.of({name: value for name, value in chosen.items() if value is not None})
