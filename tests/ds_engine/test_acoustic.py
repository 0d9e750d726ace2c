from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_engine.acoustic import checked_log_probs, flush_by_silence
from ds_engine.audio import AudioFormat, to_mono
from ds_engine.decoder import Timing
from ds_engine.errors import BundleError
from tests.ds_engine.fakes import ROW, ROWS_PER_STEP, ReplayModel, said, silence

MODEL = ReplayModel()


@given(length=st.integers(0, MODEL.chunk_samples - 1), quiet=st.integers(0, 5_000))
def test_a_flush_covers_the_tail_and_its_silence_in_whole_steps(length: int, quiet: int) -> None:
    rows = flush_by_silence(MODEL, np.ones(length, np.float32), MODEL.initial_state(), quiet)
    assert len(rows) % ROWS_PER_STEP == 0
    assert len(rows) * ROW + MODEL.overlap >= length + quiet
    assert len(rows) <= ROWS_PER_STEP or (len(rows) - ROWS_PER_STEP) * ROW + MODEL.overlap < length + quiet


def test_a_flush_equals_steps_over_the_same_silence() -> None:
    tail = to_mono(said("ab"), AudioFormat())[:800]
    flushed = flush_by_silence(MODEL, tail, MODEL.initial_state(), 600)
    padded = np.concatenate([tail, to_mono(silence(1), AudioFormat())])
    state, rows = MODEL.initial_state(), []
    for start in range(0, len(flushed) * ROW, MODEL.shift_samples):
        log_probs, (state,) = MODEL.step(padded[start : start + MODEL.chunk_samples][None], [state])
        rows.append(log_probs[0])
    np.testing.assert_array_equal(flushed, np.concatenate(rows))


def test_right_log_probs_pass_unchanged() -> None:
    log_probs = np.full((2, 3, 4), -np.inf, np.float32)
    assert checked_log_probs(log_probs, 2, 4) is log_probs


@pytest.mark.parametrize(
    ("shape", "kind", "told"),
    [((2, 3), "f4", r"\[2, 3\]"), ((1, 3, 4), "f4", r"\[1, 3, 4\]"), ((2, 3, 5), "f4", r"\[2, 3, 5\]"), ((2, 3, 4), "f8", "float64")],
)
def test_a_wrong_shape_or_type_is_told_with_what_was_needed(shape: tuple[int, ...], kind: str, told: str) -> None:
    with pytest.raises(BundleError, match=rf"gave .*{told}.*, needed float32 \[2, steps, 4\]"):
        checked_log_probs(np.zeros(shape, kind), 2, 4)


def test_nan_is_refused() -> None:
    with pytest.raises(BundleError, match="NaN"):
        checked_log_probs(np.full((1, 1, 4), np.nan, np.float32), 1, 4)


def test_times_count_from_the_first_sample_and_are_never_negative() -> None:
    timing = Timing(0.04, 0.1)
    assert [timing.start(row) for row in (0, 2, 5)] == [0.0, 0.0, pytest.approx(0.1)]
