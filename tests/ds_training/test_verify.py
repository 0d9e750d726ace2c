"""What a bundle must hold, and bundles that do not."""

# ruff: noqa: E402  # without torch the whole module is skipped

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from ds_engine.bundle import MANIFEST
from ds_engine.search.sources import BUNDLED
from ds_training import bundle_folder, verify
from ds_training.checkpoint import save_checkpoint
from ds_training.export import write_bundle
from ds_training.model import BlockSpec, Network
from ds_training.verification import Outcome, Report, VerificationError
from ds_training.verify import MAX_BUNDLE_BYTES, MAX_LOOK_AHEAD_MS, MAX_NETWORK_BYTES, examine
from ds_training.weights import WeightFormat
from tests.ds_engine import bundles
from tests.ds_engine.fakes import babble
from tests.ds_training.exported import IDENTITY, TINY, experienced


@pytest.fixture(scope="module")
def network() -> Network:
    return experienced()


@pytest.fixture
def folder(network: Network, tmp_path: Path) -> Path:
    write_bundle(network, tmp_path / "bundle", IDENTITY, "card")
    return tmp_path / "bundle"


def outcomes(report: Report) -> dict[str, Outcome]:
    return {check.name: check.outcome for check in report.checks}


def failed(report: Report) -> set[str]:
    return {name for name, outcome in outcomes(report).items() if outcome is Outcome.FAILED}


@pytest.mark.parametrize("weights", WeightFormat)
def test_an_exported_bundle_holds_everything(network: Network, tmp_path: Path, weights: WeightFormat) -> None:
    write_bundle(network, tmp_path / "bundle", IDENTITY, "card", weights=weights)
    report = verify.verify(tmp_path / "bundle", network, [babble(0.5), babble(0.3, 2)])
    skipped = {"search", "batch"}
    assert report.bundle == "en-tiny 0.0.1"
    assert {name for name, outcome in outcomes(report).items() if outcome is Outcome.PASSED} == set(outcomes(report)) - skipped
    assert {name for name, outcome in outcomes(report).items() if outcome is Outcome.SKIPPED} == skipped


def test_the_bundled_model_holds_everything() -> None:
    report = verify.verify(bundles.EN_SMALL)
    assert outcomes(report)["search"] is Outcome.PASSED
    assert outcomes(report)["weights"] is Outcome.SKIPPED
    sizes = {check.name: check.found for check in report.checks}
    assert sizes["network_bytes"] == (bundles.EN_SMALL / "model.onnx").stat().st_size
    assert sizes["bundle_bytes"] == sum(path.stat().st_size for path in bundles.EN_SMALL.iterdir())
    assert sizes["look_ahead_ms"] == 250


def test_a_zip_is_checked_like_its_folder(folder: Path) -> None:
    report = verify.verify(bundles.zipped(folder))
    assert report.bundle == "en-tiny 0.0.1"


def test_the_report_is_plain_json(folder: Path) -> None:
    told = json.loads(json.dumps(verify.verify(folder).to_json()))
    assert (told["bundle"], told["passed"]) == ("en-tiny 0.0.1", True)
    assert {"name", "outcome", "found", "needed"} == set(told["checks"][0])


def flip_a_byte(folder: Path) -> None:
    content = bytearray((folder / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "model.onnx").write_bytes(content)


def in_manifest(**values: Any) -> Callable[[Path], None]:
    return lambda folder: bundle_folder.change(folder, {}, **values)


def in_acoustic(**values: Any) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        bundle_folder.change(folder, {}, acoustic={**bundle_folder.manifest_in(folder)["acoustic"], **values})

    return edit


def letters_turned_round(folder: Path) -> None:
    alphabet = bundle_folder.manifest_in(folder)["alphabet"]
    symbols = [*alphabet["symbols"][:2], *reversed(alphabet["symbols"][2:])]
    bundle_folder.change(folder, {}, alphabet={**alphabet, "symbols": symbols})


def network_of_somebody_else(folder: Path) -> None:
    graph = onnx.load(folder / "model.onnx")
    graph.ClearField("metadata_props")
    bundle_folder.change(folder, {"model.onnx": graph.SerializeToString()})


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (flip_a_byte, "the checksum differs"),
        (lambda folder: (folder / MANIFEST).unlink(), f"cannot read {MANIFEST}"),
        (in_manifest(family="sherpa"), "family needs to be 'native'"),
        (in_acoustic(frames_per_step=2), "one row|the manifest says"),
        (network_of_somebody_else, "exported by ds_training"),
        (lambda folder: bundle_folder.change(folder, {"model.onnx": b"no network"}), "model.onnx"),
    ],
)
def test_a_bundle_that_cannot_be_opened_fails_with_one_reason(folder: Path, edit: Callable[[Path], None], told: str) -> None:
    edit(folder)
    with pytest.raises(VerificationError, match=told) as error:
        verify.verify(folder)
    assert failed(error.value.report) == {"bundle"}


@pytest.mark.parametrize("edit", [letters_turned_round, in_acoustic(look_ahead_frames=6), in_acoustic(end_frames=6)])
def test_a_manifest_that_tells_of_another_network_fails(folder: Path, edit: Callable[[Path], None]) -> None:
    edit(folder)
    assert "manifest" in failed(examine(folder))


def test_a_graph_that_computes_something_else_fails_everywhere_it_is_heard(folder: Path) -> None:
    graph = onnx.load(folder / "model.onnx")
    [head] = [node for node in graph.graph.node if node.output[0] == "product"]
    head.input[0] = "steps"  # past the layer norm
    bundle_folder.change(folder, {"model.onnx": graph.SerializeToString()})
    with pytest.raises(VerificationError, match=r"computations needs PyTorch whole.*; stream of made sounds needs the engine"):
        verify.verify(folder)


def test_a_checkpoint_of_another_network_fails(folder: Path) -> None:
    assert failed(examine(folder, experienced(seed=4))) == {"weights"}
    assert failed(examine(folder, experienced(replace(TINY, width=7)))) == {"weights"}


def test_a_language_model_that_does_not_open_fails(folder: Path) -> None:
    bundle_folder.change(folder, {BUNDLED: b"no language model"})
    assert failed(examine(folder)) == {"search"}


def test_files_beside_the_manifest_are_reported(folder: Path) -> None:
    (folder / "lm.ngram").write_bytes(b"of the bundle before")
    report = verify.verify(folder)
    [files] = [check for check in report.checks if check.name == "files"]
    assert (files.outcome, files.found) == (Outcome.REPORTED, "lm.ngram")


def test_limits_are_errors_unless_they_are_only_to_be_told(tmp_path: Path) -> None:
    spec = replace(TINY, blocks=(BlockSpec(80, 8, 40, 4, 33),), width=800)
    folder = tmp_path / "large"
    write_bundle(Network(spec).eval(), folder, IDENTITY, "x" * MAX_BUNDLE_BYTES, weights=WeightFormat.FLOAT32)
    report = examine(folder)
    assert failed(report) == {"network_bytes", "bundle_bytes", "look_ahead_ms"}
    found = {check.name: check.found for check in report.checks}
    assert float(found["network_bytes"]) > MAX_NETWORK_BYTES
    assert found["look_ahead_ms"] == 330
    assert MAX_LOOK_AHEAD_MS == 320
    with pytest.raises(VerificationError, match=r"look_ahead_ms needs at most 320, got 330"):
        verify.verify(folder)
    lenient = verify.verify(folder, enforce_limits=False)
    assert {name for name, outcome in outcomes(lenient).items() if outcome is Outcome.REPORTED} == failed(report)


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *options: object) -> Any:
    monkeypatch.setattr(sys, "argv", ["verify", *map(str, options)])
    verify.main()
    return json.loads(capsys.readouterr().out)


def test_the_command_line_hears_recordings_and_compares_with_a_checkpoint(
    network: Network, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_checkpoint(tmp_path / "c.pt", {"spec": TINY.to_json(), "weights": network.state_dict()})
    soundfile.write(tmp_path / "a.wav", np.stack([babble(0.3)] * 2, axis=1), 8_000)
    (tmp_path / "m.tsv").write_text("file\ttext\n" + "a.wav\tsomething private\n" * 3, "utf-8")
    told = run(monkeypatch, capsys, folder, "--checkpoint", tmp_path / "c.pt", "--manifest", tmp_path / "m.tsv", "--most", 2)
    found = {check["name"]: check for check in told["checks"]}
    assert told["passed"]
    assert found["weights"]["outcome"] == "passed"
    assert found["stream of utterances"]["found"].endswith("0 of 2 texts differ")
    assert "private" not in json.dumps(told)


def test_the_command_line_exits_with_1_after_its_report(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flip_a_byte(folder)
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, capsys, folder)
    assert ended.value.code == 1
    assert json.loads(capsys.readouterr().out)["passed"] is False
