"""Where models are looked for, and what is said of those that cannot be used."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from ds_engine.errors import BundleError
from ds_plugin.models import BUNDLED, DEFAULT_MODEL, ModelStore, default_folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's folder with one model, `tiny`, whose only file is its manifest."""
    manifest = json.loads((BUNDLED / DEFAULT_MODEL / "manifest.json").read_text()) | {"name": "tiny", "files": {}}
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def test_the_bundled_model_is_sound() -> None:
    bundle = ModelStore.standard("/nowhere").open(DEFAULT_MODEL)
    assert bundle.path == BUNDLED / DEFAULT_MODEL
    assert bundle.manifest.language == "en"


def test_the_users_folder_comes_before_the_bundled_models(own: Path) -> None:
    shutil.copytree(own / "tiny", own / DEFAULT_MODEL)
    assert ModelStore.standard(str(own)).open(DEFAULT_MODEL).manifest.name == "tiny"
    assert ModelStore.standard().folders == (default_folder(), BUNDLED)


def test_a_corrupt_model_of_the_user_is_not_replaced_in_silence(own: Path) -> None:
    (own / DEFAULT_MODEL).mkdir()
    with pytest.raises(BundleError, match=r"cannot read manifest\.json"):
        ModelStore.standard(str(own)).open(DEFAULT_MODEL)


@pytest.mark.parametrize("name", ["gone", "../en-small/gone", "/nowhere/gone", ""])
def test_a_missing_model_is_named_with_those_that_are_there(own: Path, name: str) -> None:
    (own / "v-0.1").mkdir()
    with pytest.raises(BundleError) as caught:
        ModelStore.standard(str(own)).open(name)
    assert str(caught.value) == f"no model {name!r}; known are: en-small, tiny, v-0.1"


def test_without_any_folder_none_are_known(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no model 'x'; known are: none"):
        ModelStore((tmp_path / "none",)).open("x")
    assert ModelStore((tmp_path / "none",)).list() == []


def test_a_model_may_be_a_path(own: Path) -> None:
    assert ModelStore(()).open(str(own / "tiny")).manifest.name == "tiny"


def test_a_model_may_be_a_zip(own: Path) -> None:
    with zipfile.ZipFile(own / "packed-0.1.zip", "w") as archive:
        archive.write(own / "tiny" / "manifest.json", "manifest.json")
    for name in ("packed-0.1", str(own / "packed-0.1.zip")):
        assert ModelStore((own,)).open(name).manifest.name == "tiny"
    assert [model.name for model in ModelStore((own,)).list()] == ["packed-0.1", "tiny"]


def test_a_changed_file_is_noticed_by_its_checksum(own: Path) -> None:
    shutil.copytree(BUNDLED / DEFAULT_MODEL, own / "changed")
    weights = bytearray((own / "changed" / "model.onnx").read_bytes())
    weights[len(weights) // 2] ^= 1
    (own / "changed" / "model.onnx").write_bytes(weights)
    with pytest.raises(BundleError, match=r"model\.onnx: the checksum differs"):
        ModelStore((own,)).open("changed")


def test_the_list_shows_broken_models_with_their_reason(own: Path) -> None:
    (own / "broken-0.1").mkdir()
    (own / "broken-0.1" / "manifest.json").write_text("{")
    (own / "cut.zip").write_bytes(b"PK\3\4")
    (own / "note.txt").write_text("no model")
    models = {model.name: model for model in ModelStore.standard(str(own)).list()}
    assert set(models) == {"broken-0.1", "cut", "tiny", DEFAULT_MODEL}
    assert models["broken-0.1"].bundle is None
    assert "not JSON" in models["broken-0.1"].error
    assert models["cut"].bundle is None
    bundle = models["tiny"].bundle
    assert bundle
    assert bundle.manifest.name == "tiny"
