"""What happens on the other machine, as data: `box.toml` in, a checked `Recipe` out.

minutes = 24                        # all in all, from the start of ./run
start_with = 30                     # shards of synthetic speech with which training begins
processes = [[0, 15], [10, 8]]      # from minute 0 on 15 processes synthesise, from minute 10 on 8

[synthesis]                         # settings of ds_training.synthesis: each process makes a shard of a seed of its own
[training]                          # settings of ds_training.train
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ds_training.box.contents import BoxError
from ds_training.recipe_tables import RecipeError, from_table
from ds_training.settings import Settings
from ds_training.synthesis import Synthesis

NAME = "box.toml"
_OURS = ("text", "shards", "seeds", "without", "only")  # settings of the synthesis that the box gives


@dataclass(frozen=True, slots=True)
class Recipe:
    """Checked when it is made: raises BoxError, or what the two tables' own settings raise. `processes` are (minute, number), rising."""

    minutes: float = 24.0
    margin: float = 45.0  # seconds for loading PyTorch before training, and for what follows it
    seed: int = 1000  # of the first shard, the next ones count on
    shards: int = 4000  # at most
    start_with: int = 30  # shards
    patience: float = 4.0  # minutes, after which training begins with whatever is there
    processes: tuple[tuple[float, int], ...] = ((0.0, 1),)
    synthesis: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        minutes = [minute for minute, _ in self.processes]
        if not minutes or minutes[0] != 0 or minutes != sorted(minutes) or min(number for _, number in self.processes) < 0:
            raise BoxError(f"processes needs pairs of minutes, rising from 0, and numbers from 0 on, got {self.processes}")
        if self.minutes * 60 <= self.margin or self.margin < 0 or self.shards < 0 or self.start_with < 0:
            raise BoxError(
                f"minutes need to be more than the margin of {self.margin:g} s, and nothing negative, got {self.minutes:g} minutes"
            )
        given = sorted(set(_OURS) & self.synthesis.keys())
        if given:
            raise BoxError(f"synthesis needs to leave {', '.join(given)} to the box")
        from_table(Synthesis, {**self.synthesis, "text": []}, "synthesis")
        Settings.of(self.training)

    def processes_at(self, minute: float) -> int:
        """How many synthesise at that minute."""
        return [number for since, number in self.processes if since <= minute][-1]


def read_recipe(path: Path) -> Recipe:
    """Raises BoxError, naming the file and the key, for one that cannot be followed."""
    try:
        return from_table(Recipe, tomllib.loads(path.read_text("utf-8")))
    except (OSError, ValueError, RecipeError) as error:
        raise BoxError(f"{path}: {error}") from error


def options(table: Mapping[str, Any]) -> list[str]:
    """A table of settings as a command line's options: learning_rate = 1e-3 is --learning-rate 0.001, true is the option alone."""
    found = []
    for name, value in table.items():
        values = value if isinstance(value, list | tuple) else [value]
        if value is not False:
            found += [f"--{name.replace('_', '-')}", *(str(each) for each in values if each is not True)]
    return found
