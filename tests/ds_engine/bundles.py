"""Small bundles with real ONNX networks of family `native`, written into a test's own folder."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BANDS = 8
FRAMES = 4  # a chunk
SYMBOLS = ("_", " ", "a", "b", "c")
EN_SMALL = Path(__file__).parents[2] / "ds_plugin" / "bundles" / "en-small"

Edit = Callable[[dict[str, Any]], None]


def network(states: int = 1, *, batch: str | int | None = "batch", symbols: int = len(SYMBOLS), **odd: Any) -> bytes:
    """features [batch, 4, 8] -> log_softmax(features W + sum of states), states [batch, symbols] that follow the last row.

    `odd` makes it wrong: `feature_name`, `bands`, `state_batch`, `nan=True`.
    """
    weights = np.random.default_rng(5).normal(size=(odd.get("bands", BANDS), symbols)).astype(np.float32)
    if odd.get("nan"):
        weights[:] = np.nan
    nodes = [helper.make_node("MatMul", [odd.get("feature_name", "features"), "weights"], ["sum_0"])]
    state_batch = odd.get("state_batch", batch)
    inputs = [
        helper.make_tensor_value_info(odd.get("feature_name", "features"), TensorProto.FLOAT, [batch, FRAMES, odd.get("bands", BANDS)])
    ]
    outputs = [helper.make_tensor_value_info("log_probs", TensorProto.FLOAT, [batch, FRAMES, symbols])]
    for index in range(states):
        inputs.append(helper.make_tensor_value_info(f"state_{index}", TensorProto.FLOAT, [state_batch, 1, symbols]))
        outputs.append(helper.make_tensor_value_info(f"next_state_{index}", TensorProto.FLOAT, [state_batch, 1, symbols]))
        nodes.append(helper.make_node("Add", [f"sum_{index}", f"state_{index}"], [f"sum_{index + 1}"]))
    nodes.append(helper.make_node("LogSoftmax", [f"sum_{states}"], ["log_probs"], axis=-1))
    for index in range(states):
        nodes.append(helper.make_node("Slice", ["log_probs", "last", "end", "axis"], [f"tail_{index}"]))
        nodes.append(helper.make_node("Mul", [f"tail_{index}", "half"], [f"next_state_{index}"]))
    constants = {
        "weights": weights,
        "last": np.array([-1]),
        "end": np.array([2**31]),
        "axis": np.array([1]),
        "half": np.array([0.5], np.float32),
    }
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "toy", inputs, outputs, tensors)
    model: bytes = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    return model


def manifest(files: Mapping[str, bytes]) -> dict[str, Any]:
    """A right manifest for `network`."""
    features = {"type": "log-mel", "window": 400, "hop": 160, "fft": 512, "bands": BANDS}
    numbers = {"low_hz": 20, "high_hz": 7600.0, "floor": 1e-7, "scale": 0.25, "offset": 1.5}
    return {
        "format": 1,
        "name": "toy",
        "version": "1",
        "language": "en",
        "description": "a toy",
        "license": "CC0-1.0",
        "family": "native",
        "alphabet": {"symbols": list(SYMBOLS), "blank": 0, "ignored": [], "boundary": {"rule": "separator", "symbol": " "}},
        "acoustic": {
            "sample_rate": 16_000,
            "features": features | numbers,
            "chunk_frames": FRAMES,
            "frames_per_step": 1,
            "look_ahead_frames": 2,
            "start_chunks": 1,
            "end_frames": 6,
            "max_batch": 4,
        },
        "calibration": {},
        "files": {name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in files.items()},
    }


def write(folder: Path, model: bytes | None = None, edit: Edit | None = None) -> Path:
    """A bundle in `folder`; `edit` may change its manifest."""
    files = {"model.onnx": network() if model is None else model, "LICENSE": b"none\n"}
    written = manifest(files)
    if edit is not None:
        edit(written)
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / "manifest.json").write_text(json.dumps(written))
    return folder


def zipped(folder: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """The zip of a bundle's folder, beside it."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", method) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    return path


def checked(model: bytes) -> bytes:
    """Raises where the toy itself is no valid ONNX."""
    onnx.checker.check_model(onnx.load_from_string(model))
    return model
