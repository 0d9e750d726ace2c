"""Noise for evaluation: speech and a ratio in dB in, both together out, the same for every model and on every machine.

The ratio is that of the speech while somebody speaks (frames of 10 ms within 30 dB of the loudest, in the manner of ITU-T P.56) to the
noise over the whole utterance. Coloured noise falls by a power of frequency that is drawn between 0 (white) and 2 (brown). Babble is up
to four other voices of the same evaluation at once, each equally loud. On samples amplitudes are added, on mel power powers, which
leaves out only what speech and noise cancel by chance.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from ds_engine.features import FloatArray

ACTIVE_DB = 30.0  # below the loudest frame, somebody still speaks
ACTIVE_SECONDS = 0.01  # a frame of samples
STEEPEST = 2.0  # exponent of the power of coloured noise over frequency
FLAT_BELOW = 50.0  # Hz: below, coloured noise rises no further
BABBLE_VOICES = 4

Rng = np.random.Generator


def rng_for(key: str, seed: int) -> Rng:
    """The generator of one utterance's noise, which depends on neither the others nor the ratio."""
    return np.random.default_rng([seed, zlib.crc32(key.encode())])


def active(power: FloatArray) -> float:
    """Power of frames [n] -> its mean over those in which somebody speaks; 0 for silence."""
    loudest = float(power.max(initial=0))
    return float(power[power >= loudest * 10 ** (-ACTIVE_DB / 10)].mean(dtype=np.float64)) if loudest else 0.0


def frame_power(samples: FloatArray, sample_rate: int) -> FloatArray:
    """float32 [n] -> mean power of frames of 10 ms; a tail below one is left out, unless it is all there is."""
    size = min(int(ACTIVE_SECONDS * sample_rate), len(samples))
    frames = samples[: len(samples) // size * size].reshape(-1, size) if size else samples[:, None]
    power: FloatArray = (frames.astype(np.float64) ** 2).mean(1).astype(np.float32)
    return power


def coloured(count: int, sample_rate: int, rng: Rng) -> FloatArray:
    """float32 [count] of mean power 1."""
    frequency = np.maximum(np.fft.rfftfreq(max(2, count), 1 / sample_rate), FLAT_BELOW)
    spectrum = rng.standard_normal((2, len(frequency))) * frequency ** (-rng.uniform(0, STEEPEST) / 2)
    noise = np.fft.irfft(spectrum[0] + 1j * spectrum[1], max(2, count))[:count]
    return (noise / np.sqrt((noise**2).mean() + 1e-30)).astype(np.float32) if count else np.zeros(0, np.float32)


def babble_of_samples(count: int, voices: Sequence[FloatArray], sample_rate: int, rng: Rng) -> FloatArray:
    """Other people's float32 [n] -> [count], each from a random place on, over and over, all equally loud."""
    total = np.zeros(count, np.float32)
    for voice in voices:
        total += _looped(voice, count, rng) / np.float32(np.sqrt(active(frame_power(voice, sample_rate))) + 1e-12)
    return total


def babble_of_power(count: int, voices: Sequence[FloatArray], rng: Rng) -> FloatArray:
    """The same on mel power [frames, bands] -> [count, bands]."""
    total = np.zeros((count, voices[0].shape[1]), np.float32)
    for voice in voices:
        total += _looped(voice, count, rng) / np.float32(active(voice.sum(1)) + 1e-24)
    return total


def add_samples(samples: FloatArray, noise: FloatArray, ratio: float, sample_rate: int) -> FloatArray:
    """float32 [n] and [n] -> [n] at `ratio` dB, made quieter as a whole where it would pass full scale. Silence stays as it is."""
    wanted = active(frame_power(samples, sample_rate)) * 10 ** (-ratio / 10)
    mixed = samples + noise * np.float32(np.sqrt(wanted / ((noise.astype(np.float64) ** 2).mean() + 1e-30)) if len(noise) else 0)
    return (mixed / max(1.0, float(np.abs(mixed).max(initial=0)))).astype(np.float32)


def add_power(power: FloatArray, noise: FloatArray, ratio: float) -> FloatArray:
    """Mel power [frames, bands] and the noise's -> their sum at `ratio` dB of the power over all bands."""
    wanted = active(power.sum(1)) * 10 ** (-ratio / 10)
    mixed: FloatArray = power + noise * np.float32(wanted / (float(noise.sum(1).mean(dtype=np.float64)) + 1e-30))
    return mixed


def _looped(voice: FloatArray, count: int, rng: Rng) -> FloatArray:
    if not len(voice):
        return np.zeros((count, *voice.shape[1:]), np.float32)
    looped: FloatArray = voice[(np.arange(count) + rng.integers(len(voice))) % len(voice)]
    return looped
