"""Stages of a recipe: named steps with their inputs and outputs in, figures out; what is done and unchanged is not done again.

A stage is done when its record in the work folder (`stages/NAME.json`) tells the same settings and the same inputs as now, every output
is there, and no stage before it had to be run. A large file counts as the same while its size and time of change are; a small one by its
content.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ds_training.recipe_tables import RecipeError

HASHED_BYTES = 2**20  # larger files are told apart by size and time
FOLDER = "stages"  # of records, in the work folder

Figures = Mapping[str, Any]  # what a stage found out: values that JSON can hold


@dataclass(frozen=True, slots=True)
class Stage:
    """A step: `settings` and the content of `inputs` decide what it makes; folders count with all they hold."""

    name: str
    run: Callable[[], Figures]
    settings: Any = None  # dataclasses, mappings and plain values
    inputs: tuple[Path, ...] = ()
    outputs: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """A stage that is done: its figures, and seconds it took."""

    fingerprint: str
    seconds: float
    finished: str
    figures: Figures = field(default_factory=dict)


class Work:
    """A folder in which a recipe is followed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def done(self, stage: Stage) -> Done | None:
        """The record of a stage that need not be run, or None."""
        try:
            record = Done(**json.loads(self._record(stage.name).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        whole = all(path.exists() for path in stage.outputs)
        return record if whole and record.fingerprint == fingerprint(stage) else None

    def run(self, stages: Sequence[Stage], tell: Callable[[str], None], *, again: str | None = None) -> dict[str, Figures]:
        """Runs what is not done, in order, and all that follows; `again` in any case. Gives the figures of all. Raises RecipeError."""
        names = [stage.name for stage in stages]
        if again is not None and again not in names:
            raise RecipeError(f"there is no stage {again!r}; there are {', '.join(names)}")
        forced = names.index(again) if again else len(names)
        figures: dict[str, Figures] = {}
        for index, stage in enumerate(stages):
            record = self.done(stage) if index < forced else None
            tell(f"{stage.name}: " + ("done before" if record else "begins"))
            if record is None:
                record, forced = self._run(stage), index
                tell(f"{stage.name}: {record.seconds:.0f} s, {json.dumps(record.figures)}")
            figures[stage.name] = record.figures
        return figures

    def _run(self, stage: Stage) -> Done:
        self._record(stage.name).unlink(missing_ok=True)
        started, begun = time.monotonic(), fingerprint(stage)
        figures = stage.run()
        if missing := [str(path) for path in stage.outputs if not path.exists()]:
            raise RecipeError(f"stage {stage.name} made no {', '.join(missing)}")
        record = Done(begun, round(time.monotonic() - started, 1), datetime.now(UTC).isoformat(timespec="seconds"), dict(figures))
        path = self._record(stage.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(record), indent=1) + "\n", "utf-8")
        return record

    def _record(self, name: str) -> Path:
        return self.folder / FOLDER / f"{name}.json"


def fingerprint(stage: Stage) -> str:
    """Changes with the settings and the inputs of a stage. Raises RecipeError where an input is missing."""
    digest = hashlib.sha256(json.dumps(_plain(stage.settings), sort_keys=True).encode())
    for path in stage.inputs:
        if not path.exists():
            raise RecipeError(f"stage {stage.name} needs {path}")
        for file in _files(path):
            digest.update(f"\0{file}\0".encode())
            digest.update(_content(file))
    return digest.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    return (file for file in sorted(path.rglob("*")) if file.is_file()) if path.is_dir() else iter((path,))


def _content(path: Path) -> bytes:
    status = path.stat()
    return path.read_bytes() if status.st_size <= HASHED_BYTES else f"{status.st_size} {status.st_mtime_ns}".encode()


def _plain(value: Any) -> Any:
    """Settings as values of JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
