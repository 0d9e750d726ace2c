"""The engine beside PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("onnx")

from ds_engine.acoustic import AcousticState, RuntimeOptions
from ds_engine.bundle import Bundle
from ds_engine.features import FloatArray, LogMelSpec
from ds_engine.native import NativeModel
from ds_training.checkpoint import load_network
from ds_training.export import CHUNK_FRAMES, write_bundle
from ds_training.hearing import END_FRAMES
from ds_training.model import NetworkSpec
from ds_training.onnx_graph import from_graph, to_graph
from ds_training.streamed import Pair, batch_difference, log_mel_spec, made_sounds
from ds_training.weights import WeightFormat
from tests.ds_engine import bundles
from tests.ds_engine.fakes import ReplayModel, babble
from tests.ds_training.exported import IDENTITY, experienced, specs


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("streamed") / "bundle"
    write_bundle(experienced(), folder, IDENTITY, "card")
    return Pair(Bundle.open(folder), load_network(folder / "model.onnx"))


@pytest.mark.parametrize("name", sorted(made_sounds(16_000)))
def test_the_stream_equals_one_computation_of_the_whole(pair: Pair, name: str) -> None:
    found = pair.compare(made_sounds(16_000)[name])
    assert found.largest < 1e-4
    assert found.same_text


@settings(max_examples=15, deadline=None)
@given(length=st.integers(0, 20_000), loudness=st.floats(0, 2), seed=st.integers(0, 9))
def test_so_it_does_for_any_length_and_loudness(pair: Pair, length: int, loudness: float, seed: int) -> None:
    samples = (np.random.default_rng(seed).normal(0, 1, length) * loudness).astype(np.float32)
    assert pair.compare(samples).largest < 1e-4


@settings(max_examples=12, deadline=None)
@given(spec=specs(), weights=st.sampled_from(WeightFormat))
def test_and_for_any_network_that_can_be_a_bundle(
    tmp_path_factory: pytest.TempPathFactory, spec: NetworkSpec, weights: WeightFormat
) -> None:
    assume(CHUNK_FRAMES % spec.stride == 0 and spec.look_ahead <= END_FRAMES)
    folder: Path = tmp_path_factory.mktemp("any") / "bundle"
    network = experienced(spec)
    write_bundle(network, folder, IDENTITY, "card", weights=weights)
    found = Pair(Bundle.open(folder), from_graph(to_graph(network, 16, weights))).compare(babble(0.3))
    assert found.largest < 1e-4
    assert found.same_text


def test_the_bundled_model_streams_as_pytorch_computes() -> None:
    pair = Pair(Bundle.open(bundles.EN_SMALL), load_network(bundles.EN_SMALL / "model.onnx"))
    found = pair.compare(babble(1.0, 4))
    assert 0 < found.largest < 1e-3
    assert found.same_text


def test_another_network_does_not_pass_for_it(tmp_path: Path) -> None:
    write_bundle(experienced(), tmp_path / "bundle", IDENTITY, "card")
    found = Pair(Bundle.open(tmp_path / "bundle"), experienced(seed=4)).compare(babble(1.0))
    assert found.largest > 0.1


def test_another_text_is_told(tmp_path: Path) -> None:
    """The same weights under another alphabet: the rows agree, the texts do not."""
    network = experienced()
    write_bundle(network, tmp_path / "bundle", IDENTITY, "card")
    bundle = Bundle.open(tmp_path / "bundle")
    blank, space, *letters = bundle.manifest.alphabet.symbols
    other = replace(bundle.manifest.alphabet, symbols=(blank, space, *reversed(letters)))
    pair = Pair(bundle, load_network(tmp_path / "bundle" / "model.onnx"))
    mixed = Pair(replace(bundle, manifest=replace(bundle.manifest, alphabet=other)), load_network(tmp_path / "bundle" / "model.onnx"))
    pair._read = mixed._read
    assert not all(pair.compare(babble(1.0, seed)).same_text for seed in range(3))


def test_streams_of_a_model_that_promises_it_come_out_alike_together(tmp_path: Path) -> None:
    model = NativeModel(Bundle.open(bundles.write(tmp_path / "toy")), RuntimeOptions())
    assert model.max_batch > 1
    assert batch_difference(model) == 0


class Whisperer(ReplayModel):
    """Hears the loudest neighbour."""

    def step(self, chunks: FloatArray, states: Sequence[AcousticState]) -> tuple[FloatArray, list[AcousticState]]:
        log_probs, after = super().step(chunks, states)
        return log_probs - np.float32(np.abs(chunks).max()), after


def test_a_model_that_hears_a_loud_neighbour_is_found_out_soon_enough() -> None:
    assert batch_difference(Whisperer(max_batch=10**9)) > 0.1


def test_the_front_end_is_that_of_the_manifest() -> None:
    assert log_mel_spec(Bundle.open(bundles.EN_SMALL).manifest.acoustic) == LogMelSpec()
