"""Whether an exported graph computes what its network computes: both in, the largest difference of log-probs out.

Three computations of the same utterance must agree: PyTorch on the whole, PyTorch chunk by chunk, and ONNX Runtime chunk by chunk, all
with the weights of the file. And what rounding the weights to their format changes must stay small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import torch

from ds_engine.acoustic import RuntimeOptions
from ds_engine.features import FloatArray
from ds_engine.onnx_session import open_session
from ds_training.model import Network, States
from ds_training.onnx_graph import chunk_of, from_graph, weights_of
from ds_training.weights import WeightFormat

TOLERANCE = 2e-3  # largest difference of two log-probs with the same weights: float32 additions in another order
CHUNKS = 20  # of the utterance that is computed


class ParityError(ValueError):
    """The exported graph does not compute what the network computes."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Between log-probs of two computations of the same features."""

    largest: float  # of two log-probs
    mean: float  # of two log-probs
    moved: float  # share of probability that went to other symbols, mean over the rows
    changed: float  # share of rows whose best symbol is another

    @classmethod
    def of(cls, one: FloatArray, other: FloatArray) -> Difference:
        """Of two float32 [..., rows, symbols], at least one row."""
        distance = np.abs(one - other)
        moved = np.abs(np.exp(one) - np.exp(other)).sum(-1) / 2
        changed = one.argmax(-1) != other.argmax(-1)
        return cls(float(distance.max()), float(distance.mean()), float(moved.mean()), float(changed.mean()))


@dataclass(frozen=True, slots=True)
class Allowance:
    """What rounding the weights may change: the fields of Difference of the same names."""

    moved: float
    largest: float


# About ten times what en-small, the network of RESULTS.md's next model and fresh networks have; two different networks move 0.3 or more.
ROUNDING: Mapping[WeightFormat, Allowance] = {
    WeightFormat.FLOAT32: Allowance(1e-5, 2e-3),
    WeightFormat.FLOAT16: Allowance(2e-3, 0.05),
    WeightFormat.INT8: Allowance(0.05, 5.0),
}


def check_parity(network: Network, graph: onnx.ModelProto, seed: int = 1) -> float:
    """The largest difference between the three computations. Raises ParityError above TOLERANCE or ROUNDING."""
    stored, features = from_graph(graph), noise(network, chunk_of(graph), seed)
    largest = check_computations(stored, graph, features)
    check_rounding(network, stored, weights_of(graph), features)
    return largest


def noise(network: Network, chunk: int, seed: int = 1) -> FloatArray:
    """Features that touch every weight: float32 [2, CHUNKS x chunk, bands]."""
    shape = (2, CHUNKS * chunk, network.spec.blocks[0].inputs)
    return np.random.default_rng(seed).normal(-1, 1, shape).astype(np.float32)


def check_computations(stored: Network, graph: onnx.ModelProto, features: FloatArray) -> float:
    """The largest difference between whole, in chunks and ONNX Runtime. Raises ParityError above TOLERANCE."""
    whole = in_one(stored, features)
    others = {"PyTorch in chunks": in_chunks(stored, features, chunk_of(graph)), "ONNX Runtime": in_onnx_chunks(graph, features)}
    found = {name: Difference.of(whole, other).largest for name, other in others.items()}
    for name, largest in found.items():
        if not largest <= TOLERANCE:
            raise ParityError(f"{name}: log-probs need to agree within {TOLERANCE}, got a difference of {largest:.2g}")
    return max(found.values())


def check_rounding(network: Network, stored: Network, weights: WeightFormat, features: FloatArray) -> Difference:
    """What the format of the weights changes. Raises ParityError above ROUNDING, or where these are two networks."""
    if network.spec != stored.spec:
        raise ParityError(f"the graph needs the sizes of its network, {network.spec}, got {stored.spec}")
    found, allowed = Difference.of(in_one(network, features), in_one(stored, features)), ROUNDING[weights]
    for name in ("moved", "largest"):
        if not getattr(found, name) <= getattr(allowed, name):
            raise ParityError(f"weights as {weights} may make a difference ({name}) of {getattr(allowed, name):g}, got {found}")
    return found


def in_one(network: Network, features: FloatArray, states: States | None = None) -> FloatArray:
    """[B, frames, bands] -> log-probs of the whole utterance in one call, from zero states unless others are given."""
    with torch.no_grad():
        log_probs, _ = network.eval()(torch.from_numpy(features), states or network.zero_states(len(features)))
    result: FloatArray = log_probs.numpy()
    return result


def in_chunks(network: Network, features: FloatArray, chunk: int) -> FloatArray:
    """The same in calls of `chunk` frames."""
    states, pieces = network.eval().zero_states(len(features)), []
    for start in range(0, features.shape[1], chunk):
        with torch.no_grad():
            log_probs, states = network(torch.from_numpy(features[:, start : start + chunk]), states)
        pieces.append(log_probs.numpy())
    return np.concatenate(pieces, 1)


def in_onnx_chunks(graph: onnx.ModelProto, features: FloatArray) -> FloatArray:
    """The same by ONNX Runtime, one utterance at a time as the engine runs it."""
    session, chunk = open_session("model.onnx", graph.SerializeToString(), RuntimeOptions()), chunk_of(graph)
    return np.stack([_in_session(session, utterance, chunk) for utterance in features])


def _in_session(session: Any, utterance: FloatArray, chunk: int) -> FloatArray:
    states: dict[str, Any] = {node.name: np.zeros((1, *node.shape[1:]), np.float32) for node in session.get_inputs()[1:]}
    pieces: list[Sequence[Any]] = []
    for start in range(0, len(utterance), chunk):
        log_probs, *following = session.run(None, {"features": utterance[None, start : start + chunk], **states})
        states = dict(zip(states, following, strict=True))
        pieces.append(log_probs[0])
    return np.concatenate(pieces)
