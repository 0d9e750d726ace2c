"""A network that trains in no time, and random utterances for it."""

# ruff: noqa: RUF001  # phonetic letters look like others

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from ds_engine.features import LogMel, LogMelSpec
from ds_training.augment import Augmenter
from ds_training.batches import Batch, Batches, Preparer
from ds_training.corpus import Utterance, write_shard
from ds_training.loading import prepared
from ds_training.model import BlockSpec, Network, NetworkSpec
from ds_training.settings import Settings
from ds_training.shards import Data
from ds_training.text import ENGLISH
from ds_training.trainer import Trainer

TINY = NetworkSpec((BlockSpec(80, 8, 5, 2, 1), BlockSpec(8, 8, 5, 2, 1)), width=6)
MEL = LogMel(LogMelSpec())
SILENCE = float(MEL.normalise(np.zeros(1, np.float32))[0])
CPU = torch.device("cpu")


def utterances(count: int, seed: int) -> list[Utterance]:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(20, 60, count)
    said = [("on", "ɔ n") if length % 2 else ("a b", "eɪ b iː") for length in lengths]
    powers = [rng.normal(-3, 3, (length, 80)).astype(np.float16) for length in lengths]
    return [Utterance(power, text, "s", phones) for power, (text, phones) in zip(powers, said, strict=True)]


REAL, SYNTHETIC = utterances(6, 1), utterances(20, 2)


def network(spec: NetworkSpec = TINY, seed: int = 7) -> Network:
    torch.manual_seed(seed)
    return Network(spec)


def data(folder: Path) -> Data:
    """REAL and SYNTHETIC as shards."""
    folder.mkdir(exist_ok=True)
    for name, shard in (("real.npz", REAL), ("synthetic.npz", SYNTHETIC)):
        write_shard(folder / name, shard)
    return Data((folder / "real.npz",), (folder / "real.npz",), (folder / "synthetic.npz",))


def settings(**changes: object) -> Settings:
    return Settings.of({"frames": 400, "hours": 0.01, "every": 0.004, "warm_up": 3, "ramp": 0.001, "device": "cpu"}, changes)


def batches(trainer: Trainer, told: Settings, workers: int = 0) -> Iterator[Batch]:
    """All of them from the trainer's position on."""
    order = Batches(REAL, lambda: SYNTHETIC, told.seed, told.frames, told.share)
    position = trainer.position
    draws = order.draws(position.epoch, position.index, position.drawn, trainer.strength)
    return prepared(draws, Preparer(Augmenter(MEL, seed=told.seed), ENGLISH, told.seed, trainer.network.spec.stride), workers)


def taught(trainer: Trainer, told: Settings, steps: int) -> list[float | None]:
    """The losses of so many steps."""
    return [trainer.step(batch) for batch in islice(batches(trainer, told), steps)]
