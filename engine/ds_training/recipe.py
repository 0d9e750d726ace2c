"""A recipe: a TOML file in, the stages that lead from recordings and text to a verified model bundle out (see stages.py).

    prepare -> synthesise -> splice -> train -> average -> export -> quantise
    -> language -> calibrate -> accept -> confide -> verify -> evaluate -> card

A recipe has those stages for which it has a table; docs/how-to/train.md explains them. Relative paths start at the recipe's folder,
`${NAME}` is the environment variable of that name. Everything that is made lies in a work folder; WORK/bundle is the result.
"""

from __future__ import annotations

import os
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ds_training.calibrate import Calibration
from ds_training.corpora.characters import alphabet_from_file
from ds_training.language import LanguageModel
from ds_training.material import Material
from ds_training.recipe_tables import RecipeError, from_table
from ds_training.synthesis import Synthesis
from ds_training.text import SYMBOLS
from ds_training.weights import WeightFormat

USES = ("train", "development", "noise")


@dataclass(frozen=True, slots=True)
class Identity:
    """What names the bundle."""

    name: str
    description: str
    version: str = "0.1.0"
    language: str = "en"  # BCP 47
    license: str = "CC-BY-4.0"  # SPDX
    notices: tuple[Path, ...] = ()  # texts of LICENSE, one after the other; English has a default
    weights: str = WeightFormat.FLOAT16  # see weights.py
    keep_language_model: Path | None = None  # an older bundle whose language model and calibration go along

    def __post_init__(self) -> None:
        if self.weights not in list(WeightFormat):
            raise RecipeError(f"bundle.weights needs one of {', '.join(WeightFormat)}, got {self.weights!r}")


@dataclass(frozen=True, slots=True)
class Corpus:
    """Recordings: a manifest, or a part of it."""

    name: str
    manifest: Path
    use: str = "train"  # one of USES
    split: Path | None = None  # TSV of speakers and parts
    part: str | None = None  # of the split; by default named as the use
    unwritable: str = "error"  # or "skip": lines that the alphabet cannot write
    unreadable: str = "error"  # or "skip": files that are no sound
    size: int = 0  # utterances in a shard; 0: one shard

    def __post_init__(self) -> None:
        if self.use not in USES:
            raise RecipeError(f"corpora.use needs one of {', '.join(USES)}, got {self.use!r}")


@dataclass(frozen=True, slots=True)
class Splicing:
    """New utterances from pieces of the training corpora (see splice.py)."""

    model: Path  # a network that knows these speakers well enough to find their words
    count: int = 4000  # utterances
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What the finished bundle is measured on."""

    material: Material
    noise: tuple[float, ...] = ()  # dB of speech over noise
    confusions: int = 10  # of each kind


@dataclass(frozen=True, slots=True)
class Recipe:
    """All tables of the file; `training` and `augmentation` are read by the trainer's own Settings and Augmentation."""

    bundle: Identity
    corpora: tuple[Corpus, ...]
    training: Mapping[str, Any] = field(default_factory=dict)
    augmentation: Mapping[str, Any] = field(default_factory=dict)
    alphabet: Path | None = None  # DeepSpeech's alphabet.txt; without one: that of `start`, or English
    start: Path | None = None  # a checkpoint, or the model.onnx of a bundle
    blend: float = 1.0  # share of the trained weights in the result, the rest are those of `start`: forgets less
    phones: bool = True  # of American English, as a second target
    jobs: int = 1  # processes that prepare recordings
    synthesis: Synthesis | None = None
    splice: Splicing | None = None
    language_model: LanguageModel | None = None
    calibration: Calibration | None = None
    acceptance: Calibration | None = None  # recordings of other speakers than calibration's
    confidence: Calibration | None = None  # the same
    evaluation: Evaluated | None = None
    card: Path | None = None  # facts of the model card (see card_facts.py), or the card in Markdown

    def __post_init__(self) -> None:
        for use in USES[:2]:
            if not self.of_use(use) and not (use == "train" and self.synthesis):
                raise RecipeError(f"corpora needs at least one entry with use = {use!r}")
        names = [corpus.name for corpus in self.corpora]
        if len(set(names)) < len(names):
            raise RecipeError(f"corpora need different names, got {', '.join(names)}")
        if not 0 < self.blend <= 1 or (self.blend < 1 and not self.start):
            raise RecipeError(f"blend needs to lie above 0 and up to 1, and below 1 a start to mix with, got {self.blend:g}")
        if self.language_model and self.bundle.keep_language_model:
            raise RecipeError("bundle.keep_language_model and [language_model] exclude each other")

    def of_use(self, use: str) -> list[Corpus]:
        """The corpora of one use."""
        return [corpus for corpus in self.corpora if corpus.use == use]

    def symbols(self) -> tuple[str, ...]:
        """The alphabet that texts are written in. Raises CorpusError and CheckpointError for files that tell none."""
        if self.alphabet:
            return alphabet_from_file(self.alphabet)
        if self.start:
            from ds_training.checkpoint import load_network

            return tuple(load_network(self.start).spec.symbols)
        return SYMBOLS


def read_recipe(path: Path, environment: Mapping[str, str] = os.environ) -> Recipe:
    """Raises RecipeError for a file that cannot be read, is no TOML, names an unknown variable or key, or lacks one."""
    try:
        text = string.Template(path.read_text("utf-8")).substitute(environment)
        return from_table(Recipe, tomllib.loads(text), folder=path.parent)
    except KeyError as error:
        raise RecipeError(f"{path}: needs the environment variable {error.args[0]}") from error
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise RecipeError(f"{path}: {error}") from error
