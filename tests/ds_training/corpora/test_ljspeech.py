"""LJ Speech's layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds_training.corpora.ljspeech import import_ljspeech
from ds_training.corpora.manifest import CorpusError, Left, Recording, read_manifest
from ds_training.corpora.writing import write_manifest
from tests.ds_training.corpora.sounds import sound, text


def test_sentences_have_their_normalised_text_and_the_folder_as_speaker(tmp_path: Path) -> None:
    root = tmp_path / "LJSpeech-1.1"
    text(root / "metadata.csv", 'LJ001-0001|in 1455, "so|in fourteen fifty-five, "so', "LJ001-0002|two", "LJ001-0003|three|")
    sound(root / "wavs" / "LJ001-0001.wav", rate=22_050)
    for name in ("LJ001-0002", "LJ001-0003"):
        sound(root / "wavs" / f"{name}.flac")
    write_manifest(root / "all.tsv", import_ljspeech(root))
    assert [(each.text, each.speaker, each.file.name) for each in read_manifest(root / "all.tsv")] == [
        ("in fourteen fifty five so", "LJSpeech-1.1", "LJ001-0001.wav"),
        ("two", "LJSpeech-1.1", "LJ001-0002.flac"),
        ("three", "LJSpeech-1.1", "LJ001-0003.flac"),
    ]


def test_the_list_itself_may_be_the_source_and_the_speaker_named(tmp_path: Path) -> None:
    path = text(tmp_path / "metadata.csv", "a.wav|one", encoding="utf-8-sig", end="\r\n")
    (found,) = import_ljspeech(path, speaker="linda")
    assert isinstance(found, Recording)
    assert (found.file.parent, found.file.stem, found.text, found.speaker) == (tmp_path / "wavs", "a", "one", "linda")


@pytest.mark.parametrize("line", ["a", "", "|one", "a|one|two|three"])
def test_a_line_of_another_form_is_left_out_by_its_number(tmp_path: Path, line: str) -> None:
    path = text(tmp_path / "metadata.csv", "a|one", line)
    _, left = import_ljspeech(tmp_path)
    assert isinstance(left, Left)
    assert left.place == f"{path}: line 2"


def test_a_folder_without_the_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"metadata\.csv: does not exist"):
        list(import_ljspeech(tmp_path))
