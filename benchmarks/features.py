"""Our log-mel front end beside kaldi-native-fbank's, on the chunks that a stream computes; prints times and their ratio.

Usage: python benchmarks/features.py
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import kaldi_native_fbank
import numpy as np

from ds_engine.features import FloatArray, LogMel, LogMelSpec

FRAMES = 16  # of a chunk: 160 ms
ROUNDS = 50  # interleaved
CALLS = 20  # a round


def main() -> None:
    """Times both, alternating, and prints the medians."""
    spec = LogMelSpec()
    chunk = (np.random.default_rng(0).standard_normal(spec.samples_for(FRAMES)) * 0.1).astype(np.float32)
    ours, options = LogMel(spec), _options(spec)
    times: dict[str, list[float]] = {"ours": [], "kaldi-native-fbank": []}
    for _ in range(ROUNDS):
        times["ours"].append(_seconds(lambda: ours(chunk)))
        times["kaldi-native-fbank"].append(_seconds(lambda: _kaldi(options, chunk)))
    medians = {name: statistics.median(values) * 1e6 for name, values in times.items()}
    for name, median in medians.items():
        print(f"{name:20} {median:7.1f} us for {FRAMES * spec.hop / spec.sample_rate * 1000:.0f} ms of audio")
    print(f"ratio                {medians['ours'] / medians['kaldi-native-fbank']:7.2f}")


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        work()
    return (time.perf_counter() - began) / CALLS


def _options(spec: LogMelSpec) -> kaldi_native_fbank.FbankOptions:
    options = kaldi_native_fbank.FbankOptions()
    frame, mel = options.frame_opts, options.mel_opts
    frame.samp_freq, frame.dither, frame.preemph_coeff, frame.remove_dc_offset = spec.sample_rate, 0, 0, False
    frame.window_type, frame.snip_edges = "hanning", True
    mel.num_bins, mel.low_freq, mel.high_freq = spec.bands, spec.low_hz, spec.high_hz
    return options


def _kaldi(options: kaldi_native_fbank.FbankOptions, chunk: FloatArray) -> FloatArray:
    bank = kaldi_native_fbank.OnlineFbank(options)
    bank.accept_waveform(options.frame_opts.samp_freq, chunk)
    bank.input_finished()
    return np.stack([bank.get_frame(index) for index in range(bank.num_frames_ready)])


if __name__ == "__main__":
    main()
