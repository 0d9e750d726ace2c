"""Where things are on the other machine, and what runs there: the unpacked archive and a folder to work in, in; paths and commands out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ds_training.box.recipe import Recipe, options
from ds_training.box.recordings import MANIFEST, SPLIT

DEVELOPMENT, TRAIN = "development", "train"  # parts of the split


def module(name: str, *arguments: object) -> list[str]:
    """The command that runs a module of ours."""
    return [sys.executable, "-m", name, *map(str, arguments)]


@dataclass(frozen=True, slots=True)
class Place:
    """The unpacked archive, and a folder in which everything that is made lies."""

    box: Path
    work: Path

    @property
    def result(self) -> Path:
        return self.work / "result"

    @property
    def shards(self) -> Path:
        return self.work / "shards"

    @property
    def training(self) -> Path:
        return self.work / "training"

    @property
    def logs(self) -> Path:
        return self.work / "logs"

    def log(self, name: str) -> Path:
        """What a process prints."""
        return self.logs / f"{name}.txt"

    def real(self, part: str) -> Path:
        """The shard of a part of the recordings."""
        return self.work / f"real-{part}.npz"

    def preparation(self, part: str) -> list[str]:
        """The command that makes it."""
        folder = self.box / "recordings"
        return module("ds_training.prepare", folder / MANIFEST, self.real(part), "--split", folder / SPLIT, "--part", part)

    def synthesis(self, seed: int, recipe: Recipe, without: Sequence[str]) -> list[str]:
        """The command that makes the shard of a seed, spoken by all voices but these."""
        left_out = [part for name in without for part in ("--without", name)]
        text = sorted((self.box / "text").iterdir())
        settings = options(recipe.synthesis)
        return module("ds_training.synthesis", self.shards, "--text", *text, "--seed", str(seed), *left_out, *settings)

    def probe(self, recipe: Recipe) -> list[str]:
        """The command that tells whether this machine can do it."""
        return module("ds_training.box.probe", str(recipe.training.get("device", "auto")))

    def trainer(self, start: Path | None) -> list[str]:
        """The command that trains on all that is there now, but for its settings; it starts from these weights or those in the archive."""
        found = [start] if start else sorted(self.box.glob("start.*"))
        data = ["--synthetic", self.shards, "--development", self.real(DEVELOPMENT)]
        real = ["--real", self.real(TRAIN)] if self.real(TRAIN).exists() else []
        beginning = ["--start", found[0]] if found else []
        return module("ds_training.train", self.training, *real, *data, *beginning)
