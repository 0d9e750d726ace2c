"""What each format of weights costs a stream: bytes, time to load, time of a chunk, memory, and how far its log-probs are from float32's.

    python benchmarks/quantisation.py [BUNDLE] [--rounds 40] [--dequantise]

All formats hold the weights of the same bundle; their chunks are computed in turns, and the fastest round counts. Ratios are to float16.
Memory is what a fresh process grows by from before the file is read until chunks have been computed; `log-prob` is the largest
difference, `moved` the share of probability that went to other symbols. `--dequantise` adds the int8 weights behind
DequantizeLinear instead of a cast and a product: ONNX Runtime does not fold it, see onnx_graph.py.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import psutil
from onnx import helper

from ds_engine.acoustic import RuntimeOptions
from ds_engine.bundle import Bundle
from ds_engine.features import FloatArray
from ds_engine.onnx_session import Session, open_session

CALLS = 10  # a round
WARM = 50  # calls before anything is measured
EN_SMALL = Path(__file__).parents[1] / "ds_plugin" / "bundles" / "en-small"
DEQUANTISED = "int8, DequantizeLinear"


def main() -> None:
    """Prints one line per format."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, nargs="?", default=EN_SMALL)
    parser.add_argument("--rounds", type=int, default=40, help="interleaved")
    parser.add_argument("--dequantise", action="store_true")
    parser.add_argument("--memory-of", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of:
        print(_grown(options.memory_of))
        return
    files = _formats(Bundle.open(options.bundle).read("model.onnx"), dequantise=options.dequantise)
    loading = {name: min(_seconds(partial(_open, content), 1) for _ in range(5)) for name, content in files.items()}
    steps = {name: _stepper(content) for name, content in files.items()}
    times: dict[str, list[float]] = {name: [] for name in files}
    for _ in range(options.rounds):
        for name, step in steps.items():
            times[name].append(_seconds(step, CALLS))
    chunk = {name: min(values) for name, values in times.items()}
    memory = {name: _memory(content) for name, content in files.items()}
    exact = _rows(files["float32"])
    costs = f"{'bytes':>9} {'load ms':>8} {'chunk ms':>9} {'ratio':>6} {'memory MB':>10} {'ratio':>6}"
    print(f"{'weights':24} {costs} {'log-prob':>9} moved")
    for name, content in files.items():
        found = _rows(content)
        moved = np.abs(np.exp(found) - np.exp(exact)).sum(-1).mean() / 2
        costs = f"{loading[name] * 1000:8.1f} {chunk[name] * 1000:9.3f} {chunk[name] / chunk['float16']:6.2f}"
        costs += f" {memory[name] / 1e6:10.1f} {memory[name] / memory['float16']:6.2f}"
        print(f"{name:24} {len(content):9} {costs} {np.abs(found - exact).max():9.2g} {moved:.2g}")


def _open(content: bytes) -> Session:
    return open_session("model.onnx", content, RuntimeOptions())


def _formats(content: bytes, *, dequantise: bool) -> dict[str, bytes]:
    from ds_training.onnx_graph import chunk_of, from_graph, to_graph
    from ds_training.weights import WeightFormat

    graph = onnx.load_from_string(content)
    network = from_graph(graph)
    graphs = {str(weights): to_graph(network, chunk_of(graph), weights) for weights in WeightFormat}
    if dequantise:
        graphs[DEQUANTISED] = _dequantised(graphs["int8"])
    return {name: made.SerializeToString() for name, made in graphs.items()}


def _dequantised(graph: onnx.ModelProto) -> onnx.ModelProto:
    """The same integers and scales, each product with its cast as one DequantizeLinear."""
    made, nodes = onnx.ModelProto(), []
    made.CopyFrom(graph)
    constants = {tensor.name: tensor for tensor in made.graph.initializer}
    for node in graph.graph.node:
        if node.op_type == "Cast":
            continue
        if node.op_type == "Mul":
            scale = constants[node.input[1]]
            name, axis = node.input[1].removesuffix("/scale"), int(np.argmax(scale.dims))
            size = scale.dims[axis]
            del scale.dims[:]
            scale.dims.append(size)
            nodes.append(helper.make_node("DequantizeLinear", [name, scale.name], list(node.output), axis=axis))
        else:
            nodes.append(node)
    del made.graph.node[:]
    made.graph.node.extend(nodes)
    return made


def _stepper(content: bytes) -> Callable[[], Any]:
    """One chunk of an utterance that goes on."""
    session = _open(content)
    features, *states = session.get_inputs()
    feed: dict[str, FloatArray] = {state.name: np.zeros((1, *state.shape[1:]), np.float32) for state in states}
    feed["features"] = np.random.default_rng(0).normal(-1, 1, (1, *features.shape[1:])).astype(np.float32)

    def step() -> None:
        _, *after = session.run(None, feed)
        feed.update(zip((state.name for state in states), after, strict=True))

    for _ in range(WARM):
        step()
    return step


def _rows(content: bytes) -> FloatArray:
    """Log-probs of noise, in one format as in the others."""
    from ds_training.parity import in_onnx_chunks

    graph = onnx.load_from_string(content)
    chunk, bands = (axis.dim_value for axis in graph.graph.input[0].type.tensor_type.shape.dim[1:])
    return in_onnx_chunks(graph, np.random.default_rng(1).normal(-1, 1, (1, 40 * chunk, bands)).astype(np.float32))


def _seconds(work: Callable[[], object], calls: int) -> float:
    began = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - began) / calls


def _memory(content: bytes) -> int:
    """Bytes that a process of its own grows by."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(content)
        command = [sys.executable, __file__, "--memory-of", str(path)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _grown(path: Path) -> int:
    process = psutil.Process()
    before: int = process.memory_info().rss
    step = _stepper(path.read_bytes())
    step()
    grown: int = process.memory_info().rss - before
    return grown


if __name__ == "__main__":
    main()
