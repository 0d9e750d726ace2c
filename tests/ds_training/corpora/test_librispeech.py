"""LibriSpeech's layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds_training.corpora.librispeech import import_librispeech
from ds_training.corpora.manifest import CorpusError, Left, Reason, Recording, read_manifest
from ds_training.corpora.writing import write_manifest
from ds_training.corpus import load
from tests.ds_training.corpora.sounds import MEL, sound, text


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    root = tmp_path / "LibriSpeech"
    speakers = [
        ";ID  |SEX| SUBSET           |MINUTES| NAME",
        "19   | F | dev-clean | 8.1 | Kara | Shallenberg",
        "26   | M | test-clean | 8 | Zo\u00eb",
    ]
    text(root / "SPEAKERS.TXT", *speakers, encoding="latin-1")
    text(root / "README.TXT", "a corpus")
    for part, speaker, chapter in (("dev-clean", "19", "198"), ("test-clean", "26", "495"), ("test-clean", "7", "1")):
        folder = root / part / speaker / chapter
        text(folder / f"{speaker}-{chapter}.trans.txt", f"{speaker}-{chapter}-0000 IT'S ONE", f"{speaker}-{chapter}-0001 TWO")
        sound(folder / f"{speaker}-{chapter}-0000.flac")
        sound(folder / f"{speaker}-{chapter}-0001.wav")
    return root


def test_a_part_gives_its_utterances_with_speaker_and_gender(corpus: Path, tmp_path: Path) -> None:
    written = write_manifest(tmp_path / "test.tsv", import_librispeech(corpus, ["test-clean"]))
    assert (written.recordings, written.speakers, written.left.counts) == (4, 2, {})
    found = read_manifest(tmp_path / "test.tsv")
    assert [(each.file.name, each.text, each.speaker) for each in found] == [
        ("26-495-0000.flac", "it's one", "26"),
        ("26-495-0001.wav", "two", "26"),
        ("7-1-0000.flac", "it's one", "7"),
        ("7-1-0001.wav", "two", "7"),
    ]
    assert [each.labels for each in found[1:3]] == [{"gender": "M", "part": "test-clean"}, {"part": "test-clean"}]
    assert all(len(each.log_power) == 49 for each in load(found, MEL))


def test_one_part_may_be_the_source(corpus: Path) -> None:
    found = list(import_librispeech(corpus / "dev-clean"))
    assert [(each.labels["gender"], each.labels["part"]) for each in found if isinstance(each, Recording)] == [("F", "dev-clean")] * 2


def test_several_parts_need_a_choice(corpus: Path) -> None:
    with pytest.raises(CorpusError, match="a choice of parts, got several: dev-clean, test-clean"):
        list(import_librispeech(corpus))
    assert len(list(import_librispeech(corpus, ["test-clean", "dev-clean"]))) == 6


def test_a_part_that_is_not_there_is_named(corpus: Path) -> None:
    with pytest.raises(CorpusError, match="lacks train-clean-100, has dev-clean, test-clean"):
        list(import_librispeech(corpus, ["train-clean-100"]))


def test_a_line_without_text_is_left_out_by_its_number(corpus: Path) -> None:
    text(corpus / "dev-clean/19/198/19-198.trans.txt", "19-198-0000", "", "19-198-0001 TWO")
    _, empty, _ = found = list(import_librispeech(corpus, ["dev-clean"]))
    assert [isinstance(each, Left) for each in found] == [True, True, False]
    assert isinstance(empty, Left)
    assert (empty.reason, empty.place.endswith("19-198.trans.txt: line 2")) == (Reason.BROKEN, True)


def test_a_missing_file_stops_the_import_by_name(corpus: Path, tmp_path: Path) -> None:
    (corpus / "dev-clean/19/198/19-198-0001.wav").unlink()
    with pytest.raises(CorpusError, match=r"19-198-0001\.flac: no audio file"):
        write_manifest(tmp_path / "dev.tsv", import_librispeech(corpus, ["dev-clean"]))


def test_without_its_list_of_speakers_nobody_has_a_gender(corpus: Path) -> None:
    (corpus / "SPEAKERS.TXT").unlink()
    assert all(each.labels == {"part": "dev-clean"} for each in import_librispeech(corpus / "dev-clean") if isinstance(each, Recording))


def test_a_folder_without_transcripts_or_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"folders with \*/\*/\*\.trans\.txt, got none"):
        list(import_librispeech(tmp_path))
    with pytest.raises(CorpusError, match="needs to be a folder"):
        list(import_librispeech(tmp_path / "gone"))


def test_transcripts_in_another_encoding_are_refused_by_line(corpus: Path) -> None:
    text(corpus / "dev-clean/19/198/19-198.trans.txt", "19-198-0000 ONE", "19-198-0001 CAF\u00c9", encoding="latin-1")
    with pytest.raises(CorpusError, match=r"trans\.txt: line 2 needs to be text in UTF-8"):
        list(import_librispeech(corpus, ["dev-clean"]))
