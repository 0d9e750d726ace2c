from __future__ import annotations

from pathlib import Path

import pytest

from ds_engine.alphabet_file import MAX_ALPHABET_BYTES, read_alphabet
from ds_engine.errors import InputError


def written(folder: Path, content: bytes) -> Path:
    path = folder / "alphabet.txt"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_symbols_stand_one_per_line_and_a_line_of_one_space_is_the_space(tmp_path: Path, end: bytes) -> None:
    lines = [b"# Each line is a symbol", b" ", b"a", "ä".encode(), b"", rb"\#", b"'", b"# end"]
    assert read_alphabet(written(tmp_path, end.join(lines))) == (" ", "a", "ä", "#", "'")


def test_a_byte_order_mark_is_no_symbol(tmp_path: Path) -> None:
    assert read_alphabet(written(tmp_path, b"\xef\xbb\xbfa\n")) == ("a",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no symbols"),
        (b"# only\n", "no symbols"),
        (b"a\nb\na\n", "'a' stands twice"),
        (b"\xff\n", "UTF-8"),
        (b"a\n" * MAX_ALPHABET_BYTES, "longer"),
    ],
)
def test_what_is_no_alphabet_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_alphabet(written(tmp_path, content))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.txt"):
        read_alphabet(tmp_path / "gone.txt")
