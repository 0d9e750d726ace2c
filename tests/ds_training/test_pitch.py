"""The pitch of voices whose pitch is known because they are made."""

from __future__ import annotations

import numpy as np
import pytest

from ds_engine.features import FloatArray
from ds_training.pitch import HIGHEST, LOWEST, median_pitch, pitches

RATE = 16_000


def voice(hertz: float, seconds: float = 1.0, noise: float = 0.0, rate: int = RATE, level: float = 0.1, harmonics: int = 12) -> FloatArray:
    """Harmonics with a formant around 700 Hz, and white noise of `noise` times their amplitude."""
    time, rng = np.arange(round(seconds * rate)) / rate, np.random.default_rng(7)
    numbers = [number for number in range(1, harmonics + 1) if number * hertz < rate / 2]
    tone = np.zeros(len(time))
    for number in numbers:
        tone += np.sin(2 * np.pi * number * hertz * time + number) / (1 + abs(number * hertz - 700) / 300)
    sound: FloatArray = level * (tone / np.sqrt(np.square(tone).mean()) + noise * rng.standard_normal(len(time)))
    return np.asarray(sound, np.float32)


def white(seconds: float = 1.0) -> FloatArray:
    return np.random.default_rng(3).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


@pytest.mark.parametrize("hertz", [62, 85, 110, 165, 210, 255, 330, 440, 495])
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_the_pitch_of_a_harmonic_voice_is_found_within_one_percent(hertz: float, noise: float) -> None:
    assert median_pitch([voice(hertz, noise=noise)], RATE) == pytest.approx(hertz, rel=0.01)


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100])
def test_the_sample_rate_does_not_matter(rate: int) -> None:
    assert median_pitch([voice(180, rate=rate)], rate) == pytest.approx(180, rel=0.01)


def test_a_voice_whose_first_harmonic_is_missing_keeps_its_pitch() -> None:
    spectrum = np.fft.rfft(voice(120))
    spectrum[np.fft.rfftfreq(RATE, 1 / RATE) < 300] = 0
    assert median_pitch([np.fft.irfft(spectrum).astype(np.float32)], RATE) == pytest.approx(120, rel=0.01)


@pytest.mark.parametrize("level", [1e-4, 1e-2, 30.0])
def test_loudness_does_not_matter(level: float) -> None:
    assert median_pitch([voice(200, level=level)], RATE) == pytest.approx(200, rel=0.01)


def test_a_steady_offset_does_not_matter() -> None:
    assert median_pitch([voice(200) + np.float32(0.5)], RATE) == pytest.approx(200, rel=0.01)


def test_noise_is_not_voiced() -> None:
    assert len(pitches(white(5.0), RATE)) <= 2
    assert median_pitch([white(5.0)], RATE) is None


def test_pauses_and_quiet_hum_in_them_do_not_count() -> None:
    hum = voice(100, 3.0, level=0.001)
    spoken = np.concatenate([hum, voice(220, 1.0, level=0.1), hum])
    assert median_pitch([spoken], RATE) == pytest.approx(220, rel=0.01)


def test_silence_nothing_and_less_than_a_frame_have_no_pitch() -> None:
    for samples in (np.zeros(RATE, np.float32), np.zeros(0, np.float32), voice(200, 0.049), np.ones(RATE, np.float32)):
        assert len(pitches(samples, RATE)) == 0
        assert median_pitch([samples], RATE) is None
    assert median_pitch([], RATE) is None


def test_one_frame_has_a_pitch_but_is_too_little_for_a_median() -> None:
    samples = voice(200, 0.05)
    assert pitches(samples, RATE) == pytest.approx([200], rel=0.01)
    assert median_pitch([samples], RATE) is None
    assert median_pitch([samples] * 10, RATE) == pytest.approx(200, rel=0.01)


def test_a_median_does_not_follow_a_few_wild_frames() -> None:
    assert median_pitch([voice(200, 2.0), voice(400, 0.5), white()], RATE) == pytest.approx(200, rel=0.02)


def test_all_frequencies_lie_within_the_bounds() -> None:
    rng = np.random.default_rng(5)
    samples = np.cumsum(rng.normal(0, 0.01, 5 * RATE)).astype(np.float32)  # brown noise, where nearly anything may be found
    found = pitches(samples, RATE)
    assert ((found >= LOWEST) & (found <= HIGHEST)).all()
    assert len(pitches(voice(900, harmonics=1), RATE)) == 0 or pitches(voice(900, harmonics=1), RATE).max() <= HIGHEST
