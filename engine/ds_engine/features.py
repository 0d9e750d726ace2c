"""Log-mel features: float32 samples in [-1, 1] in, float32 [frames, bands] out.

A frame covers `window` samples and the next one starts `hop` samples later; nothing is padded here, so a caller that wants
`n` frames hands over `(n - 1) * hop + window` samples and keeps the overlap itself. There is no state, and no look at a
maximum: the streaming and the training path are this one function.

The recipe is Kaldi's filter bank without pre-emphasis, dither and DC removal (symmetric Hann window, power spectrum, triangles
on the scale 1127 ln(1 + f / 700)); a test holds it equal to kaldi-native-fbank.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ds_engine.errors import AudioError

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LogMelSpec:
    """The numbers of a log-mel front end, as they stand in a bundle's manifest."""

    sample_rate: int = 16_000  # Hz
    window: int = 400  # samples: 25 ms
    hop: int = 160  # samples: 10 ms
    fft: int = 512  # points
    bands: int = 80
    low_hz: float = 20.0
    high_hz: float = 7600.0
    floor: float = 1e-7  # added to the mel power of a signal in [-1, 1], so that silence is finite and stable
    scale: float = 0.25  # features = scale * ln(power + floor) + offset: about zero mean and unit variance for speech
    offset: float = 1.5

    def samples_for(self, frames: int) -> int:
        """The number of samples that `frames` frames cover."""
        return (frames - 1) * self.hop + self.window


class LogMel:
    """The front end itself: window and filter bank computed once, immutable afterwards."""

    def __init__(self, spec: LogMelSpec) -> None:
        self.spec = spec
        self._window = np.hanning(spec.window).astype(np.float32)
        self._bank = mel_bank(spec)

    def __call__(self, samples: FloatArray) -> FloatArray:
        """float32 [n] -> float32 [(n - window) // hop + 1, bands]. Raises AudioError where n is below one window."""
        return self.normalise(self.power(samples))

    def power(self, samples: FloatArray) -> FloatArray:
        """Mel power before floor and logarithm: what augmentation in training works on."""
        if samples.ndim != 1 or len(samples) < self.spec.window:
            raise AudioError(f"features need samples [n >= {self.spec.window}], got shape {list(samples.shape)}")
        frames = np.lib.stride_tricks.sliding_window_view(samples, self.spec.window)[:: self.spec.hop]
        spectrum = np.fft.rfft(frames * self._window, self.spec.fft)
        return (spectrum.real**2 + spectrum.imag**2).astype(np.float32, copy=False) @ self._bank

    def normalise(self, power: FloatArray) -> FloatArray:
        """Mel power -> features: floor, natural logarithm, scale and offset."""
        spec = self.spec
        features: FloatArray = np.log(power + np.float32(spec.floor)) * np.float32(spec.scale) + np.float32(spec.offset)
        return features


def mel_bank(spec: LogMelSpec) -> FloatArray:
    """Triangular filters float32 [fft // 2 + 1, bands], equally spaced and straight-sided on the mel scale."""
    edges = np.linspace(_mel(spec.low_hz), _mel(spec.high_hz), spec.bands + 2)
    bins = _mel(np.arange(spec.fft // 2 + 1) * spec.sample_rate / spec.fft)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    bank: FloatArray = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    return bank


def _mel(hertz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return 1127.0 * np.log1p(np.asarray(hertz, dtype=np.float64) / 700.0)
