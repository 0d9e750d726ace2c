"""Fine-tuning: a bundle and a manifest of somebody's recordings in, the recipe that teaches the bundle to hear them out.

A tenth of the recordings are kept for development: of a tenth of the speakers where there are enough of them, else every tenth line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ds_engine.bundle import Bundle
from ds_engine.native import MODEL_FILE
from ds_engine.search.sources import BUNDLED
from ds_training.checkpoint import load_network
from ds_training.corpora.manifest import Recording, open_manifest
from ds_training.corpora.writing import write_manifest
from ds_training.corpus import CorpusError, seconds_of
from ds_training.recipe import Corpus, Identity, Recipe
from ds_training.text import SYMBOLS, Orthography

KEPT = 10  # one of so many speakers, or lines, is for development
FEWEST_SPEAKERS = 5  # for development speakers of their own
SMALLEST_SECONDS = 60.0  # of speech, below which nothing but learning by heart can come of it
PASSES = 40  # of all recordings
BLEND = 0.75  # share of the fine-tuned weights in the result: nearly as good for them, and other people are forgotten less
TRAINING = {  # of a network that knows the language and is to learn voices
    "learning_rate": 3e-4,
    "warm_up": 30,
    "cool_down": 0.8,
    "strength": [0.1, 0.3],
    "frames": 3000,
    "dropout": 0.2,
    "averaging": 0.99,
    "norm_frozen": True,
    "half": True,
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants: their recordings, the bundle to start from, and the name of the new one."""

    manifest: Path
    bundle: Path
    name: str
    passes: int = PASSES
    blend: float = BLEND
    unwritable: str = "error"  # see corpora.manifest.skips


def recipe_for(wish: Wish, folder: Path) -> Recipe:
    """Writes `train.tsv` and `development.tsv` into the folder and gives the recipe. Raises CorpusError, BundleError, CheckpointError."""
    bundle, start = Bundle.open(wish.bundle), wish.bundle / MODEL_FILE
    symbols = load_network(start).spec.symbols
    recordings = open_manifest(wish.manifest, Orthography(symbols), wish.unwritable).recordings
    seconds = sum(seconds_of(recording) for recording in recordings)
    if seconds < SMALLEST_SECONDS:
        raise CorpusError(f"{wish.manifest}: fine-tuning needs {SMALLEST_SECONDS:.0f} s of speech or more, got {seconds:.0f} s")
    folder.mkdir(parents=True, exist_ok=True)
    corpora = []
    for use, chosen in zip(("train", "development"), divide(recordings), strict=True):
        path = folder / f"{use}.tsv"
        write_manifest(path, chosen)
        corpora.append(Corpus(use, path, use))
    phones = tuple(symbols) == SYMBOLS
    hours = wish.passes * seconds / 3600
    manifest = bundle.manifest
    return Recipe(
        bundle=Identity(
            wish.name,
            f"{manifest.description}; fine-tuned on {seconds / 60:.0f} minutes of recordings",
            version=manifest.version,
            language=manifest.language,
            license=manifest.license,
            notices=(wish.bundle / "LICENSE",),
            keep_language_model=wish.bundle if BUNDLED in manifest.files else None,
        ),
        corpora=tuple(corpora),
        training={
            **TRAINING,
            "hours": hours,
            "every": hours / 10,
            "phones": 0.3 if phones else 0.0,
            "snapshots": 3,
            "snapshot_every": hours / 20,
        },
        start=start,
        blend=wish.blend,
        phones=phones,
    )


def divide(recordings: Sequence[Recording]) -> tuple[list[Recording], list[Recording]]:
    """For training and for development. Raises CorpusError where there are too few."""
    speakers = sorted({recording.speaker for recording in recordings} - {""})
    if len(speakers) >= FEWEST_SPEAKERS:
        kept = set(speakers[::KEPT])
        aside = [recording.speaker in kept for recording in recordings]
    else:
        aside = [number % KEPT == KEPT - 1 for number in range(len(recordings))]
    parts = ([each for each, is_aside in zip(recordings, aside, strict=True) if is_aside is wanted] for wanted in (False, True))
    train, development = parts
    if not train or not development:
        raise CorpusError(f"fine-tuning needs {KEPT} recordings or more, got {len(recordings)}")
    return train, development
