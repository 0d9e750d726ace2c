"""What comes back: the work folder of a run in, a few small files out, complete at any moment.

best.pt       the best checkpoint so far, weights alone as float16, at most 16 MiB
log.jsonl     of training: a line for each evaluation
box.jsonl     of everything else: what began, ended and failed, and when
train.txt     the end of what training printed
facts.json    the machine, and how fast it was
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ds_training.box.contents import BoxError

LARGEST = 16 * 2**20  # bytes of a file that comes back
_PRINTED = 200_000  # bytes of output
FILES = ("best.pt", "log.jsonl", "box.jsonl", "training.txt", "facts.json")


def write_best(checkpoint: Path, out: Path) -> int:
    """The weights alone, written beside and renamed; returns their bytes. Raises BoxError where they are too large, CheckpointError."""
    from ds_training.checkpoint import load_network, save_weights  # PyTorch takes seconds to load, and a run begins without it

    beside = out.with_name(f"unchecked-{out.name}")
    save_weights(beside, load_network(checkpoint))
    size = beside.stat().st_size
    if size > LARGEST:
        beside.unlink()
        raise BoxError(f"weights need at most {LARGEST} bytes to come back, got {size}: train a smaller network")
    beside.rename(out)
    return size


def copy_end(log: Path, out: Path) -> None:
    """A log as it is now, or its end where it is long; nothing where there is none yet."""
    if log.exists():
        out.write_bytes(log.read_bytes()[-_PRINTED:])


def write_facts(facts: Mapping[str, Any], out: Path) -> None:
    out.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", "utf-8")


def gather(result: Path, out: Path) -> list[str]:
    """Copy what there is into another folder; returns the names."""
    out.mkdir(parents=True, exist_ok=True)
    found = [name for name in FILES if (result / name).exists()]
    for name in found:
        shutil.copy(result / name, out / name)
    return found


def last_line(log: Path) -> Mapping[str, Any]:
    """The newest evaluation in a log of training, or nothing."""
    lines = log.read_text("utf-8").splitlines() if log.exists() else []
    rows = (json.loads(line) for line in reversed(lines) if line.startswith("{") and line.endswith("}"))
    return next((row for row in rows if "cer" in row), {})
