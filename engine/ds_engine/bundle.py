"""A model bundle: a folder, or a zip of one, with `manifest.json` and the files that it lists.

Opening verifies size and SHA-256 of every listed file, so that a model that was cut off or altered never gets as far as the
network. Files are read through the bundle by name; nothing is unpacked and nothing outside the bundle can be named.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ds_engine.errors import BundleError
from ds_engine.manifest import MAX_MANIFEST_BYTES, FileEntry, Manifest

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified bundle."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path) -> Bundle:
        """Opens a folder or zip and verifies it. Raises BundleError that names the file at fault."""
        source = _ZipSource(path) if zipfile.is_zipfile(path) else _FolderSource(path)
        manifest = Manifest.parse(source.read(MANIFEST, MAX_MANIFEST_BYTES + 1))
        for name, entry in manifest.files.items():
            _verify(name, source.read(name, entry.size + 1), entry)
        return cls(path, manifest)

    def read(self, name: str) -> bytes:
        """The bytes of a listed file, verified once more. Raises BundleError where the bundle has no such file."""
        entry = self.manifest.files.get(name)
        if entry is None:
            raise BundleError(f"{self.path.name}: the manifest lists no file {name!r}")
        source = _ZipSource(self.path) if self.path.is_file() else _FolderSource(self.path)
        data = source.read(name, entry.size + 1)
        _verify(name, data, entry)
        return data


@dataclass(frozen=True, slots=True)
class _FolderSource:
    path: Path

    def read(self, name: str, limit: int) -> bytes:
        try:
            with (self.path / name).open("rb") as file:
                return file.read(min(limit, os.fstat(file.fileno()).st_size + 1))  # read allocates what it is asked for
        except OSError as error:
            raise BundleError(f"{self.path.name}: cannot read {name}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class _ZipSource:
    path: Path

    def read(self, name: str, limit: int) -> bytes:
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(name) as file:
                return file.read(limit)
        except KeyError as error:
            raise BundleError(f"{self.path.name}: has no {name}") from error
        except Exception as error:  # a broken zip raises whatever the unpacker at fault does: zlib, lzma, struct, ...
            raise BundleError(f"{self.path.name}: cannot read {name}: {error}") from error


def _verify(name: str, data: bytes, entry: FileEntry) -> None:
    if len(data) != entry.size:
        raise BundleError(f"{name}: {entry.size} bytes expected, {'more' if len(data) > entry.size else len(data)} found")
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise BundleError(f"{name}: the checksum differs from the manifest's")
