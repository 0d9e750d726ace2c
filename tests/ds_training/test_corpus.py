"""Sound of recordings, and shards."""

# ruff: noqa: RUF001  # phonetic letters look like others

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ds_engine.features import LogMel, LogMelSpec
from ds_training.corpus import (
    CorpusError,
    Left,
    Reason,
    Recording,
    ShardIndex,
    Utterance,
    hours,
    load,
    log_power,
    read_index,
    read_manifest,
    read_samples,
    read_shard,
    samples_of,
    seconds_of,
    steps_needed,
    write_shard,
)
from tests.ds_training.corpora.sounds import sound

MEL = LogMel(LogMelSpec())


def manifest(folder: Path, *lines: str) -> Path:
    path = folder / "list.tsv"
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def test_a_manifest_gives_files_beside_it_and_plain_text(tmp_path: Path) -> None:
    (recording,) = read_manifest(manifest(tmp_path, "speaker\tfile\ttext", "7\tx/a.wav\tWe call it: bear"))
    assert (recording.file, recording.text, recording.speaker) == (tmp_path / "x/a.wav", "we call it bear", "7")


@pytest.mark.parametrize("line", ["a.wav", "a.wav\thello\tmore", "\thello", "a.wav\t...", ""])
def test_a_broken_manifest_line_is_refused_by_its_number(tmp_path: Path, line: str) -> None:
    with pytest.raises(CorpusError, match=r"list\.tsv: line 3 needs"):
        read_manifest(manifest(tmp_path, "file\ttext", "a.wav\tfine", line))


@pytest.mark.parametrize("header", [[], ["path\ttext"]])
def test_a_manifest_without_its_columns_is_refused(tmp_path: Path, header: list[str]) -> None:
    with pytest.raises(CorpusError, match="columns file and text"):
        read_manifest(manifest(tmp_path, *header))


def test_recordings_are_mixed_down_resampled_and_turned_into_log_power(tmp_path: Path) -> None:
    stereo = np.random.default_rng(1).uniform(-0.1, 0.1, (8000, 2))
    soundfile.write(tmp_path / "a.wav", stereo, 8000)
    (utterance,) = load(read_manifest(manifest(tmp_path, "file\ttext\tgender", "a.wav\thello\tF")), MEL)
    assert utterance.log_power.shape == (99, 80)
    assert utterance.log_power.dtype == np.float16
    assert utterance.labels == {"gender": "F"}
    assert hours([utterance]) == pytest.approx(0.99 / 3600)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "opus", "mp3"])
def test_a_part_is_what_lies_between_its_times(tmp_path: Path, suffix: str) -> None:
    path = sound(tmp_path / f"a.{suffix}", seconds=2.0)
    whole, part = read_samples(path, 16_000), read_samples(path, 16_000, 0.5, 1.25)
    assert len(part) == 12_000
    assert np.allclose(part, whole[8000:20_000], atol=1e-5)
    assert seconds_of(Recording(path, "a", start=0.5, end=1.25)) == pytest.approx(0.75)
    assert seconds_of(Recording(path, "a", start=0.5)) == pytest.approx(len(whole) / 16_000 - 0.5)


def test_a_channel_is_taken_alone_and_the_mean_of_all_without(tmp_path: Path) -> None:
    path = sound(tmp_path / "a.wav", channels=2)
    left, right = (samples_of(Recording(path, "a", channel=channel), 16_000) for channel in (0, 1))
    assert (np.abs(left).max() <= 0.101, np.abs(right).max() > 0.19) == (True, True)
    assert np.allclose(read_samples(path, 16_000), (left + right) / 2, atol=1e-6)
    with pytest.raises(CorpusError, match=r"a\.wav: needs channel 2, counted from 0, got 2 in all"):
        read_samples(path, 16_000, channel=2)


@pytest.mark.parametrize(("start", "end"), [(2.0, None), (3.0, 4.0), (0.0, 2.2), (1.0, 9.0)])
def test_a_part_that_the_file_lacks_is_refused(tmp_path: Path, start: float, end: float | None) -> None:
    path = sound(tmp_path / "a.wav", seconds=2.0)
    for ask in (lambda: read_samples(path, 16_000, start, end), lambda: seconds_of(Recording(path, "a", start=start, end=end))):
        with pytest.raises(CorpusError, match=r"a\.wav: needs .* got a file of 2\.00 s"):
            ask()


def test_a_part_may_end_a_little_behind_the_file(tmp_path: Path) -> None:
    path = sound(tmp_path / "a.wav", seconds=2.0)
    assert len(read_samples(path, 16_000, 1.0, 2.05)) == 16_000


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    whole = sound(tmp_path / "a.flac", seconds=2.0).read_bytes()
    (tmp_path / "a.flac").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorpusError, match=r"a\.flac: (cut off, needs 2\.00 s|cannot be read)"):
        read_samples(tmp_path / "a.flac", 16_000)


@pytest.mark.parametrize("name", ["a.wav", "a.raw", "half\ud800.wav", "."])
def test_a_file_that_is_not_audio_is_named(tmp_path: Path, name: str) -> None:
    if name.startswith("a"):
        (tmp_path / name).write_text("not audio")
    for ask in (lambda: read_samples(tmp_path / name, 16_000), lambda: seconds_of(Recording(tmp_path / name, "a"))):
        with pytest.raises(CorpusError, match="cannot be read as audio"):
            ask()


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30, 32_767.0])
def test_samples_far_beyond_full_scale_are_refused(tmp_path: Path, value: float) -> None:
    samples = np.zeros(1600, np.float32)
    samples[800] = value
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="FLOAT")
    with pytest.raises(CorpusError, match=r"a\.wav: needs samples around \[-1, 1\], got up to"):
        read_samples(tmp_path / "a.wav", 16_000)


def test_a_file_without_a_sample_is_silence_of_no_length(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(0, np.float32), 8000)
    assert len(read_samples(tmp_path / "a.wav", 16_000)) == 0
    assert seconds_of(Recording(tmp_path / "a.wav", "a")) == 0


@pytest.mark.parametrize(("samples", "frames"), [(0, 1), (399, 1), (400, 1), (401, 2), (560, 2), (561, 3)])
def test_no_sample_is_left_out_of_the_frames(samples: int, frames: int) -> None:
    assert len(log_power(MEL, np.zeros(samples, np.float32))) == frames


def test_silence_stays_finite() -> None:
    assert np.isfinite(log_power(MEL, np.zeros(400, np.float32))).all()


@pytest.mark.parametrize(("text", "steps"), [("", 0), ("a", 1), ("ab", 2), ("aa", 3), ("aaa", 5), ("all off", 9), ("a a", 3)])
def test_ctc_needs_a_step_for_a_symbol_and_one_between_equal_ones(text: str, steps: int) -> None:
    assert steps_needed(text) == steps


def utterance(frames: int, text: str, speaker: str = "v", phones: str = "", labels: Mapping[str, str] | None = None) -> Utterance:
    return Utterance(np.random.default_rng(frames).normal(size=(frames, 80)).astype(np.float16), text, speaker, phones, labels or {})


def test_a_shard_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = [utterance(3, "one", phones="w ʌ n"), utterance(5, "two", "", "t uː", {"age": "31", "accent": '"ö\\\n'}), utterance(1, "")]
    write_shard(tmp_path / "s.npz", written)
    read = read_shard(tmp_path / "s.npz")
    assert [(item.text, item.speaker, item.phones, item.labels) for item in read] == [
        ("one", "v", "w ʌ n", {}),
        ("two", "", "t uː", {"age": "31", "accent": '"ö\\\n'}),
        ("", "v", "", {}),
    ]
    assert all(np.array_equal(one.log_power, other.log_power) for one, other in zip(written, read, strict=True))
    assert [path.name for path in tmp_path.iterdir()] == ["s.npz"]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(labels=st.lists(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3), min_size=1, max_size=4))
def test_labels_are_kept_whatever_they_are(tmp_path: Path, labels: list[dict[str, str]]) -> None:
    write_shard(tmp_path / "s.npz", [utterance(1, "a", labels=each) for each in labels])
    assert [each.labels for each in read_shard(tmp_path / "s.npz")] == labels


def test_a_shard_without_labels_is_one_as_there_always_was(tmp_path: Path) -> None:
    write_shard(tmp_path / "s.npz", [utterance(3, "one")])
    with np.load(tmp_path / "s.npz") as archive:
        assert sorted(archive.files) == ["frames", "phones", "power", "speakers", "texts"]
    assert read_shard(tmp_path / "s.npz")[0].labels == {}


def test_the_index_of_a_shard_tells_what_is_in_it_and_what_was_left_out(tmp_path: Path) -> None:
    left = (Left("a.wav", Reason.TOO_LONG, "99 s"), Left("ö.wav", Reason.UNREADABLE))
    write_shard(tmp_path / "s.npz", [utterance(3, "one"), utterance(5, "two", "w")], left)
    assert read_index(tmp_path / "s.npz") == ShardIndex((3, 5), ("v", "w"), left)


def test_a_shard_needs_utterances(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"s\.npz: a shard needs utterances"):
        write_shard(tmp_path / "s.npz", [])
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_shard_is_named(tmp_path: Path) -> None:
    write_shard(tmp_path / "whole.npz", [utterance(30, "one")])
    np.savez(tmp_path / "other.npz", other=np.zeros(3))
    np.save(tmp_path / "array.npy", np.zeros(3))
    (tmp_path / "cut.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:900])
    (tmp_path / "empty.npz").touch()
    (tmp_path / "text.npz").write_text("text")
    for name in ("other.npz", "array.npy", "cut.npz", "empty.npz", "text.npz", "gone.npz"):
        for read in (read_shard, read_index):
            with pytest.raises(CorpusError, match=f"{name}: not a shard"):
                read(tmp_path / name)


def test_a_shard_whose_parts_disagree_is_named(tmp_path: Path) -> None:
    parts: dict[str, Any] = {"frames": np.array([3]), "texts": np.array(["a"]), "speakers": np.array(["v"]), "phones": np.array([""])}
    for change in ({"frames": np.array([4])}, {"texts": np.array(["a", "b"])}, {"labels": np.array(["{"])}):
        np.savez(tmp_path / "s.npz", power=np.zeros((3, 80), np.float16), **{**parts, **change})
        with pytest.raises(CorpusError, match=r"s\.npz: not a shard"):
            read_shard(tmp_path / "s.npz")
