"""What augmentation costs: hours of audio that one processor augments in a second, by default and with each augmentation always on.

Random log powers in batches as training makes them; every augmentation alone, at the chance 1, beside a batch to which nothing is done.

Usage: python benchmarks/augmentation.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from ds_engine.features import LogMel, LogMelSpec
from ds_training.augment import FRAMES_PER_SECOND, Augmentation, Augmenter
from ds_training.augment_settings import hints
from ds_training.corpus import HalfArray

LENGTHS = (270, 330)  # frames of an utterance
UTTERANCES = 17  # of a batch: about 6000 frames
ROUNDS = 30  # interleaved
NOTHING = {name: {"chance": 0} for name in hints(Augmentation)}


def main() -> None:
    """Times all of them, taking turns, and prints the medians."""
    rng = np.random.default_rng(0)
    batch = [rng.normal(-3, 3, (frames, LogMelSpec().bands)).astype(np.float16) for frames in rng.integers(*LENGTHS, UTTERANCES)]
    hours = sum(map(len, batch)) / FRAMES_PER_SECOND / 3600
    cases: dict[str, tuple[Augmenter, float]] = {
        "defaults, strength 0": (_augmenter({}, batch), 0.0),
        "defaults, strength 1": (_augmenter({}, batch), 1.0),
        "everything": (_augmenter({name: {"chance": 1} for name in NOTHING}, batch), 1.0),
        "nothing": (_augmenter(NOTHING, batch), 1.0),
        **{name: (_augmenter({**NOTHING, name: {"chance": 1}}, batch), 1.0) for name in NOTHING},
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    for seed in range(ROUNDS):
        for name, (augmenter, strength) in cases.items():
            times[name].append(_seconds(augmenter, batch, strength, seed))
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name in ("defaults, strength 0", "defaults, strength 1", "everything", "nothing"):
        print(f"{name:22} {hours / medians[name]:7.2f} hours of audio per second, {medians[name] * 1000:6.2f} ms a batch")
    for name in NOTHING:
        print(f"{name:22} {(medians[name] - medians['nothing']) / hours:+7.3f} seconds per hour of audio")


def _augmenter(settings: Mapping[str, Any], noises: list[HalfArray]) -> Augmenter:
    return Augmenter(LogMel(LogMelSpec()), Augmentation.of(settings), noises=noises)


def _seconds(augmenter: Augmenter, batch: list[HalfArray], strength: float, seed: int) -> float:
    """Of this thread, for one batch after another, so that memory is as this case leaves it."""
    rng, symbols = np.random.default_rng(seed), [40] * len(batch)
    augmenter(batch, symbols, batch, strength, rng)
    began = time.thread_time()
    augmenter(batch, symbols, batch, strength, rng)
    return time.thread_time() - began


if __name__ == "__main__":
    main()
