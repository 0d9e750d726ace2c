"""Manifests as they are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds_training.corpora.manifest import CorpusError, Left, Reason, Recording, lines_of, open_manifest, read_manifest, usable
from ds_training.text import Orthography, letters_of
from tests.ds_training.corpora.sounds import text

GERMAN = Orthography(letters_of(["über größe"]))
YES = Orthography(("<blank>", *"yes"))


def test_files_lie_beside_the_manifest_or_where_an_absolute_path_says(tmp_path: Path) -> None:
    away = tmp_path / "away" / "b.wav"
    path = text(tmp_path / "m" / "list.tsv", "file\ttext", "x/a.wav\tHello!", f"{away}\tyes")
    assert [recording.file for recording in read_manifest(path)] == [tmp_path / "m" / "x" / "a.wav", away]


def test_every_other_column_is_a_label_and_what_is_empty_is_not_known(tmp_path: Path) -> None:
    path = text(tmp_path / "list.tsv", "gender\tfile\ttext\tage\tspeaker", "F\ta.wav\tone\t\t7", "\tb.wav\ttwo\ttwenties\t")
    assert [(each.labels, each.speaker) for each in read_manifest(path)] == [({"gender": "F"}, "7"), ({"age": "twenties"}, "")]


def test_a_part_of_a_file_is_named_in_seconds_and_by_channel(tmp_path: Path) -> None:
    path = text(
        tmp_path / "list.tsv", "file\ttext\tstart\tend\tchannel", "a.wav\tone\t1.5\t2\t1", "a.wav\ttwo\t\t\t", "a.wav\tthree\t2e0\t\t"
    )
    assert [(each.start, each.end, each.channel) for each in read_manifest(path)] == [(1.5, 2.0, 1), (0.0, None, None), (2.0, None, None)]


@pytest.mark.parametrize(
    ("start", "end", "channel"),
    [("-1", "", ""), ("x", "", ""), ("nan", "", ""), ("", "inf", ""), ("2", "2", ""), ("", "0", ""), ("", "", "-1"), ("", "", "1.0")],
)
def test_a_part_that_cannot_be_is_refused_by_its_line(tmp_path: Path, start: str, end: str, channel: str) -> None:
    path = text(tmp_path / "list.tsv", "file\ttext\tstart\tend\tchannel", f"a.wav\tone\t{start}\t{end}\t{channel}")
    with pytest.raises(CorpusError, match=r"list\.tsv: line 2 needs"):
        read_manifest(path)


@pytest.mark.parametrize("header", ["", "path\ttext", "file", "file\ttext\ttext", "file\ttext\tage\tage"])
def test_a_header_without_its_columns_or_with_one_twice_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(CorpusError, match="line 1 needs the columns file and text"):
        read_manifest(text(tmp_path / "list.tsv", header))


def test_an_empty_file_is_refused_and_a_header_alone_is_an_empty_manifest(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="line 1 needs"):
        read_manifest(text(tmp_path / "empty.tsv"))
    assert read_manifest(text(tmp_path / "none.tsv", "file\ttext")) == []


@pytest.mark.parametrize(("encoding", "end"), [("utf-8-sig", "\n"), ("utf-8", "\r\n"), ("utf-8-sig", "\r\n")])
def test_marks_and_line_ends_of_other_systems_are_no_part_of_the_text(tmp_path: Path, encoding: str, end: str) -> None:
    path = text(tmp_path / "list.tsv", "file\ttext\tspeaker", "a.wav\tgröße\tÄnne", encoding=encoding, end=end)
    assert read_manifest(path, None) == [Recording(tmp_path / "a.wav", "größe", "Änne")]


def test_a_file_without_a_last_line_end_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "list.tsv"
    path.write_text("file\ttext\na.wav\tone", "utf-8")
    assert [recording.text for recording in read_manifest(path)] == ["one"]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_another_encoding_is_refused_by_its_line(tmp_path: Path, encoding: str) -> None:
    path = text(tmp_path / "list.tsv", "file\ttext", "a.wav\tgröße", encoding=encoding)
    with pytest.raises(CorpusError, match=r"line [12] needs to be text in UTF-8"):
        read_manifest(path)


def test_a_manifest_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"gone\.tsv: cannot be read"):
        read_manifest(tmp_path / "gone.tsv")


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x1c"])
def test_a_line_separator_of_unicode_does_not_end_a_line(tmp_path: Path, separator: str) -> None:
    path = text(tmp_path / "list.tsv", "file\ttext\tspeaker", f"a.wav\tone{separator}two\tme")
    assert [(each.text, each.speaker) for each in read_manifest(path)] == [("one two", "me")]
    assert len(list(lines_of(path))) == 2


def test_text_that_cannot_be_written_is_an_error_or_left_out_with_its_line_and_letter(tmp_path: Path) -> None:
    path = text(tmp_path / "list.tsv", "file\ttext", "a.wav\tÜber", "b.wav\tKiste", "c.wav\t...", "d.wav\t")
    with pytest.raises(CorpusError, match=r"line 3 needs a text of the alphabet: the alphabet has no 'k'"):
        read_manifest(path, GERMAN)
    manifest = open_manifest(path, GERMAN, "skip")
    assert [recording.text for recording in manifest.recordings] == ["über"]
    assert [(left.place.rpartition(" ")[2], left.reason) for left in manifest.left] == [
        ("3", Reason.UNWRITABLE),
        ("4", Reason.NO_TEXT),
        ("5", Reason.NO_TEXT),
    ]
    assert str(manifest.left[0]) == f"{path}: line 3: unwritable text (the alphabet has no 'k')"


def test_without_an_orthography_texts_stand_as_they_are(tmp_path: Path) -> None:
    path = text(tmp_path / "list.tsv", "file\ttext", "a.wav\tA, b: 日!", "b.wav\t")
    assert [recording.text for recording in read_manifest(path, None)] == ["A, b: 日!", ""]


def test_a_broken_line_is_an_error_under_every_policy(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="line 2 needs 2 columns, got 1"):
        open_manifest(text(tmp_path / "list.tsv", "file\ttext", "a.wav"), unwritable="skip")


def test_only_lines_that_are_wanted_are_judged(tmp_path: Path) -> None:
    path = text(tmp_path / "list.tsv", "file\ttext\tspeaker", "a.wav\t\t1", "b.wav\tyes\t2")
    assert [each.text for each in usable(path, YES, wanted=lambda each: each.speaker == "2") if isinstance(each, Recording)] == ["yes"]


def test_another_policy_is_refused() -> None:
    with pytest.raises(CorpusError, match="error or skip, got 'ignore'"):
        open_manifest(Path("list.tsv"), unwritable="ignore")


def test_what_was_left_out_tells_itself_in_one_line() -> None:
    assert str(Left("a.wav", Reason.TOO_SHORT)) == "a.wav: too short"
