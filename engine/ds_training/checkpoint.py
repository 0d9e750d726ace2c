"""Files of weights: a path in, a network out. A checkpoint holds everything that training needs to go on as if it had not stopped.

Checkpoint: `spec`, `weights` (those to evaluate and export: the moving average) and, from training, `live` (the weights as they
are), `phones` (the output that training alone has), `optimizer` and `position`. A file of weights alone, small enough to carry away,
has the first two, with parameters as float16. A bundle's `model.onnx` holds the same weights with the batch norm folded (see
onnx_graph.py).
"""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import onnx
import torch
from google.protobuf.message import DecodeError
from torch import Tensor

from ds_training.corpus import CorpusError
from ds_training.model import Network, NetworkSpec
from ds_training.onnx_graph import from_graph


class CheckpointError(CorpusError):
    """A file of weights that cannot be used: the message names the file."""


def load_network(path: Path) -> Network:
    """The network to evaluate, export or start from, out of a checkpoint or a bundle's `model.onnx`, on the processor.

    Raises CheckpointError for any other file.
    """
    if path.suffix == ".onnx":
        return _load_graph(path)
    checkpoint = load_checkpoint(path)
    try:
        network = Network(NetworkSpec.from_json(checkpoint["spec"]))
        network.load_state_dict(checkpoint["weights"])
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise CheckpointError(f"{path}: not the weights of a network ({first_line(error)})") from error
    return network


def _load_graph(path: Path) -> Network:
    try:
        return from_graph(onnx.load(path))
    except (OSError, DecodeError, ValueError) as error:
        raise CheckpointError(f"{path}: {first_line(error)}") from error


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The whole checkpoint. Only tensors and plain values are read, so that a stranger's file runs no code. Raises CheckpointError."""
    try:
        if not zipfile.is_zipfile(path):  # PyTorch would take any bytes for its older form
            raise CheckpointError(f"{path}: not a checkpoint ({'no zip archive' if path.exists() else 'no such file'})")
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, KeyError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path}: not a checkpoint ({first_line(error)})") from error
    if not isinstance(checkpoint, dict):
        raise CheckpointError(f"{path}: a checkpoint needs a table, got {type(checkpoint).__name__}")
    return checkpoint


def save_checkpoint(path: Path, checkpoint: dict[str, Any]) -> None:
    """Written beside and renamed, so that a stop at any time leaves a whole file."""
    beside = path.with_name(f"partial-{path.name}")
    torch.save(checkpoint, beside)
    beside.rename(path)


def save_weights(path: Path, network: Network) -> None:
    """Weights alone, parameters as float16: 2 bytes each. Raises CheckpointError where one is not finite as float16."""
    small = {name: _half(value) for name, value in network.named_parameters()}
    for name, value in small.items():
        if not bool(value.isfinite().all()):
            raise CheckpointError(f"{path}: {name} needs finite weights below 65,504, got {float(value.abs().max())}")
    statistics = {name: value.detach().cpu() for name, value in network.named_buffers()}  # few, and of any size
    save_checkpoint(path, {"spec": network.spec.to_json(), "weights": {**small, **statistics}})


def _half(value: Tensor) -> Tensor:
    return value.detach().half().cpu()


def first_line(error: Exception) -> str:
    """The first line of a message: PyTorch's go on with advice."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
