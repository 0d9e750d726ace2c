"""LJ Speech and corpora of its form: a folder with metadata.csv and wavs/ in, its sentences out.

A line of metadata.csv is `ID|TEXT|NORMALISED TEXT`, without header or quoting; the last has numbers in words and is taken where it
is there. wavs/ID.wav is the sound (README of the corpus), or a file of another kind with this name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ds_training.corpora.manifest import CorpusError, Left, Reason, Recording, lines_of
from ds_training.corpora.parts import sound


def import_ljspeech(source: Path, speaker: str = "") -> Iterator[Recording | Left]:
    """`source` is the folder or its metadata.csv; the one speaker is called as the folder is, or as given."""
    path = source / "metadata.csv" if source.is_dir() else source
    if not path.is_file():
        raise CorpusError(f"{path}: does not exist")
    folder = path.absolute().parent
    for number, line in lines_of(path):
        name, *texts = line.split("|")
        if not name or len(texts) not in {1, 2}:
            yield Left(f"{path}: line {number}", Reason.BROKEN, f"needs a name and one or two texts, got {1 + len(texts)} columns")
        else:
            file = sound(path.parent / "wavs", name.removesuffix(".wav"))
            yield Recording(file, texts[-1].strip() or texts[0], speaker or folder.name)
