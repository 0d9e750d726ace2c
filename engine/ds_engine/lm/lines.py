"""Text files read by the line in bounded blocks, plain or compressed with gzip (recognised by its first bytes).

However hostile the file, memory stays bounded: by the block here, by the length of a line, and for a compressed file by a limit on
how much it may grow.
"""

from __future__ import annotations

import contextlib
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ds_engine.errors import LanguageModelError

BLOCK_BYTES = 2**18  # read at a time
LINE_BYTES = 2**16  # of the longest line
GROWTH = 32  # times its size that a compressed file may unpack to; n-grams as text reach about 8
GROWTH_FREE_BYTES = 2**20  # that it may unpack to whatever its size
_GZIP = b"\x1f\x8b"


class Lines:
    """The lines of a file, in order, without their ends; `number` is that of the line taken last, from 1."""

    def __init__(self, name: str, file: IO[bytes] | gzip.GzipFile, most_bytes: int | None) -> None:
        """`name` is for messages; a file that gives more than `most_bytes` is at fault."""
        self.number = 0
        self._name, self._file, self._left = name, file, most_bytes
        self._ready: list[bytes] = []
        self._next = 0  # in _ready
        self._tail: bytes | None = b""  # the beginning of a line whose end is not read yet; None at the end of the file

    def take(self, most: int) -> list[bytes]:
        """The next lines, `most` of them or as many as are at hand, at least one; none at the end of the file."""
        while self._next == len(self._ready):
            if self._tail is None:
                return []
            self._read()
        taken = self._ready[self._next : self._next + most]
        self._next += len(taken)
        self.number += len(taken)
        return taken

    def take_one(self) -> bytes | None:
        """The next line without blanks around it; None at the end of the file."""
        taken = self.take(1)
        return taken[0].strip() if taken else None

    def take_filled(self) -> bytes | None:
        """The next line that is not blank, without blanks around it; None at the end of the file."""
        while self._tail is not None or self._next < len(self._ready):
            while self._next < len(self._ready):
                line = self._ready[self._next].strip()
                self._next += 1
                self.number += 1
                if line:
                    return line
            if self._tail is not None:
                self._read()
        return None

    def fault(self, message: str, number: int | None = None) -> LanguageModelError:
        """The error that names the file and a line: the one taken last, if no other is given."""
        return LanguageModelError(f"{self._name}, line {self.number if number is None else number}: {message}")

    def _read(self) -> None:
        tail, block = self._tail or b"", self._file.read(BLOCK_BYTES)
        if self._left is not None:
            self._left -= len(block)
            if self._left < 0:
                raise LanguageModelError(f"{self._name}: unpacks to more than {GROWTH} times its size")
        *self._ready, rest = (tail + block).split(b"\n")
        self._next = 0
        if len(rest) > LINE_BYTES:
            raise self.fault(f"longer than {LINE_BYTES} bytes", self.number + len(self._ready) + 1)
        self._tail = rest
        if not block:
            self._tail = None
            self._ready += [rest] if rest else []


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Lines]:
    """The lines of a file. Whatever reading raises becomes a LanguageModelError that names it."""
    try:
        with path.open("rb") as file:
            packed = file.read(len(_GZIP)) == _GZIP
            size = file.seek(0, 2)
            file.seek(0)
            if not packed:
                yield Lines(path.name, file, None)
            else:
                with gzip.open(file) as unpacked:
                    yield Lines(path.name, unpacked, size * GROWTH + GROWTH_FREE_BYTES)
    except OSError as error:
        raise LanguageModelError(f"{path.name}: cannot be read: {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise LanguageModelError(f"{path.name}: cannot be unpacked: {error}") from error
