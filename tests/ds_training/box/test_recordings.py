"""Recordings that travel: their parts, their sound, and who never does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ds_engine.features import LogMel, LogMelSpec
from ds_training.box.contents import BoxError
from ds_training.box.recordings import MANIFEST, SPLIT, carry, difference
from ds_training.corpus import CorpusError, read_manifest, read_samples
from ds_training.splits import of_part, read_split

RATE = 16_000


def sound(seconds: float, seed: int) -> np.ndarray:
    """Noise that swells, around a tone."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    return np.asarray(
        0.3 * np.sin(2 * np.pi * (300 + 40 * seed) * time) * np.hanning(len(time)) + 0.01 * rng.normal(size=len(time)), np.float32
    )


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Anna and Ben train, Clara develops, Dora calibrates."""
    speakers = {"anna": "train", "ben": "train", "clara": "development", "dora": "calibration"}
    rows = ["file\tspeaker\ttext"]
    for number, speaker in enumerate(speakers):
        soundfile.write(tmp_path / f"{number}.wav", sound(0.7 + 0.3 * number, number), RATE)
        rows.append(f"{number}.wav\t{speaker}\tLight {speaker}!")
    (tmp_path / "all.tsv").write_text("\n".join(rows) + "\n")
    (tmp_path / "parts.tsv").write_text("speaker\tpart\n" + "".join(f"{speaker}\t{part}\n" for speaker, part in speakers.items()))
    return tmp_path


def test_the_parts_that_are_named_travel_and_nobody_else(corpus: Path) -> None:
    carried = carry(corpus / "all.tsv", corpus / "parts.tsv", ("train", "development"), corpus / "out")
    assert (carried.recordings, carried.speakers) == (3, 3)
    assert carried.hours == pytest.approx((0.7 + 1.0 + 1.3) / 3600, rel=0.01)
    assert [(row.text, row.speaker) for row in read_manifest(corpus / "out" / MANIFEST)] == [
        ("light anna", "anna"),
        ("light ben", "ben"),
        ("light clara", "clara"),
    ]
    assert read_split(corpus / "out" / SPLIT) == {"anna": "train", "ben": "train", "clara": "development"}
    assert len(list((corpus / "out").rglob("*.ogg"))) == 3


def test_a_speaker_whom_the_split_lacks_as_it_lacks_a_test_set_is_refused(corpus: Path) -> None:
    with (corpus / "all.tsv").open("a") as file:
        print("0.wav\tstranger\tlight", file=file)
    with pytest.raises(CorpusError, match="lacks the speakers stranger"):
        carry(corpus / "all.tsv", corpus / "parts.tsv", ("train",), corpus / "out")


def test_a_test_set_is_refused_by_name_though_the_split_has_one(corpus: Path) -> None:
    (corpus / "parts.tsv").write_text("speaker\tpart\nanna\ttrain\nben\ttest\nclara\ttrain\ndora\ttrain\n")
    with pytest.raises(BoxError, match="parts that travel are train, development, calibration; got train, test"):
        carry(corpus / "all.tsv", corpus / "parts.tsv", ("train", "test"), corpus / "out")
    carry(corpus / "all.tsv", corpus / "parts.tsv", ("train",), corpus / "out")
    assert "ben" not in read_split(corpus / "out" / SPLIT)
    assert "ben" not in (corpus / "out" / MANIFEST).read_text()


def test_parts_without_a_recording_are_refused(corpus: Path) -> None:
    (corpus / "parts.tsv").write_text("speaker\tpart\n" + "".join(f"{name}\ttrain\n" for name in ("anna", "ben", "clara", "dora")))
    with pytest.raises(BoxError, match="needs a recording for development"):
        carry(corpus / "all.tsv", corpus / "parts.tsv", ("train", "development"), corpus / "out")


def test_a_recording_of_nobody_known_counts_as_somebody_of_its_own(corpus: Path) -> None:
    (corpus / "all.tsv").write_text("file\ttext\n0.wav\tlight\n1.wav\tlamp\n")
    (corpus / "parts.tsv").write_text("speaker\tpart\n0.wav\ttrain\n1.wav\tdevelopment\n")
    carry(corpus / "all.tsv", corpus / "parts.tsv", ("train", "development"), corpus / "out")
    recordings = read_manifest(corpus / "out" / MANIFEST)
    assert [of_part(recordings, read_split(corpus / "out" / SPLIT), part)[0].text for part in ("train", "development")] == ["light", "lamp"]


def test_more_bits_are_closer_to_the_recording_and_larger(corpus: Path) -> None:
    low, high = (carry(corpus / "all.tsv", corpus / "parts.tsv", ("train",), corpus / f"{rate}", rate) for rate in (10, 64))
    assert high.difference < low.difference < 1.5
    sizes = [sum(path.stat().st_size for path in (corpus / name).rglob("*.ogg")) for name in ("10", "64")]
    assert sizes[0] < sizes[1]


def test_opus_keeps_the_length_and_the_place_of_the_sound(corpus: Path) -> None:
    carry(corpus / "all.tsv", corpus / "parts.tsv", ("train",), corpus / "out", 24)
    before, after = read_samples(corpus / "1.wav", RATE), read_samples(corpus / "out" / "train" / "00002.ogg", RATE)
    assert abs(len(before) - len(after)) < RATE // 100
    shared = min(len(before), len(after))
    assert np.corrcoef(before[:shared], after[:shared])[0, 1] > 0.9


@pytest.mark.parametrize("rate", [5.9, 257, 0, -12])
def test_a_rate_that_opus_has_not_is_refused(corpus: Path, rate: float) -> None:
    with pytest.raises(BoxError, match="6 to 256 kbit/s"):
        carry(corpus / "all.tsv", corpus / "parts.tsv", ("train",), corpus / "out", rate)


def test_a_recording_of_almost_nothing_travels(corpus: Path) -> None:
    for name, samples in (("short", np.zeros(3, np.float32)), ("silent", np.zeros(RATE, np.float32))):
        soundfile.write(corpus / "0.wav", samples, RATE)
        assert carry(corpus / "all.tsv", corpus / "parts.tsv", ("train",), corpus / name).recordings == 2


def test_a_file_of_another_length_is_told(corpus: Path) -> None:
    with pytest.raises(BoxError, match="frames after coding"):
        difference(sound(2, 1), corpus / "0.wav", LogMel(LogMelSpec()))
