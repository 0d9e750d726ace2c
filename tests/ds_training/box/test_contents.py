"""What an archive says of itself, and the check of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds_training.box.contents import BoxError, Contents


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "größe.txt").write_text("light on\n", "utf-8")
    (tmp_path / "run").write_text("#!/bin/sh\n")
    (tmp_path / "run.pyc").write_text("compiled")
    Contents.of(tmp_path, ("festival:ked_diphone",)).write(tmp_path)
    return tmp_path


def test_the_contents_name_every_file_but_themselves_and_what_python_compiled(folder: Path) -> None:
    contents = Contents.read(folder)
    assert [(item.path, item.bytes) for item in contents.items] == [("run", 10), ("text/größe.txt", 9)]
    assert contents.without == ("festival:ked_diphone",)


def test_the_same_files_give_the_same_contents(folder: Path) -> None:
    before = (folder / "contents.json").read_bytes()
    Contents.of(folder, ("festival:ked_diphone",)).write(folder)
    assert (folder / "contents.json").read_bytes() == before


def test_whole_files_pass_and_what_a_run_adds_does_not_matter(folder: Path) -> None:
    (folder / "work").mkdir()
    (folder / "work" / "log.txt").write_text("new")
    Contents.read(folder).check(folder)


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_text("light of\n"), lambda path: path.write_text("")])
def test_a_file_that_is_missing_or_changed_is_named(folder: Path, harm: object) -> None:
    assert callable(harm)
    harm(folder / "text" / "größe.txt")
    with pytest.raises(BoxError, match=r"missing or changed: text/größe\.txt$"):
        Contents.read(folder).check(folder)


def test_of_many_changed_files_five_are_named(tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / f"{number}").write_text("x")
    contents = Contents.of(tmp_path)
    for number in range(8):
        (tmp_path / f"{number}").unlink()
    with pytest.raises(BoxError, match="0, 1, 2, 3, 4 and 3 more"):
        contents.check(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"items": [], "withou": []}', '{"items": [{"path": "x"}], "without": []}', '{"items": 1, "without": []}']
)
def test_contents_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "contents.json").write_text(text)
    with pytest.raises(BoxError, match="not the contents of an archive"):
        Contents.read(tmp_path)
    (tmp_path / "contents.json").unlink()
    with pytest.raises(BoxError, match="not the contents of an archive"):
        Contents.read(tmp_path)
