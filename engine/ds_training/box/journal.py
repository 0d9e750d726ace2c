"""What happened when: events of a run in, one JSON object a line out, in a file and on the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path


class Journal:
    """`clock` gives the seconds since the start."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path, self._clock = path, clock
        path.parent.mkdir(parents=True, exist_ok=True)

    def note(self, event: str, **details: object) -> None:
        line = json.dumps({"seconds": round(self._clock(), 1), "event": event, **details}, ensure_ascii=False)
        with self._path.open("a", encoding="utf-8") as file:
            print(line, file=file)
        print(line, flush=True)
