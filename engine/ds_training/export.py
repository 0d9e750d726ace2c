"""A checkpoint in, a model bundle out: `model.onnx`, `manifest.json`, `LICENSE` and `MODEL_CARD.md` in one folder.

Nothing is written unless three computations of the same utterance agree: PyTorch on the whole, PyTorch chunk by chunk, and ONNX
Runtime chunk by chunk (all three with the float16 weights of the file), and unless these stay near what the checkpoint computes.

    python -m ds_training.export CHECKPOINT OUT_FOLDER --name en-small --version 0.1.0 --card CARD.md
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from ds_engine.acoustic import RuntimeOptions
from ds_engine.features import FloatArray, LogMelSpec
from ds_engine.onnx_session import open_session
from ds_training.checkpoint import load_network
from ds_training.evaluate import END_FRAMES, START_FRAMES
from ds_training.model import Network, NetworkSpec
from ds_training.onnx_graph import from_graph, to_graph

CHUNK_FRAMES = 16
TOLERANCE = 2e-3  # largest difference of two log-probs with the same weights: float32 additions in another order
ROUNDING = 0.05  # largest difference of a log-prob that float16 weights may make

LICENSE = """Model weights: Creative Commons Attribution 4.0 International (CC BY 4.0).
https://creativecommons.org/licenses/by/4.0/legalcode

The weights were trained on, and this notice attributes:
- speechocean762 by Speechocean and Junbo Zhang et al. ("speechocean762: An Open-Source Non-native English Speech Corpus For
  Pronunciation Assessment", Interspeech 2021), CC BY 4.0;
- sentences of SLURP by Emanuele Bastianelli, Andrea Vanzo, Pawel Swietojanski and Verena Rieser ("SLURP: A Spoken Language
  Understanding Resource Package", EMNLP 2020), CC BY 4.0, spoken by synthesisers;
- LJ Speech by Keith Ito and Linda Johnson, public domain;
- sentence templates of Home Assistant (package home-assistant-intents), Apache License 2.0.
The material was changed: it was turned into weights and n-gram counts, which do not contain it.

The language model knows words of SCOWL, Copyright 2000-2011 by Kevin Atkinson: "Permission to use, copy, modify, distribute and sell
these word lists, the associated scripts, the output created from the scripts, and its documentation for any purpose is hereby granted
without fee, provided that the above copyright notice appears in all copies and that both that copyright notice and this permission
notice appear in supporting documentation. Kevin Atkinson makes no representations about the suitability of this array for any purpose.
It is provided "as is" without express or implied warranty."
"""


class ParityError(ValueError):
    """The exported graph does not compute what the network computes."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What names a bundle."""

    name: str
    version: str
    language: str
    description: str
    license: str


def check_parity(network: Network, graph: onnx.ModelProto, frames: int = 20 * CHUNK_FRAMES, seed: int = 1) -> float:
    """The largest difference of log-probs between the three computations. Raises ParityError above TOLERANCE or ROUNDING."""
    random = np.random.default_rng(seed)
    features = random.normal(-1, 1, (2, frames, network.spec.blocks[0].inputs)).astype(np.float32)
    stored = from_graph(graph)
    whole, chunked, onnx_chunked = in_one(stored, features), in_chunks(stored, features), in_onnx_chunks(graph, features)
    difference = max(_distance(whole, chunked), _distance(whole, onnx_chunked))
    for found, allowed in ((difference, TOLERANCE), (_distance(whole, in_one(network, features)), ROUNDING)):
        if not found <= allowed:
            raise ParityError(f"log-probs need to agree within {allowed}, got a difference of {found:.2g}")
    return difference


def _distance(one: FloatArray, other: FloatArray) -> float:
    return float(np.abs(one - other).max())


def in_one(network: Network, features: FloatArray) -> FloatArray:
    """[B, frames, bands] -> log-probs of the whole utterance in one call, from zero states."""
    with torch.no_grad():
        log_probs, _ = network.eval()(torch.from_numpy(features), network.zero_states(len(features)))
    result: FloatArray = log_probs.numpy()
    return result


def in_chunks(network: Network, features: FloatArray) -> FloatArray:
    """The same in calls of CHUNK_FRAMES."""
    states, pieces = network.eval().zero_states(len(features)), []
    for start in range(0, features.shape[1], CHUNK_FRAMES):
        with torch.no_grad():
            log_probs, states = network(torch.from_numpy(features[:, start : start + CHUNK_FRAMES]), states)
        pieces.append(log_probs.numpy())
    return np.concatenate(pieces, 1)


def in_onnx_chunks(graph: onnx.ModelProto, features: FloatArray) -> FloatArray:
    """The same by ONNX Runtime, one utterance at a time as the engine runs it."""
    session = open_session("model.onnx", graph.SerializeToString(), RuntimeOptions())
    rows = []
    for utterance in features:
        states: dict[str, Any] = {node.name: np.zeros((1, *node.shape[1:]), np.float32) for node in session.get_inputs()[1:]}
        pieces = []
        for start in range(0, len(utterance), CHUNK_FRAMES):
            log_probs, *following = session.run(None, {"features": utterance[None, start : start + CHUNK_FRAMES], **states})
            states = dict(zip(states, following, strict=True))
            pieces.append(log_probs[0])
        rows.append(np.concatenate(pieces))
    return np.stack(rows)


def write_bundle(network: Network, folder: Path, identity: Identity, card: str) -> float:
    """Check, then write the four files. Returns the largest difference that the check found."""
    graph = to_graph(network, CHUNK_FRAMES)
    difference = check_parity(network, graph)
    files = {"model.onnx": graph.SerializeToString(), "LICENSE": LICENSE.encode(), "MODEL_CARD.md": card.encode()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    manifest = json.dumps(manifest_of(network.spec, identity, files), indent=1, ensure_ascii=False)
    (folder / "manifest.json").write_text(manifest + "\n", "utf-8")
    return difference


def manifest_of(spec: NetworkSpec, identity: Identity, files: Mapping[str, bytes]) -> dict[str, Any]:
    """The manifest of a native bundle, with the size and checksum of every other file."""
    features = asdict(LogMelSpec())
    sample_rate = features.pop("sample_rate")
    return {
        "format": 1,
        **asdict(identity),
        "family": "native",
        "alphabet": {
            "symbols": list(spec.symbols),
            "blank": 0,
            "ignored": [],
            "boundary": {"rule": "separator", "symbol": " "},
            "bytes": False,
        },
        "acoustic": {
            "sample_rate": sample_rate,
            "features": {"type": "log-mel", **features},
            "chunk_frames": CHUNK_FRAMES,
            "frames_per_step": spec.stride,
            "look_ahead_frames": spec.look_ahead,
            "start_chunks": START_FRAMES // CHUNK_FRAMES,
            "end_frames": END_FRAMES,
            "output": "log_probs",
            "max_batch": 1,
        },
        "calibration": {},
        "files": {name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)} for name, content in files.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a model bundle.")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path, help="folder of the bundle")
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", default="0.1.0")
    parser.add_argument("--language", default="en")
    parser.add_argument("--description", required=True)
    parser.add_argument("--license", default="CC-BY-4.0")
    parser.add_argument("--card", type=Path, required=True, help="the model card, in Markdown")
    options = parser.parse_args()
    identity = Identity(options.name, options.version, options.language, options.description, options.license)
    difference = write_bundle(load_network(options.checkpoint), options.out, identity, options.card.read_text("utf-8"))
    print(f"{options.out}: PyTorch and ONNX Runtime agree within {difference:.2g}")


if __name__ == "__main__":
    main()
