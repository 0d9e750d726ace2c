"""Audio in: PCM bytes of any width, rate and channel count -> float32 mono [-1, 1] at the model's rate.

`PcmDecoder` is fed pieces of any size, down to one byte: bytes of an unfinished frame wait for the next piece, and the
resampler (soxr) carries its own tail. For any cutting of the same bytes the samples are identical, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import soxr

from ds_engine.errors import AudioError
from ds_engine.limits import MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE

if TYPE_CHECKING:
    from ds_engine.features import FloatArray

_INTEGER_WIDTHS = (1, 2, 3, 4)  # bytes a sample
_FLOAT_WIDTHS = (4, 8)
_SILENT_8_BIT = 128  # 8-bit PCM is unsigned, as in WAV files; all wider integers are signed


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Interleaved little-endian PCM. Raises AudioError for a format that cannot be decoded."""

    rate: int = 16_000  # Hz
    width: int = 2  # bytes a sample
    channels: int = 1
    floating: bool = False  # IEEE float in [-1, 1] instead of integers

    def __post_init__(self) -> None:
        widths = _FLOAT_WIDTHS if self.floating else _INTEGER_WIDTHS
        _require("sample rate", self.rate, f"{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz", MIN_SAMPLE_RATE, MAX_SAMPLE_RATE)
        _require("channel count", self.channels, f"1 to {MAX_CHANNELS}", 1, MAX_CHANNELS)
        if type(self.width) is not int or self.width not in widths:
            raise AudioError(f"sample width must be one of {widths} bytes, got {self.width!r}")

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame: a sample of every channel."""
        return self.width * self.channels

    def seconds(self, size: int) -> float:
        """The duration of `size` bytes."""
        return size / (self.frame_bytes * self.rate)

    def bytes_for(self, seconds: float) -> int:
        """The number of bytes that `seconds` of audio take, in whole frames."""
        return round(seconds * self.rate) * self.frame_bytes


class PcmDecoder:
    """Decodes, mixes and resamples one utterance's bytes."""

    def __init__(self, source: AudioFormat, rate: int) -> None:
        self._format = source
        self._rest = b""
        self._resampler = None if source.rate == rate else soxr.ResampleStream(source.rate, rate, 1, dtype="float32")

    def decode(self, data: bytes) -> FloatArray:
        """Bytes -> float32 [n]. Raises AudioError where floating-point audio holds NaN or infinity."""
        data = self._rest + data if self._rest else bytes(data)
        whole = len(data) - len(data) % self._format.frame_bytes
        self._rest = data[whole:]
        return self._resampled(to_mono(data[:whole], self._format), last=False)

    def flush(self) -> FloatArray:
        """The resampler's tail, float32 [n]. An unfinished frame at the end is dropped: it is less than one sample."""
        self._rest = b""
        return self._resampled(np.zeros(0, np.float32), last=True)

    def _resampled(self, samples: FloatArray, *, last: bool) -> FloatArray:
        if self._resampler is None:
            return samples
        resampled: FloatArray = self._resampler.resample_chunk(samples, last=last)
        return resampled


def to_mono(data: bytes, source: AudioFormat) -> FloatArray:
    """Whole frames of PCM -> float32 [n] in [-1, 1], the channels averaged."""
    samples = _floats(data, source) if source.floating else _integers(data, source.width)
    if source.channels > 1:
        samples = samples.reshape(-1, source.channels).mean(axis=1, dtype=np.float32)
    return samples


def _integers(data: bytes, width: int) -> FloatArray:
    if width == 1:
        unsigned = np.frombuffer(data, np.uint8).astype(np.float32)
        return (unsigned - np.float32(_SILENT_8_BIT)) / np.float32(_SILENT_8_BIT)
    if width == 3:  # numpy has no 24-bit type: place the three bytes above a zero one
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        data, width = padded.tobytes(), 4
    full_scale = np.float32(2 ** (8 * width - 1))
    scaled: FloatArray = np.frombuffer(data, f"<i{width}").astype(np.float32) / full_scale
    return scaled


def _floats(data: bytes, source: AudioFormat) -> FloatArray:
    samples = np.frombuffer(data, f"<f{source.width}")
    if not np.isfinite(samples).all():
        raise AudioError("floating-point audio holds NaN or infinity")
    clipped: FloatArray = np.clip(samples, -1.0, 1.0).astype(np.float32)  # in this order: a double may be beyond float32
    return clipped


def _require(name: str, value: int, wanted: str, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise AudioError(f"{name} must be {wanted}, got {value!r}")
