"""Noise at the ratio that it says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.features import FloatArray, LogMel, LogMelSpec
from ds_training import noise

RATE = 16_000
MEL = LogMel(LogMelSpec())


def rng(seed: int = 1) -> noise.Rng:
    return np.random.default_rng(seed)


def speech(seconds: float = 1.0, seed: int = 2) -> FloatArray:
    """Noise in bursts with silence around, float32 [n]."""
    loud = np.random.default_rng(seed).normal(0, 0.05, round(seconds * RATE))
    return np.concatenate([np.zeros(RATE // 2), loud, np.zeros(RATE // 2)]).astype(np.float32)


def decibels(one: float, other: float) -> float:
    return float(10 * np.log10(one / other))


Made = Callable[[int], FloatArray]
SAMPLES: dict[str, Made] = {
    "coloured": lambda count: noise.coloured(count, RATE, rng()),
    "babble": lambda count: noise.babble_of_samples(count, [speech(seed=seed) for seed in (3, 4)], RATE, rng()),
}


@pytest.mark.parametrize("kind", sorted(SAMPLES))
@pytest.mark.parametrize("ratio", [20, 10, 5, 0, -5])
def test_samples_reach_the_ratio_over_active_speech(kind: str, ratio: float) -> None:
    clean = speech()
    added = noise.add_samples(clean, SAMPLES[kind](len(clean)), ratio, RATE) - clean
    spoken = clean[RATE // 2 : -RATE // 2]
    assert decibels(np.square(spoken).mean(), np.square(added).mean()) == pytest.approx(ratio, abs=0.1)


@pytest.mark.parametrize("ratio", [20, 5])
def test_power_reaches_the_ratio_over_active_speech(ratio: float) -> None:
    clean, other = MEL.power(speech()), MEL.power(speech(seed=8))
    added = noise.add_power(clean, noise.babble_of_power(len(clean), [other], rng()), ratio) - clean
    frames = clean.sum(1)
    spoken = frames[frames > frames.max() / 1000]
    assert decibels(spoken.mean(), added.sum(1).mean()) == pytest.approx(ratio, abs=0.1)


def test_the_ratio_means_the_same_on_samples_and_on_power() -> None:
    clean = speech(2.0)
    white = np.random.default_rng(5).normal(0, 1, len(clean)).astype(np.float32)
    on_samples = MEL.power(noise.add_samples(clean, white, 5, RATE)).sum(1).mean()
    on_power = noise.add_power(MEL.power(clean), MEL.power(white), 5).sum(1).mean()
    assert decibels(on_samples, on_power) == pytest.approx(0, abs=0.3)


@given(st.integers(0, 3000), st.floats(-20, 60), st.integers(0, 5))
@settings(deadline=None)
def test_any_length_keeps_its_length_and_full_scale(count: int, ratio: float, seed: int) -> None:
    clean = np.random.default_rng(seed).uniform(-1, 1, count).astype(np.float32)
    for added in (noise.coloured(count, RATE, rng(seed)), noise.babble_of_samples(count, [speech(0.1)], RATE, rng(seed))):
        mixed = noise.add_samples(clean, added, ratio, RATE)
        assert mixed.shape == clean.shape
        assert mixed.dtype == np.float32
        assert np.isfinite(mixed).all()
        assert np.abs(mixed).max(initial=0) <= 1.0


def test_noise_is_drawn_by_name_and_seed_alone() -> None:
    def drawn(name: str, seed: int) -> FloatArray:
        return noise.coloured(100, RATE, noise.rng_for(name, seed))

    assert np.array_equal(drawn("a", 1), drawn("a", 1))
    assert not np.array_equal(drawn("a", 1), drawn("b", 1))
    assert not np.array_equal(drawn("a", 1), drawn("a", 2))


def test_coloured_noise_has_power_one_and_falls_with_frequency() -> None:
    drawn = [noise.coloured(RATE, RATE, rng(seed)) for seed in range(6)]
    assert [np.square(each).mean() for each in drawn] == pytest.approx([1] * 6, rel=1e-3)
    steepness = []
    for each in drawn:
        spectrum = np.square(np.abs(np.fft.rfft(each)))
        steepness.append(decibels(spectrum[200:400].mean(), spectrum[3200:6400].mean()) / (10 * np.log10(16)))
    assert -0.1 < min(steepness) < max(steepness) < noise.STEEPEST + 0.1
    assert max(steepness) - min(steepness) > 0.5


def test_silence_stays_silent() -> None:
    silent = np.zeros(RATE, np.float32)
    assert np.array_equal(noise.add_samples(silent, noise.coloured(RATE, RATE, rng()), 5, RATE), silent)
    power = np.zeros((10, 80), np.float32)
    assert np.array_equal(noise.add_power(power, np.ones((10, 80), np.float32), 5), power)


def test_a_silent_voice_makes_no_babble() -> None:
    added = noise.babble_of_samples(RATE, [np.zeros(100, np.float32), np.zeros(0, np.float32)], RATE, rng())
    assert np.array_equal(noise.add_samples(speech(0.1)[:RATE], added, 5, RATE), speech(0.1)[:RATE])


def test_babble_voices_are_equally_loud_however_they_were_recorded() -> None:
    loud, quiet = speech(seed=3), speech(seed=4) * np.float32(0.001)
    both = noise.babble_of_samples(len(loud), [loud, quiet], RATE, rng())
    again = noise.babble_of_samples(len(loud), [loud, quiet * np.float32(100)], RATE, rng())
    assert np.abs(both - again).max() < 1e-3 * np.abs(both).max()


def test_active_power_leaves_pauses_out() -> None:
    power = np.array([1, 1, 1e-5, 0, 1], np.float32)
    assert noise.active(power) == pytest.approx(1)
    assert noise.active(np.zeros(4, np.float32)) == 0
    assert noise.active(np.zeros(0, np.float32)) == 0
