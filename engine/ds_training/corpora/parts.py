"""What importers share: which parts of a corpus are meant, and which file holds the sound of an utterance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ds_training.corpora.manifest import COLUMNS, CorpusError

SUFFIXES = (".flac", ".wav", ".ogg", ".opus", ".mp3")  # of sound, whatever a corpus was converted to


def chosen(parts: Sequence[str], found: Mapping[str, Path], source: Path, needed: str) -> dict[str, Path]:
    """The parts asked for, or the only one. Raises CorpusError for one that is not there, and for no choice among several."""
    if not found:
        raise CorpusError(f"{source}: needs {needed}, got none")
    if not parts and len(found) > 1:
        raise CorpusError(f"{source}: needs a choice of parts, got several: {', '.join(found)}")
    if missing := [part for part in parts if part not in found]:
        raise CorpusError(f"{source}: lacks {', '.join(missing)}, has {', '.join(found)}")
    return {part: found[part] for part in parts or found}


def files_of(source: Path, pattern: str) -> list[Path]:
    """The source itself where it is a file, else the files of this pattern in it. Raises CorpusError where it does not exist."""
    if not source.exists():
        raise CorpusError(f"{source}: does not exist")
    return sorted(source.glob(pattern)) if source.is_dir() else [source]


def labels(part: str, named: Mapping[str, object]) -> dict[str, str]:
    """The part, and what else is known, as far as it is a word or a number and has a name that a manifest does not use itself."""
    known = {name: str(value) for name, value in named.items() if isinstance(value, str | int | float) and value != ""}
    return {"part": part, **{name: value for name, value in known.items() if " ".join(name.split()) not in {*COLUMNS, ""}}}


def sound(folder: Path, name: str) -> Path:
    """The file of this name, without suffix, that is there; the first of SUFFIXES where none is."""
    candidates = [folder / f"{name}{suffix}" for suffix in SUFFIXES]
    return next((file for file in candidates if file.is_file()), candidates[0])
