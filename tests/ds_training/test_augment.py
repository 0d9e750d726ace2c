"""Augmentation on mel power."""

from __future__ import annotations

import numpy as np
import pytest

from ds_engine.features import LogMel, LogMelSpec
from ds_training.augment import Augmentation, Augmenter
from ds_training.corpus import HalfArray

MEL = LogMel(LogMelSpec())
AUGMENTER = Augmenter(MEL)


def utterances(*frames: int) -> list[HalfArray]:
    rng = np.random.default_rng(5)
    return [rng.normal(-3, 3, (count, 80)).astype(np.float16) for count in frames]


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_any_strength_gives_finite_features_within_their_bounds(strength: float) -> None:
    for seed in range(5):
        features, frames = AUGMENTER(utterances(30, 200, 9), [1, 9, 1], utterances(40, 7), strength, np.random.default_rng(seed))
        assert features.shape == (3, max(frames), 80)
        assert features.dtype == np.float32
        assert np.isfinite(features).all()
        assert features.min() >= silence() - 1e-5
        assert features.max() < 8


def test_the_same_seed_gives_the_same_batch_and_another_another() -> None:
    first, again, other = (AUGMENTER(utterances(50, 80), [2, 3], utterances(40), 1.0, np.random.default_rng(seed))[0] for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)


def test_every_utterance_ends_in_digital_silence_as_in_the_engine() -> None:
    settings = Augmentation()
    features, frames = AUGMENTER(utterances(30, 200), [2, 9], utterances(40), 1.0, np.random.default_rng(1))
    for row, count in zip(features, frames, strict=True):
        assert (row[count - settings.silence[0] :] == np.float32(silence())).all()


def test_loud_and_quiet_recordings_are_heard_at_the_same_range_of_loudness() -> None:
    plain = Augmentation(speeds=(1.0,), tract_chance=0.0, hiss=(-30.0, -29.0))
    augmenter = Augmenter(MEL, plain)
    (quiet,) = utterances(100)
    one, other = (augmenter([item], [5], [], 0.0, np.random.default_rng(2))[0] for item in (quiet, quiet + np.float16(4)))
    assert np.abs(one - other).max() < 0.01


def test_faster_speech_is_shorter() -> None:
    fast, slow = (Augmentation(speeds=(speed,), before=(0, 0), after=(0, 0), silence=(26, 26)) for speed in (1.25, 0.8))
    frames = [Augmenter(MEL, settings)(utterances(200), [5], [], 0.0, np.random.default_rng(1))[1][0] - 26 for settings in (fast, slow)]
    assert frames == [160, 250]


def test_gabbled_speech_is_slowed_to_what_ctc_can_spell() -> None:
    _, frames = AUGMENTER(utterances(100), [60], [], 0.0, np.random.default_rng(1))
    assert frames[0] >= 60 / Augmentation().fastest * 100


def silence() -> float:
    return float(MEL.normalise(np.zeros(1, np.float32))[0])
