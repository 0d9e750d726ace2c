"""A bundle's manifest: JSON in, frozen values out, every fault reported with the key it stands under.

The manifest, not code, carries rates, strides, look-ahead, alphabet, language, licence and checksums. Sections that belong to
one model family (`acoustic`) or to a decoder (`calibration`) stay mappings here; their owner reads them with `Section`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ds_engine.alphabet import Alphabet, Boundary, BoundaryRule
from ds_engine.errors import BundleError

FORMAT = 1  # of the manifest; a reader refuses any other
MAX_MANIFEST_BYTES = 4 * 2**20  # an alphabet of 100,000 word pieces fits
MAX_FILE_BYTES = 8 * 2**30  # of one file

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """What a file of the bundle must be."""

    sha256: str  # hexadecimal
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Section:
    """A JSON object of the manifest and the path to it, for messages."""

    values: Mapping[str, Any]
    path: str = ""

    def get(self, key: str, kind: type[T], default: T | None = None) -> T:
        """The value of `key`, of exactly this kind (an int passes as float). Raises BundleError otherwise."""
        value = self.values.get(key, default)
        if kind is float and type(value) is int and abs(value) <= sys.float_info.max:
            value = float(value)
        if type(value) is not kind:
            raise BundleError(f"manifest: {self.path}{key} must be {kind.__name__}, got {value!r:.60}")
        return value

    def positive(self, key: str) -> int:
        """The value of `key`, an integer above zero."""
        value = self.get(key, int)
        if value <= 0:
            raise BundleError(f"manifest: {self.path}{key} must be above zero, got {value}")
        return value

    def section(self, key: str) -> Section:
        """The object under `key`."""
        return Section(self.get(key, dict), f"{self.path}{key}.")

    def strings(self, key: str) -> tuple[str, ...]:
        """The list of strings under `key`."""
        return self._list(key, str)

    def integers(self, key: str) -> tuple[int, ...]:
        """The list of integers under `key`."""
        return self._list(key, int)

    def _list(self, key: str, kind: type[T]) -> tuple[T, ...]:
        values = self.get(key, list)
        if not all(type(value) is kind for value in values):
            raise BundleError(f"manifest: {self.path}{key} must be a list of {kind.__name__}")
        return tuple(values)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says of itself."""

    name: str
    version: str
    language: str  # BCP 47
    description: str
    license: str  # SPDX
    family: str
    alphabet: Alphabet
    acoustic: Section
    calibration: Section
    files: Mapping[str, FileEntry]

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """Reads manifest.json. Raises BundleError that names the key at fault."""
        top = Section(_json_object(data))
        if top.get("format", int) != FORMAT:
            raise BundleError(f"manifest: format must be {FORMAT}, got {top.values['format']}")
        files = top.section("files")
        return cls(
            name=top.get("name", str),
            version=top.get("version", str),
            language=top.get("language", str),
            description=top.get("description", str),
            license=top.get("license", str),
            family=top.get("family", str),
            alphabet=_alphabet(top.section("alphabet")),
            acoustic=top.section("acoustic"),
            calibration=top.section("calibration"),
            files={name: _file_entry(name, files.section(name)) for name in files.values},
        )


def _json_object(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_MANIFEST_BYTES:
        raise BundleError(f"manifest: at most {MAX_MANIFEST_BYTES} bytes, got {len(data)}")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"manifest: not JSON ({error})") from error
    if not isinstance(value, dict):
        raise BundleError("manifest: must be a JSON object")
    return value


def _alphabet(section: Section) -> Alphabet:
    boundary = section.section("boundary")
    rule = boundary.get("rule", str)
    if rule not in {known.value for known in BoundaryRule}:
        raise BundleError(f"manifest: {boundary.path}rule is unknown: {rule!r:.60}")
    return Alphabet(
        symbols=section.strings("symbols"),
        blank=section.get("blank", int),
        ignored=frozenset(section.integers("ignored")),
        boundary=Boundary(BoundaryRule(rule), boundary.get("symbol", str, "")),
        bytes_mode=section.get("bytes", bool, False),
    )


def _file_entry(name: str, section: Section) -> FileEntry:
    if "/" in name or "\\" in name or name in {"", ".", ".."} or not name.isprintable():
        raise BundleError(f"manifest: {name!r:.60} is not a plain file name")
    size = section.get("bytes", int)
    if not 0 <= size <= MAX_FILE_BYTES:
        raise BundleError(f"manifest: {section.path}bytes must lie in 0..{MAX_FILE_BYTES}, got {size!r:.60}")
    return FileEntry(section.get("sha256", str), size)
