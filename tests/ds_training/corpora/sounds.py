"""Tiny files of sound for corpora that tests lay out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from ds_engine.features import LogMel, LogMelSpec

RATE = 16_000
MEL = LogMel(LogMelSpec())


def sound(path: Path, seconds: float = 0.5, channels: int = 1, rate: int = RATE) -> Path:
    """Noise, in the format of the suffix; channel k has (k + 1) / 10 of full scale at most."""
    path.parent.mkdir(parents=True, exist_ok=True)
    loudness = (np.arange(channels) + 1) / 10
    samples = np.random.default_rng(1).uniform(-1, 1, (round(seconds * rate), channels)) * loudness
    soundfile.write(
        path, samples, rate, format="OGG" if path.suffix == ".opus" else None, subtype="OPUS" if path.suffix == ".opus" else None
    )
    return path


def text(path: Path, *lines: str, encoding: str = "utf-8", end: str = "\n") -> Path:
    """A list of these lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(f"{line}{end}" for line in lines).encode(encoding))
    return path
