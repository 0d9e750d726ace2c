"""The order of training: utterances and a seed in, an endless row of batches out that any run can enter anywhere.

An epoch is a drawing of real and synthetic utterances, sorted by length with some jitter, cut into batches of about the same number
of frames and shuffled. Batch `index` of epoch `epoch` depends on the seed, these two numbers and the strength of augmentation
alone, so that a resumed run goes on exactly where it stopped. What is drawn is small (`Draw`); making a `Batch` of it is work that
any process can do. No PyTorch here: processes that only make batches start fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ds_engine.features import FloatArray
from ds_training.augment import FRAMES_PER_SECOND, Augmenter
from ds_training.corpus import CorpusError, HalfArray, Utterance, steps_needed
from ds_training.phones import encode_phones
from ds_training.text import Orthography

PADDING = 60  # frames that augmentation adds to an utterance, about

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Draw:
    """What one batch is made of, and its place in the order."""

    epoch: int
    index: int
    utterances: tuple[Utterance, ...]
    babble: tuple[HalfArray, ...]  # other people, for the background
    strength: float  # of augmentation
    drawn: float  # hours of audio drawn up to the end of this batch, before augmentation


@dataclass(frozen=True, slots=True)
class Targets:
    """Indices of all utterances one after the other, and how many of them each has."""

    indices: Whole
    lengths: Whole

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> Targets:
        return cls(np.array([index for row in rows for index in row], np.int64), np.array([len(row) for row in rows], np.int64))


@dataclass(frozen=True, slots=True)
class Batch:
    """Features [B, T, bands] with the frames of each, what CTC aligns with them, and where in the order it stands."""

    features: FloatArray
    frames: Whole
    symbols: Targets
    phones: Targets
    names: tuple[str, ...]  # speaker and text of each
    unaligned: int  # utterances with more symbols than steps: they teach nothing
    place: tuple[int, int, float]  # epoch, index and hours drawn of its draw

    @property
    def hours(self) -> float:
        return float(self.frames.sum()) / FRAMES_PER_SECOND / 3600


class Batches:
    """The utterances and the rule by which they are drawn. `synthetic` is asked again at the start of every epoch."""

    def __init__(
        self,
        real: Sequence[Utterance],
        synthetic: Callable[[], Sequence[Utterance]],
        seed: int,
        frames: int = 6000,
        share: float = 0.5,
        short_first: int = 0,
    ) -> None:
        self._real, self._synthetic = list(real), synthetic
        self._seed, self._frames = seed, frames
        self._share = share  # of real utterances in an epoch
        self._short_first = short_first  # epochs

    def draws(self, epoch: int, index: int, drawn: float, strength: Callable[[float], float]) -> Iterator[Draw]:
        """Draws without end, from batch `index` of an epoch on; `strength` of the hours drawn before.

        Raises CorpusError where there is nothing to draw.
        """
        while True:
            synthetic = self._synthetic()
            batches = self.epoch(epoch, synthetic)
            if not batches:
                raise CorpusError("training needs at least one utterance, got shards and folders without any")
            for place in range(index, len(batches)):
                utterances, strength_now = batches[place], strength(drawn)
                drawn += sum(len(item.log_power) + PADDING for item in utterances) / FRAMES_PER_SECOND / 3600
                babble = self._babble(synthetic or self._real, len(utterances), epoch, place)
                yield Draw(epoch, place, tuple(utterances), babble, strength_now, drawn)
            epoch, index = epoch + 1, 0

    def epoch(self, epoch: int, synthetic: Sequence[Utterance]) -> list[list[Utterance]]:
        """All batches of one epoch: every real utterance once, and synthetic ones drawn beside them.

        The first epochs may go from short utterances to long ones (SortaGrad, Amodei et al. 2016, "Deep Speech 2").
        """
        rng = np.random.default_rng([self._seed, epoch])
        drawn = list(self._real)
        if synthetic:
            count = round(len(drawn) * (1 - self._share) / self._share) if drawn else len(synthetic)
            drawn += [synthetic[index] for index in rng.choice(len(synthetic), min(count, len(synthetic)), replace=False)]
        lengths = np.array([len(utterance.log_power) for utterance in drawn])
        order = np.argsort(lengths + rng.integers(0, 60, len(lengths)), kind="stable")
        batches = self._cut([drawn[index] for index in order])
        return batches if epoch < self._short_first else [batches[index] for index in rng.permutation(len(batches))]

    def _cut(self, ordered: Sequence[Utterance]) -> list[list[Utterance]]:
        batches: list[list[Utterance]] = []
        longest = 0
        for utterance in ordered:
            longest = max(longest, len(utterance.log_power) + PADDING)
            if not batches or longest * (len(batches[-1]) + 1) > self._frames:
                batches.append([])
                longest = len(utterance.log_power) + PADDING
            batches[-1].append(utterance)
        return batches

    def _babble(self, others: Sequence[Utterance], utterances: int, epoch: int, index: int) -> tuple[HalfArray, ...]:
        """Voices for the background of so many utterances: few, because they travel to the process that makes the batch."""
        rng = np.random.default_rng([self._seed, epoch, index, 2])
        return tuple(others[place].log_power for place in rng.integers(len(others), size=4 + utterances // 4))


class Preparer:
    """Augments and encodes what was drawn: the same draw gives the same batch in any process."""

    def __init__(self, augmenter: Augmenter, orthography: Orthography, seed: int, stride: int) -> None:
        self._augmenter, self._orthography = augmenter, orthography
        self._seed, self._stride = seed, stride

    def __call__(self, draw: Draw) -> Batch:
        """T is a multiple of the stride."""
        rng = np.random.default_rng([self._seed, draw.epoch, draw.index, 1])
        powers = [utterance.log_power for utterance in draw.utterances]
        texts = [self._orthography.encode(utterance.text) for utterance in draw.utterances]
        features, frames = self._augmenter(powers, [len(text) for text in texts], draw.babble, draw.strength, rng)
        padding = -features.shape[1] % self._stride
        return Batch(
            np.pad(features, ((0, 0), (0, padding), (0, 0)), mode="edge"),
            np.array(frames, np.int64),
            Targets.of(texts),
            Targets.of([encode_phones(utterance.phones) for utterance in draw.utterances]),
            tuple(f"{utterance.speaker}: {utterance.text}" for utterance in draw.utterances),
            sum(steps_needed(item.text) > count // self._stride for item, count in zip(draw.utterances, frames, strict=True)),
            (draw.epoch, draw.index, draw.drawn),
        )
