"""Manifests of recordings: a TSV in, its recordings out, and what could not be used by line.

A manifest is UTF-8 with a header line and the columns `file` (relative to it, or absolute), `text` and, if known, `speaker`. Where
a line is a part of a file, `start` and `end` say which, in seconds, and `channel` which of its channels, from 0 on. Every other
column is a label: gender, age, accent, ... An empty cell stands for what is not known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from ds_training.text import ENGLISH, Orthography

COLUMNS = ("file", "text", "speaker", "start", "end", "channel")  # all others are labels


class CorpusError(ValueError):
    """A manifest, corpus, split or shard that cannot be used: the message names the file and the line."""


class Reason(StrEnum):
    """Why something was left out."""

    BROKEN = "broken line"
    NO_AUDIO = "no audio file"
    NO_TEXT = "no text"
    DUPLICATE = "duplicate"
    FILTERED = "filtered"  # by a rule that the caller gave
    UNWRITABLE = "unwritable text"
    UNREADABLE = "unreadable audio"
    TOO_SHORT = "too short"
    TOO_LONG = "too long"
    TOO_DENSE = "too much text for its audio"


@dataclass(frozen=True, slots=True)
class Left:
    """Something that was left out: where it stands, why, and what exactly was found."""

    place: str
    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True, slots=True)
class Recording:
    """One line of a manifest: a file, or its part from `start` to `end` seconds; a label that is not known is absent."""

    file: Path
    text: str
    speaker: str = ""
    start: float = 0.0
    end: float | None = None  # that of the file
    channel: int | None = None  # the mean of all
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The recordings of a manifest, and the lines that could not be used."""

    recordings: tuple[Recording, ...]
    left: tuple[Left, ...]


def skips(policy: str) -> bool:
    """True for "skip": leave out and report; False for "error": raise. Raises CorpusError for another word."""
    if policy not in {"error", "skip"}:
        raise CorpusError(f"a policy needs to be error or skip, got {policy!r}")
    return policy == "skip"


def read_manifest(path: Path, orthography: Orthography | None = ENGLISH) -> list[Recording]:
    """The lines of a manifest, text made plain, or as it stands for None. Raises CorpusError, with its number, for one that is broken."""
    return list(open_manifest(path, orthography).recordings)


def open_manifest(path: Path, orthography: Orthography | None = ENGLISH, unwritable: str = "error") -> Manifest:
    """The same under a policy (see `skips`) for lines without a text that the orthography can write."""
    found = list(usable(path, orthography, unwritable))
    return Manifest(tuple(each for each in found if isinstance(each, Recording)), tuple(each for each in found if isinstance(each, Left)))


def usable(
    path: Path, orthography: Orthography | None, unwritable: str = "error", wanted: Callable[[Recording], bool] | None = None
) -> Iterator[Recording | Left]:
    """The wanted recordings of a manifest one after the other, text made plain, and the lines where that cannot be (see `skips`)."""
    skip = skips(unwritable)
    for number, recording in numbered(path):
        if wanted and not wanted(recording):
            continue
        found = _plain(recording, orthography, f"{path}: line {number}") if orthography else recording
        if isinstance(found, Left) and not skip:
            raise CorpusError(f"{found.place} needs a text of the alphabet: {found.detail}")
        yield found


def _plain(recording: Recording, orthography: Orthography, place: str) -> Recording | Left:
    try:
        text = orthography.plain(recording.text)
    except ValueError as error:
        return Left(place, Reason.UNWRITABLE, str(error))
    return replace(recording, text=text) if text else Left(place, Reason.NO_TEXT, f"got {recording.text!r}")


def numbered(path: Path) -> Iterator[tuple[int, Recording]]:
    """The recordings of a manifest by line, text as it stands. Raises CorpusError for a header or line that is broken."""
    lines = lines_of(path)
    columns = next(lines, (1, ""))[1].split("\t")
    if not {"file", "text"} <= set(columns) or len(set(columns)) < len(columns):
        raise CorpusError(f"{path}: line 1 needs the columns file and text, and none twice, got {columns}")
    for number, line in lines:
        cells, place = line.split("\t"), f"{path}: line {number}"
        if len(cells) != len(columns):
            raise CorpusError(f"{place} needs {len(columns)} columns, got {len(cells)}")
        row = dict(zip(columns, cells, strict=True))
        if not row["file"]:
            raise CorpusError(f"{place} needs a file, got none for the text {row['text']!r}")
        labels = {name: cell for name, cell in row.items() if name not in COLUMNS and cell}
        yield number, Recording(path.parent / row["file"], row["text"], row.get("speaker", ""), *_part(row, place), labels)


def _part(row: Mapping[str, str], place: str) -> tuple[float, float | None, int | None]:
    start, end = (_seconds(row.get(column, ""), f"{place} needs {column}") for column in ("start", "end"))
    if end is not None and end <= (start or 0.0):
        raise CorpusError(f"{place} needs an end after its start, got {start or 0.0} to {end} s")
    channel = row.get("channel", "")
    if channel and not channel.isdecimal():
        raise CorpusError(f"{place} needs channel as a number from 0 on, got {channel!r}")
    return start or 0.0, end, int(channel) if channel else None


def _seconds(cell: str, needed: str) -> float | None:
    try:
        seconds = float(cell) if cell else None
    except ValueError:
        seconds = math.nan
    if seconds is not None and not 0 <= seconds < math.inf:
        raise CorpusError(f"{needed} in seconds from 0 on, got {cell!r}")
    return seconds


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text by number from 1, without their ends. Raises CorpusError for a file that is missing or no UTF-8."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise CorpusError(f"{path}: line {number} needs to be text in UTF-8, got other bytes ({error.reason})") from error
                yield number, text.removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read: {error.strerror or error}") from error
