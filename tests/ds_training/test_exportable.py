"""Networks that no bundle could hold or no stream could run."""

# ruff: noqa: E402  # without torch the whole module is skipped

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from ds_training.exportable import ExportError, alphabet_of, check_network, check_spec
from ds_training.model import SIZES, BlockSpec, Network, NetworkSpec
from ds_training.onnx_graph import to_graph
from tests.ds_training.exported import TINY, experienced, specs


def with_blocks(*blocks: BlockSpec) -> NetworkSpec:
    return replace(TINY, blocks=blocks)


@pytest.mark.parametrize("size", sorted(SIZES))
def test_the_sizes_of_the_toolkit_can_be_exported(size: str) -> None:
    check_spec(SIZES[size])


@settings(max_examples=30, deadline=None)
@given(spec=specs())
def test_whatever_runs_can_be_exported(spec: NetworkSpec) -> None:
    check_network(Network(spec), spec.stride)


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (with_blocks(), "needs blocks and an LSTM, got 0 blocks"),
        (replace(TINY, width=0), "a width of 0"),
        (with_blocks(BlockSpec(40, 12, 5, 2, 1)), "needs 80 inputs, the bands of the features, got 40"),
        (with_blocks(BlockSpec(80, 12, 5, 2, 1), BlockSpec(10, 10, 3, 1, 1)), "block 1 needs 12 inputs.*got 10"),
        (with_blocks(BlockSpec(80, 12, 1, 2, 0)), "block 0 needs a kernel of at least its stride of 2 frames, got 1"),
        (with_blocks(BlockSpec(80, 12, 5, 0, 1)), "a stride of at least 1"),
        (with_blocks(BlockSpec(80, 0, 5, 1, 1)), "outputs and a stride of at least 1"),
        (with_blocks(BlockSpec(80, 12, 5, 2, 5)), "needs 0 to 4 frames ahead, those of its kernel, got 5"),
        (with_blocks(BlockSpec(80, 12, 5, 2, -1)), "frames ahead.*got -1"),
        (with_blocks(BlockSpec(80, 80, 5, 2, 1, residual=True)), "adds its input: it needs stride 1"),
        (with_blocks(BlockSpec(80, 12, 5, 1, 1, residual=True)), "as many outputs as inputs"),
    ],
)
def test_sizes_and_delays_that_contradict_themselves_are_named(spec: NetworkSpec, told: str) -> None:
    with pytest.raises(ExportError, match=told):
        check_spec(spec)


@pytest.mark.parametrize(
    ("symbols", "told"),
    [
        ((), "make no alphabet"),
        (("<blank>",), "needs a letter"),
        (("<blank>", " "), "needs a letter"),
        (("<blank>", "a", "a"), "distinct and not empty"),
        (("<blank>", "", "a"), "distinct and not empty"),
        (("<blank>", 7, "a"), "strings of whole characters"),
        (("<blank>", "\ud83d", "a"), "strings of whole characters"),
    ],
)
def test_symbols_that_make_no_alphabet_are_named(symbols: tuple[Any, ...], told: str) -> None:
    with pytest.raises(ExportError, match=told):
        alphabet_of(replace(TINY, symbols=symbols))


@pytest.mark.parametrize("chunk", [-4, 0, 1, 6, 15])
def test_a_chunk_is_a_multiple_of_the_stride(chunk: int) -> None:
    with pytest.raises(ExportError, match=f"needs a multiple of the stride of 4 frames, got {chunk}"):
        to_graph(Network(TINY), chunk)


def at(name: str, value: float) -> Callable[[Network], None]:
    def spoil(network: Network) -> None:
        with torch.no_grad():
            network.state_dict()[name].view(-1)[0] = value

    return spoil


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (at("lstm.weight_hh_l0", float("nan")), "NaN or infinity in lstm.weight_hh_l0"),
        (at("head.bias", float("inf")), "NaN or infinity in head.bias"),
        (at("blocks.0.norm.running_mean", float("-inf")), "NaN or infinity in blocks.0.norm.running_mean"),
        (at("blocks.1.norm.running_var", -1.0), "at least 0, got -1 in blocks.1.norm.running_var"),
        (at("blocks.2.norm.weight", 3e38), "NaN or infinity in blocks.2.conv.weight once it was folded"),
        (at("blocks.2.conv.weight", 1e30), "float16 holds values up to 65504"),
    ],
)
def test_weights_that_compute_nonsense_are_named(spoil: Callable[[Network], None], told: str) -> None:
    network = experienced()
    spoil(network)
    if "folded" in told:
        at("blocks.2.norm.running_var", 0.0)(network)
    with pytest.raises(ExportError, match=told):
        to_graph(network, 16)
