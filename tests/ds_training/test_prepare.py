"""Shards out of manifests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ds_training import prepare as module
from ds_training.corpora.manifest import read_manifest
from ds_training.corpus import CorpusError, load, read_index, read_shard, with_phones, write_shard
from ds_training.prepare import PrepareSettings, main, prepare
from ds_training.splits import write_split
from tests.ds_training.corpora.sounds import MEL, sound, text

QUIET = PrepareSettings(phones=False)
SKIPPING = PrepareSettings(phones=False, unwritable="skip", unreadable="skip")
needs_espeak = pytest.mark.skipif(not shutil.which("espeak-ng"), reason="needs espeak-ng")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Seven utterances of half a second by three speakers."""
    lines = [f"{sound(tmp_path / 'clips' / f'{index}.flac').name}\tno {'abcdefg'[index]}\t{index % 3}\tF" for index in range(7)]
    return text(tmp_path / "list.tsv", "file\ttext\tspeaker\tgender", *(f"clips/{line}" for line in lines))


def said(*shards: Path) -> list[str]:
    return [utterance.text for shard in shards for utterance in read_shard(shard)]


def test_everything_becomes_one_shard_with_labels(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = manifest.with_name("out.npz")
    prepared = prepare([manifest], out, QUIET)
    assert said(out) == [f"no {letter}" for letter in "abcdefg"]
    assert {utterance.labels["gender"] for utterance in read_shard(out)} == {"F"}
    assert (prepared.shards, prepared.utterances, prepared.speakers) == ((out,), 7, 3)
    assert prepared.hours == pytest.approx(7 * 0.49 / 3600)
    assert prepared.left.counts == {}
    assert capsys.readouterr().out == f"{out}: 7 utterances of 3 speakers\n"
    assert sorted(path.name for path in manifest.parent.iterdir()) == ["clips", "list.tsv", "out.npz"]


@needs_espeak
def test_a_shard_is_byte_for_byte_what_its_pieces_give(manifest: Path) -> None:
    whole, pieces = manifest.with_name("whole.npz"), manifest.with_name("pieces.npz")
    prepare([manifest], whole)
    write_shard(pieces, with_phones(list(load(read_manifest(manifest), MEL))))
    assert whole.read_bytes() == pieces.read_bytes()
    assert read_shard(whole)[0].phones


def test_several_manifests_come_one_after_the_other(manifest: Path) -> None:
    other = text(manifest.with_name("other.tsv"), "file\ttext", "clips/0.flac\tagain")
    assert prepare([manifest, other], manifest.with_name("out.npz"), QUIET).utterances == 8
    assert said(manifest.with_name("out.npz"))[-1] == "again"


def test_a_part_of_a_split_is_its_speakers_alone(manifest: Path) -> None:
    write_split(split := manifest.with_name("split.tsv"), {"0": "train", "1": "test", "2": "train"})
    assert prepare([manifest], manifest.with_name("out.npz"), QUIET, split, "test").speakers == 1
    assert said(manifest.with_name("out.npz")) == ["no b", "no e"]
    write_split(split, {"0": "train"})
    with pytest.raises(CorpusError, match="the split lacks the speakers 1"):
        prepare([manifest], manifest.with_name("out.npz"), QUIET, split)


def test_shards_hold_so_many_lines_each_and_a_stopped_run_goes_on(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, settings = manifest.parent / "shards" / "real.npz", PrepareSettings(phones=False, size=3)
    first = prepare([manifest], out, settings)
    assert [path.name for path in first.shards] == ["real-0.npz", "real-1.npz", "real-2.npz"]
    assert said(*first.shards) == [f"no {letter}" for letter in "abcdefg"]
    contents = [path.read_bytes() for path in first.shards]
    first.shards[1].unlink()
    touched = first.shards[0].stat().st_mtime_ns
    capsys.readouterr()
    again = prepare([manifest], out, settings)
    assert again == first
    assert first.shards[0].stat().st_mtime_ns == touched
    assert [path.read_bytes() for path in again.shards] == contents
    assert capsys.readouterr().out == f"{first.shards[1]}: 3 utterances of 3 speakers\n"


def test_what_was_left_out_of_older_shards_is_still_told(manifest: Path) -> None:
    manifest.with_name("clips").joinpath("1.flac").write_text("no sound")
    settings = PrepareSettings(phones=False, unreadable="skip", size=3)
    first = prepare([manifest], manifest.with_name("real.npz"), settings)
    assert first.left.counts == {"unreadable audio": 1}
    assert prepare([manifest], manifest.with_name("real.npz"), settings) == first
    assert read_index(first.shards[0]).left == first.left.examples


@pytest.mark.parametrize("change", ["manifest", "settings", "split", "stranger"])
def test_shards_of_something_else_are_not_gone_on_with(manifest: Path, change: str) -> None:
    out, settings, split = manifest.with_name("real.npz"), PrepareSettings(phones=False, size=3), manifest.with_name("split.tsv")
    prepare([manifest], out, settings)
    if change == "manifest":
        text(manifest, *manifest.read_text("utf-8").splitlines()[:-1])
    write_split(split, dict.fromkeys("012", "train"))
    if change == "stranger":
        manifest.with_name("real.settings.json").unlink()
    with pytest.raises(CorpusError, match="are of other manifests or settings"):
        prepare(
            [manifest],
            out,
            PrepareSettings(phones=False, size=4) if change == "settings" else settings,
            split if change == "split" else None,
        )


def test_policies_and_processes_do_not_count_as_other_settings(manifest: Path) -> None:
    out = manifest.with_name("real.npz")
    prepare([manifest], out, PrepareSettings(phones=False, size=3))
    again = PrepareSettings(phones=False, size=3, unwritable="skip", unreadable="skip", jobs=2)
    assert prepare([manifest], out, again).utterances == 7


def test_shards_of_a_similar_name_are_nobodys_business(manifest: Path) -> None:
    prepare([manifest], manifest.with_name("real-train.npz"), QUIET)
    assert prepare([manifest], manifest.with_name("real.npz"), PrepareSettings(phones=False, size=7)).utterances == 7


def test_several_processes_make_the_same_shards(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    one, two = manifest.with_name("one.npz"), manifest.with_name("two.npz")
    prepare([manifest], one, QUIET)
    prepare([manifest], two, PrepareSettings(phones=False, jobs=2))
    assert os.environ["OMP_NUM_THREADS"] == "3"
    for first, second in zip(read_shard(one), read_shard(two), strict=True):
        assert np.allclose(first.log_power.astype(float), second.log_power.astype(float), atol=0.01)
        assert (first.text, first.speaker, first.labels) == (second.text, second.speaker, second.labels)


def broken(manifest: Path) -> Path:
    """The manifest with a line for each reason to leave it out."""
    folder = manifest.with_name("clips")
    (folder / "text.wav").write_text("no sound")
    sound(folder / "short.wav", 0.1)
    sound(folder / "long.wav", 2.0)
    lines = [
        ("gone.wav", "gone"),
        ("text.wav", "text"),
        ("short.wav", "short"),
        ("long.wav", "long"),
        ("0.flac", "a long text in half a second"),
    ]
    rows = [f"clips/{name}\t{words}\t9\t" for name, words in (*lines, ("0.flac", "!"))]
    return text(manifest.with_name("broken.tsv"), *manifest.read_text("utf-8").splitlines(), *rows)


def test_what_is_not_fit_is_left_out_by_reason_and_listed(manifest: Path) -> None:
    path, out = broken(manifest), manifest.with_name("out.npz")
    settings = PrepareSettings(phones=False, unwritable="skip", unreadable="skip", longest=1.5)
    prepared = prepare([path], out, settings)
    assert (prepared.utterances, prepared.speakers) == (7, 3)
    counts = {"no text": 1, "too long": 1, "too much text for its audio": 1, "too short": 1, "unreadable audio": 2}
    assert prepared.left.counts == counts
    header, *rows = (line.split("\t") for line in manifest.with_name("out.left.tsv").read_text("utf-8").splitlines())
    assert header == ["place", "reason", "detail"]
    assert [(Path(place).name, reason) for place, reason, _ in rows] == [
        ("broken.tsv: line 14", "no text"),
        ("gone.wav", "unreadable audio"),
        ("text.wav", "unreadable audio"),
        ("short.wav", "too short"),
        ("long.wav", "too long"),
        ("0.flac", "too much text for its audio"),
    ]
    prepare([manifest], out, QUIET)
    assert not manifest.with_name("out.left.tsv").exists()


def test_by_default_a_bad_file_or_text_is_an_error_that_names_it_and_no_shard_is_written(manifest: Path) -> None:
    out = manifest.with_name("out.npz")
    with pytest.raises(CorpusError, match=r"broken\.tsv: line 14 needs a text"):
        prepare([broken(manifest)], out, QUIET)
    for jobs in (1, 2):
        with pytest.raises(CorpusError, match=r"gone\.wav: cannot be read as audio"):
            prepare([broken(manifest)], out, PrepareSettings(phones=False, unwritable="skip", jobs=jobs))
    assert not out.exists()


def test_lines_of_other_parts_are_not_judged(manifest: Path) -> None:
    write_split(split := manifest.with_name("split.tsv"), {**dict.fromkeys("012", "train"), "9": "test"})
    assert prepare([broken(manifest)], manifest.with_name("out.npz"), QUIET, split).utterances == 7


def test_a_text_fits_when_there_is_a_step_for_each_symbol_and_between_equal_ones(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav", 0.415)  # 40 frames: 10 steps
    path = text(
        tmp_path / "list.tsv", "file\ttext", *(f"a.wav\t{words}" for words in ("abcdefghij", "abcdefghijk", "abcdefghii", "aabcdefgh"))
    )
    prepared = prepare([path], tmp_path / "out.npz", QUIET)
    assert said(tmp_path / "out.npz") == ["abcdefghij", "aabcdefgh"]
    assert [left.detail for left in prepared.left.examples] == ["11 steps in 0.41 s", "11 steps in 0.41 s"]


def test_parts_of_files_are_cut_out_and_measured_by_themselves(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav", 3.0)
    rows = ("a.wav\tone\t0\t1.0", "a.wav\ttwo\t1.0\t1.1", "a.wav\tthree\t2.5\t", "a.wav\tfour\t2\t5")
    path = text(tmp_path / "list.tsv", "file\ttext\tstart\tend", *rows)
    prepared = prepare([path], tmp_path / "out.npz", SKIPPING)
    assert [(each.text, len(each.log_power)) for each in read_shard(tmp_path / "out.npz")] == [("one", 99), ("three", 49)]
    assert [str(left.reason) for left in prepared.left.examples] == ["too short", "unreadable audio"]
    assert prepared.left.examples[0].place.endswith("a.wav from 1 s on")


def test_a_shard_of_which_nothing_is_fit_is_not_written_and_the_others_keep_their_numbers(manifest: Path) -> None:
    for index in (0, 1, 2):
        manifest.with_name("clips").joinpath(f"{index}.flac").unlink()
    settings = PrepareSettings(phones=False, unreadable="skip", size=3)
    for _ in range(2):
        prepared = prepare([manifest], manifest.with_name("real.npz"), settings)
        assert [path.name for path in prepared.shards] == ["real-1.npz", "real-2.npz"]
        assert prepared.left.counts == {"unreadable audio": 3}


def test_nothing_to_write_is_an_error(manifest: Path) -> None:
    with pytest.raises(CorpusError, match="shards need utterances, got none\nleft out, too short: 7"):
        prepare([manifest], manifest.with_name("out.npz"), PrepareSettings(phones=False, shortest=9))
    empty = text(manifest.with_name("empty.tsv"), "file\ttext")
    for size in (0, 3):
        with pytest.raises(CorpusError, match="shards need utterances, got none"):
            prepare([empty], manifest.with_name("other.npz"), PrepareSettings(phones=False, size=size))


def test_another_alphabet_writes_its_own_letters(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    path = text(tmp_path / "list.tsv", "file\ttext", "a.wav\tÖl")
    prepare([path], tmp_path / "out.npz", PrepareSettings(symbols=("<blank>", " ", *"lö"), phones=False))
    assert said(tmp_path / "out.npz") == ["öl"]


@pytest.mark.parametrize(
    "settings",
    [
        {"shortest": 2.0, "longest": 1.0},
        {"shortest": float("nan")},
        {"size": -1},
        {"jobs": 0},
        {"unreadable": "ignore"},
        {"unwritable": ""},
        {"symbols": ("<blank>", " ", "ö")},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(CorpusError):
        PrepareSettings(**settings)  # type: ignore[arg-type]


def test_a_shard_needs_its_suffix(manifest: Path) -> None:
    with pytest.raises(CorpusError, match=r"ends in \.npz"):
        prepare([manifest], manifest.with_name("out"), QUIET)


def test_phones_without_espeak_are_refused_before_any_sound_is_read(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CorpusError, match="phones need the program espeak-ng"):
        prepare([manifest], manifest.with_name("out.npz"))


def test_the_command_takes_options_and_tells_what_was_left_out(
    manifest: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = manifest.with_name("real.npz")
    alphabet = text(manifest.with_name("alphabet.txt"), " ", *"abcdefghijklmnopqrstuvwxyz")
    policies = ["--unwritable", "skip", "--unreadable", "skip"]
    monkeypatch.setattr(sys, "argv", ["prepare", str(broken(manifest)), str(out), "--size", "7", "--alphabet", str(alphabet), *policies])
    main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{out.with_name('real-0.npz')}: 7 utterances of 3 speakers"
    assert "left out, unreadable audio: 2" in lines
    assert lines[-1] == "2 shards: 8 utterances of 4 speakers, 0.00 h"


@needs_espeak
def test_the_command_of_the_recipes_prints_one_line(manifest: Path) -> None:
    out = manifest.with_name("real.npz")
    write_split(split := manifest.with_name("split.tsv"), {"0": "train", "1": "train", "2": "development"})
    command = [sys.executable, "-m", module.__name__, str(manifest), str(out), "--split", str(split), "--part", "development"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == f"{out}: 2 utterances of 1 speakers\n"
    assert [utterance.phones != "" for utterance in read_shard(out)] == [True, True]
