"""Weights in each format, and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

pytest.importorskip("torch")

from ds_engine.features import FloatArray
from ds_training.exportable import ExportError
from ds_training.weights import LARGEST_INTEGER, SCALE, Array, WeightFormat, format_of, restore, store

ANY = arrays(np.float32, array_shapes(min_dims=2, max_dims=3, max_side=5), elements=st.floats(-1e4, 1e4, width=32))


def written(name: str, value: FloatArray, weights: WeightFormat, axis: int | None = 0) -> dict[str, Array]:
    """The arrays of a file that holds one weight."""
    stored = store(name, value, weights, axis)
    return {name: stored.value} | ({} if stored.scale is None else {name + SCALE: stored.scale})


@settings(max_examples=60, deadline=None)
@given(value=ANY, weights=st.sampled_from(WeightFormat), axis=st.integers(0, 1))
def test_what_comes_back_is_as_near_as_the_format_can_be(value: FloatArray, weights: WeightFormat, axis: int) -> None:
    found = restore(written("w", value, weights, axis), "w")
    assert found.dtype == np.float32
    assert found.shape == value.shape
    largest = np.abs(value).max(tuple(index for index in range(value.ndim) if index != axis), keepdims=True)
    allowed = {
        WeightFormat.FLOAT32: np.zeros_like(value),
        WeightFormat.FLOAT16: np.abs(value) * 2**-11 + 2**-24,
        WeightFormat.INT8: np.broadcast_to(largest / LARGEST_INTEGER * 0.5001, value.shape),
    }
    assert (np.abs(found - value) <= allowed[weights]).all()


@settings(max_examples=40, deadline=None)
@given(value=ANY, weights=st.sampled_from(WeightFormat))
def test_what_was_rounded_once_is_not_rounded_further(value: FloatArray, weights: WeightFormat) -> None:
    once = written("w", value, weights)
    twice = written("w", restore(once, "w"), weights)
    assert np.array_equal(once["w"], twice["w"])
    np.testing.assert_allclose(restore(twice, "w"), restore(once, "w"), rtol=1e-6)


def test_a_loud_channel_costs_a_quiet_one_nothing() -> None:
    quiet = np.array([[1e-6, 2e-6, -3e-6]], np.float32)
    both = np.concatenate([quiet, [[100, -200, 300]]]).astype(np.float32)
    alone, beside = (restore(written("w", value, WeightFormat.INT8), "w")[:1] for value in (quiet, both))
    assert np.array_equal(alone, beside)


def test_integers_are_symmetric_and_zeros_stay_zero() -> None:
    value = np.array([[-4, 4, 0], [0, 0, 0], [1e-44, 0, 0]], np.float32)
    stored = store("w", value, WeightFormat.INT8, 0)
    assert stored.value.dtype == np.int8
    assert stored.value.tolist() == [[-127, 127, 0], [0, 0, 0], [0, 0, 0]]
    assert stored.scale is not None
    assert stored.scale.dtype == np.float32
    assert stored.scale.shape == (3, 1)


def test_biases_stay_float32_beside_integers() -> None:
    value = np.array([1e-9, 1], np.float32)
    assert np.array_equal(restore(written("b", value, WeightFormat.INT8, None), "b"), value)


@pytest.mark.parametrize("weights", WeightFormat)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_by_name(weights: WeightFormat, wrong: float) -> None:
    with pytest.raises(ExportError, match=r"infinity in lstm\.bias"):
        store("lstm.bias", np.array([1, wrong], np.float32), weights, None)


def test_float16_says_what_it_cannot_hold_and_which_format_can() -> None:
    value = np.array([[70_000.0]], np.float32)
    with pytest.raises(ExportError, match=r"up to 65504, got 70000 in w; float32 and int8 hold it"):
        store("w", value, WeightFormat.FLOAT16, 0)
    assert restore(written("w", value, WeightFormat.INT8), "w").item() == pytest.approx(70_000)


@pytest.mark.parametrize("weights", WeightFormat)
def test_a_file_tells_its_format(weights: WeightFormat) -> None:
    assert format_of(written("w", np.ones((2, 2), np.float32), weights), "w") is weights


def test_an_unknown_format_is_an_error() -> None:
    with pytest.raises(ValueError, match="float64"):
        format_of({"w": np.ones(1)}, "w")
