"""Whether a graph computes what its network computes."""

# ruff: noqa: E402  # without torch the whole module is skipped

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from ds_training.model import Network
from ds_training.onnx_graph import from_graph, to_graph
from ds_training.parity import TOLERANCE, Difference, ParityError, check_computations, check_parity, check_rounding, noise
from ds_training.weights import WeightFormat
from tests.ds_training.exported import TINY, experienced


@pytest.fixture(scope="module")
def network() -> Network:
    return experienced()


@pytest.mark.parametrize("weights", WeightFormat)
@pytest.mark.parametrize("chunk", [4, 16])
def test_an_exported_network_passes(network: Network, weights: WeightFormat, chunk: int) -> None:
    assert 0 <= check_parity(network, to_graph(network, chunk, weights)) < 1e-4


def test_a_graph_of_another_network_is_refused(network: Network) -> None:
    with pytest.raises(ParityError, match="may make a difference"):
        check_parity(experienced(seed=4), to_graph(network, 16))


@pytest.mark.parametrize("weights", WeightFormat)
def test_a_graph_of_other_sizes_is_refused(network: Network, weights: WeightFormat) -> None:
    graph = to_graph(network, 16, weights)
    with pytest.raises(ParityError, match="needs the sizes of its network"):
        check_parity(experienced(replace(TINY, width=7)), graph)


def test_a_graph_whose_nodes_compute_something_else_is_refused(network: Network) -> None:
    graph = to_graph(network, 16)
    [head] = [node for node in graph.graph.node if node.output[0] == "product"]
    head.input[0] = "steps"  # past the layer norm
    with pytest.raises(ParityError, match=f"ONNX Runtime: log-probs need to agree within {TOLERANCE}"):
        check_computations(from_graph(graph), graph, noise(network, 16))


def test_coarser_rounding_than_the_format_allows_is_refused(network: Network) -> None:
    stored, features = from_graph(to_graph(network, 16, WeightFormat.INT8)), noise(network, 16)
    check_rounding(network, stored, WeightFormat.INT8, features)
    with pytest.raises(ParityError, match="weights as float32"):
        check_rounding(network, stored, WeightFormat.FLOAT32, features)


def test_differences_are_of_log_probs_and_of_the_probability_that_moved() -> None:
    one = np.log(np.array([[[0.5, 0.25, 0.25], [0.8, 0.1, 0.1]]], np.float32))
    other = np.log(np.array([[[0.25, 0.5, 0.25], [0.8, 0.1, 0.1]]], np.float32))
    found = Difference.of(one, other)
    assert found.largest == pytest.approx(np.log(2), rel=1e-5)
    assert found.mean == pytest.approx(np.log(2) * 2 / 6, rel=1e-5)
    assert found.moved == pytest.approx(0.25 / 2, rel=1e-5)
    assert found.changed == pytest.approx(0.5)
