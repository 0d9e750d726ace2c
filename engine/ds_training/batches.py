"""The order of training: utterances and a seed in, an endless row of batches out that any run can enter anywhere.

An epoch is a drawing of real and synthetic utterances, sorted by length with some jitter, cut into batches of about the same number
of frames and shuffled. Batch `index` of epoch `epoch` depends on the seed, these two numbers and the strength of augmentation
alone, so that a resumed run goes on exactly where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ds_training.augment import Augmenter
from ds_training.corpus import HalfArray, Utterance
from ds_training.phones import encode_phones
from ds_training.text import ENGLISH, Orthography

PADDING = 60  # frames that augmentation adds to an utterance, about


@dataclass(frozen=True, slots=True)
class Batch:
    """Features [B, T, bands] with the frames of each, and what CTC aligns with them."""

    features: Tensor
    frames: Tensor
    symbols: Targets
    phones: Targets


@dataclass(frozen=True, slots=True)
class Targets:
    """Indices of all utterances one after the other, and how many of them each has."""

    indices: Tensor
    lengths: Tensor

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> Targets:
        return cls(torch.tensor([index for row in rows for index in row], dtype=torch.long), torch.tensor([len(row) for row in rows]))


class Batches:
    """The utterances and the rule by which they are drawn."""

    def __init__(
        self,
        real: Sequence[Utterance],
        synthetic: Sequence[Utterance],
        augmenter: Augmenter,
        seed: int,
        frames: int = 6000,
        share: float = 0.5,
        orthography: Orthography = ENGLISH,
    ) -> None:
        self._real, self._synthetic = list(real), list(synthetic)
        self._augmenter, self._orthography = augmenter, orthography
        self._seed, self._frames = seed, frames
        self._share = share  # of real utterances in an epoch
        others = self._synthetic or self._real
        self._babble = [utterance.log_power for utterance in others[:: max(1, len(others) // 500)]]

    def epoch(self, epoch: int) -> list[list[Utterance]]:
        """All batches of one epoch: every real utterance once, and synthetic ones drawn beside them."""
        rng = np.random.default_rng([self._seed, epoch])
        drawn = list(self._real)
        if self._synthetic:
            count = round(len(drawn) * (1 - self._share) / self._share) if drawn else len(self._synthetic)
            drawn += [self._synthetic[index] for index in rng.choice(len(self._synthetic), min(count, len(self._synthetic)), replace=False)]
        lengths = np.array([len(utterance.log_power) for utterance in drawn])
        order = np.argsort(lengths + rng.integers(0, 60, len(lengths)), kind="stable")
        batches = self._cut([drawn[index] for index in order])
        return [batches[index] for index in rng.permutation(len(batches))]

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

    def batch(self, utterances: Sequence[Utterance], epoch: int, index: int, strength: float, stride: int) -> Batch:
        """Augment and encode one batch; T is a multiple of `stride`."""
        rng = np.random.default_rng([self._seed, epoch, index, 1])
        powers: list[HalfArray] = [utterance.log_power for utterance in utterances]
        texts = [self._orthography.encode(utterance.text) for utterance in utterances]
        features, frames = self._augmenter(powers, [len(text) for text in texts], self._babble, strength, rng)
        padding = -features.shape[1] % stride
        padded = np.pad(features, ((0, 0), (0, padding), (0, 0)), mode="edge")
        return Batch(
            torch.from_numpy(padded),
            torch.tensor(frames),
            Targets.of(texts),
            Targets.of([encode_phones(utterance.phones) for utterance in utterances]),
        )
