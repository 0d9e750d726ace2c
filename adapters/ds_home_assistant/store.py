"""What was known last, on disk: a value of JSON in, the same out after a restart, for the same Home Assistant only.

A file of ours alone (mode 0600), replaced as a whole: whoever reads it finds the old one or the new one.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

from ds_engine.errors import InputError

MAX_STORE_BYTES = 32 * 2**20  # 5,000 entities need about 1 MiB
_FORMAT = 1


class StoreError(InputError):
    """The file cannot be read or written, or holds something else."""

    code = "bad-store"


class Store:
    """One file."""

    def __init__(self, path: Path, origin: str) -> None:
        """`origin` tells whose names these are: those of another home are of no use."""
        self.path = path
        self._origin = origin

    def load(self) -> Any | None:
        """What was saved; None where nothing was, or of another origin. Raises StoreError."""
        try:
            value = json.loads(self._bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror or type(error).__name__}") from error
        except (ValueError, RecursionError) as error:
            raise StoreError(f"{self.path}: no JSON") from error
        if not isinstance(value, dict) or value.get("format") != _FORMAT:
            raise StoreError(f"{self.path}: not of format {_FORMAT}")
        return value.get("home") if value.get("origin") == self._origin else None

    def save(self, home: Any) -> None:
        """Replaces the file. Raises StoreError; the old one is still there then."""
        data = json.dumps({"format": _FORMAT, "origin": self._origin, "home": home}).encode()
        if len(data) > MAX_STORE_BYTES:
            raise StoreError(f"{self.path}: {len(data)} bytes to keep, {MAX_STORE_BYTES} may be")
        try:
            _replace(self.path, data)
        except (OSError, ValueError) as error:  # ValueError: a name that is none
            raise StoreError(f"{self.path}: {getattr(error, 'strerror', None) or type(error).__name__}") from error

    def _bytes(self) -> bytes:
        """Raises OSError, and StoreError where that is no file or too long."""
        with open(self.path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise StoreError(f"{self.path}: not a file")
            data = file.read(MAX_STORE_BYTES + 1)
        if len(data) > MAX_STORE_BYTES:
            raise StoreError(f"{self.path}: longer than {MAX_STORE_BYTES} bytes")
        return data


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a pipe would keep us waiting


def _replace(path: Path, data: bytes) -> None:
    target = Path(os.path.realpath(path))  # a link stays one
    if target.exists() and not target.is_file():
        raise StoreError(f"{path}: not a file")  # nor does a device become one
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, part = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)  # a name that points at nothing after a power cut is worse than an old one
        Path(part).replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            Path(part).unlink()
        raise
