"""Common Voice's layout, old and new."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ds_training.corpora.common_voice import import_common_voice
from ds_training.corpora.manifest import CorpusError, Left, Reason, Recording, read_manifest
from ds_training.corpora.writing import write_manifest
from ds_training.corpus import load
from tests.ds_training.corpora.sounds import MEL, sound, text

OLD = "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccent"
NEW = "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tdown_votes\tage\tgender\taccents\tvariant\tlocale\tsegment"


def kept(path: Path, **options: Any) -> list[Recording]:
    return [each for each in import_common_voice(path, **options) if isinstance(each, Recording)]


def test_a_new_release_gives_clips_with_what_is_known_of_the_speaker(tmp_path: Path) -> None:
    text(
        tmp_path / "de" / "train.tsv",
        NEW,
        "aa\tone.mp3\t1\tGrüße, \u201ealle\u201c!\t\t2\t0\ttwenties\tfemale_feminine\tDeutschland Deutsch,Bayern\t\tde\t",
        'bb\ttwo.mp3\t2\t"Ja" sagte er\t\t2\t1\t\t\t\t\tde\t',
    )
    for name in ("one", "two"):
        sound(tmp_path / "de" / "clips" / f"{name}.mp3")
    written = write_manifest(tmp_path / "train.tsv", import_common_voice(tmp_path / "de"))
    assert (written.recordings, written.speakers) == (2, 2)
    one, two = read_manifest(tmp_path / "train.tsv", None)
    assert one.labels == {"age": "twenties", "gender": "female_feminine", "accent": "Deutschland Deutsch,Bayern", "part": "train"}
    assert (two.text, two.speaker, two.labels) == ('"Ja" sagte er', "bb", {"part": "train"})
    assert [abs(len(each.log_power) - 49) <= 12 for each in load([one, two], MEL)] == [True, True]  # MP3 has frames of 72 ms


def test_an_old_release_quotes_and_leaves_suffixes_away(tmp_path: Path) -> None:
    path = text(tmp_path / "en" / "validated.tsv", OLD, 'aa\tone\t"""Good-bye,"" said the boy."\t2\t0\tteens\tmale\tus', end="\r\n")
    (clip,) = kept(path)
    assert (clip.file, clip.text) == (tmp_path / "en" / "clips" / "one.mp3", '"Good-bye," said the boy.')
    assert clip.labels == {"age": "teens", "gender": "male", "accent": "us", "part": "validated"}


@pytest.mark.parametrize("sentence", ['"Never closed', 'Never opened"', '"One" and "two"', '"'])
def test_quotation_marks_that_quote_nothing_stay_and_swallow_no_line(tmp_path: Path, sentence: str) -> None:
    path = text(tmp_path / "train.tsv", OLD, f"aa\tone.mp3\t{sentence}\t2\t0\t\t\t", "bb\ttwo.mp3\tfine\t2\t0\t\t\t")
    assert [clip.text for clip in kept(path)] == [sentence, "fine"]


def test_votes_choose_and_what_they_leave_out_is_counted(tmp_path: Path) -> None:
    rows = [f"aa\t{up}{down}.mp3\tyes\t{up}\t{down}\t\t\t" for up, down in ((1, 0), (2, 0), (2, 1), (5, 2))]
    path = text(tmp_path / "other.tsv", OLD, *rows)
    assert [clip.file.stem for clip in kept(path, up_votes=2, down_votes=1)] == ["20", "21"]
    assert [clip.file.stem for clip in kept(path, down_votes=0)] == ["10", "20"]
    left = [each for each in import_common_voice(path, up_votes=2) if isinstance(each, Left)]
    assert [(each.reason, each.detail) for each in left] == [(Reason.FILTERED, "1 votes for, 0 against")]
    for clip in kept(path, up_votes=2):
        sound(clip.file)
    assert write_manifest(tmp_path / "m.tsv", import_common_voice(path, up_votes=2)).left.counts == {"filtered": 1}


def test_votes_that_are_no_numbers_or_not_there_are_faults_only_when_asked_for(tmp_path: Path) -> None:
    path = text(tmp_path / "other.tsv", OLD, "aa\tone.mp3\tyes\t\t0\t\t\t")
    assert len(kept(path)) == 1
    (left,) = import_common_voice(path, up_votes=1)
    assert isinstance(left, Left)
    assert left.detail == "needs votes as numbers, got '' and '0'"
    bare = text(tmp_path / "bare.tsv", "client_id\tpath\tsentence", "aa\tone.mp3\tyes")
    assert len(kept(bare)) == 1
    with pytest.raises(CorpusError, match="line 1 needs the columns down_votes"):
        list(import_common_voice(bare, down_votes=1))


def test_a_line_with_a_tab_too_many_or_no_path_is_left_out_by_its_number(tmp_path: Path) -> None:
    path = text(tmp_path / "train.tsv", OLD, "aa\tone.mp3\ta\tb\t2\t0\t\t\t", "bb\t\tyes\t2\t0\t\t\t", "cc\tthree.mp3\tyes\t2\t0\t\t\t")
    broken, nameless, fine = import_common_voice(path)
    assert isinstance(broken, Left)
    assert isinstance(nameless, Left)
    assert (broken.place, broken.detail) == (f"{path}: line 2", "needs 8 columns, got 9")
    assert nameless.reason == Reason.NO_AUDIO
    assert isinstance(fine, Recording)


def test_an_empty_sentence_is_left_out_when_the_manifest_is_written(tmp_path: Path) -> None:
    path = text(tmp_path / "test.tsv", OLD, "aa\tone.mp3\t\t2\t0\t\t\t", 'bb\ttwo.mp3\t"  "\t2\t0\t\t\t', "cc\tthree.mp3\tyes\t2\t0\t\t\t")
    for name in ("one", "two", "three"):
        text(tmp_path / "clips" / f"{name}.mp3")
    assert write_manifest(tmp_path / "m.tsv", import_common_voice(path), missing="skip").left.counts == {"no text": 2}


def test_a_folder_offers_the_lists_of_clips_alone(tmp_path: Path) -> None:
    for name in ("train", "dev"):
        text(tmp_path / f"{name}.tsv", OLD, "aa\tone.mp3\tyes\t2\t0\t\t\t")
    text(tmp_path / "clip_durations.tsv", "clip\tduration[ms]", "one.mp3\t500")
    text(tmp_path / "empty.tsv")
    with pytest.raises(CorpusError, match=r"got several: dev, train$"):
        list(import_common_voice(tmp_path))
    assert len(list(import_common_voice(tmp_path, parts=["dev"]))) == 1
    with pytest.raises(CorpusError, match="lacks other"):
        list(import_common_voice(tmp_path, parts=["other"]))


def test_a_source_that_is_no_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="needs TSVs with the columns client_id, path, sentence, got none"):
        list(import_common_voice(tmp_path))
    with pytest.raises(CorpusError, match="does not exist"):
        list(import_common_voice(tmp_path / "gone"))
    with pytest.raises(CorpusError, match=r"x\.tsv: line 1 needs the columns client_id, path, sentence"):
        list(import_common_voice(text(tmp_path / "x.tsv", "a\tb")))
    with pytest.raises(CorpusError, match="line 2 needs to be text in UTF-8"):
        list(import_common_voice(text(tmp_path / "y.tsv", OLD, "aa\tone.mp3\tmüde\t2\t0\t\t\t", encoding="latin-1")))
