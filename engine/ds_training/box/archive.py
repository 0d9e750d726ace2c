"""Folders into one `.tar.xz`, the same bytes for the same files: a staged folder in, the archive and the size of each part out.

Each part is an xz stream of its own (one archive may hold several), so that its compressed size is known; nothing of this machine's
times and owners is kept.
"""

from __future__ import annotations

import lzma
import stat
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

Parts = Mapping[str, Sequence[Path]]  # name -> files below the staged folder


class _Streams:
    """A file that tarfile writes into: compressed, and cut into streams."""

    def __init__(self, out: BinaryIO, preset: int) -> None:
        packing = {"id": lzma.FILTER_LZMA2, "preset": preset | lzma.PRESET_EXTREME if preset else 0}
        self._out, self._filters, self._written = out, [{"id": lzma.FILTER_X86}, packing], 0  # a third is compiled code
        self._compressor = lzma.LZMACompressor(lzma.FORMAT_XZ, filters=self._filters)

    def write(self, data: bytes) -> int:
        self._out.write(self._compressor.compress(data))
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written

    def cut(self) -> int:
        """End the stream and begin another; returns the compressed size of all so far."""
        self._out.write(self._compressor.flush())
        self._compressor = lzma.LZMACompressor(lzma.FORMAT_XZ, filters=self._filters)
        return self._out.tell()


def write_archive(folder: Path, parts: Parts, out: Path, preset: int = 9) -> dict[str, int]:
    """The files of all parts, in that order; returns the compressed bytes of each part. Written beside and renamed.

    `preset` is xz's: 0 is a hundred times faster than 9, and a fifth larger.
    """
    beside = out.with_name(f"partial-{out.name}")
    sizes, before = {}, 0
    with beside.open("wb") as file:
        streams = _Streams(file, preset)
        with tarfile.open(fileobj=streams, mode="w", format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]  # has what it needs
            for name, paths in parts.items():
                for path in paths:
                    _add(archive, folder, path)
                total = streams.cut()
                sizes[name], before = total - before, total
        streams.cut()
    beside.rename(out)
    return sizes


def _add(archive: tarfile.TarFile, folder: Path, path: Path) -> None:
    info = tarfile.TarInfo(path.relative_to(folder).as_posix())
    info.size = path.stat().st_size
    info.mode = 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644
    with path.open("rb") as content:
        archive.addfile(info, content)
