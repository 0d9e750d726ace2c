from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ds_engine.bundle import Bundle
from ds_engine.errors import BundleError
from tests.ds_engine import bundles


def test_a_folder_and_a_zip_of_it_hold_the_same(tmp_path: Path) -> None:
    folder = Bundle.open(bundles.write(tmp_path / "toy"))
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        packed = Bundle.open(bundles.zipped(tmp_path / "toy", method))
        assert packed.manifest == folder.manifest
        assert packed.read("model.onnx") == folder.read("model.onnx")


def test_the_bundled_model_is_whole() -> None:
    assert Bundle.open(bundles.EN_SMALL).manifest.family == "native"


def test_a_missing_bundle_a_plain_file_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no zip")
    (tmp_path / "empty").mkdir()
    for name in ("missing", "file", "empty"):
        with pytest.raises(BundleError, match=f"{name}: cannot read manifest.json"):
            Bundle.open(tmp_path / name)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda data: data[:-1], "bytes expected, .* found"),
        (lambda data: data + b"\0", "bytes expected, more found"),
        (lambda data: b"X" + data[1:], "the checksum differs"),
        (lambda data: b"", "bytes expected, 0 found"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_was_altered_is_found_when_opening(tmp_path: Path, damage: Any, told: str, packed: bool) -> None:  # noqa: FBT001
    folder = bundles.write(tmp_path / "toy")
    (folder / "model.onnx").write_bytes(damage((folder / "model.onnx").read_bytes()))
    with pytest.raises(BundleError, match=f"model.onnx: .*{told}"):
        Bundle.open(bundles.zipped(folder) if packed else folder)


@pytest.mark.parametrize("packed", [False, True])
def test_a_listed_file_that_is_missing_is_named(tmp_path: Path, packed: bool) -> None:  # noqa: FBT001
    folder = bundles.write(tmp_path / "toy")
    (folder / "LICENSE").unlink()
    with pytest.raises(BundleError, match="LICENSE"):
        Bundle.open(bundles.zipped(folder) if packed else folder)


def test_a_file_altered_after_opening_is_found_when_reading(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path / "toy")
    bundle = Bundle.open(folder)
    (folder / "LICENSE").write_bytes(b"NONE\n")
    with pytest.raises(BundleError, match="checksum differs"):
        bundle.read("LICENSE")


@pytest.mark.parametrize("name", ["unlisted", "manifest.json", "../toy/LICENSE", "/etc/passwd"])
def test_only_listed_files_can_be_read(tmp_path: Path, name: str) -> None:
    folder = bundles.write(tmp_path / "toy")
    (folder / "unlisted").write_bytes(b"")
    with pytest.raises(BundleError, match="lists no file"):
        Bundle.open(folder).read(name)


def test_a_zip_with_slashes_in_its_names_is_refused(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path / "toy")
    (tmp_path / "deep.zip").unlink(missing_ok=True)
    with zipfile.ZipFile(tmp_path / "deep.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"toy/{file.name}")
    with pytest.raises(BundleError, match="has no manifest"):
        Bundle.open(tmp_path / "deep.zip")


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = bundles.zipped(bundles.write(tmp_path / "toy"), zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := data.find(mark, at + 1)) >= 0:
            data[at + flags] |= 1
    path.write_bytes(data)
    with pytest.raises(BundleError, match="encrypted"):
        Bundle.open(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1), value=st.integers(0, 255), shorten=st.booleans())
@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_damaged_zip_opens_whole_or_not_at_all(tmp_path: Path, method: int, place: float, value: int, shorten: bool) -> None:  # noqa: FBT001
    path = bundles.zipped(bundles.write(tmp_path / "toy"), method)
    data = bytearray(path.read_bytes())
    at = int(place * (len(data) - 1))
    if shorten:
        del data[at:]
    else:
        data[at] = value
    path.write_bytes(data)
    try:
        bundle = Bundle.open(path)
    except BundleError:
        return
    assert bundle.read("model.onnx") == (tmp_path / "toy" / "model.onnx").read_bytes()


def test_a_manifest_that_promises_gigabytes_costs_no_memory(tmp_path: Path) -> None:
    def promise(manifest: dict[str, Any]) -> None:
        manifest["files"]["model.onnx"]["bytes"] = 8 * 2**30

    with pytest.raises(BundleError, match="bytes expected"):
        Bundle.open(bundles.write(tmp_path / "toy", edit=promise))


def test_a_manifest_that_is_a_folder_or_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a" / "manifest.json").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "manifest.json").write_text(json.dumps([1]))
    for name in ("a", "b"):
        with pytest.raises(BundleError, match="manifest"):
            Bundle.open(tmp_path / name)
