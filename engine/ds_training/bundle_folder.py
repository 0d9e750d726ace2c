"""The files of a bundle on disk: contents and a manifest in, a folder out that is a whole bundle or none, whenever writing stops.

A new folder is written beside and renamed. In a folder that exists the new files are first written beside the old ones; then the old
manifest goes, the files change places and the new manifest comes last. So a stop leaves the old bundle, or no manifest and with it
no bundle, but never a manifest that describes other files. What is in the folder but not among these files stays.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ds_engine.bundle import MANIFEST

PARTIAL = "partial-"  # before the name of what is still being written


def entry(content: bytes) -> dict[str, Any]:
    """What a manifest says of a file."""
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def write(folder: Path, manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """All files of a bundle; `manifest` needs no `files`."""
    whole = {**manifest, "files": {name: entry(content) for name, content in files.items()}}
    contents = {**files, MANIFEST: _encoded(whole)}
    if folder.exists():
        _replace(folder, contents)
        return
    beside = folder.with_name(PARTIAL + folder.name)
    if beside.exists():
        shutil.rmtree(beside)  # left by a run that was stopped
    beside.mkdir(parents=True)
    for name, content in contents.items():
        (beside / name).write_bytes(content)
    beside.rename(folder)


def change(folder: Path, files: Mapping[str, bytes], **values: Any) -> None:
    """New content for some files of an existing bundle, and new values for keys of its manifest; everything else stays.

    Raises OSError or ValueError where the folder has no manifest.
    """
    manifest = manifest_in(folder)
    entries = {name: entry(content) for name, content in files.items()}
    _replace(folder, {**files, MANIFEST: _encoded({**manifest, **values, "files": {**manifest["files"], **entries}})})


def manifest_in(folder: Path) -> dict[str, Any]:
    """The manifest of a folder as it stands. Raises OSError or ValueError where there is none."""
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
    return manifest


def _replace(folder: Path, contents: Mapping[str, bytes]) -> None:
    """`contents` end with the manifest."""
    for name, content in contents.items():
        (folder / (PARTIAL + name)).write_bytes(content)
    if len(contents) > 1:  # a manifest alone is replaced in one step
        (folder / MANIFEST).unlink(missing_ok=True)
    for name in contents:
        (folder / (PARTIAL + name)).replace(folder / name)


def _encoded(manifest: Mapping[str, Any]) -> bytes:
    return (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
