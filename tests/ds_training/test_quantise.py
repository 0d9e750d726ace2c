"""Bundles in another format of weights."""

# ruff: noqa: E402  # without torch the whole module is skipped

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from ds_engine.bundle import MANIFEST, Bundle
from ds_engine.errors import BundleError
from ds_training import bundle_folder, quantise, verify
from ds_training.checkpoint import load_network, save_checkpoint
from ds_training.corpus import Utterance, write_shard
from ds_training.export import write_bundle
from ds_training.model import Network
from ds_training.onnx_graph import GraphError, weights_of
from ds_training.parity import ParityError
from ds_training.weights import WeightFormat
from tests.ds_training.exported import IDENTITY, TINY, experienced


@pytest.fixture(scope="module")
def network() -> Network:
    return experienced()


@pytest.fixture
def folder(network: Network, tmp_path: Path) -> Path:
    write_bundle(network, tmp_path / "bundle", IDENTITY, "card")
    bundle_folder.change(tmp_path / "bundle", {"lm.ngram": b"words"}, calibration={"search": {"alpha": 0.3}})
    return tmp_path / "bundle"


def utterances(count: int = 3) -> list[Utterance]:
    random = np.random.default_rng(1)
    return [Utterance(random.normal(-5, 3, (40 + 7 * index, 80)).astype(np.float16), "turn on", f"s{index}") for index in range(count)]


def weights_in(folder: Path) -> WeightFormat:
    return weights_of(onnx.load(folder / "model.onnx"))


@pytest.mark.parametrize("weights", WeightFormat)
def test_only_the_network_changes(folder: Path, tmp_path: Path, weights: WeightFormat) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    found = quantise.quantise(folder, tmp_path / "out", weights)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    bundle, old = Bundle.open(tmp_path / "out"), Bundle.open(folder)
    assert replace(bundle.manifest, files={}) == replace(old.manifest, files={})
    for name in ("LICENSE", "MODEL_CARD.md", "lm.ngram"):
        assert bundle.read(name) == before[name]
    assert weights_in(tmp_path / "out") is weights
    assert (found.before.weights, found.after.weights) == (WeightFormat.FLOAT16, weights)
    assert found.after.network_bytes == (tmp_path / "out" / "model.onnx").stat().st_size
    assert found.after.bundle_bytes - found.before.bundle_bytes == found.after.network_bytes - found.before.network_bytes


def test_a_smaller_format_is_smaller_and_differs_a_little(folder: Path, tmp_path: Path) -> None:
    found = quantise.quantise(folder, tmp_path / "out", WeightFormat.INT8)
    assert found.after.network_bytes < found.before.network_bytes
    assert 0 < found.difference.mean < found.difference.largest < 1
    same = quantise.quantise(folder, tmp_path / "same", WeightFormat.FLOAT32)
    assert same.difference.largest < 1e-5
    assert (found.utterances, found.before.errors) == (0, None)


def test_what_comes_out_still_verifies(network: Network, folder: Path, tmp_path: Path) -> None:
    bundle_folder.write(folder, bundle_folder.manifest_in(folder), {"LICENSE": b"", "model.onnx": (folder / "model.onnx").read_bytes()})
    quantise.quantise(folder, tmp_path / "out", WeightFormat.INT8)
    verify.verify(tmp_path / "out", network)


def test_errors_and_differences_are_those_of_the_utterances(folder: Path, tmp_path: Path) -> None:
    found = quantise.quantise(folder, tmp_path / "out", WeightFormat.INT8, utterances())
    assert found.utterances == 3
    assert found.before.errors is not None
    assert found.after.errors is not None
    assert found.before.errors.cer > 0
    noisy = quantise.quantise(folder, tmp_path / "out", WeightFormat.INT8)
    assert found.difference != noisy.difference


def test_a_bundle_may_be_changed_in_place(folder: Path) -> None:
    quantise.quantise(folder, folder, WeightFormat.INT8)
    assert weights_in(folder) is WeightFormat.INT8
    assert Bundle.open(folder).read("lm.ngram") == b"words"


def test_weights_of_a_checkpoint_are_rounded_once(network: Network, folder: Path, tmp_path: Path) -> None:
    quantise.quantise(folder, tmp_path / "twice", WeightFormat.FLOAT32)
    quantise.quantise(folder, tmp_path / "once", WeightFormat.FLOAT32, network=network)
    needed, once, twice = (
        each.head.weight for each in (network, *(load_network(tmp_path / name / "model.onnx") for name in ("once", "twice")))
    )
    assert once.equal(needed)
    assert not twice.equal(needed)


def test_another_checkpoint_is_refused_and_nothing_is_written(folder: Path, tmp_path: Path) -> None:
    for other in (experienced(seed=4), experienced(replace(TINY, width=7))):
        with pytest.raises(ParityError):
            quantise.quantise(folder, tmp_path / "out", WeightFormat.INT8, network=other)
    assert not (tmp_path / "out").exists()


def test_a_broken_bundle_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "LICENSE").write_text("other")
    with pytest.raises(BundleError, match="LICENSE"):
        quantise.quantise(folder, tmp_path / "out", WeightFormat.INT8)
    assert not (tmp_path / "out").exists()


def test_a_bundle_without_a_network_of_ours_is_refused(folder: Path, tmp_path: Path) -> None:
    bundle_folder.change(folder, {"model.onnx": b"no network"})
    with pytest.raises(GraphError, match="no ONNX file"):
        quantise.quantise(folder, tmp_path / "out", WeightFormat.INT8)
    bundle_folder.write(folder, bundle_folder.manifest_in(folder), {"LICENSE": b""})
    with pytest.raises(BundleError, match=r"lists no file 'model\.onnx'"):
        quantise.quantise(folder, tmp_path / "out", WeightFormat.INT8)
    assert not (tmp_path / "out").exists()


def test_the_command_line_prints_one_object(
    network: Network, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_checkpoint(tmp_path / "c.pt", {"spec": TINY.to_json(), "weights": network.state_dict()})
    write_shard(tmp_path / "s.npz", utterances(4))
    options = ["--checkpoint", str(tmp_path / "c.pt"), "--shard", str(tmp_path / "s.npz"), "--every", "2"]
    monkeypatch.setattr(sys, "argv", ["quantise", str(folder), str(tmp_path / "out"), *options])
    quantise.main()
    told = json.loads(capsys.readouterr().out)
    assert (told["after"]["weights"], told["utterances"]) == ("int8", 2)
    assert (tmp_path / "out" / MANIFEST).exists()
