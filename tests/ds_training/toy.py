"""A language of three tones, so that a whole recipe can be followed in seconds: recordings, manifests and a recipe are written here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

RATE = 16_000  # Hz
TONES = {"a": 400.0, "b": 1100.0, "c": 2500.0}  # Hz
SECONDS = 0.16  # of a letter or space
SPEAKERS = 4

RECIPE = """
phones = false
alphabet = "alphabet.txt"

[bundle]
name = "tones"
description = "Three tones"
version = "1.2.3"
language = "x-tones"
license = "CC0-1.0"
notices = ["NOTICE.txt"]
weights = "int8"

[[corpora]]
name = "train"
manifest = "train/list.tsv"

[[corpora]]
name = "development"
manifest = "development/list.tsv"
use = "development"

[training]
size = "tiny"
hours = 0.5
every = 0.25
frames = 800
learning_rate = 5e-3
warm_up = 20
phones = 0
strength = [0.0, 0.0]
snapshots = 2
snapshot_every = 0.1
threads = 1

[language_model]
transcripts = {file = "train/list.tsv", weight = 1}
commands = 0
everyday = 0

[calibration]
manifest = "development/list.tsv"

[acceptance]
manifest = "development/list.tsv"

[evaluation]
material = {manifest = "development/list.tsv"}
noise = [20]
"""


def write(folder: Path) -> Path:
    """Recordings, lists, alphabet, licence and recipe; the path of the recipe."""
    recordings(folder / "train", 160, 1)
    recordings(folder / "development", 24, 2)
    (folder / "alphabet.txt").write_text(" \na\nb\nc\n")
    (folder / "NOTICE.txt").write_text("Tones are free.\n")
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE)
    return recipe


def recordings(folder: Path, count: int, seed: int) -> None:
    """Utterances of one to three words, and `list.tsv`."""
    folder.mkdir(parents=True)
    rng, rows = np.random.default_rng(seed), ["file\ttext\tspeaker"]
    for index in range(count):
        words = ["".join(rng.choice(list(TONES), rng.integers(1, 3))) for _ in range(rng.integers(1, 4))]
        speaker = int(rng.integers(SPEAKERS))
        soundfile.write(folder / f"{index}.wav", samples(" ".join(words), speaker, rng), RATE)
        rows.append(f"{index}.wav\t{' '.join(words)}\t{speaker}")
    (folder / "list.tsv").write_text("\n".join(rows) + "\n")


def samples(text: str, speaker: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """float32 [n] in [-1, 1]; speakers differ in pitch."""
    time = np.arange(int(RATE * SECONDS)) / RATE
    pitch = 1 + 0.05 * (speaker - (SPEAKERS - 1) / 2)
    tones = [np.sin(2 * np.pi * TONES[letter] * pitch * time) if letter in TONES else 0 * time for letter in text]
    sound = np.concatenate([np.zeros(RATE // 10), *(0.3 * tone * np.hanning(len(time)) for tone in tones), np.zeros(RATE // 10)])
    return (sound + rng.normal(0, 1e-3, len(sound))).astype(np.float32)
