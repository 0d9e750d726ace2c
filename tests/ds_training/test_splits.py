"""Who is heard in training, development and calibration."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import ds_training
from ds_training.corpus import CorpusError, Recording
from ds_training.splits import of_part, read_split, split_speakers, write_split

COMMITTED = Path(ds_training.__file__).parent / "speechocean762-speakers.tsv"
SIZES = {"train": 95, "development": 15, "calibration": 15}


def test_the_committed_speakers_are_disjoint_and_as_many_as_stated() -> None:
    assert Counter(read_split(COMMITTED).values()) == SIZES


def test_the_committed_list_is_what_its_seed_gives() -> None:
    committed = read_split(COMMITTED)
    assert split_speakers(list(committed), SIZES, seed=1) == committed


def test_the_order_of_speakers_changes_nothing() -> None:
    sizes = {"train": 3, "development": 1, "calibration": 1}
    assert split_speakers(list("abcde"), sizes, 4) == split_speakers(list("edcbaabc"), sizes, 4)


def test_sizes_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(CorpusError, match="3 speakers"):
        split_speakers(list("abc"), SIZES, 1)


def test_a_split_is_read_as_it_was_written(tmp_path: Path) -> None:
    split = {"0001": "train", "0002": "development"}
    write_split(tmp_path / "split.tsv", split)
    assert read_split(tmp_path / "split.tsv") == split


@pytest.mark.parametrize("line", ["0002", "0002\ttest", "0001\ttrain"])
def test_a_broken_line_or_a_speaker_named_twice_is_refused_by_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "split.tsv"
    path.write_text(f"speaker\tpart\n0001\ttrain\n{line}\n", "utf-8")
    with pytest.raises(CorpusError, match="line 3"):
        read_split(path)


def test_a_part_holds_the_recordings_of_its_speakers_alone() -> None:
    recordings = [Recording(Path("a.wav"), "a", "1"), Recording(Path("b.wav"), "b", "2"), Recording(Path("c.wav"), "c", "1")]
    assert of_part(recordings, {"1": "train", "2": "development"}, "train") == [recordings[0], recordings[2]]
    with pytest.raises(CorpusError, match="lacks the speakers 2"):
        of_part(recordings, {"1": "train"}, "train")
