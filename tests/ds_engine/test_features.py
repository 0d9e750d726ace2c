from __future__ import annotations

import kaldi_native_fbank
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.errors import AudioError
from ds_engine.features import FloatArray, LogMel, LogMelSpec, mel_bank
from tests.ds_engine.fakes import babble

SPEC = LogMelSpec()


def kaldi_log_power(samples: FloatArray, spec: LogMelSpec) -> FloatArray:
    """Kaldi's own filter bank with this project's options, log power of a signal in [-1, 1]."""
    options = kaldi_native_fbank.FbankOptions()
    frame, mel = options.frame_opts, options.mel_opts
    frame.samp_freq, frame.dither, frame.preemph_coeff = spec.sample_rate, 0, 0
    frame.frame_length_ms, frame.frame_shift_ms = (1000 * n / spec.sample_rate for n in (spec.window, spec.hop))
    frame.remove_dc_offset, frame.window_type, frame.snip_edges = False, "hanning", True
    mel.num_bins, mel.low_freq, mel.high_freq = spec.bands, spec.low_hz, spec.high_hz
    options.use_energy, options.use_power, options.use_log_fbank = False, True, True
    bank = kaldi_native_fbank.OnlineFbank(options)
    bank.accept_waveform(spec.sample_rate, samples.tolist())
    bank.input_finished()
    return np.stack([bank.get_frame(i) for i in range(bank.num_frames_ready)])


@pytest.mark.parametrize("spec", [SPEC, LogMelSpec(8_000, 200, 80, 256, 40, 60.0, 3_800.0)], ids=["16 kHz", "8 kHz"])
def test_the_log_power_equals_kaldis_well_above_the_floor(spec: LogMelSpec) -> None:
    samples = babble(1.0, level=0.8, rate=spec.sample_rate)
    ours, theirs = np.log(LogMel(spec).power(samples)), kaldi_log_power(samples, spec)
    assert ours.shape == theirs.shape
    audible = theirs > np.log(1e-4)
    assert audible.mean() > 0.9
    np.testing.assert_allclose(ours[audible], theirs[audible], atol=2e-3)


def test_silence_is_finite_and_the_same_everywhere() -> None:
    features = LogMel(SPEC)(np.zeros(SPEC.samples_for(3), np.float32))
    assert features.shape == (3, SPEC.bands)
    assert np.ptp(features) == 0
    assert features[0, 0] == pytest.approx(SPEC.scale * np.log(SPEC.floor) + SPEC.offset)


def test_full_scale_speech_is_about_unit_size() -> None:
    features = LogMel(SPEC)(babble(2.0, level=0.5))
    assert abs(features.mean()) < 2
    assert np.abs(features).max() < 6


@settings(max_examples=30, deadline=None)
@given(frames=st.integers(1, 40), extra=st.integers(0, SPEC.hop - 1))
def test_n_frames_need_exactly_the_samples_that_the_spec_says(frames: int, extra: int) -> None:
    assert len(LogMel(SPEC)(np.zeros(SPEC.samples_for(frames) + extra, np.float32))) == frames


@settings(max_examples=15, deadline=None)
@given(frames=st.integers(1, 20), start=st.integers(0, 20))
def test_a_frame_depends_on_its_own_window_only(frames: int, start: int) -> None:
    samples, front = babble(0.5), LogMel(SPEC)
    part = front(samples[start * SPEC.hop :][: SPEC.samples_for(frames)])
    np.testing.assert_allclose(part, front(samples)[start : start + frames], atol=1e-5)


def test_the_same_samples_give_the_same_bits() -> None:
    samples, front = babble(0.3), LogMel(SPEC)
    np.testing.assert_array_equal(front(samples), front(samples.copy()))
    assert front(samples).dtype == np.float32


@pytest.mark.parametrize("shape", [(0,), (399,), (2, 400), ()])
def test_too_few_samples_or_a_wrong_shape_are_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(AudioError, match=r"samples \[n >= 400\], got shape"):
        LogMel(SPEC)(np.zeros(shape, np.float32))


def test_filters_are_triangles_that_overlap_by_half() -> None:
    bank = mel_bank(SPEC)
    assert bank.shape == (257, 80)
    assert (bank >= 0).all()
    assert (bank <= 1).all()
    middle = bank[10:200].sum(axis=1)  # between the first and the last filter's tops all weights add up to one
    np.testing.assert_allclose(middle, 1, atol=1e-5)
    assert bank[0].sum() == 0
