"""Who is heard in training, development, calibration and test."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ds_training
from ds_training.corpora.manifest import CorpusError, Recording
from ds_training.splits import PARTS, counts_of, main, of_part, read_split, speaker_of, split_speakers, strata_of, write_split

COMMITTED = Path(ds_training.__file__).parent / "speechocean762-speakers.tsv"
SIZES = {"train": 95, "development": 15, "calibration": 15}


def test_the_committed_speakers_are_disjoint_and_as_many_as_stated() -> None:
    assert Counter(read_split(COMMITTED).values()) == SIZES


def test_the_committed_list_is_what_its_seed_gives(tmp_path: Path) -> None:
    committed = read_split(COMMITTED)
    assert split_speakers(list(committed), SIZES, seed=1) == committed
    write_split(tmp_path / "again.tsv", split_speakers(list(committed), SIZES, seed=1))
    assert (tmp_path / "again.tsv").read_bytes() == COMMITTED.read_bytes()


def test_the_order_of_speakers_changes_nothing() -> None:
    sizes = {"train": 3, "development": 1, "calibration": 1}
    assert split_speakers(list("abcde"), sizes, 4) == split_speakers(list("edcbaabc"), sizes, 4)


@pytest.mark.parametrize("sizes", [SIZES, {"train": 4, "development": -1}, {"train": 2, "teaching": 1}, {}])
def test_sizes_that_do_not_add_up_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(CorpusError, match="3 speakers"):
        split_speakers(list("abc"), sizes, 1)


@given(
    seed=st.integers(0, 99),
    sizes=st.lists(st.integers(0, 30), min_size=4, max_size=4),
    kinds=st.lists(st.sampled_from("FMX"), min_size=120, max_size=120),
)
def test_every_part_has_its_share_of_every_stratum(seed: int, sizes: list[int], kinds: list[str]) -> None:
    total = sum(sizes)
    strata = {f"{index:03}": kind for index, kind in enumerate(kinds[:total])}
    split = split_speakers(list(strata), dict(zip(PARTS, sizes, strict=True)), seed, strata)
    assert Counter(split.values()) == Counter({part: size for part, size in zip(PARTS, sizes, strict=True) if size})
    whole = Counter(strata.values())
    for part, size in zip(PARTS, sizes, strict=True):
        found = Counter(strata[speaker] for speaker in split if split[speaker] == part)
        assert all(abs(found[kind] - whole[kind] * size / max(1, total)) <= 2 for kind in whole)


def test_one_stratum_for_all_is_as_none() -> None:
    names = [f"{index}" for index in range(20)]
    sizes = {"train": 15, "test": 5}
    assert split_speakers(names, sizes, 3, dict.fromkeys(names, "F")) == split_speakers(names, sizes, 3)


@given(st.integers(1, 10_000), st.lists(st.integers(1, 100), min_size=1, max_size=4))
def test_fractions_become_numbers_that_add_up(total: int, weights: list[int]) -> None:
    fractions = {part: weight / sum(weights) for part, weight in zip(PARTS, weights, strict=False)}
    try:
        counts = counts_of(fractions, total)
    except CorpusError:
        assert any(fraction * total < 1 for fraction in fractions.values())
    else:
        assert sum(counts.values()) == total
        assert all(abs(counts[part] - fraction * total) < 1 for part, fraction in fractions.items())


def test_fractions_are_exact_where_they_can_be() -> None:
    assert counts_of({"train": 0.7, "development": 0.2, "calibration": 0.1}, 10) == {"train": 7, "development": 2, "calibration": 1}


@pytest.mark.parametrize("fractions", [{"train": 0.8}, {"train": 1.2, "test": -0.2}, {"train": float("nan")}, {"train": 80, "test": 20}])
def test_fractions_of_no_whole_are_refused(fractions: dict[str, float]) -> None:
    with pytest.raises(CorpusError, match="fractions that add up to 1"):
        counts_of(fractions, 10)


def test_a_part_that_would_be_empty_is_named() -> None:
    with pytest.raises(CorpusError, match="got 3, none for development"):
        counts_of({"train": 0.95, "development": 0.05}, 3)


def test_a_recording_without_a_speaker_is_somebody_of_its_own_by_its_file() -> None:
    assert [speaker_of(Recording(Path("x/a.wav"), "a")), speaker_of(Recording(Path("x/a.wav"), "a", "7"))] == ["a.wav", "7"]


def test_a_stratum_is_what_a_label_says_most_often() -> None:
    said = [("1", "F"), ("1", ""), ("1", "F"), ("1", "M"), ("2", "M"), ("2", "F"), ("3", "")]
    recordings = [Recording(Path("a.wav"), "a", speaker, labels={"gender": value}) for speaker, value in said]
    assert strata_of(recordings, "gender") == {"1": "F", "2": "F"}
    with pytest.raises(CorpusError, match="strata need the label age"):
        strata_of(recordings, "age")


def test_a_split_is_read_as_it_was_written(tmp_path: Path) -> None:
    split = {"0001": "train", "0002": "development", "Zo\u00eb\u2028 B.wav": "test"}
    write_split(tmp_path / "split.tsv", split)
    assert read_split(tmp_path / "split.tsv") == split


@pytest.mark.parametrize("line", ["0002", "0002\tteaching", "0001\ttrain", ""])
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


def test_of_many_unknown_speakers_a_few_are_named() -> None:
    recordings = [Recording(Path("a.wav"), "a", f"{number:04}") for number in range(500)]
    with pytest.raises(CorpusError, match=r"lacks the speakers 0000, .*, 0009 and 490 more"):
        of_part(recordings, {}, "train")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["splits", *arguments])
    main()


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    lines = [f"{index}.wav\t\u65e5\t{index:02}\t{'FM'[index % 2]}" for index in range(10)]
    path = tmp_path / "list.tsv"
    path.write_text("\n".join(("file\ttext\tspeaker\tgender", *lines, "10.wav\t\t00\tF")), "utf-8")
    return path


def test_the_command_splits_by_numbers_whatever_the_texts(
    manifest: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = manifest.with_name("split.tsv")
    run(monkeypatch, str(manifest), str(out), "--seed", "2", "--train", "7", "--development", "2", "--calibration", "1")
    sizes = {"train": 7, "development": 2, "calibration": 1}
    assert read_split(out) == split_speakers([f"{index:02}" for index in range(10)], sizes, 2)
    assert [line.split(",")[0] for line in capsys.readouterr().out.splitlines()] == [
        f"{part}: {size} speakers" for part, size in sizes.items()
    ]


def test_the_command_splits_by_fractions_and_by_a_label(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = manifest.with_name("split.tsv")
    run(monkeypatch, str(manifest), str(manifest), str(out), "--train", "0.6", "--test", "0.4", "--by", "gender")
    split = read_split(out)
    assert Counter((part, int(speaker) % 2) for speaker, part in split.items()) == {
        ("train", 0): 3,
        ("train", 1): 3,
        ("test", 0): 2,
        ("test", 1): 2,
    }


def test_the_command_refuses_numbers_beside_fractions(
    manifest: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(monkeypatch, str(manifest), "out.tsv", "--train", "0.6", "--test", "4")
    assert "either all numbers or all fractions" in capsys.readouterr().err
