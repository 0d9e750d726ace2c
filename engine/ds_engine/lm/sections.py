"""A file of named arrays that is used where it lies: memory-mapped, nothing is read or copied at opening but the directory.

Layout, little-endian: a head of 24 bytes (8 of magic, u32 version, u32 number of sections, u64 size of the whole file), then for
every section 56 bytes (a name of 32 ASCII bytes padded with NUL, 8 bytes of type padded likewise, u64 place in the file, u64 number
of elements), then the arrays, each at a multiple of 64 bytes. Everything a section's entry says is checked when the file is
opened; what stands in an array is for its reader to judge.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ds_engine.errors import LanguageModelError

Array = npt.NDArray[Any]

MAGIC = b"\x89dslm\r\n\x1a"
VERSION = 1
MAX_SECTIONS = 64
ALIGNMENT = 64  # bytes, a cache line
TYPES = {"u1", "u2", "u4", "u8", "i4", "i8", "f2", "f4", "f8"}  # numpy's letters
_HEAD = struct.Struct("<8sIIQ")
_ENTRY = struct.Struct("<32s8sQQ")


def write_sections(path: Path, sections: Mapping[str, Array | bytes]) -> None:
    """Writes arrays of one dimension, or bytes, under ASCII names of up to 32 characters.

    The file appears under its name when it is complete, so that whoever has mapped an older one keeps that. Raises OSError, and
    ValueError for what a file cannot hold.
    """
    arrays = {name: _storable(name, values) for name, values in sections.items()}
    if len(arrays) > MAX_SECTIONS:
        raise ValueError(f"{len(arrays)} sections; {MAX_SECTIONS} at most")
    entries, end = [], _HEAD.size + _ENTRY.size * len(arrays)
    for name, array in arrays.items():
        place = end + -end % ALIGNMENT
        entries.append((name.encode("ascii"), array.dtype.str[1:].encode(), place, len(array)))
        end = place + array.nbytes
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(_HEAD.pack(MAGIC, VERSION, len(entries), end))
            file.writelines(_ENTRY.pack(*entry) for entry in entries)
            for (_, _, place, _), array in zip(entries, arrays.values(), strict=True):
                file.write(bytes(place - file.tell()))
                file.write(array.data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def open_sections(path: Path) -> dict[str, Array]:
    """The arrays of a file, read-only and mapped: they stay valid as long as anybody holds one. Raises LanguageModelError."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < _HEAD.size:
                raise LanguageModelError(f"{path.name}: too short to be a file of sections")
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise LanguageModelError(f"{path.name}: cannot be read: {error.strerror or error}") from error
    return read_sections(content, path.name)


def read_sections(content: bytes | mmap.mmap, name: str) -> dict[str, Array]:
    """The arrays in the content of a file, which they share; `name` is for messages. Raises LanguageModelError."""
    if len(content) < _HEAD.size:
        raise LanguageModelError(f"{name}: too short to be a file of sections")
    magic, version, count, size = _HEAD.unpack_from(content)
    if magic != MAGIC:
        raise LanguageModelError(f"{name}: not a file of sections")
    if version != VERSION:
        raise LanguageModelError(f"{name}: of version {version}; version {VERSION} is needed")
    if size != len(content):
        raise LanguageModelError(f"{name}: {size} bytes expected, {len(content)} found")
    if count > MAX_SECTIONS or _HEAD.size + count * _ENTRY.size > size:
        raise LanguageModelError(f"{name}: claims {count} sections")
    arrays: dict[str, Array] = {}
    for number in range(count):
        title, array = _section(content, _HEAD.size + number * _ENTRY.size, name)
        if title in arrays:
            raise LanguageModelError(f"{name}: the section {title!r} stands twice")
        arrays[title] = array
    return arrays


def _section(content: bytes | mmap.mmap, entry: int, name: str) -> tuple[str, Array]:
    raw_title, raw_type, place, count = _ENTRY.unpack_from(content, entry)
    title, kind = raw_title.rstrip(b"\0").decode("ascii", "replace"), raw_type.rstrip(b"\0").decode("ascii", "replace")
    if kind not in TYPES:
        raise LanguageModelError(f"{name}: section {title!r} is of the unknown type {kind!r}")
    stored = np.dtype(f"<{kind}")
    if place % ALIGNMENT or place + count * stored.itemsize > len(content):
        raise LanguageModelError(f"{name}: section {title!r} lies outside the file, or not at a multiple of {ALIGNMENT} bytes")
    array = np.frombuffer(content, stored, count, place)
    return title, array if sys.byteorder == "little" else array.astype(stored.newbyteorder("="))


def _storable(name: str, values: Array | bytes) -> Array:
    array = np.frombuffer(values, np.uint8) if isinstance(values, bytes) else values
    if not (name.isascii() and name.isprintable() and 0 < len(name) <= 32):
        raise ValueError(f"a section cannot be named {name!r}")
    if array.ndim != 1 or array.dtype.str[1:] not in TYPES:
        raise ValueError(f"section {name!r}: an array of one dimension and of numbers is needed, got {array.dtype} {array.shape}")
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
