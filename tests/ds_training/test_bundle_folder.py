"""Bundles on disk: whole or none, whenever writing stops."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ds_engine.bundle import MANIFEST, Bundle
from ds_engine.errors import BundleError
from ds_training import bundle_folder
from ds_training.bundle_folder import PARTIAL
from tests.ds_engine import bundles

FILES = {"model.onnx": b"network", "LICENSE": b"free\n", "lm.ngram": b""}


def manifest() -> dict[str, object]:
    values = bundles.manifest({})
    del values["files"]
    return values


def written(folder: Path, version: str = "1", **files: bytes) -> Path:
    bundle_folder.write(folder, {**manifest(), "version": version}, {**FILES, **files})
    return folder


def test_a_new_folder_is_a_bundle_with_nothing_beside_it(tmp_path: Path) -> None:
    bundle = Bundle.open(written(tmp_path / "models" / "new"))
    assert {name: bundle.read(name) for name in bundle.manifest.files} == FILES
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["new"]


def test_what_a_stopped_run_left_beside_does_not_get_in(tmp_path: Path) -> None:
    left = tmp_path / f"{PARTIAL}new"
    left.mkdir()
    (left / "lm.ngram.old").write_bytes(b"half")
    folder = written(tmp_path / "new")
    assert {path.name for path in folder.iterdir()} == {*FILES, MANIFEST}
    assert not left.exists()


@pytest.mark.parametrize("before", [[], ["notes.txt"], ["notes.txt", MANIFEST]])
def test_a_folder_that_exists_keeps_what_is_not_of_the_bundle(tmp_path: Path, before: list[str]) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    for name in before:
        (folder / name).write_text("mine")
    Bundle.open(written(folder))
    assert {path.name for path in folder.iterdir()} == {*FILES, MANIFEST, *before}
    assert not before or (folder / "notes.txt").read_text() == "mine"


def test_a_file_of_the_bundle_before_is_not_listed(tmp_path: Path) -> None:
    folder = written(tmp_path / "bundle")
    bundle_folder.write(folder, manifest(), {"LICENSE": b"free\n"})
    assert set(Bundle.open(folder).manifest.files) == {"LICENSE"}
    assert (folder / "lm.ngram").exists()


def test_a_stop_while_new_files_are_written_leaves_the_old_bundle(tmp_path: Path) -> None:
    folder = written(tmp_path / "bundle", "1")
    (folder / f"{PARTIAL}{MANIFEST}").mkdir()  # the last thing written beside: here the disk is full, as it were
    with pytest.raises(OSError, match=MANIFEST):
        written(folder, "2", LICENSE=b"not free\n")
    assert Bundle.open(folder).manifest.version == "1"


@pytest.mark.parametrize("name", FILES)
def test_a_stop_while_files_change_places_leaves_no_bundle(tmp_path: Path, name: str) -> None:
    folder = written(tmp_path / "bundle", "1")
    (folder / name).unlink()
    (folder / name).mkdir()  # no file can take this place
    with pytest.raises(OSError, match=name):
        written(folder, "2")
    with pytest.raises(BundleError, match=f"cannot read {MANIFEST}"):
        Bundle.open(folder)
    (folder / name).rmdir()
    assert Bundle.open(written(folder, "3")).manifest.version == "3"


def test_a_file_of_a_bundle_is_changed_and_the_rest_stays(tmp_path: Path) -> None:
    folder = written(tmp_path / "bundle")
    before = json.loads((folder / MANIFEST).read_text("utf-8"))
    bundle_folder.change(folder, {"LICENSE": b"other\n", "NEW": b"1"}, version="2")
    bundle = Bundle.open(folder)
    assert {name: bundle.read(name) for name in bundle.manifest.files} == {**FILES, "LICENSE": b"other\n", "NEW": b"1"}
    after = json.loads((folder / MANIFEST).read_text("utf-8"))
    assert {**after, "version": before["version"], "files": before["files"]} == before
    assert list(after["files"]) == [*FILES, "NEW"]


def test_values_of_a_manifest_change_alone(tmp_path: Path) -> None:
    folder = written(tmp_path / "bundle")
    bundle_folder.change(folder, {}, calibration={"search": {"alpha": 0.5}})
    assert Bundle.open(folder).manifest.calibration.values == {"search": {"alpha": 0.5}}


def test_a_folder_without_a_manifest_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        bundle_folder.change(tmp_path, {"LICENSE": b""})
    assert not list(tmp_path.iterdir())


def test_names_in_any_script_are_written_as_they_are(tmp_path: Path) -> None:
    bundle_folder.write(tmp_path / "b", {**manifest(), "description": "für 家"}, {})
    assert "für 家" in (tmp_path / "b" / MANIFEST).read_text("utf-8")
    assert Bundle.open(tmp_path / "b").manifest.description == "für 家"
