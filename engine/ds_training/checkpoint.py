"""Files of weights: a path in, a network out. A checkpoint holds everything that training needs to go on as if it had not stopped.

Checkpoint: `spec`, `weights` (those to evaluate and export: the moving average) and, from training, `live` (the weights as they
are), `phones` (the output that training alone has), `optimizer` and `position`.
A bundle's `model.onnx` holds the same weights with the batch norm folded (see onnx_graph.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import torch

from ds_training.model import Network, NetworkSpec
from ds_training.onnx_graph import from_graph


def load_network(path: Path) -> Network:
    """The network to evaluate, export or start from, out of a checkpoint or a bundle's `model.onnx`."""
    if path.suffix == ".onnx":
        return from_graph(onnx.load(path))
    checkpoint = load_checkpoint(path)
    network = Network(NetworkSpec.from_json(checkpoint["spec"]))
    network.load_state_dict(checkpoint["weights"])
    return network


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The whole checkpoint. Only tensors and plain values are read, so that a stranger's file runs no code."""
    checkpoint: dict[str, Any] = torch.load(path, weights_only=True)
    return checkpoint


def save_checkpoint(path: Path, checkpoint: dict[str, Any]) -> None:
    """Written beside and renamed, so that a stop at any time leaves a whole file."""
    beside = path.with_name(f"partial-{path.name}")
    torch.save(checkpoint, beside)
    beside.rename(path)
