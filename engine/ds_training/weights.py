"""How a weight is stored in `model.onnx`: a float32 array in, arrays of a format out, and back.

`float16` halves the file, `int8` halves it again. An int8 weight is symmetric with one float32 scale per output channel (for an LSTM
per row of a gate): value = integer x scale, integers -127 to 127. Only weights are rounded; whatever is heard stays float32, so no
result depends on what stands beside it in a batch or on a loud moment, as it would if activations were quantised by their range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from ds_engine.features import FloatArray
from ds_training.exportable import ExportError

Array = npt.NDArray[np.generic]
LARGEST_INTEGER = 127  # not -128: the scale is the same on both sides
HALF_MAX = float(np.finfo(np.float16).max)
SCALE = "/scale"  # follows the name of an int8 weight


class WeightFormat(StrEnum):
    """What the large arrays of weights are kept as."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    INT8 = "int8"


@dataclass(frozen=True, slots=True)
class Stored:
    """An array as it lies in the file, and the scales of an int8 one, which broadcast over it."""

    value: Array
    scale: FloatArray | None = None


def store(name: str, value: FloatArray, weights: WeightFormat, axis: int | None) -> Stored:
    """One array; `axis` is that of its output channels, None for a bias or norm, which int8 leaves float32.

    Raises ExportError where the format cannot hold it.
    """
    if not np.isfinite(value).all():
        raise ExportError(f"weights need to be finite, got NaN or infinity in {name} once it was folded")
    if weights is WeightFormat.FLOAT16:
        return Stored(_half(name, value))
    if weights is WeightFormat.INT8 and axis is not None:
        return _integers(value, axis)
    return Stored(value.astype(np.float32))


def restore(arrays: Mapping[str, Array], name: str) -> FloatArray:
    """The float32 array `name` out of all arrays of a file, exactly as ONNX Runtime will compute with it. Raises KeyError."""
    value = arrays[name]
    floats: FloatArray = value.astype(np.float32)
    return floats * arrays[name + SCALE].astype(np.float32) if value.dtype == np.int8 else floats


def format_of(arrays: Mapping[str, Array], name: str) -> WeightFormat:
    """The format of a file, told by one of its weights. Raises KeyError, and ValueError for a format that is none of ours."""
    return WeightFormat(str(arrays[name].dtype))


def _half(name: str, value: FloatArray) -> Array:
    largest = float(np.abs(value).max(initial=0))
    if largest > HALF_MAX:
        raise ExportError(f"float16 holds values up to {HALF_MAX:g}, got {largest:g} in {name}; float32 and int8 hold it")
    return value.astype(np.float16)


def _integers(value: FloatArray, axis: int) -> Stored:
    others = tuple(index for index in range(value.ndim) if index != axis)
    scale = np.abs(value).max(others, keepdims=True) / np.float32(LARGEST_INTEGER)
    scale = np.where(scale > 0, scale, np.float32(1)).astype(np.float32)  # a channel of zeros stays one
    integers = np.clip(np.rint(value / scale), -LARGEST_INTEGER, LARGEST_INTEGER).astype(np.int8)
    return Stored(integers, scale)
