"""From a network to a bundle, and back."""

# ruff: noqa: E402  # without torch the whole module is skipped

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from ds_training.checkpoint import load_network, save_checkpoint
from ds_training.export import Identity, ParityError, check_parity, in_chunks, in_one, in_onnx_chunks, write_bundle
from ds_training.model import BlockSpec, Network, NetworkSpec
from ds_training.onnx_graph import from_graph, to_graph

TINY = NetworkSpec((BlockSpec(80, 12, 5, 2, 1), BlockSpec(12, 10, 5, 2, 1), BlockSpec(10, 10, 3, 1, 1, residual=True)), width=6)
IDENTITY = Identity("en-tiny", "0.0.1", "en", "for tests", "CC-BY-4.0")


@pytest.fixture(scope="module")
def network() -> Network:
    """A tiny network whose batch norms have seen something."""
    torch.manual_seed(3)
    tiny = Network(TINY)
    tiny.train()
    for _ in range(5):
        tiny(torch.randn(4, 32, 80) * 2 - 1, tiny.zero_states(4))
    tiny.eval()
    return tiny


def test_onnx_chunk_by_chunk_equals_pytorch_whole_and_chunked(network: Network) -> None:
    graph = to_graph(network, 16)
    features = np.random.default_rng(1).normal(0, 1, (2, 64, 80)).astype(np.float32)
    exported = from_graph(graph)
    assert np.abs(in_one(exported, features) - in_chunks(exported, features)).max() < 1e-4
    assert np.abs(in_one(exported, features) - in_onnx_chunks(graph, features)).max() < 1e-4
    assert np.abs(in_one(network, features) - in_onnx_chunks(graph, features)).max() < 0.05


def test_a_graph_that_computes_something_else_is_refused(network: Network) -> None:
    graph = to_graph(network, 16)
    torch.manual_seed(4)
    with pytest.raises(ParityError, match="agree within"):
        check_parity(Network(TINY), graph)


def test_weights_come_back_from_the_bundle_as_they_went_in(network: Network, tmp_path: Path) -> None:
    write_bundle(network, tmp_path, IDENTITY, "card")
    again = load_network(tmp_path / "model.onnx")
    for (name, value), other in zip(network.state_dict().items(), again.state_dict().values(), strict=True):
        if value.is_floating_point():
            assert torch.allclose(value, other, rtol=2e-3, atol=2e-4), name


def test_reimported_weights_train_as_the_originals_do(network: Network) -> None:
    """Batch norm in training mode uses the statistics of the batch: the scales must have survived the folding."""
    again = from_graph(to_graph(network, 16))
    features = torch.randn(4, 32, 80)
    outputs = []
    for item in (network, again):
        item.train()
        item.dropout.p = 0.0
        outputs.append(item(features, item.zero_states(4))[0])
        item.eval()
    assert torch.allclose(outputs[0], outputs[1], atol=0.05)


def test_a_bundle_names_the_size_and_checksum_of_every_other_file(network: Network, tmp_path: Path) -> None:
    write_bundle(network, tmp_path / "bundle", IDENTITY, "the card")
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text("utf-8"))
    others = {path.name: path.read_bytes() for path in (tmp_path / "bundle").iterdir() if path.name != "manifest.json"}
    assert set(others) == {"model.onnx", "LICENSE", "MODEL_CARD.md"}
    assert manifest["files"] == {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)} for name, content in others.items()
    }
    assert (manifest["format"], manifest["name"], manifest["family"]) == (1, "en-tiny", "native")
    assert manifest["acoustic"]["look_ahead_frames"] == TINY.look_ahead
    assert manifest["alphabet"]["symbols"] == list(TINY.symbols)


def test_weights_are_stored_as_float16_and_the_batch_is_free(network: Network) -> None:
    graph = to_graph(network, 16).graph
    assert {tensor.data_type for tensor in graph.initializer} == {onnx.TensorProto.FLOAT16, onnx.TensorProto.INT64}
    for value in [*graph.input, *graph.output]:
        assert value.type.tensor_type.shape.dim[0].dim_param == "batch"
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert [value.name for value in graph.input] == ["features", "state_0", "state_1", "state_2", "state_3", "state_4"]


def test_a_graph_of_somebody_else_is_refused(network: Network) -> None:
    graph = to_graph(network, 16)
    del graph.metadata_props[:]
    with pytest.raises(ValueError, match="exported by ds_training"):
        from_graph(graph)


def test_a_checkpoint_gives_the_network_back(network: Network, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c.pt", {"spec": TINY.to_json(), "weights": network.state_dict()})
    again = load_network(tmp_path / "c.pt")
    assert all(torch.equal(one, other) for one, other in zip(network.state_dict().values(), again.state_dict().values(), strict=True))
