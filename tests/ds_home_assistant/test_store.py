from __future__ import annotations

import os
import resource
import stat
from pathlib import Path

import pytest

from ds_home_assistant.store import MAX_STORE_BYTES, Store, StoreError

ORIGIN = "ws://h:8123/api/websocket"
HOME = {"names": ["Zoë's lamp", "北京", "🛋", "lone \ud800 surrogate"], "areas": []}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "folder" / "home.json"


def test_what_was_saved_is_loaded(path: Path) -> None:
    Store(path, ORIGIN).save(HOME)
    assert Store(path, ORIGIN).load() == HOME


def test_nothing_was_saved_yet(path: Path) -> None:
    assert Store(path, ORIGIN).load() is None


def test_names_of_another_home_are_not_loaded(path: Path) -> None:
    Store(path, ORIGIN).save(HOME)
    assert Store(path, "ws://other/api/websocket").load() is None


def test_only_its_owner_may_read_it(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("")
    path.chmod(0o644)
    Store(path, ORIGIN).save(HOME)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_else_is_left_in_the_folder(path: Path) -> None:
    for _ in range(3):
        Store(path, ORIGIN).save(HOME)
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208 - hidden files too


def test_a_link_stays_one(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.json"
    path.parent.mkdir(parents=True)
    path.symlink_to(target)
    Store(path, ORIGIN).save(HOME)
    assert path.is_symlink()
    assert Store(target, ORIGIN).load() == HOME


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"7", b'{"format": 2}', b'{"format": 1', b"\xff\xfe\x00", b"[" * 100_000, b'{"format": [1]}', b"\0" * 100],
    ids=range(11),
)
def test_a_broken_file_is_an_error_that_names_it(content: bytes, path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"home\.json: "):
        Store(path, ORIGIN).load()


def test_a_huge_file_is_not_read(path: Path) -> None:
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(MAX_STORE_BYTES + 1)
    with pytest.raises(StoreError, match="longer than"):
        Store(path, ORIGIN).load()


def test_too_much_is_not_written(path: Path) -> None:
    Store(path, ORIGIN).save(HOME)
    with pytest.raises(StoreError, match="to keep"):
        Store(path, ORIGIN).save("x" * MAX_STORE_BYTES)
    assert Store(path, ORIGIN).load() == HOME


def test_a_pipe_keeps_nobody_waiting(path: Path) -> None:
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    with pytest.raises(StoreError, match="not a file"):
        Store(path, ORIGIN).load()
    with pytest.raises(StoreError, match="not a file"):
        Store(path, ORIGIN).save(HOME)
    assert path.is_fifo()


def test_a_folder_is_no_file(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StoreError):
        Store(path, ORIGIN).load()
    with pytest.raises(StoreError, match="not a file"):
        Store(path, ORIGIN).save(HOME)


def test_a_folder_that_cannot_be_made_is_an_error(path: Path, tmp_path: Path) -> None:
    (tmp_path / "deep").write_text("a file, where a folder should be")
    with pytest.raises(StoreError, match=r"home\.json: "):
        Store(path, ORIGIN).save(HOME)
    with pytest.raises(StoreError, match=r"home\.json: "):
        Store(path, ORIGIN).load()


def test_a_disk_without_room_leaves_the_old_file_and_no_other(path: Path) -> None:
    Store(path, ORIGIN).save(HOME)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(StoreError, match="too large"):
            Store(path, ORIGIN).save(["x" * 1_000])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert Store(path, ORIGIN).load() == HOME
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208 - hidden files too


def test_a_file_system_that_takes_nothing_is_an_error() -> None:
    with pytest.raises(StoreError):
        Store(Path("/proc/nothing/home.json"), ORIGIN).save(HOME)


@pytest.mark.parametrize("name", ["nul\0.json", "x" * 300])
def test_a_name_that_is_none_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        Store(tmp_path / name, ORIGIN).save(HOME)
    with pytest.raises(StoreError):
        Store(tmp_path / name, ORIGIN).load()
