"""The table of importers."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from ds_training.corpora import IMPORTERS, write_manifest
from ds_training.corpora.manifest import CorpusError
from tests.ds_training.corpora.sounds import sound, text


@pytest.mark.parametrize("kind", IMPORTERS)
def test_an_importer_takes_its_source_and_the_options_it_names(kind: str) -> None:
    importer = IMPORTERS[kind]
    source, *options = inspect.signature(importer.read).parameters
    assert (source, sorted(options)) == ("source", sorted(importer.options))
    assert importer.help


@pytest.mark.parametrize("kind", IMPORTERS)
def test_a_source_that_is_not_there_is_refused_by_every_importer(kind: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="gone"):
        list(IMPORTERS[kind].recordings(tmp_path / "gone"))


def test_an_option_that_a_kind_does_not_take_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="options among parts, got up_votes"):
        IMPORTERS["librispeech"].recordings(tmp_path, up_votes=2)


def test_an_import_is_an_importer_and_a_manifest(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    text(tmp_path / "train.csv", "wav_filename,transcript", "a.wav,yes")
    assert write_manifest(tmp_path / "train.tsv", IMPORTERS["deepspeech"].recordings(tmp_path / "train.csv")).recordings == 1
