"""What else is heard: the power of utterances in, and made noise, other people or recorded noises added to it.

Each is as loud as its signal-to-noise ratio says: the mean power of the speech, in its room, over that of the noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from ds_engine.features import FloatArray
from ds_training.augment_dice import Dice, Rng, Throw, walk
from ds_training.augment_settings import AugmentationError, Range
from ds_training.augment_shape import single
from ds_training.augmentations import Augmentation, Babble, Noise, Overlay
from ds_training.corpus import HalfArray

GRAINS = 20_000  # frames
Rows = TypeVar("Rows", FloatArray, HalfArray)
SWELL = 40  # frames from one knot of a noise's swell to the next


class Sources:
    """The pools that noises are taken from: `noises` are ln(mel power) [frames, bands], as recordings in a corpus are."""

    def __init__(self, bands: int, noises: Sequence[HalfArray], seed: int) -> None:
        self._ramp, self._noises = np.linspace(0, 1, bands), noises
        # In one band and frame, the power of noise is about the mean of two exponentials. Drawing it anew for every batch would cost
        # more than the rest.
        rng = np.random.default_rng(seed)
        self._grain = rng.standard_exponential((GRAINS, bands), np.float32)
        self._grain += rng.standard_exponential((GRAINS, bands), np.float32)
        self._grain /= 2

    def add(
        self, rows: Sequence[FloatArray], speeches: Sequence[FloatArray], people: Sequence[HalfArray], settings: Augmentation, throw: Throw
    ) -> None:
        """Adds to the power of `rows`, in place; `speeches` are the parts of them where somebody speaks.

        One draw for each utterance decides between the three: they meet only where their chances add up to more than 1.
        Raises AugmentationError where there may be babble and there are no people.
        """
        kinds: tuple[Noise | Babble | Overlay, ...] = (settings.noise, settings.babble, settings.overlay)
        dices = [throw(kind) for kind in kinds]
        if dices[1].chance and not people:
            raise AugmentationError(f"augmentation.babble needs people to take voices from where its chance is above 0, got {people!r}")
        turns = dices[0].rng.random(len(rows))
        for kind, dice in zip(kinds, dices, strict=True):
            for index in np.flatnonzero(turns < dice.chance).tolist():
                noise = self._made(kind, len(rows[index]), people, dice)
                ratio = 10 ** (-dice.one(kind.signal_to_noise) / 10)
                noise *= np.float32(ratio * speeches[index].mean() / (noise.mean() + 1e-12))
                rows[index] += noise
            turns = (turns - dice.chance) % 1

    def grains(self, count: int, rng: Rng) -> FloatArray:
        """White noise of mean power 1: [count, bands]."""
        return looped(self._grain, count, int(rng.integers(max(1, GRAINS - count))))

    def _made(self, kind: Noise | Babble | Overlay, count: int, people: Sequence[HalfArray], dice: Dice) -> FloatArray:
        match kind:
            case Noise():
                return self._coloured(count, dice.rng)
            case Babble():
                return _together(people, kind.voices, count, dice)
            case Overlay():
                return _together(self._noises, kind.layers, count, dice)

    def _coloured(self, count: int, rng: Rng) -> FloatArray:
        """Noise of a random colour that swells and ebbs: [count, bands]."""
        colour = walk(len(self._ramp), 0.35, rng) - rng.uniform(-3, 4) * self._ramp
        knots = count // SWELL + 2
        swell = np.interp(np.arange(count), np.arange(knots) * SWELL, rng.standard_normal(knots) * rng.uniform(0, 0.8))
        noise = self.grains(count, rng) * np.exp(swell).astype(np.float32)[:, None]
        noise *= np.exp(colour).astype(np.float32)
        return noise


def looped(values: Rows, count: int, start: int) -> Rows:
    """`count` rows from row `start` on, and from the first one again after the last."""
    return values[start : start + count] if start + count <= len(values) else values[(start + np.arange(count)) % len(values)]


def _together(recordings: Sequence[HalfArray], number: Range, count: int, dice: Dice) -> FloatArray:
    """The power of some recordings at once, each from anywhere on: [count, bands]."""
    total = np.zeros((count, recordings[0].shape[1]), np.float32)
    for _ in range(dice.whole(number)):
        other = recordings[int(dice.rng.integers(len(recordings)))]
        total += np.exp(single(looped(other, count, int(dice.rng.integers(len(other))))))
    return total
