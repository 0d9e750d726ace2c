"""Stamps of files: files in, a value out that is another one whenever one of them has changed, come or gone."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path

Stamp = tuple[tuple[str, int, int, int], ...]  # of each file: its path, when it changed (twice, ns), its size


def stamp_of(files: Iterable[Path]) -> Stamp:
    """Of those that are there."""
    stamp: list[tuple[str, int, int, int]] = []
    for file in files:
        try:
            about = file.stat()
        except OSError:
            continue
        plain = stat.S_ISREG(about.st_mode)  # a pipe can be read only once, and what changes in a folder are its files
        stamp.append((str(file), *((about.st_mtime_ns, about.st_ctime_ns, about.st_size) if plain else (0, 0, 0))))
    return tuple(sorted(stamp))
