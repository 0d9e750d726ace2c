"""From a network to a graph, and back."""

# ruff: noqa: E402  # without torch the whole module is skipped

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from ds_engine.acoustic import RuntimeOptions
from ds_engine.onnx_session import open_session
from ds_training.model import Network, NetworkSpec
from ds_training.onnx_graph import METADATA, GraphError, chunk_of, from_graph, to_graph, weights_of
from ds_training.parity import in_chunks, in_one, in_onnx_chunks
from ds_training.weights import WeightFormat
from tests.ds_engine.bundles import EN_SMALL
from tests.ds_training.exported import TINY, experienced, specs


@pytest.fixture(scope="module")
def network() -> Network:
    return experienced()


def noise(frames: int, seed: int = 1) -> Any:
    return np.random.default_rng(seed).normal(0, 1, (2, frames, 80)).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(spec=specs(), weights=st.sampled_from(WeightFormat), chunks=st.integers(1, 3), seed=st.integers(0, 5))
def test_any_network_in_any_format_computes_the_same_everywhere(spec: NetworkSpec, weights: WeightFormat, chunks: int, seed: int) -> None:
    network, chunk = experienced(spec, seed), chunks * spec.stride
    graph = to_graph(network, chunk, weights)
    exported, features = from_graph(graph), noise(4 * chunk, seed)
    assert (exported.spec, chunk_of(graph), weights_of(graph)) == (spec, chunk, weights)
    whole = in_one(exported, features)
    assert np.abs(whole - in_chunks(exported, features, chunk)).max() < 1e-4
    assert np.abs(whole - in_onnx_chunks(graph, features)).max() < 1e-4
    allowed = {WeightFormat.FLOAT32: 1e-4, WeightFormat.FLOAT16: 0.02, WeightFormat.INT8: 0.5}
    assert np.abs(whole - in_one(network, features)).max() < allowed[weights]


@pytest.mark.parametrize("weights", WeightFormat)
def test_weights_come_back_as_near_as_their_format(network: Network, weights: WeightFormat) -> None:
    again = from_graph(to_graph(network, 16, weights))
    nearness = {WeightFormat.FLOAT32: 1e-5, WeightFormat.FLOAT16: 2e-3, WeightFormat.INT8: 0.02}
    for (name, value), other in zip(network.state_dict().items(), again.state_dict().values(), strict=True):
        if value.is_floating_point():
            assert float((value - other).abs().max() / value.abs().max()) < nearness[weights], name


@pytest.mark.parametrize("weights", WeightFormat)
def test_a_graph_of_a_graph_is_the_same(network: Network, weights: WeightFormat) -> None:
    once = from_graph(to_graph(network, 16, weights))
    twice = from_graph(to_graph(once, 16, weights))
    features = noise(64)
    assert np.abs(in_one(once, features) - in_one(twice, features)).max() < 1e-3


@pytest.mark.parametrize("weights", WeightFormat)
def test_reimported_weights_train_as_the_originals_do(network: Network, weights: WeightFormat) -> None:
    """Batch norm in training mode uses the statistics of the batch: the scales must have survived the folding."""
    again = from_graph(to_graph(network, 16, weights))
    features, outputs = torch.randn(4, 32, 80, generator=torch.Generator().manual_seed(1)), []
    for item in (network, again):
        item.train()
        item.dropout.p = 0.0
        outputs.append(item(features, item.zero_states(4))[0])
        item.eval()
    assert torch.allclose(outputs[0], outputs[1], atol=0.05)


def test_large_weights_are_stored_in_their_format_and_the_rest_exactly(network: Network) -> None:
    kinds = {tensor.name: tensor.data_type for tensor in to_graph(network, 16, WeightFormat.INT8).graph.initializer}
    integers = {name for name, kind in kinds.items() if kind == onnx.TensorProto.INT8}
    assert integers == {*(f"blocks.{index}.conv.weight" for index in range(3)), "lstm.weight_ih", "lstm.weight_hh", "head.weight"}
    assert {kinds[name] for name in ("lstm.bias", "norm.weight", "blocks.0.conv.bias", "head.weight/scale")} == {onnx.TensorProto.FLOAT}
    for weights, kind in ((WeightFormat.FLOAT16, onnx.TensorProto.FLOAT16), (WeightFormat.FLOAT32, onnx.TensorProto.FLOAT)):
        graph = to_graph(network, 16, weights).graph
        assert {tensor.data_type for tensor in graph.initializer} == {kind, onnx.TensorProto.INT64}


@pytest.mark.parametrize("weights", WeightFormat)
def test_onnx_runtime_folds_whatever_makes_weights_float32(network: Network, tmp_path: Path, weights: WeightFormat) -> None:
    """So that a chunk costs the same in every format, and nothing that is heard is rounded."""
    import onnxruntime  # here, once ds_engine.onnx_session has turned its telemetry off

    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath, options.log_severity_level = str(tmp_path / "optimised.onnx"), 3
    content = to_graph(network, 16, weights).SerializeToString()
    onnxruntime.InferenceSession(content, options, providers=list(RuntimeOptions().providers))
    kept = {node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node}
    assert "LSTM" in kept
    assert not kept & {"Cast", "Mul", "DequantizeLinear", "MatMulNBits"}


@pytest.mark.parametrize("weights", WeightFormat)
def test_a_loud_neighbour_in_the_batch_is_not_heard(network: Network, weights: WeightFormat) -> None:
    session = open_session("model.onnx", to_graph(network, 16, weights).SerializeToString(), RuntimeOptions())
    quiet, loud = noise(16, 1)[:1], 1000 * noise(16, 2)[:1]

    def heard(features: Any) -> Any:
        states = {node.name: np.zeros((len(features), *node.shape[1:]), np.float32) for node in session.get_inputs()[1:]}
        return session.run(["log_probs"], {"features": features, **states})[0][0]

    assert np.abs(heard(quiet) - heard(np.concatenate([quiet, loud]))).max() < 1e-5


def test_every_output_channel_has_its_own_scale(network: Network) -> None:
    shapes = {tensor.name: list(tensor.dims) for tensor in to_graph(network, 16, WeightFormat.INT8).graph.initializer}
    assert shapes["blocks.0.conv.weight/scale"] == [12, 1, 1]
    assert shapes["lstm.weight_hh/scale"] == [1, 4 * TINY.width, 1]
    assert shapes["head.weight/scale"] == [1, len(TINY.symbols)]


def test_the_batch_is_free_and_all_that_goes_in_and_out_is_float32(network: Network) -> None:
    graph = to_graph(network, 16).graph
    for value in [*graph.input, *graph.output]:
        assert value.type.tensor_type.shape.dim[0].dim_param == "batch"
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert [value.name for value in graph.input] == ["features", "state_0", "state_1", "state_2", "state_3", "state_4"]


def test_a_block_that_changes_nothing_yet_survives_and_can_still_learn(network: Network) -> None:
    """A block added to a grown network may begin with norm weight zero; a bias above zero lets gradients through the ReLU."""
    grown = Network(TINY)
    grown.load_state_dict(network.state_dict())
    torch.nn.init.zeros_(grown.blocks[2].norm.weight)
    for bias in (0.0, 0.01):
        torch.nn.init.constant_(grown.blocks[2].norm.bias, bias)
        again = from_graph(to_graph(grown.eval(), 16))
        features = noise(64)
        assert np.abs(in_one(grown, features) - in_one(again, features)).max() < 0.02
        assert not again.blocks[2].norm.weight.any()
    again.train()
    again(torch.from_numpy(features), again.zero_states(2))[0][..., 1].sum().backward()
    assert again.blocks[2].norm.weight.grad.abs().max() > 0
    same = from_graph(to_graph(grown, 16))
    assert torch.equal(again.blocks[2].conv.weight, same.blocks[2].conv.weight)


def test_one_channel_of_scale_zero_leaves_the_others_as_they_are(network: Network) -> None:
    partly = Network(TINY)
    partly.load_state_dict(network.state_dict())
    with torch.no_grad():
        partly.blocks[0].norm.weight[5] = 0
    again = from_graph(to_graph(partly.eval(), 16, WeightFormat.FLOAT32))
    others = [channel for channel in range(12) if channel != 5]
    assert torch.allclose(again.blocks[0].conv.weight[others], partly.blocks[0].conv.weight[others], rtol=1e-4, atol=1e-6)
    assert torch.isfinite(again.blocks[0].conv.weight).all()


def test_the_bundle_whose_metadata_tell_english_as_a_number_is_read() -> None:
    network = from_graph(onnx.load(EN_SMALL / "model.onnx"))
    assert len(network.spec.symbols) == 29
    assert network.spec.look_ahead == 25


def without(name: str) -> Callable[[Any], None]:
    def edit(graph: Any) -> None:
        kept = [tensor for tensor in graph.graph.initializer if tensor.name != name]
        del graph.graph.initializer[:]
        graph.graph.initializer.extend(kept)

    return edit


def reshaped(name: str, value: Any) -> Callable[[Any], None]:
    def edit(graph: Any) -> None:
        without(name)(graph)
        graph.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(value), name))

    return edit


def told(change: Callable[[dict[str, Any]], Any]) -> Callable[[Any], None]:
    def edit(graph: Any) -> None:
        metadata = json.loads(graph.metadata_props[0].value)
        changed = change(metadata)
        graph.metadata_props[0].value = changed if isinstance(changed, str) else json.dumps(metadata if changed is None else changed)

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda graph: graph.ClearField("metadata_props"), f"needs the metadata '{METADATA}' of a network exported by ds_training"),
        (told(lambda metadata: "{"), "need to be JSON"),
        (told(lambda metadata: []), "need spec and batch_norm"),
        (told(lambda metadata: {"spec": {}}), "need spec and batch_norm"),
        (told(lambda metadata: metadata["spec"].pop("width") and None), "describe no network"),
        (told(lambda metadata: metadata["spec"].update(blocks=[])), "describe no network"),
        (told(lambda metadata: metadata["spec"].update(width="6")), "describe no network"),
        (told(lambda metadata: metadata["spec"].update(symbols=30)), "describe no network"),
        (told(lambda metadata: metadata["spec"]["blocks"][0].update(kernel=2.5)), "describe no network"),
        (told(lambda metadata: metadata["spec"].update(width=7)), "needs lstm.bias finite and of shape"),
        (told(lambda metadata: metadata["batch_norm"].pop() and None), "batch norms of 3 blocks, got 2"),
        (told(lambda metadata: metadata["batch_norm"][0].update(weight=[1.0])), "batch norms of 12 channels"),
        (told(lambda metadata: metadata["batch_norm"][0].update(weight=["a"] * 12)), "describe no batch norm"),
        (told(lambda metadata: metadata["batch_norm"][0].update(running_var=[-1.0] * 12)), "not negative"),
        (without("head.bias"), "needs the constant 'head.bias'"),
        (reshaped("head.bias", np.zeros(3, np.float32)), r"needs head.bias finite and of shape \[29\], got \[3\]"),
        (reshaped("head.bias", np.full(29, np.nan, np.float32)), "needs head.bias finite"),
    ],
)
def test_a_graph_that_is_none_of_ours_or_broken_is_named(network: Network, edit: Callable[[Any], None], message: str) -> None:
    graph = to_graph(network, 16)
    edit(graph)
    with pytest.raises(GraphError, match=message):
        from_graph(graph)


@pytest.mark.parametrize("edit", [without("head.weight"), reshaped("head.weight", np.zeros((6, 29)))])
def test_a_graph_of_another_format_is_named(network: Network, edit: Callable[[Any], None]) -> None:
    graph = to_graph(network, 16)
    edit(graph)
    with pytest.raises(GraphError, match="needs weights as float32, float16, int8"):
        weights_of(graph)


def test_an_integer_weight_without_its_scale_is_named(network: Network) -> None:
    graph = to_graph(network, 16, WeightFormat.INT8)
    without("head.weight/scale")(graph)
    with pytest.raises(GraphError, match=r"head\.weight/scale"):
        from_graph(graph)


def test_symbols_of_any_script_survive() -> None:
    spec = replace(TINY, symbols=("<blank>", " ", "ä", "'", "あ", "🙂"))
    assert from_graph(to_graph(Network(spec).eval(), 16)).spec == spec
