from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from ds_engine.errors import BundleError, InputError, LanguageModelError
from ds_engine.lm.backoff import BackoffModel
from ds_engine.lm.counts import Vocabulary
from ds_engine.lm.files import read_backoff
from ds_engine.lm.ngram import write_ngram
from ds_engine.search.sources import of_file
from ds_plugin.language_models import Recipe, make, read_base, write
from ds_plugin.models import BUNDLED, DEFAULT_MODEL, ModelStore
from ds_plugin.text_files import Sentence
from tests.ds_engine.fakes import CHARACTERS

TEXT = [Sentence(words.split(), 1.0) for words in ("turn on the light", "turn off the light", "stop")]


def bundle(path: Path, model: BackoffModel | None) -> Path:
    """The bundled model at this path, with this language model or without any."""
    shutil.copytree(BUNDLED / DEFAULT_MODEL, path)
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["files"].pop("lm.ngram", None)
    if model:
        write_ngram(model, path / "lm.ngram")
        content = (path / "lm.ngram").read_bytes()
        manifest["files"]["lm.ngram"] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (path / "manifest.json").write_text(json.dumps(manifest))
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_a_bundles_own_model_can_be_the_base(tmp_path: Path, packed: bool) -> None:  # noqa: FBT001 - a parameter
    model = make(TEXT, Recipe())
    path = bundle(tmp_path / "mine", model)
    if packed:
        shutil.make_archive(str(path), "zip", path)
        shutil.rmtree(path)
    assert read_base("mine", ModelStore((tmp_path,))).words == model.words


def test_a_base_can_be_a_file_of_any_name(tmp_path: Path) -> None:
    model = make(TEXT, Recipe())
    write(model, tmp_path / "base.arpa", CHARACTERS)
    (tmp_path / "base.arpa").rename(tmp_path / "base")
    assert read_base(str(tmp_path / "base"), ModelStore(())).words == model.words


def test_a_base_that_is_not_there_is_named(tmp_path: Path) -> None:
    bundle(tmp_path / "mine", None)
    with pytest.raises(LanguageModelError, match="mine: the bundle has no language model"):
        read_base("mine", ModelStore((tmp_path,)))
    with pytest.raises(BundleError, match="no model 'gone'; known are: mine"):
        read_base("gone", ModelStore((tmp_path,)))


def test_the_steps_of_a_recipe_come_in_their_order() -> None:
    base = make([Sentence(["play", "the", "radio"], 1.0)], Recipe())
    model = make(TEXT, Recipe(order=2, vocabulary=Vocabulary(["turn", "on", "off"]), base=base, base_weight=0.2, entropy=0.9))
    assert model.words == ("<unk>", "<s>", "</s>", "off", "on", "play", "radio", "the", "turn")
    assert model.order == 1


@pytest.mark.parametrize("name", ["a.ngram", "a.arpa"])
def test_what_was_written_reads_back(tmp_path: Path, name: str) -> None:
    model = make(TEXT, Recipe())
    write(model, tmp_path / name, CHARACTERS)
    read = read_backoff(tmp_path / name)
    assert read.words == model.words
    assert [level.ids.tolist() for level in read.orders] == [level.ids.tolist() for level in model.orders]
    assert name.endswith("arpa") or of_file(tmp_path / name, CHARACTERS).lexicon is not None
    assert read.orders[2].log_probs == pytest.approx(model.orders[2].log_probs, abs=1e-6)


def test_a_format_that_is_not_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must end in \.arpa or \.ngram"):
        write(make(TEXT, Recipe()), tmp_path / "a.binary", CHARACTERS)
