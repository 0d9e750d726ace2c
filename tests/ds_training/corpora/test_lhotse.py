"""lhotse's manifests."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ds_training.corpora.lhotse import import_lhotse
from ds_training.corpora.manifest import CorpusError, Left, Reason, Recording, read_manifest
from ds_training.corpora.writing import write_manifest
from ds_training.corpus import samples_of
from tests.ds_training.corpora.sounds import RATE, sound, text


def recording(name: str, source: Path | str, seconds: float = 2.0, channels: int = 1, **more: Any) -> dict[str, Any]:
    """As lhotse writes a recording of one file."""
    sources = [{"type": "file", "channels": list(range(channels)), "source": str(source)}]
    return {"id": name, "sources": sources, "sampling_rate": RATE, "num_samples": int(RATE * seconds), "duration": seconds, **more}


def supervision(name: str, start: float = 0.0, duration: float = 2.0, **more: Any) -> dict[str, Any]:
    return {"id": f"{name}-{start}", "recording_id": name, "start": start, "duration": duration, "channel": 0, "text": "yes", **more}


def laid(folder: Path, recordings: list[Any], supervisions: list[Any], name: str = "toy_{}_train.jsonl") -> Path:
    for kind, values in (("recordings", recordings), ("supervisions", supervisions)):
        lines = "".join(json.dumps(value) + "\n" for value in values)
        path = folder / name.format(kind)
        path.write_bytes(gzip.compress(lines.encode()) if path.suffix == ".gz" else lines.encode())
    return folder / name.format("supervisions")


def only(path: Path, **options: Any) -> Recording | Left:
    (found,) = import_lhotse(path, **options)
    return found


@pytest.mark.parametrize("name", ["toy_{}_train.jsonl", "toy_{}_train.jsonl.gz"])
def test_parts_of_a_recording_become_lines_that_are_cut_out_on_reading(tmp_path: Path, name: str) -> None:
    file = sound(tmp_path / "talk.flac", seconds=2.0)
    more = {"speaker": "ann", "gender": "F", "language": "English", "custom": {"age": 31, "words": ["yes"], "text": "no"}}
    parts = [supervision("talk", 0.1, 0.2, **more), supervision("talk", 0.5, 1.5, speaker=7), supervision("talk")]
    written = write_manifest(tmp_path / "m" / "all.tsv", import_lhotse(laid(tmp_path, [recording("talk", file)], parts, name)))
    assert (written.recordings, written.speakers) == (3, 2)
    one, two, whole = read_manifest(tmp_path / "m" / "all.tsv")
    assert (one.start, one.end, one.channel) == (0.1, 0.3, None)
    assert (one.speaker, one.labels) == ("ann", {"gender": "F", "language": "English", "age": "31", "part": "toy_train"})
    assert (two.start, two.end, two.speaker) == (0.5, 2.0, "7")
    assert (whole.start, whole.end) == (0.0, None)
    everything = samples_of(whole, RATE)
    assert np.array_equal(samples_of(one, RATE), everything[1600:4800])
    assert np.array_equal(samples_of(two, RATE), everything[8000:])


def test_a_channel_is_found_in_its_file(tmp_path: Path) -> None:
    both = recording("both", "both.wav", channels=2)
    apart = recording("apart", "left.wav")
    apart["sources"].append({"type": "file", "channels": [1], "source": "right.wav"})
    parts = [supervision(name, channel=channel) for name in ("both", "apart") for channel in (0, 1, [0, 1])]
    found = [each for each in import_lhotse(laid(tmp_path, [both, apart], parts)) if isinstance(each, Recording)]
    assert [(str(each.file), each.channel) for each in found] == [
        ("both.wav", 0),
        ("both.wav", 1),
        ("both.wav", None),
        ("left.wav", None),
        ("right.wav", None),
        ("left.wav", None),
    ]


def test_relative_names_start_where_they_are_told(tmp_path: Path) -> None:
    path = laid(tmp_path, [recording("a", "x/a.wav")], [supervision("a")])
    here, there = only(path), only(path, audio=tmp_path / "corpora")
    assert isinstance(here, Recording)
    assert isinstance(there, Recording)
    assert (here.file, there.file) == (Path("x/a.wav"), tmp_path / "corpora" / "x" / "a.wav")


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"sources": [{"type": "command", "channels": [0], "source": "rm -r ."}]}, "needs a file, got sound of the type command"),
        ({"transforms": [{"name": "Speed", "kwargs": {"factor": 1.1}}]}, "altered on reading"),
        ({"sources": [{"type": "file", "channels": [3], "source": "a.wav"}]}, "no channel 0"),
        ({"id": "other"}, "no recording 'a'"),
    ],
)
def test_sound_that_is_no_plain_file_is_left_out(tmp_path: Path, change: dict[str, Any], detail: str) -> None:
    path = laid(tmp_path, [{**recording("a", "a.wav"), **change}], [supervision("a")])
    assert only(path) == Left(f"{path}: line 1", Reason.NO_AUDIO, detail)


@pytest.mark.parametrize(
    "change",
    [
        {"start": -1.0},
        {"start": float("inf")},
        {"duration": 0},
        {"duration": float("nan")},
        {"duration": "long"},
        {"start": None},
        {"text": ["yes"]},
        {"channel": {}},
        {"custom": "age"},
    ],
)
def test_a_supervision_of_another_form_is_left_out_by_its_line(tmp_path: Path, change: dict[str, Any]) -> None:
    path = laid(tmp_path, [recording("a", "a.wav")], [{**supervision("a"), **change}])
    found = only(path)
    assert isinstance(found, Left)
    assert found.place == f"{path}: line 1"


@pytest.mark.parametrize("key", ["recording_id", "start", "duration"])
def test_a_supervision_without_what_it_needs_is_left_out(tmp_path: Path, key: str) -> None:
    whole = supervision("a")
    whole.pop(key)
    found = only(laid(tmp_path, [recording("a", "a.wav")], [whole]))
    assert isinstance(found, Left)
    assert found == Left(found.place, Reason.BROKEN, f"KeyError: '{key}'")


def test_a_supervision_without_text_is_counted_when_the_manifest_is_written(tmp_path: Path) -> None:
    file = sound(tmp_path / "a.wav", seconds=2.0)
    parts = [supervision("a", text=None), supervision("a", 1.0, 0.5)]
    path = laid(tmp_path, [recording("a", file)], parts)
    assert write_manifest(tmp_path / "m.tsv", import_lhotse(path), missing="skip").left.counts == {"no text": 1}


def test_a_folder_offers_its_supervisions_by_what_their_names_have_beside(tmp_path: Path) -> None:
    for name in ("toy_{}_train.jsonl.gz", "toy_{}_dev.jsonl.gz", "{}.jsonl"):
        laid(tmp_path, [recording("a", "a.wav")], [supervision("a")], name)
    with pytest.raises(CorpusError, match=r"got several: supervisions, toy_dev, toy_train$"):
        list(import_lhotse(tmp_path))
    found = only(tmp_path, parts=["toy_dev"])
    assert isinstance(found, Recording)
    assert found.labels["part"] == "toy_dev"


def test_supervisions_need_their_recordings_beside_them(tmp_path: Path) -> None:
    path = laid(tmp_path, [], [supervision("a")])
    (tmp_path / "toy_recordings_train.jsonl").unlink()
    with pytest.raises(CorpusError, match="the same with recordings beside it"):
        list(import_lhotse(path))
    with pytest.raises(CorpusError, match="needs a name with supervisions"):
        list(import_lhotse(path.rename(tmp_path / "other.jsonl")))


@pytest.mark.parametrize(
    ("line", "message"), [("{", "needs to be JSON"), ("[1]", "needs to be a JSON object"), ("[" * 100_000, "needs to be")]
)
def test_lines_that_are_no_json_are_refused_by_number(tmp_path: Path, line: str, message: str) -> None:
    path = laid(tmp_path, [recording("a", "a.wav")], [])
    text(path, json.dumps(supervision("a")), "", line)
    with pytest.raises(CorpusError, match=f"supervisions_train.jsonl: line 3 {message}"):
        list(import_lhotse(path))


def test_a_broken_archive_is_named(tmp_path: Path) -> None:
    path = laid(tmp_path, [recording("a", "a.wav")], [supervision("a")] * 50, "{}.jsonl.gz")
    whole = path.read_bytes()
    for broken in (whole[:-12], b"no archive", gzip.compress("ü".encode("latin-1"))):
        path.write_bytes(broken)
        with pytest.raises(CorpusError, match=r"supervisions\.jsonl\.gz: cannot be unpacked"):
            list(import_lhotse(path))
