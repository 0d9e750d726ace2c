"""The network as an ONNX graph of plain operators, and back: a Network in, a ModelProto out that ONNX Runtime runs chunk by chunk.

Inputs `features` [batch, chunk, bands] and `state_0`, ...; outputs `log_probs` [batch, chunk / stride, symbols] and
`next_state_0`, ...: float32, the states in the order of model.py. Batch norm is folded into the convolutions. Weights are float16
constants with a cast to float32 behind them, which ONNX Runtime folds when it loads the file: half the size, the same arithmetic.

The graph is built by hand rather than traced, so that every constant keeps the name of its parameter and the file alone is
enough to go on training: what folding loses (the scale and statistics of the batch norms) stands in the metadata.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from ds_training.model import Block, Network, NetworkSpec

METADATA = "ds_training"
OPSET = 17
IR_VERSION = 8
_GATES = [0, 3, 1, 2]  # PyTorch's input, forget, cell, output -> ONNX's input, output, forget, cell

Array = npt.NDArray[np.generic]


class _Graph:
    """Nodes and constants, collected in the order of computation."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, inputs: Iterable[str], *outputs: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(operator, list(inputs), list(outputs), name=outputs[0] or outputs[-1], **attributes))
        return outputs[0]

    def weight(self, name: str, value: Tensor) -> str:
        self.constants.append(numpy_helper.from_array(value.detach().numpy().astype(np.float16), name))
        return self.add("Cast", [name], f"{name}/float32", to=TensorProto.FLOAT)

    def whole(self, name: str, *values: int) -> str:
        self.constants.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    def slice(self, tensor: str, output: str, start: int, end: int) -> str:
        """Frames start to end of [batch, channels, frames]."""
        return self.add("Slice", [tensor, self.whole(f"{output}/from", start), self.whole(f"{output}/to", end), "time"], output)


def to_graph(network: Network, chunk: int) -> onnx.ModelProto:
    """A graph for chunks of `chunk` feature frames."""
    graph = _Graph()
    graph.whole("time", 2)
    graph.whole("direction", 0)
    graph.whole("sequence", 1)
    frames = graph.add("Transpose", ["features"], "frames", perm=[0, 2, 1])
    for index, block in enumerate(network.blocks):
        chunk_here = chunk // _product(spec.stride for spec in network.spec.blocks[:index])
        frames = _add_block(graph, index, block, frames, chunk_here)
    _add_output(graph, network, frames)
    model = helper.make_model(
        helper.make_graph(graph.nodes, "network", *_signature(network, chunk), initializer=graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="ds_training",
    )
    helper.set_model_props(model, {METADATA: json.dumps({"spec": network.spec.to_json(), "batch_norm": _statistics(network)})})
    onnx.checker.check_model(model, full_check=True)
    return model


def _add_block(graph: _Graph, index: int, block: Block, frames: str, chunk: int) -> str:
    spec, name = block.spec, f"blocks.{index}"
    window = graph.add("Concat", [f"state_{index}", frames], f"{name}/window", axis=2)
    graph.slice(window, f"next_state_{index}", chunk, chunk + spec.cache)
    weight, bias = _fold(block)
    parameters = [graph.weight(f"{name}.conv.weight", weight), graph.weight(f"{name}.conv.bias", bias)]
    graph.add("Conv", [window, *parameters], f"{name}/conv", kernel_shape=[spec.kernel], strides=[spec.stride])
    hidden = graph.add("Relu", [f"{name}/conv"], f"{name}/relu")
    if not spec.residual:
        return hidden
    delay = spec.kernel - 1 - spec.ahead
    return graph.add("Add", [hidden, graph.slice(window, f"{name}/delayed", delay, delay + chunk)], f"{name}/sum")


def _add_output(graph: _Graph, network: Network, frames: str) -> None:
    lstm, hidden, count = network.lstm, network.spec.width, len(network.blocks)
    bias = torch.cat([_gates(lstm.bias_ih_l0), _gates(lstm.bias_hh_l0)])
    weights = {"weight_ih": _gates(lstm.weight_ih_l0), "weight_hh": _gates(lstm.weight_hh_l0), "bias": bias}
    parameters = [graph.weight(f"lstm.{name}", value[None]) for name, value in weights.items()]
    states = [graph.add("Unsqueeze", [f"state_{count + i}", "direction"], f"lstm/start_{i}") for i in range(2)]
    sequence = graph.add("Transpose", [frames], "lstm/frames", perm=[2, 0, 1])
    outputs = ["lstm/steps", "lstm/hidden", "lstm/cell"]
    graph.add("LSTM", [sequence, *parameters, "", *states], *outputs, hidden_size=hidden)
    for i, output in enumerate(outputs[1:]):
        graph.add("Squeeze", [output, "direction"], f"next_state_{count + i}")
    steps = graph.add("Transpose", [graph.add("Squeeze", ["lstm/steps", "sequence"], "lstm/sequence")], "steps", perm=[1, 0, 2])
    scale = [graph.weight("norm.weight", network.norm.weight), graph.weight("norm.bias", network.norm.bias)]
    normal = graph.add("LayerNormalization", [steps, *scale], "normal", axis=-1, epsilon=network.norm.eps)
    product = graph.add("MatMul", [normal, graph.weight("head.weight", network.head.weight.T)], "product")
    logits = graph.add("Add", [product, graph.weight("head.bias", network.head.bias)], "logits")
    graph.add("LogSoftmax", [logits], "log_probs", axis=-1)


def _signature(network: Network, chunk: int) -> tuple[list[onnx.ValueInfoProto], list[onnx.ValueInfoProto]]:
    spec = network.spec
    shapes = [list(state.shape[1:]) for state in network.zero_states()]

    def tensor(name: str, shape: list[int]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])

    features = tensor("features", [chunk, spec.blocks[0].inputs])
    log_probs = tensor("log_probs", [chunk // spec.stride, len(spec.symbols)])
    return (
        [features, *(tensor(f"state_{index}", shape) for index, shape in enumerate(shapes))],
        [log_probs, *(tensor(f"next_state_{index}", shape) for index, shape in enumerate(shapes))],
    )


def _fold(block: Block) -> tuple[Tensor, Tensor]:
    """Convolution and batch norm in evaluation mode as one convolution: weight, bias."""
    norm = block.norm
    factor = norm.weight / (norm.running_var + norm.eps).sqrt()
    return block.conv.weight * factor[:, None, None], norm.bias - norm.running_mean * factor


def _statistics(network: Network) -> list[dict[str, list[float]]]:
    """Of each block what folding loses: the scale (never zero), mean and variance of its batch norm."""
    kept = ("weight", "running_mean", "running_var")
    return [{name: [float(f"{value:.6g}") for value in getattr(block.norm, name).tolist()] for name in kept} for block in network.blocks]


def _gates(stacked: Tensor) -> Tensor:
    """The four gates of an LSTM parameter from PyTorch's order to ONNX's."""
    return torch.cat([stacked.chunk(4)[gate] for gate in _GATES])


def _ungates(stacked: Tensor) -> Tensor:
    return torch.cat([stacked.chunk(4)[_GATES.index(gate)] for gate in range(4)])


def _product(factors: Iterable[int]) -> int:
    product = 1
    for factor in factors:
        product *= factor
    return product


def from_graph(model: onnx.ModelProto) -> Network:
    """The network of a graph that `to_graph` made, ready to be trained further. Raises ValueError for any other graph."""
    entries = {entry.key: entry.value for entry in model.metadata_props}
    if METADATA not in entries:
        raise ValueError(f"model.onnx needs the metadata {METADATA!r} of a network exported by ds_training, got {sorted(entries)}")
    metadata = json.loads(entries[METADATA])
    network = Network(NetworkSpec.from_json(metadata["spec"]))
    values = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in model.graph.initializer}
    weights = {name: value.float() for name, value in values.items() if value.dtype == torch.float16}
    for index, (block, statistics) in enumerate(zip(network.blocks, metadata["batch_norm"], strict=True)):
        _unfold(block, weights.pop(f"blocks.{index}.conv.weight"), weights.pop(f"blocks.{index}.conv.bias"), statistics)
    bias_input, bias_hidden = weights.pop("lstm.bias")[0].chunk(2)
    network.lstm.load_state_dict(
        {
            "weight_ih_l0": _ungates(weights.pop("lstm.weight_ih")[0]),
            "weight_hh_l0": _ungates(weights.pop("lstm.weight_hh")[0]),
            "bias_ih_l0": _ungates(bias_input),
            "bias_hh_l0": _ungates(bias_hidden),
        }
    )
    weights["head.weight"] = weights["head.weight"].T
    network.norm.load_state_dict({name: weights[f"norm.{name}"] for name in ("weight", "bias")})
    network.head.load_state_dict({name: weights[f"head.{name}"] for name in ("weight", "bias")})
    return network


def _unfold(block: Block, weight: Tensor, bias: Tensor, statistics: dict[str, list[float]]) -> None:
    scale, mean, variance = (torch.tensor(statistics[name]) for name in ("weight", "running_mean", "running_var"))
    factor = scale / (variance + block.norm.eps).sqrt()
    block.conv.load_state_dict({"weight": weight / factor[:, None, None]})
    statistics_now = {"running_mean": mean, "running_var": variance, "num_batches_tracked": torch.tensor(1)}
    block.norm.load_state_dict({"weight": scale, "bias": bias + mean * factor, **statistics_now})
