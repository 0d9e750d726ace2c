"""Manifests and shards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ds_engine.features import LogMel, LogMelSpec
from ds_training.corpus import CorpusError, Utterance, hours, load, log_power, read_manifest, read_samples, read_shard, write_shard

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
    (utterance,) = load(read_manifest(manifest(tmp_path, "file\ttext", "a.wav\thello")), MEL)
    assert utterance.log_power.shape == (99, 80)
    assert utterance.log_power.dtype == np.float16
    assert hours([utterance]) == pytest.approx(0.99 / 3600)


def test_a_file_that_is_not_audio_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("not audio")
    with pytest.raises(CorpusError, match=r"a\.wav: cannot be read"):
        read_samples(tmp_path / "a.wav", 16_000)


@pytest.mark.parametrize(("samples", "frames"), [(0, 1), (399, 1), (400, 1), (401, 2), (560, 2), (561, 3)])
def test_no_sample_is_left_out_of_the_frames(samples: int, frames: int) -> None:
    assert len(log_power(MEL, np.zeros(samples, np.float32))) == frames


def test_silence_stays_finite() -> None:
    assert np.isfinite(log_power(MEL, np.zeros(400, np.float32))).all()


def test_a_shard_is_read_as_it_was_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    written = [Utterance(rng.normal(size=(count, 80)).astype(np.float16), text, "v", "w ʌ n") for count, text in ((3, "one"), (5, "two"))]
    write_shard(tmp_path / "s.npz", written)
    read = read_shard(tmp_path / "s.npz")
    assert [(item.text, item.speaker, item.phones) for item in read] == [("one", "v", "w ʌ n"), ("two", "v", "w ʌ n")]
    assert all(np.array_equal(one.log_power, other.log_power) for one, other in zip(written, read, strict=True))
    assert [path.name for path in tmp_path.iterdir()] == ["s.npz"]


def test_a_file_that_is_no_shard_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", other=np.zeros(3))
    with pytest.raises(CorpusError, match=r"s\.npz: not a shard"):
        read_shard(tmp_path / "s.npz")
