"""What room and devices do to sound: mel power of a batch [B, T, bands], or of one utterance [frames, bands], in; altered in place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ds_engine.features import FloatArray, LogMelSpec
from ds_training.augment_dice import Dice, Doubles, Rng, Throw, walk
from ds_training.augment_settings import FRAMES_PER_SECOND
from ds_training.augmentations import Augmentation, Microphone, Reverb
from ds_training.corpus import SMALLEST_POWER

DECIBEL = float(np.log(10)) / 10  # in ln of power
FULL_SCALE = 4.19  # ln of the mean power over the bands in the loudest frame of speech that peaks at full scale
MASKED_BELOW, MASKED_ABOVE = 6.5, 2.5  # dB by which a sound masks less from band to band: 25 and 10 per bark
MASKED = 10.0  # dB below what is heard around it in its frame, a cell is masked
MASKED_WAVER = 1.6


class Channel:
    """A device in front of `bands`: where they lie, and what hides what."""

    def __init__(self, spec: LogMelSpec) -> None:
        low, high = np.log1p(np.array([spec.low_hz, spec.high_hz]) / 700)
        self._edges = 700 * np.expm1(np.linspace(low, high, spec.bands + 2))  # Hz; a band begins, peaks and ends at three neighbours
        self._ramp = np.linspace(0, 1, spec.bands)
        away = np.subtract.outer(np.arange(spec.bands), np.arange(spec.bands))  # of a masked band from the masking one
        self._masking = np.exp(-DECIBEL * np.where(away > 0, MASKED_ABOVE * away, -MASKED_BELOW * away)).astype(np.float32).T

    def gains(self, loudest: Sequence[float], settings: Augmentation, throw: Throw) -> FloatArray:
        """Loudness, microphone and telephone: factors on power [B, bands] for utterances whose loudest frames have these powers."""
        gains = np.zeros((len(loudest), len(self._masking)))  # ln
        loudness, microphone, telephone = throw(settings.loudness), throw(settings.microphone), throw(settings.telephone)
        for index in loudness.hits(len(gains)):
            gains[index] += loudness.one(settings.loudness.peak) * DECIBEL + FULL_SCALE - np.log(loudest[index] + SMALLEST_POWER)
        for index in microphone.hits(len(gains)):
            gains[index] += self._curve(settings.microphone, microphone)
        middles = self._edges[1:-1]
        outside = (middles < settings.telephone.low) | (middles > settings.telephone.high)
        gains[telephone.hits(len(gains))] -= outside * settings.telephone.depth * DECIBEL
        return np.exp(gains).astype(np.float32)

    def cut(self, power: FloatArray, hertz: float) -> None:
        """Nothing is left above: of a band that reaches over it, the part below."""
        lower, upper = self._edges[:-2], self._edges[2:]
        power *= np.clip((hertz - lower) / (upper - lower), 0, 1).astype(np.float32)

    def code(self, power: FloatArray, waver: float, holes: float, rng: Rng) -> None:
        """Levels that waver by a standard deviation in dB, and a share of masked cells that are holes.

        Measured on speech that went through MP3, Opus and Vorbis at 12 to 32 kbit/s: errors of neighbouring bands and frames are
        correlated by a half, are about MASKED_WAVER times larger where masked, and have no bias.
        """
        masked = power < power @ self._masking * np.float32(np.exp(-MASKED * DECIBEL))
        drawn = rng.standard_normal((len(power) + 1, power.shape[1] + 1), np.float32)
        drawn = drawn[:-1] + drawn[1:]
        error = drawn[:, :-1] + drawn[:, 1:]
        error *= np.where(masked, np.float32(MASKED_WAVER), np.float32(1)) * np.float32(waver * DECIBEL / 2)
        power *= np.exp(error)
        masked &= rng.random(power.shape, np.float32) < holes
        power *= ~masked

    def _curve(self, settings: Microphone, dice: Dice) -> Doubles:
        low, high = dice.one(settings.tilt), dice.one(settings.tilt)
        curve: Doubles = low + (high - low) * self._ramp + walk(len(self._ramp), settings.walk, dice.rng)
        return curve * DECIBEL


def reverberate(power: FloatArray, settings: Reverb, dice: Dice) -> None:
    """Exponential tails, shorter for high bands, on some of the utterances."""
    chosen = dice.hits(len(power))
    if not chosen:
        return
    seconds = dice.logarithmic(settings.seconds, len(chosen))[:, None] * np.linspace(1.1, 0.7, power.shape[2])
    decay = np.exp(-np.log(1e6) / (seconds * FRAMES_PER_SECOND)).astype(np.float32)
    share = dice.logarithmic(settings.tail, len(chosen))[:, None].astype(np.float32) * (1 - decay)
    frames = np.ascontiguousarray(power[chosen].transpose(1, 0, 2))
    tail, added = np.zeros_like(frames[0]), np.zeros_like(frames[0])
    for index in range(len(frames)):
        tail *= decay
        tail += frames[index]
        frames[index] += np.multiply(share, tail, out=added)
    power[chosen] = frames.transpose(1, 0, 2)
