"""The archive: code, text, voices with their programs, recordings at a low bit rate and wheels in, one file that needs nothing else out.

    python -m ds_training.box.pack OUT.tar.xz --text FILE... --manifest MANIFEST.tsv --split SPLIT.tsv --wheels FOLDER
        [--start MODEL] [--recipe BOX.toml] [--voices NAME...] [--kilobits 12] [--limit-mib 60]

OUT may be a folder instead: the same files unpacked. A table tells what takes how much.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ds_training.box import programs, recordings, wheels
from ds_training.box.archive import write_archive
from ds_training.box.contents import BoxError, Contents
from ds_training.box.recipe import NAME as RECIPE
from ds_training.box.recipe import read_recipe
from ds_training.box.voices import check_carried, checked, known
from ds_training.checkpoint import load_network, save_weights
from ds_training.recipe_tables import from_table

MEBIBYTE = 2**20
LIMIT = 60 * MEBIBYTE
PARTS = ("train", "development")  # of a split; calibration has no work there
HERE = Path(__file__).parent
VOICES = (  # those that fit; flite has kal, too, and the other Czech voices and the Hindi one take 7 to 10 MB each
    "espeak-ng", "espeak-ng:foreign", "flite:awb", "flite:rms", "flite:slt", "flite:kal16", "flite:kal", "festival:slt_hts",
    "festival:lp_diphone", "festival:suo_fi_lj_diphone", "festival:hy_fi_mv_diphone", "festival:czech_machac",
)  # fmt: skip
_PARTS = (  # of the table: the first whose pattern fits the path
    ("festival's {0}", r"programs/share/festival/voices/[^/]+/([^/]+)"),
    ("festival's data", r"programs/share/festival/"),
    ("espeak-ng's data", r"programs/share/espeak-ng-data/"),
    ("flite and its voices", r"programs/(lib|libexec)/(lib)?flite"),
    ("{0}", r"(programs|recordings|site|text|code)/"),
    ("start", r"start\."),
)


@dataclass(frozen=True, slots=True)
class Sources:
    """What is packed."""

    text: tuple[Path, ...]
    manifest: Path
    split: Path
    wheels: Path
    recipe: Path = HERE / RECIPE
    start: Path | None = None  # a checkpoint or the model.onnx of a bundle
    voices: tuple[str, ...] = VOICES
    parts: tuple[str, ...] = PARTS
    kilobits: float = 12  # per second of recordings
    python: str = "3.12"  # over there


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: a part, its files, their bytes, and compressed where there is an archive."""

    part: str
    files: int
    bytes: int
    compressed: int | None = None


def stage(sources: Sources, folder: Path) -> recordings.Carried:
    """Everything of the archive into an empty folder. Raises CorpusError, BoxError among them, for what cannot be packed."""
    names = checked(sources.voices)
    read_recipe(sources.recipe)
    if len({path.name for path in sources.text}) < len(sources.text):
        raise BoxError(f"texts need different file names, got {', '.join(path.name for path in sources.text)}")
    if folder.exists() and any(folder.iterdir()):
        raise BoxError(f"{folder} needs to be empty or new")
    folder.mkdir(parents=True, exist_ok=True)
    engine = HERE.parent.parent
    wheels.carry(sources.wheels, engine, folder / "site", sources.python)
    for package in ("ds_engine", "ds_training"):
        shutil.copytree(engine / package, folder / "code" / package, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    shutil.copy(HERE / "run.sh", folder / "run")
    (folder / "run").chmod(0o755)
    shutil.copy(sources.recipe, folder / RECIPE)
    (folder / "text").mkdir()
    for path in sources.text:
        shutil.copy(path, folder / "text" / path.name)
    if sources.start:
        save_weights(folder / "start.pt", load_network(sources.start))
    programs.carry(names, folder / "programs")
    check_carried(names, folder / "programs")
    carried = recordings.carry(sources.manifest, sources.split, sources.parts, folder / "recordings", sources.kilobits)
    Contents.of(folder, tuple(sorted(known().keys() - set(names)))).write(folder)
    return carried


def pack(sources: Sources, out: Path, limit: int = LIMIT, preset: int = 9) -> tuple[list[Row], recordings.Carried]:
    """The archive, or for a name without `.tar.xz` the folder. Raises BoxError, and leaves nothing, for one above the limit in bytes."""
    if not out.name.endswith(".tar.xz"):
        carried = stage(sources, out)
        return [_row(name, paths) for name, paths in parts_of(out).items()], carried
    with tempfile.TemporaryDirectory(dir=out.parent) as name:
        folder = Path(name, "box")
        carried = stage(sources, folder)
        parts = parts_of(folder)
        sizes = write_archive(folder, parts, out, preset)
        rows = [_row(part, paths, sizes[part]) for part, paths in parts.items()]
    size = out.stat().st_size
    if size > limit:
        out.unlink()
        raise BoxError(f"{out.name} needs to be at most {limit / MEBIBYTE:g} MiB, got {size / MEBIBYTE:.2f} MiB:\n{table(rows)}")
    return rows, carried


def parts_of(folder: Path) -> Mapping[str, Sequence[Path]]:
    """All files of a staged folder by the part that they belong to, in a fixed order."""
    parts: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*"), key=lambda each: each.relative_to(folder).as_posix()):
        if path.is_file() and path.suffix != ".pyc":
            parts.setdefault(_part(path.relative_to(folder).as_posix()), []).append(path)
    return parts


def _part(path: str) -> str:
    found = ((name, re.match(pattern, path)) for name, pattern in _PARTS)
    return next((name.format(*match.groups()) for name, match in found if match), "command and contents")


def _row(part: str, paths: Sequence[Path], compressed: int | None = None) -> Row:
    return Row(part, len(paths), sum(path.stat().st_size for path in paths), compressed)


def table(rows: Sequence[Row]) -> str:
    """The largest part first, and the sum of all."""
    ordered = sorted(rows, key=lambda row: -(row.compressed if row.compressed is not None else row.bytes))
    packed = sum(row.compressed or 0 for row in rows) if rows and rows[0].compressed is not None else None
    total = Row("all", sum(row.files for row in rows), sum(row.bytes for row in rows), packed)
    lines = (f"{row.part:<36}{row.files:>6}{row.bytes / 1e6:>9.2f}{_compressed(row)}" for row in (*ordered, total))
    return "\n".join([f"{'part':<36}{'files':>6}{'MB':>9}{'in the archive':>16}", *lines])


def _compressed(row: Row) -> str:
    return "" if row.compressed is None else f"{row.compressed / 1e6:>16.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Pack the training recipe for a machine without a network.")
    parser.add_argument("out", type=Path, help="an archive (.tar.xz), or a folder")
    parser.add_argument("--text", type=Path, nargs="+", required=True, help="files of sentences, one per line")
    parser.add_argument("--manifest", type=Path, required=True, help="TSV of recordings")
    parser.add_argument("--split", type=Path, required=True, help="TSV of its speakers and parts")
    parser.add_argument("--parts", nargs="+", default=PARTS, help="of the split that travel")
    parser.add_argument("--wheels", type=Path, required=True, help="folder of what Python lacks there")
    parser.add_argument("--python", default="3.12", help="its version there")
    parser.add_argument("--start", type=Path, help="weights to start from: a checkpoint or the model.onnx of a bundle")
    parser.add_argument("--recipe", type=Path, default=HERE / RECIPE, help="what happens there")
    parser.add_argument("--voices", nargs="+", default=VOICES, metavar="NAME", help="that travel")
    parser.add_argument("--kilobits", type=float, default=12, help="per second of recordings")
    parser.add_argument("--limit-mib", type=float, default=LIMIT / MEBIBYTE)
    options = vars(parser.parse_args())
    out, limit = options.pop("out"), options.pop("limit_mib")
    try:
        sources = from_table(Sources, {name: value for name, value in options.items() if value is not None})
        rows, carried = pack(sources, out, round(limit * MEBIBYTE))
    except ValueError as error:  # BoxError among them
        parser.error(str(error))
    print(table(rows))
    print(
        f"{carried.recordings} recordings of {carried.speakers} speakers, {carried.hours:.2f} h; "
        f"ln(mel power) differs by {carried.difference:.2f} on average where there is sound"
    )


if __name__ == "__main__":
    main()
