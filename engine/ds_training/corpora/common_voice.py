"""Mozilla Common Voice: the TSVs of a language in any release in, its clips with speaker, age, gender and accent out.

train, dev, test, validated, invalidated and other.tsv share the columns `client_id`, `path` (in the folder clips), `sentence`,
`up_votes`, `down_votes`, `age`, `gender` and `accent` (later `accents`). Lines never go on over a line break. Newer releases do not
quote at all, older ones as CSV does: a cell that is well quoted is unquoted, since quotation marks are not spoken anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ds_training.corpora.manifest import CorpusError, Left, Reason, Recording, lines_of
from ds_training.corpora.parts import chosen, files_of, labels

_NEEDED = {"client_id", "path", "sentence"}
_LABELS = {"age": "age", "gender": "gender", "accent": "accent", "accents": "accent", "variant": "variant"}  # column -> label


def import_common_voice(
    source: Path, parts: Sequence[str] = (), up_votes: int = 0, down_votes: int | None = None
) -> Iterator[Recording | Left]:
    """`source` is the folder of a language, or a TSV; with so many votes for a clip at least, and against it at most.

    Raises CorpusError where no TSV is there, or one lacks a column that is needed.
    """
    found = {path.stem: path for path in files_of(source, "*.tsv") if not source.is_dir() or set(_columns(path)) >= _NEEDED}
    for part, path in chosen(parts, found, source, f"TSVs with the columns {', '.join(sorted(_NEEDED))}").items():
        columns = _columns(path)
        votes = [name for name, used in (("up_votes", up_votes > 0), ("down_votes", down_votes is not None)) if used]
        if lacking := {*_NEEDED, *votes} - set(columns):
            raise CorpusError(f"{path}: line 1 needs the columns {', '.join(sorted(lacking))}, got {', '.join(columns)}")
        for number, line in lines_of(path):
            if number > 1:
                yield _clip(path, number, columns, line.split("\t"), part, up_votes, down_votes)


def _columns(path: Path) -> list[str]:
    return next(lines_of(path), (1, ""))[1].split("\t")


def _clip(
    path: Path, number: int, columns: Sequence[str], cells: Sequence[str], part: str, up_votes: int, down_votes: int | None
) -> Recording | Left:
    place = f"{path}: line {number}"
    if len(cells) != len(columns):
        return Left(place, Reason.BROKEN, f"needs {len(columns)} columns, got {len(cells)}")
    row = dict(zip(columns, map(_unquoted, cells), strict=True))
    if not row["path"]:
        return Left(place, Reason.NO_AUDIO, "got no path")
    try:
        wanted = _liked(row, up_votes, down_votes)
    except ValueError:
        return Left(place, Reason.BROKEN, f"needs votes as numbers, got {row.get('up_votes')!r} and {row.get('down_votes')!r}")
    if not wanted:
        return Left(place, Reason.FILTERED, f"{row.get('up_votes')} votes for, {row.get('down_votes')} against")
    known = {label: row[column] for column, label in _LABELS.items() if column in row}
    return Recording(_file(path.parent / "clips", row["path"]), row["sentence"], row["client_id"], labels=labels(part, known))


def _liked(row: Mapping[str, str], up_votes: int, down_votes: int | None) -> bool:
    return (up_votes <= 0 or int(row["up_votes"]) >= up_votes) and (down_votes is None or int(row["down_votes"]) <= down_votes)


def _file(clips: Path, name: str) -> Path:
    """The first releases leave the suffix away."""
    return clips / (name if Path(name).suffix else f"{name}.mp3")


def _unquoted(cell: str) -> str:
    inner = cell[1:-1]
    quoted = len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inner.replace('""', "")
    return inner.replace('""', '"') if quoted else cell
