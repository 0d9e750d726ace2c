"""DeepSpeech's and Coqui's CSVs."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ds_training.corpora.deepspeech import import_deepspeech
from ds_training.corpora.manifest import CorpusError, Left, Reason, Recording, read_manifest
from ds_training.corpora.writing import write_manifest
from ds_training.corpus import load
from tests.ds_training.corpora.sounds import MEL, sound, text

HEADER = "wav_filename,wav_filesize,transcript"


def kept(path: Path) -> list[Recording]:
    return [each for each in import_deepspeech(path) if isinstance(each, Recording)]


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "opus", "mp3"])
def test_samples_lie_beside_the_csv_or_where_an_absolute_path_says(tmp_path: Path, suffix: str) -> None:
    sound(tmp_path / "c" / "clips" / f"a.{suffix}")
    away = sound(tmp_path / "away" / f"b.{suffix}")
    path = text(tmp_path / "c" / "train.csv", HEADER, f'clips/a.{suffix},16044,"well, yes"', f"{away},16044,no")
    written = write_manifest(tmp_path / "c" / "train.tsv", import_deepspeech(path))
    assert (written.recordings, written.speakers) == (2, 0)
    found = read_manifest(tmp_path / "c" / "train.tsv")
    assert [(each.file, each.text) for each in found] == [(tmp_path / "c" / "clips" / f"a.{suffix}", "well yes"), (away, "no")]
    assert all(len(each.log_power) >= 49 for each in load(found, MEL))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1, max_size=20), min_size=1, max_size=4))
def test_whatever_the_csv_module_quotes_is_unquoted(tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "train.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER.split(","), *(("a.wav", 1, text) for text in texts)])
    assert [each.text for each in kept(path)] == texts


def test_columns_stand_in_any_order_and_further_ones_are_labels(tmp_path: Path) -> None:
    lines = (",transcript,speaker,gender,wav_filename,start, text ", "0,yes,7,F,a.wav,2020-01-01,x", "1,no,,,b.wav,,")
    one, two = kept(text(tmp_path / "dev.csv", *lines, encoding="utf-8-sig", end="\r\n"))
    assert (one.text, one.speaker, one.labels, one.start) == ("yes", "7", {"gender": "F", "part": "dev"}, 0.0)
    assert (two.speaker, two.labels) == ("", {"part": "dev"})


def test_a_row_of_another_length_or_without_a_file_is_left_out_by_its_line(tmp_path: Path) -> None:
    path = text(tmp_path / "train.csv", HEADER, '"a\nb.wav",1,"two\nlines"', "b.wav,1", "c.wav,1,so, what", ",1,yes", "", "d.wav,1,fine")
    _, short, long, nameless, fine = import_deepspeech(path)
    assert isinstance(short, Left)
    assert isinstance(long, Left)
    assert isinstance(nameless, Left)
    assert isinstance(fine, Recording)
    assert (short.place, short.detail) == (f"{path}: line 5", "needs 3 columns, got 2")
    assert (long.detail, nameless.reason) == ("needs 3 columns, got 4", Reason.NO_AUDIO)


def test_a_quotation_broken_on_its_line_is_left_out_and_the_next_line_is_read(tmp_path: Path) -> None:
    broken, fine = import_deepspeech(text(tmp_path / "train.csv", HEADER, 'a.wav,1,"yes" he said', "b.wav,1,fine"))
    assert isinstance(broken, Left)
    assert (broken.reason, broken.place.endswith("line 2")) == (Reason.BROKEN, True)
    assert isinstance(fine, Recording)


@pytest.mark.parametrize("rest", [["b.wav,1,fine"] * 3, ['b.wav,1,"fine"'], ["x" * 200_000]])
def test_a_quotation_that_swallows_lines_is_refused_by_the_line_that_begins_it(tmp_path: Path, rest: list[str]) -> None:
    path = text(tmp_path / "train.csv", HEADER, 'a.wav,1,"yes', *rest)
    with pytest.raises(CorpusError, match=r"train\.csv: line 2 begins a quotation"):
        list(import_deepspeech(path))


def test_an_empty_transcript_and_a_missing_file_are_counted(tmp_path: Path) -> None:
    for name in "ab":
        sound(tmp_path / f"{name}.wav")
    path = text(tmp_path / "train.csv", HEADER, "a.wav,1,", "b.wav,1,fine", "gs://bucket/c.wav,1,far away", "b.wav,1,again")
    written = write_manifest(tmp_path / "train.tsv", import_deepspeech(path), missing="skip")
    assert (written.recordings, written.left.counts) == (1, {"duplicate": 1, "no audio file": 1, "no text": 1})


def test_a_folder_offers_its_csvs_by_name(tmp_path: Path) -> None:
    for name in ("train", "dev"):
        text(tmp_path / f"{name}.csv", HEADER, f"{name}.wav,1,yes")
    text(tmp_path / "notes.csv", "a,b")
    with pytest.raises(CorpusError, match=r"got several: dev, train$"):
        list(import_deepspeech(tmp_path))
    found = [each for each in import_deepspeech(tmp_path, ["train", "dev"]) if isinstance(each, Recording)]
    assert [(each.file.stem, each.labels["part"]) for each in found] == [("train", "train"), ("dev", "dev")]


@pytest.mark.parametrize("lines", [[], ["a,b"], ["wav_filename,wav_filesize"], ['"wav_filename,transcript']])
def test_a_csv_without_its_columns_is_refused(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(CorpusError, match=r"x\.csv: line 1"):
        list(import_deepspeech(text(tmp_path / "x.csv", *lines)))


def test_another_encoding_is_refused_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="line 2 needs to be text in UTF-8"):
        list(import_deepspeech(text(tmp_path / "x.csv", HEADER, "a.wav,1,müde", encoding="latin-1")))
