"""Values kept on disk by a key: JSON with a check sum, at most MAX_FILES of them.

A cache is only ever a help: a folder that cannot be written, and a file that is broken or not ours, count as nothing kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

MAX_FILES = 32  # in the folder; the ones that were not used for longest go
MAX_BYTES = 64_000_000  # of one file
MAX_SECONDS = 3600  # that a file takes to be written; one that is older was never finished
_SUFFIX, _UNFINISHED = ".grammar.json", ".grammar.tmp"


def key_of(parts: Iterable[str | bytes]) -> str:
    """A key that is equal only for equal parts in equal order."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(data) + data)
    return digest.hexdigest()


def checksum(content: bytes) -> bytes:
    """The first line of a file with this content."""
    return hashlib.sha256(content).hexdigest().encode()


def kept(folder: Path, key: str) -> Any:
    """The value that was kept under a key, or None."""
    path = folder / f"{key}{_SUFFIX}"
    with suppress(OSError, ValueError, RecursionError):
        with path.open("rb") as file:
            signature, _, content = file.read(MAX_BYTES + 1).partition(b"\n")
        if signature == checksum(content):
            value = json.loads(content)
            os.utime(path)  # it was used
            return value
    return None


def keep(folder: Path, key: str, value: Any) -> None:
    """Keeps a value: others see all of it or nothing, even where the machine stops meanwhile."""
    content = json.dumps(value, separators=(",", ":")).encode()
    if len(content) >= MAX_BYTES:
        return
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(dir=folder, suffix=_UNFINISHED)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(checksum(content) + b"\n" + content)
            Path(name).replace(folder / f"{key}{_SUFFIX}")
        finally:
            Path(name).unlink(missing_ok=True)
        _tidy(folder)


def _tidy(folder: Path) -> None:
    used = sorted(((path.stat().st_mtime_ns, path) for path in folder.glob(f"*{_SUFFIX}")), reverse=True)
    unfinished = [path for path in folder.glob(f"*{_UNFINISHED}") if path.stat().st_mtime < time.time() - MAX_SECONDS]
    for path in (*(path for _, path in used[MAX_FILES:]), *unfinished):
        path.unlink(missing_ok=True)
