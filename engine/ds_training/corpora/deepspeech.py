"""DeepSpeech's and Coqui STT's CSVs: one or a folder of them in, their samples out.

The columns are `wav_filename` (relative to the CSV, or absolute; any kind of audio), `wav_filesize` (not needed) and `transcript`,
quoted as Python's csv module quotes. Nothing in them tells speakers apart; a column `speaker` is taken where somebody added one, and
every other column is a label, except for names that a manifest uses itself.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from ds_training.corpora.manifest import CorpusError, Left, Reason, Recording, lines_of
from ds_training.corpora.parts import chosen, files_of, labels

_NEEDED = {"wav_filename", "transcript"}


def import_deepspeech(source: Path, parts: Sequence[str] = ()) -> Iterator[Recording | Left]:
    """`source` is a CSV or a folder of them. Raises CorpusError where there is none, or a quotation never ends."""
    found = {path.stem: path for path in files_of(source, "*.csv") if not source.is_dir() or set(_columns(path)) >= _NEEDED}
    for path in chosen(parts, found, source, f"CSVs with the columns {', '.join(sorted(_NEEDED))}").values():
        if not set(columns := _columns(path)) >= _NEEDED:
            raise CorpusError(f"{path}: line 1 needs the columns {', '.join(sorted(_NEEDED))}, got {', '.join(columns)}")
        yield from _samples(path, columns)


def _columns(path: Path) -> list[str]:
    _, cells = next(_rows(path), (1, list[str]()))
    return [] if isinstance(cells, csv.Error) else cells


def _samples(path: Path, columns: Sequence[str]) -> Iterator[Recording | Left]:
    for number, cells in islice(_rows(path), 1, None):
        place = f"{path}: line {number}"
        if isinstance(cells, csv.Error):
            yield Left(place, Reason.BROKEN, str(cells))
        elif len(cells) != len(columns):
            yield Left(place, Reason.BROKEN, f"needs {len(columns)} columns, got {len(cells)}")
        else:
            yield _sample(path, place, dict(zip(columns, cells, strict=True)))


def _rows(path: Path) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """The rows, or what is wrong with them, by the line on which each begins; a quoted cell may go on over line breaks."""
    reader = csv.reader((f"{line}\n" for _, line in lines_of(path)), strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells: list[str] | csv.Error = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if reader.line_num > number:  # a quotation that swallowed lines: nobody knows how many samples they were
                raise CorpusError(f"{path}: line {number} begins a quotation that does not end as it should ({error})") from error
            cells = error
        if cells:
            yield number, cells


def _sample(path: Path, place: str, row: Mapping[str, str]) -> Recording | Left:
    if not row["wav_filename"]:
        return Left(place, Reason.NO_AUDIO, "got no wav_filename")
    others = {name: cell for name, cell in row.items() if name not in {*_NEEDED, "wav_filesize"}}
    return Recording(path.parent / row["wav_filename"], row["transcript"], row.get("speaker", ""), labels=labels(path.stem, others))
