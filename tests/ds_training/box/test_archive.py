"""Archives: the same files, the same bytes, and a size for each part."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from ds_training.box.archive import write_archive

FAST = 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    staged = tmp_path / "staged"
    (staged / "a").mkdir(parents=True)
    (staged / "a" / "zeros").write_bytes(bytes(100_000))
    (staged / "a" / "empty").write_bytes(b"")
    (staged / "run").write_text("#!/bin/sh\n")
    (staged / "run").chmod(0o755)
    (staged / "noise").write_bytes(bytes(range(256)) * 4)
    return staged


def test_what_is_packed_is_what_is_unpacked_with_what_may_be_run(folder: Path, tmp_path: Path) -> None:
    parts = {"zeros": [folder / "a" / "zeros", folder / "a" / "empty"], "nothing": [], "rest": [folder / "noise", folder / "run"]}
    sizes = write_archive(folder, parts, tmp_path / "x.tar.xz", FAST)
    with tarfile.open(tmp_path / "x.tar.xz") as archive:
        archive.extractall(tmp_path / "y", filter="data")
    for path in (path for path in folder.rglob("*") if path.is_file()):
        copy = tmp_path / "y" / path.relative_to(folder)
        assert copy.read_bytes() == path.read_bytes()
        assert os.access(copy, os.X_OK) == os.access(path, os.X_OK)
    assert sizes["zeros"] < sizes["rest"] < sum(sizes.values()) <= (tmp_path / "x.tar.xz").stat().st_size


def test_times_and_owners_of_this_machine_change_nothing(folder: Path, tmp_path: Path) -> None:
    parts = {"all": sorted(path for path in folder.rglob("*") if path.is_file())}
    write_archive(folder, parts, tmp_path / "one.tar.xz", FAST)
    os.utime(folder / "noise", (1, 1))
    (folder / "noise").chmod(0o600)
    write_archive(folder, parts, tmp_path / "other.tar.xz", FAST)
    assert (tmp_path / "one.tar.xz").read_bytes() == (tmp_path / "other.tar.xz").read_bytes()
    assert not list(tmp_path.glob("partial-*"))
