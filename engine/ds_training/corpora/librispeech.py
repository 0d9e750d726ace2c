"""LibriSpeech: its folder in, the utterances of a part with speaker and gender out.

PART/SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt has a line `SPEAKER-CHAPTER-NUMBER TEXT` for each file beside it; SPEAKERS.TXT, beside
the parts, has lines `ID | SEX | SUBSET | MINUTES | NAME` and comments that begin with a semicolon (README.TXT of the corpus).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ds_training.corpora.manifest import CorpusError, Left, Reason, Recording, lines_of
from ds_training.corpora.parts import chosen, labels, sound

_TRANSCRIPTS = "*/*/*.trans.txt"


def import_librispeech(source: Path, parts: Sequence[str] = ()) -> Iterator[Recording | Left]:
    """`source` is the folder of the parts, or one part. Raises CorpusError where there are none."""
    if not source.is_dir():
        raise CorpusError(f"{source}: needs to be a folder")
    folders = [source, *sorted(folder for folder in source.iterdir() if folder.is_dir())]
    found = {folder.name: folder for folder in folders if next(folder.glob(_TRANSCRIPTS), None)}
    for part, folder in chosen(parts, found, source, f"folders with {_TRANSCRIPTS}").items():
        genders = _genders(folder.parent / "SPEAKERS.TXT")
        for transcripts in sorted(folder.glob(_TRANSCRIPTS)):
            yield from _utterances(transcripts, part, genders)


def _utterances(transcripts: Path, part: str, genders: Mapping[str, str]) -> Iterator[Recording | Left]:
    for number, line in lines_of(transcripts):
        name, _, text = line.strip().partition(" ")
        speaker = name.partition("-")[0]
        if not text:
            yield Left(f"{transcripts}: line {number}", Reason.BROKEN, f"needs a name and a text, got {line!r}")
        else:
            file = sound(transcripts.parent, name)
            yield Recording(file, text, speaker, labels=labels(part, {"gender": genders.get(speaker)}))


def _genders(path: Path) -> dict[str, str]:
    """Speaker -> F or M; nothing where the list is not there (names in it may be in any encoding)."""
    if not path.is_file():
        return {}
    rows = [line.split("|") for line in path.read_text("utf-8", "replace").splitlines() if not line.startswith(";")]
    return {row[0].strip(): row[1].strip() for row in rows if len(row) > 1}
