"""The whole archive, of the smallest recipe."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

from ds_training.box.contents import BoxError, Contents
from ds_training.box.pack import VOICES, Sources, pack, parts_of, stage, table
from ds_training.box.voices import HELD_OUT, known
from ds_training.checkpoint import load_network
from tests.ds_training.box.conftest import ESPEAK, Packed

if shutil.which("espeak-ng") is None:
    pytest.skip("needs espeak-ng", allow_module_level=True)


@pytest.fixture
def sources(material: Path) -> Sources:
    return Sources((material / "text.txt",), material / "all.tsv", material / "parts.tsv", material / "wheels", voices=ESPEAK)


def test_what_is_unpacked_is_what_the_contents_say(packed: Packed) -> None:
    contents = Contents.read(packed.folder)
    contents.check(packed.folder)
    assert {path.relative_to(packed.folder).as_posix() for path in packed.folder.rglob("*") if path.is_file()} - {"contents.json"} == {
        item.path for item in contents.items
    }
    assert os.access(packed.folder / "run", os.X_OK)
    assert os.access(packed.folder / "programs" / "bin" / "espeak-ng", os.X_OK)


def test_the_voices_that_stay_behind_are_told(packed: Packed) -> None:
    assert set(Contents.read(packed.folder).without) == known().keys() - set(ESPEAK)


def test_nobody_of_the_test_set_travels(packed: Packed) -> None:
    written = [path for path in (packed.folder / "recordings").rglob("*.tsv") if "tess" in path.read_text()]
    assert not written
    assert len(list((packed.folder / "recordings").rglob("*.ogg"))) == 2


def test_the_start_travels_as_weights_alone(packed: Packed) -> None:
    assert load_network(packed.folder / "start.pt").spec.width == 6


def test_the_table_tells_every_part_and_their_sum(packed: Packed) -> None:
    rows = packed.rows
    lines = table(rows).splitlines()
    assert {"recordings", "text", "code", "site", "programs", "espeak-ng's data", "start"} <= {row.part for row in rows}
    assert len(lines) == len(rows) + 2
    assert lines[-1].split()[:2] == ["all", str(sum(row.files for row in rows))]
    assert sum(row.files for row in rows) == len(Contents.read(packed.folder).items) + 1


def test_an_archive_above_the_limit_is_refused_with_its_table_and_removed(sources: Sources, tmp_path: Path) -> None:
    with pytest.raises(BoxError, match=r"(?s)x\.tar\.xz needs to be at most 1 MiB, got .*espeak-ng's data") as caught:
        pack(sources, tmp_path / "x.tar.xz", 2**20, preset=0)
    assert "all" in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"voices": ("espeak-ng", "festival:ked_diphone")}, "got festival:ked_diphone"),
        ({"parts": ("train", "test")}, "parts that travel"),
        ({"recipe": Path("nowhere.toml")}, "nowhere.toml"),
        ({"start": Path("nowhere.pt")}, "nowhere.pt"),
        ({"kilobits": 1.0}, "6 to 256"),
    ],
)
def test_what_cannot_be_packed_is_refused(sources: Sources, tmp_path: Path, change: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        pack(replace(sources, **change), tmp_path / "x.tar.xz", preset=0)  # type: ignore[arg-type]  # as the parameters say
    assert not list(tmp_path.iterdir())


def test_two_texts_of_one_name_are_refused(sources: Sources, tmp_path: Path) -> None:
    with pytest.raises(BoxError, match=r"different file names, got text\.txt, text\.txt"):
        stage(replace(sources, text=sources.text * 2), tmp_path / "x")


def test_a_folder_that_holds_something_is_left_alone(sources: Sources, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(BoxError, match="empty or new"):
        stage(sources, tmp_path)
    assert (tmp_path / "mine").read_text() == "precious"


def test_the_voices_that_travel_by_themselves_are_known_and_not_held_out() -> None:
    assert set(VOICES) <= known().keys() - set(HELD_OUT)


def test_parts_hold_each_file_once(tmp_path: Path) -> None:
    for name in (
        "programs/lib/libflite.so.1",
        "programs/share/festival/voices/us/x/y",
        "programs/share/festival/init.scm",
        "run",
        "start.pt",
        "odd/z",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(name))
    parts = parts_of(tmp_path)
    assert list(parts) == ["command and contents", "flite and its voices", "festival's data", "festival's x", "start"]
    assert sum(map(len, parts.values())) == 6
