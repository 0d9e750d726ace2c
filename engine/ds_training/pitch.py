"""How high a voice is: samples in, fundamental frequencies in Hz out.

The autocorrelation of each frame, divided by that of the window and normalised, as in Praat: P. Boersma, "Accurate short-term analysis of
the fundamental frequency and the harmonics-to-noise ratio of a sampled sound", IFA Proceedings 17, 1993, with his window of three of the
longest periods, his thresholds of silence and voicing, and his small preference for the higher of two octaves; no path is sought, as a
median needs none. Whatever a frame finds is one vote: single octave errors do not move the median.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from ds_engine.features import FloatArray

LOWEST, HIGHEST = 60.0, 500.0  # Hz: the deepest men, the highest small children
HOP_SECONDS = 0.02
SILENCE = 0.03  # of the largest amplitude of the recording: quieter frames are not voiced
VOICING = 0.45  # of the normalised autocorrelation: below, a frame is not voiced
OCTAVE_COST = 0.01  # per octave of the period
FINEST = 32_000  # Hz: what is sampled more coarsely is interpolated, or a period between two lags loses to its double
FEWEST_FRAMES = 10  # voiced, for a median: 0.2 s of voice

Hertz = npt.NDArray[np.float64]


def pitches(samples: FloatArray, sample_rate: int) -> Hertz:
    """float32 [n] -> Hz of each voiced frame; none where the recording is shorter than a frame or nobody speaks."""
    size = int(3 * sample_rate / LOWEST)
    loudest = float(np.abs(samples).max(initial=0))
    if len(samples) < size or loudest == 0:
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[:: int(HOP_SECONDS * sample_rate)]
    frames = frames - frames.mean(1, keepdims=True)
    audible = frames[np.abs(frames).max(1) > SILENCE * loudest]
    finer = -(-FINEST // sample_rate)
    return _periodic(_autocorrelation(audible, int(sample_rate / LOWEST) + 2, finer), sample_rate * finer)


def median_pitch(pieces: Iterable[FloatArray], sample_rate: int) -> float | None:
    """Recordings of one voice -> its median in Hz over all voiced frames, or None where these are too few."""
    found = [pitches(samples, sample_rate) for samples in pieces]
    frames = np.concatenate(found) if found else np.zeros(0)
    return float(np.median(frames)) if len(frames) >= FEWEST_FRAMES else None


def _autocorrelation(frames: FloatArray, lags: int, finer: int) -> Hertz:
    """[frames, size] -> [frames, lags * finer], 1 at lag 0; divided by that of the window, so that a steady tone has 1 at its period."""
    size = frames.shape[1]
    window = np.hanning(size)
    points = 1 << (size + lags).bit_length()
    found, of_window = (_correlated(rows, points, finer)[:, : lags * finer] for rows in (frames * window, window[None]))
    normalised: Hertz = found / np.maximum(found[:, :1], 1e-30) / (of_window / of_window[:, :1])
    return normalised


def _correlated(rows: Hertz, points: int, finer: int) -> Hertz:
    """The autocorrelation, interpolated by zeros behind the spectrum."""
    spectrum = np.fft.rfft(rows, points)
    correlated: Hertz = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, points * finer)
    return correlated


def _periodic(correlation: Hertz, rate: int) -> Hertz:
    """The frequency of the best peak of each frame that is voiced; lags are 1 / rate apart, peaks are those of a parabola."""
    first, last = int(rate / HIGHEST), correlation.shape[1] - 1
    before, middle, after = correlation[:, first - 1 : last - 1], correlation[:, first:last], correlation[:, first + 1 : last + 1]
    bend = np.minimum(before - 2 * middle + after, -1e-12)
    between = 0.5 * (before - after) / bend
    heights = middle - 0.25 * (before - after) * between
    lags = np.arange(first, last) + between
    peaks = (middle > before) & (middle >= after) & (heights > VOICING)
    best = np.where(peaks, heights - OCTAVE_COST * np.log2(np.maximum(lags, 1) * LOWEST / rate), -np.inf).argmax(1)
    rows = np.flatnonzero(peaks.any(1))
    found: Hertz = rate / lags[rows, best[rows]]
    return found[(found >= LOWEST) & (found <= HIGHEST)]
