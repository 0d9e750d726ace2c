from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies

from ds_engine.errors import LanguageModelError
from ds_engine.lm.sections import ALIGNMENT, MAX_SECTIONS, TYPES, Array, open_sections, read_sections, write_sections

titles = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=32)
arrays = st.sampled_from(sorted(TYPES)).flatmap(lambda kind: numpy_strategies.arrays(np.dtype(kind), st.integers(0, 40)))
HEAD, ENTRY = 24, 56


@pytest.fixture(name="folder", scope="module")
def a_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sections")


@pytest.fixture(name="path")
def a_file_of_two(tmp_path: Path) -> Path:
    path = tmp_path / "two.bin"
    write_sections(path, {"one": np.arange(3, dtype=np.uint16), "two": b"text"})
    return path


@given(st.dictionaries(titles, arrays, max_size=6))
def test_arrays_come_back_as_they_went_in(folder: Path, sections: dict[str, Array]) -> None:
    path = folder / "any.bin"
    write_sections(path, sections)
    mapped, read = open_sections(path), read_sections(path.read_bytes(), "any.bin")
    assert list(mapped) == list(read) == list(sections)
    for name, array in sections.items():
        for back in (mapped[name], read[name]):
            assert back.dtype == array.dtype
            assert back.tobytes() == array.tobytes()
            assert not back.flags.writeable


def test_sections_lie_at_multiples_of_a_cache_line(path: Path) -> None:
    content = path.read_bytes()
    places = [struct.unpack_from("<Q", content, HEAD + number * ENTRY + 40)[0] for number in range(2)]
    assert all(place % ALIGNMENT == 0 for place in places)
    assert content[places[0] : places[0] + 6] == bytes([0, 0, 1, 0, 2, 0])
    assert content[places[1] :] == b"text"


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"": b""}, "named"),
        ({"a" * 33: b""}, "named"),
        ({"Ä": b""}, "named"),
        ({"a\0": b""}, "named"),
        ({"a": np.zeros((2, 2), np.float32)}, "one dimension"),
        ({"a": np.array(["text"])}, "of numbers"),
        ({f"a{number}": b"" for number in range(MAX_SECTIONS + 1)}, "64 at most"),
    ],
)
def test_what_a_file_cannot_hold_is_refused(tmp_path: Path, sections: dict[str, Array | bytes], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write_sections(tmp_path / "any.bin", sections)
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_completed_leaves_the_old_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        write_sections(path, {"three": b"3"})
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("at", "patch", "message"),
    [
        (0, b"PK", "not a file of sections"),
        (8, b"\2", "version 2"),
        (12, b"\x41", "claims 65 sections"),
        (12, b"\xff\xff\xff\xff", "claims 4294967295 sections"),
        (16, b"\1", "bytes expected"),
        (HEAD + 32, b"O8", "unknown type 'O8'"),
        (HEAD + 32, b"\xff\xff", "unknown type"),
        (HEAD + 40, b"\1", "multiple of 64"),
        (HEAD + 40, b"\xc0\xff\xff\xff\xff\xff\xff\xff", "outside the file"),
        (HEAD + 48, b"\xff\xff", "outside the file"),
        (HEAD + 48, b"\xff\xff\xff\xff\xff\xff\xff\x7f", "outside the file"),
        (HEAD + ENTRY, b"one", "'one' stands twice"),
    ],
)
def test_a_directory_that_is_wrong_is_refused(path: Path, at: int, patch: bytes, message: str) -> None:
    content = bytearray(path.read_bytes())
    content[at : at + len(patch)] = patch
    path.write_bytes(content)
    with pytest.raises(LanguageModelError, match=f"two.bin: .*{message}"):
        open_sections(path)


def test_a_file_that_was_cut_off_anywhere_is_refused(path: Path) -> None:
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(LanguageModelError, match=r"two\.bin: "):
            open_sections(path)
        with pytest.raises(LanguageModelError, match=r"two\.bin: "):
            read_sections(content[:length], "two.bin")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.bin"):
        with pytest.raises(LanguageModelError, match=f"{path.name}: cannot be read"):
            open_sections(path)
