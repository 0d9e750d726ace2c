"""The network as an ONNX graph of plain operators, and back: a Network in, a ModelProto out that ONNX Runtime runs chunk by chunk.

Inputs `features` [batch, chunk, bands] and `state_0`, ...; outputs `log_probs` [batch, chunk / stride, symbols] and
`next_state_0`, ...: float32, the states in the order of model.py. Batch norm is folded into the convolutions. Weights are constants
of one of the formats of weights.py, with what makes them float32 behind them: a cast, and for int8 a product with the scales. ONNX
Runtime folds both when it loads the file, so that every format is computed with the same float32 arithmetic, in the same time.
(DequantizeLinear says the same, but ONNX Runtime keeps it: it dequantises anew for every chunk, and where a matrix product follows
it replaces both by one that rounds what it multiplies with, see benchmarks/quantisation.py.)

The graph is built by hand rather than traced, so that every constant keeps the name of its parameter and the file alone is
enough to go on training: what folding loses (the scale and statistics of the batch norms) stands in the metadata.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from ds_training.exportable import ExportError, check_network, check_spec
from ds_training.model import Block, Network, NetworkSpec
from ds_training.weights import SCALE, Array, WeightFormat, format_of, restore, store

METADATA = "ds_training"
OPSET = 17
IR_VERSION = 8
_GATES = [0, 3, 1, 2]  # PyTorch's input, forget, cell, output -> ONNX's input, output, forget, cell
_KEPT = ("weight", "running_mean", "running_var")  # of a batch norm: what folding loses


class GraphError(ValueError):
    """A `model.onnx` that holds no network of ours, or a broken one."""


class _Graph:
    """Nodes and constants, collected in the order of computation."""

    def __init__(self, weights: WeightFormat) -> None:
        self._weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, inputs: Iterable[str], *outputs: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(operator, list(inputs), list(outputs), name=outputs[0] or outputs[-1], **attributes))
        return outputs[0]

    def weight(self, name: str, value: Tensor, axis: int | None = None) -> str:
        """A constant and what makes it float32; `axis` as `store` has it."""
        stored = store(name, value.detach().numpy(), self._weights, axis)
        self._constant(name, stored.value)
        if stored.value.dtype == np.float32:
            return name
        if stored.scale is None:
            return self.add("Cast", [name], f"{name}/float32", to=TensorProto.FLOAT)
        self._constant(name + SCALE, stored.scale)
        integers = self.add("Cast", [name], f"{name}/integers", to=TensorProto.FLOAT)
        return self.add("Mul", [integers, name + SCALE], f"{name}/float32")

    def _constant(self, name: str, value: Array) -> None:
        self.constants.append(numpy_helper.from_array(value, name))

    def whole(self, name: str, *values: int) -> str:
        self._constant(name, np.array(values, np.int64))
        return name

    def slice(self, tensor: str, output: str, start: int, end: int) -> str:
        """Frames start to end of [batch, channels, frames]."""
        return self.add("Slice", [tensor, self.whole(f"{output}/from", start), self.whole(f"{output}/to", end), "time"], output)


def to_graph(network: Network, chunk: int, weights: WeightFormat = WeightFormat.FLOAT16) -> onnx.ModelProto:
    """A graph for chunks of `chunk` feature frames. Raises ExportError for what no graph of ours can be (see exportable.py)."""
    check_network(network, chunk)
    graph = _Graph(weights)
    graph.whole("time", 2)
    graph.whole("direction", 0)
    graph.whole("sequence", 1)
    frames = graph.add("Transpose", ["features"], "frames", perm=[0, 2, 1])
    for index, block in enumerate(network.blocks):
        chunk_here = chunk // math.prod(spec.stride for spec in network.spec.blocks[:index])
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
    parameters = [graph.weight(f"{name}.conv.weight", weight, axis=0), graph.weight(f"{name}.conv.bias", bias)]
    graph.add("Conv", [window, *parameters], f"{name}/conv", kernel_shape=[spec.kernel], strides=[spec.stride])
    hidden = graph.add("Relu", [f"{name}/conv"], f"{name}/relu")
    if not spec.residual:
        return hidden
    delay = spec.kernel - 1 - spec.ahead
    return graph.add("Add", [hidden, graph.slice(window, f"{name}/delayed", delay, delay + chunk)], f"{name}/sum")


def _add_output(graph: _Graph, network: Network, frames: str) -> None:
    lstm, hidden, count = network.lstm, network.spec.width, len(network.blocks)
    bias = torch.cat([_gates(lstm.bias_ih_l0), _gates(lstm.bias_hh_l0)])
    weights = {"weight_ih": _gates(lstm.weight_ih_l0), "weight_hh": _gates(lstm.weight_hh_l0)}
    parameters = [graph.weight(f"lstm.{name}", value[None], axis=1) for name, value in weights.items()]
    parameters.append(graph.weight("lstm.bias", bias[None]))
    states = [graph.add("Unsqueeze", [f"state_{count + i}", "direction"], f"lstm/start_{i}") for i in range(2)]
    sequence = graph.add("Transpose", [frames], "lstm/frames", perm=[2, 0, 1])
    outputs = ["lstm/steps", "lstm/hidden", "lstm/cell"]
    graph.add("LSTM", [sequence, *parameters, "", *states], *outputs, hidden_size=hidden)
    for i, output in enumerate(outputs[1:]):
        graph.add("Squeeze", [output, "direction"], f"next_state_{count + i}")
    steps = graph.add("Transpose", [graph.add("Squeeze", ["lstm/steps", "sequence"], "lstm/sequence")], "steps", perm=[1, 0, 2])
    scale = [graph.weight("norm.weight", network.norm.weight), graph.weight("norm.bias", network.norm.bias)]
    normal = graph.add("LayerNormalization", [steps, *scale], "normal", axis=-1, epsilon=network.norm.eps)
    product = graph.add("MatMul", [normal, graph.weight("head.weight", network.head.weight.T, axis=1)], "product")
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
    factor = _factor(norm.weight, norm.running_var, norm.eps)
    return block.conv.weight * factor[:, None, None], norm.bias - norm.running_mean * factor


def _factor(scale: Tensor, variance: Tensor, eps: float) -> Tensor:
    """What a batch norm multiplies a channel with."""
    return scale / (variance + eps).sqrt()


def _statistics(network: Network) -> list[dict[str, list[float]]]:
    """Of each block what folding loses, in the fewest digits that give the same float32 again."""
    return [
        {name: [float(str(value)) for value in getattr(block.norm, name).detach().numpy()] for name in _KEPT} for block in network.blocks
    ]


def _gates(stacked: Tensor) -> Tensor:
    """The four gates of an LSTM parameter from PyTorch's order to ONNX's."""
    return torch.cat([stacked.chunk(4)[gate] for gate in _GATES])


def _ungates(stacked: Tensor) -> Tensor:
    return torch.cat([stacked.chunk(4)[_GATES.index(gate)] for gate in range(4)])


def parse_graph(content: bytes) -> onnx.ModelProto:
    """A `model.onnx`. Raises GraphError where it is no ONNX at all."""
    try:
        return onnx.load_from_string(content)
    except Exception as error:  # protobuf, which has no types, raises its own
        raise GraphError(f"model.onnx is no ONNX file ({error})") from error


def chunk_of(model: onnx.ModelProto) -> int:
    """Feature frames in a chunk of a graph that `to_graph` made."""
    return int(model.graph.input[0].type.tensor_type.shape.dim[1].dim_value)


def weights_of(model: onnx.ModelProto) -> WeightFormat:
    """The format of its weights. Raises GraphError for a graph that is not ours."""
    try:
        return format_of(_constants(model), "head.weight")
    except (KeyError, ValueError) as error:
        raise GraphError(f"model.onnx needs weights as {', '.join(WeightFormat)}, got {error}") from error


def from_graph(model: onnx.ModelProto) -> Network:
    """The network of a graph that `to_graph` made, of any format of weights, ready to be trained further.

    It computes what the graph computes. Raises GraphError for any other graph.
    """
    metadata = _metadata(model)
    network, statistics = _empty_network(metadata), metadata["batch_norm"]
    weights = _Weights(_constants(model))
    if len(statistics) != len(network.blocks):
        raise GraphError(f"model.onnx needs batch norms of {len(network.blocks)} blocks, got {len(statistics)}")
    for index, block in enumerate(network.blocks):
        _unfold(block, *weights.pair(f"blocks.{index}.conv", block.conv.weight.shape), statistics[index])
    inputs, width, symbols = network.lstm.input_size, network.spec.width, len(network.spec.symbols)
    bias_input, bias_hidden = weights.take("lstm.bias", 1, 8 * width)[0].chunk(2)
    network.lstm.load_state_dict(
        {
            "weight_ih_l0": _ungates(weights.take("lstm.weight_ih", 1, 4 * width, inputs)[0]),
            "weight_hh_l0": _ungates(weights.take("lstm.weight_hh", 1, 4 * width, width)[0]),
            "bias_ih_l0": _ungates(bias_input),
            "bias_hh_l0": _ungates(bias_hidden),
        }
    )
    network.norm.load_state_dict({name: weights.take(f"norm.{name}", width) for name in ("weight", "bias")})
    network.head.load_state_dict({"weight": weights.take("head.weight", width, symbols).T, "bias": weights.take("head.bias", symbols)})
    return network


class _Weights:
    """The constants of a graph, by name."""

    def __init__(self, constants: Mapping[str, Array]) -> None:
        self._constants = constants

    def take(self, name: str, *shape: int) -> Tensor:
        """float32 of this shape. Raises GraphError where the graph has none."""
        try:
            value = restore(self._constants, name)
        except KeyError as error:
            raise GraphError(f"model.onnx needs the constant {error}") from error
        if value.shape != shape or not np.isfinite(value).all():
            raise GraphError(f"model.onnx needs {name} finite and of shape {list(shape)}, got {list(value.shape)}")
        return torch.from_numpy(value)

    def pair(self, name: str, shape: Iterable[int]) -> tuple[Tensor, Tensor]:
        """The weight of this shape, outputs first, and the bias of a convolution."""
        outputs, *others = shape
        return self.take(f"{name}.weight", outputs, *others), self.take(f"{name}.bias", outputs)


def _constants(model: onnx.ModelProto) -> dict[str, Array]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def _metadata(model: onnx.ModelProto) -> dict[str, Any]:
    entries = {entry.key: entry.value for entry in model.metadata_props}
    if METADATA not in entries:
        raise GraphError(f"model.onnx needs the metadata {METADATA!r} of a network exported by ds_training, got {sorted(entries)}")
    try:
        metadata = json.loads(entries[METADATA])
    except ValueError as error:
        raise GraphError(f"model.onnx: its metadata {METADATA!r} need to be JSON ({error})") from error
    if not isinstance(metadata, dict) or not {"spec", "batch_norm"} <= metadata.keys():
        raise GraphError(f"model.onnx: its metadata {METADATA!r} need spec and batch_norm, got {entries[METADATA]!r:.80}")
    return metadata


def _empty_network(metadata: Mapping[str, Any]) -> Network:
    try:
        spec = NetworkSpec.from_json(metadata["spec"])
        check_spec(spec)
        return Network(spec)
    except (KeyError, TypeError, ExportError) as error:
        raise GraphError(f"model.onnx: its metadata describe no network: {error}") from error


def _unfold(block: Block, weight: Tensor, bias: Tensor, statistics: Mapping[str, list[float]]) -> None:
    """The convolution and batch norm that `_fold` makes these of.

    A channel of scale zero, as a block that was added to a grown network may have, computes the same with any weights of its
    convolution, and these are lost. It gets new ones, the same each time: with zeros no gradient would ever reach scale or weights.
    """
    try:
        scale, mean, variance = (torch.tensor(statistics[name], dtype=torch.float32) for name in _KEPT)
    except (KeyError, TypeError, ValueError) as error:
        raise GraphError(f"model.onnx: its metadata describe no batch norm: {error}") from error
    if {tuple(value.shape) for value in (scale, mean, variance)} != {(block.spec.outputs,)}:
        raise GraphError(f"model.onnx: its metadata need batch norms of {block.spec.outputs} channels, got {list(scale.shape)}")
    factor = _factor(scale, variance, block.norm.eps)
    if not torch.isfinite(torch.stack((factor, mean))).all():
        raise GraphError("model.onnx: its metadata need batch norms of finite scales and means and of variances that are not negative")
    silent = (factor == 0)[:, None, None]
    unfolded = torch.where(silent, _fresh(weight.shape), weight / torch.where(silent, 1.0, factor[:, None, None]))
    block.conv.load_state_dict({"weight": unfolded})
    statistics_now = {"running_mean": mean, "running_var": variance, "num_batches_tracked": torch.tensor(1)}
    block.norm.load_state_dict({"weight": scale, "bias": bias + mean * factor, **statistics_now})


def _fresh(shape: Iterable[int]) -> Tensor:
    """Weights as PyTorch begins a convolution with, uniform up to 1 / sqrt(inputs x kernel)."""
    outputs, inputs, kernel = shape
    return (2 * torch.rand(outputs, inputs, kernel, generator=torch.Generator().manual_seed(0)) - 1) / (inputs * kernel) ** 0.5
