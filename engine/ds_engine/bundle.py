"""A model bundle: a folder, or a zip of one, with `manifest.json` and the files that it lists.

Opening verifies size and SHA-256 of every listed file, so that a model that was cut off or altered never gets as far as the
network. Files are read through the bundle by name; nothing is unpacked and nothing outside the bundle can be named.
"""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ds_engine.errors import BundleError
from ds_engine.manifest import MAX_MANIFEST_BYTES, FileEntry, Manifest

MANIFEST = "manifest.json"
_BLOCK_BYTES = 2**20  # read at a time


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified bundle."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path) -> Bundle:
        """Opens a folder or zip and verifies it, block by block. Raises BundleError that names the file at fault."""
        with _opened(path, MANIFEST) as file:
            manifest = Manifest.parse(file.read(MAX_MANIFEST_BYTES + 1))
        for name, entry in manifest.files.items():
            for _ in _verified(path, name, entry):
                pass
        return cls(path, manifest)

    def read(self, name: str) -> bytes:
        """The bytes of a listed file, verified once more. Raises BundleError where the bundle has no such file."""
        entry = self.manifest.files.get(name)
        if entry is None:
            raise BundleError(f"{self.path.name}: the manifest lists no file {name!r}")
        return b"".join(_verified(self.path, name, entry))

    def mappable(self, name: str) -> Path | bytes:
        """Where a listed file lies, verified when the bundle was opened, so that it can be mapped; from a zip its bytes."""
        return self.read(name) if zipfile.is_zipfile(self.path) or name not in self.manifest.files else self.path / name


def _verified(path: Path, name: str, entry: FileEntry) -> Iterator[bytes]:
    """The blocks of a file; whether they were the right ones shows after the last."""
    digest, size = hashlib.sha256(), 0
    with _opened(path, name) as file:
        while size <= entry.size and (block := file.read(_BLOCK_BYTES)):
            digest.update(block)
            size += len(block)
            yield block
    if size != entry.size:
        raise BundleError(f"{name}: {entry.size} bytes expected, {'more' if size > entry.size else size} found")
    if digest.hexdigest() != entry.sha256:
        raise BundleError(f"{name}: the checksum differs from the manifest's")


@contextlib.contextmanager
def _opened(path: Path, name: str) -> Iterator[IO[bytes]]:
    try:
        with _zipped(path, name) if zipfile.is_zipfile(path) else (path / name).open("rb") as file:
            yield file
    except BundleError:
        raise
    except KeyError as error:
        raise BundleError(f"{path.name}: has no {name}") from error
    except OSError as error:
        raise BundleError(f"{path.name}: cannot read {name}: {error.strerror or error}") from error
    except Exception as error:  # a broken zip raises whatever the unpacker at fault does: zlib, lzma, struct, ...
        raise BundleError(f"{path.name}: cannot read {name}: {error}") from error


@contextlib.contextmanager
def _zipped(path: Path, name: str) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(path) as archive, archive.open(name) as file:
        yield file
