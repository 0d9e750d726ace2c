"""Recordings in, a manifest out, and an account of what could not go into it."""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ds_training.corpora.manifest import COLUMNS, CorpusError, Left, Reason, Recording, skips

EXAMPLES = 5  # of each reason, that an account names
_FATAL = frozenset({Reason.BROKEN, Reason.NO_AUDIO, Reason.NO_TEXT})  # under the policy "error"; the others are nobody's fault
_UNFIT = re.compile(r"[\t\n\r\ud800-\udfff]")  # in the name of a file: no cell of a TSV in UTF-8 holds it


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How much was left out for which reason, and the first few of each."""

    counts: Mapping[str, int]
    examples: tuple[Left, ...]

    def told(self) -> list[str]:
        """For people: a line for each reason, and below it one for each example."""
        lines = []
        for reason, count in self.counts.items():
            lines.append(f"left out, {reason}: {count}")
            lines += [f"  {left}" for left in self.examples if left.reason == reason]
        return lines


class Account:
    """What was left out, one after the other; memory does not grow with it."""

    def __init__(self) -> None:
        self._counts: Counter[Reason] = Counter()
        self._examples: list[Left] = []

    def add(self, left: Left) -> None:
        self._counts[left.reason] += 1
        if self._counts[left.reason] <= EXAMPLES:
            self._examples.append(left)

    def result(self) -> LeftOut:
        return LeftOut({str(reason): count for reason, count in sorted(self._counts.items())}, tuple(self._examples))


@dataclass(frozen=True, slots=True)
class Written:
    """What went into a manifest, and what did not."""

    recordings: int
    speakers: int  # as far as they are named
    left: LeftOut


def write_manifest(path: Path, rows: Iterable[Recording | Left], missing: str = "error") -> Written:
    """Files are named relative to the manifest where they lie below it; a recording that came before is left out.

    Lines that are broken, or whose file or text is missing, are counted, then raise CorpusError, or are left out: as `missing` says
    (see `skips`). Raises CorpusError where nothing is left, too; the manifest then stays as it was.
    """
    fatal = frozenset[Reason]() if skips(missing) else _FATAL
    account, seen, columns, speakers = Account(), set[int](), dict.fromkeys(COLUMNS[:3]), set[str]()
    count = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n", dir=path.parent) as spool:  # the columns are known at the end alone
        for row in rows:
            cells = row if isinstance(row, Left) else _cells(row, path.parent, seen)
            if isinstance(cells, Left):
                account.add(cells)
                continue
            columns |= dict.fromkeys(cells)
            spool.write("\t".join(cells.get(column, "") for column in columns) + "\n")
            speakers.add(cells["speaker"])
            count += 1
        _judge(path, count, account.result(), fatal)
        spool.seek(0)
        _finish(path, list(columns), spool)
    return Written(count, len(speakers - {""}), account.result())


def _finish(path: Path, columns: list[str], lines: Iterable[str]) -> None:
    """Written beside and renamed; lines from before a column was known get it empty."""
    beside = path.with_name(f"partial-{path.name}")
    with beside.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\t".join(columns) + "\n")
        for line in lines:
            file.write(line.removesuffix("\n") + "\t" * (len(columns) - 1 - line.count("\t")) + "\n")
    beside.rename(path)


def _judge(path: Path, count: int, left: LeftOut, fatal: frozenset[Reason]) -> None:
    if faults := {reason: number for reason, number in left.counts.items() if reason in fatal}:
        told = LeftOut(faults, left.examples).told()
        raise CorpusError("\n".join((f"{path}: {sum(faults.values())} of {count + sum(left.counts.values())} cannot be used", *told)))
    if not count:
        raise CorpusError("\n".join((f"{path}: a manifest needs recordings, got none", *left.told())))


def _cells(recording: Recording, folder: Path, seen: set[int]) -> dict[str, str] | Left:
    """Cells by column, none of them empty but the speaker; `seen` has the hashes of what came before."""
    place, text = str(recording.file), _clean(recording.text)
    if not os.path.isfile(recording.file):  # noqa: PTH113  # Path's raises for a name that is too long
        return Left(place, Reason.NO_AUDIO)
    if _UNFIT.search(place):
        return Left(repr(place), Reason.NO_AUDIO, "a name with a tab, a line break or no UTF-8")
    if not text:
        return Left(place, Reason.NO_TEXT)
    file = _relative(recording.file, folder)
    key = hash((file, recording.start, recording.end, recording.channel))
    if key in seen:
        return Left(place, Reason.DUPLICATE, text)
    seen.add(key)
    part = {"start": recording.start or None, "end": recording.end, "channel": recording.channel}
    labels = {_clean(label): _clean(value) for label, value in recording.labels.items()}
    if own := sorted(labels.keys() & {*COLUMNS, ""}):
        raise CorpusError(f"{place}: labels need names, and others than {', '.join(COLUMNS)}, got {own}")
    known = {column: repr(value) for column, value in part.items() if value is not None} | {
        name: cell for name, cell in labels.items() if cell
    }
    return {"file": file, "text": text, "speaker": _clean(recording.speaker), **known}


def _clean(text: str) -> str:
    """On one line, without tabs, and in UTF-8."""
    return " ".join(text.encode("utf-8", "replace").decode().split())


def _relative(file: Path, folder: Path) -> str:
    whole, base = (Path(os.path.abspath(path)) for path in (file, folder))  # noqa: PTH100  # links stay as they are
    return (whole.relative_to(base) if whole.is_relative_to(base) else whole).as_posix()
