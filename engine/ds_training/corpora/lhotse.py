"""lhotse's manifests: supervisions and recordings as JSON lines in, the transcribed parts of recordings out.

Whatever lhotse has a recipe for can be read by this (`lhotse prepare CORPUS ...` writes both lists); the package itself is not
needed. A supervision has `recording_id`, `start` and `duration` in seconds, and may have `channel` (a number or a list), `text`,
`speaker`, `gender`, `language` and `custom`; a recording has `id`, `duration` and `sources`, each with `type`, `source` and the
`channels` that are in it (lhotse.supervision.SupervisionSegment, lhotse.audio.Recording and AudioSource).
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ds_training.corpora.manifest import CorpusError, Left, Reason, Recording, lines_of
from ds_training.corpora.parts import chosen, files_of, labels

WHOLE_SECONDS = 1e-3  # by which a supervision of a whole recording may differ from it
DIGITS = 6  # of a second behind the point: what is left of adding floats is cut off

_Recordings = Mapping[str, Mapping[str, Any]]  # by their id


def import_lhotse(source: Path, parts: Sequence[str] = (), audio: Path | None = None) -> Iterator[Recording | Left]:
    """`source` is a list of supervisions, or a folder of them; parts are what their names have beside `supervisions`.

    Relative names of sound start at `audio`, or else where the program runs, as lhotse's do. Raises CorpusError for a list that is
    missing or not JSON lines. Sound that is no plain file (a command, a URL), or is altered on reading, is left out. Of several
    channels, but not all of a file, the first is taken.
    """
    found = {_part(path): path for path in files_of(source, "*supervisions*.jsonl*")}
    for part, path in chosen(parts, found, source, "supervisions as .jsonl or .jsonl.gz").items():
        beside = path.with_name(path.name.replace("supervisions", "recordings"))
        if beside == path or not beside.is_file():
            raise CorpusError(f"{path}: needs a name with supervisions, and the same with recordings beside it")
        recordings = {str(recording.get("id")): recording for _, recording in _objects(beside)}
        for number, supervision in _objects(path):
            yield _row(supervision, recordings, part, audio or Path(), f"{path}: line {number}")


class _Fault(Exception):  # noqa: N818  # not raised to anybody
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def _part(path: Path) -> str:
    """cv_supervisions_en_train.jsonl.gz -> cv_en_train."""
    name = path.name.split(".jsonl")[0]
    return "_".join(piece.strip("_-") for piece in name.split("supervisions") if piece.strip("_-")) or name


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in _unpacked(path) if path.suffix == ".gz" else lines_of(path):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CorpusError(f"{path}: line {number} needs to be JSON ({error})") from error
        if not isinstance(value, dict):
            raise CorpusError(f"{path}: line {number} needs to be a JSON object, got {line[:60]!r}")
        yield number, value


def _unpacked(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            yield from enumerate(file, 1)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: cannot be unpacked to text in UTF-8 ({error})") from error


def _row(supervision: Mapping[str, Any], recordings: _Recordings, part: str, audio: Path, place: str) -> Recording | Left:
    try:
        return _segment(supervision, recordings, part, audio)
    except _Fault as fault:
        return Left(place, fault.reason, fault.detail)
    except (KeyError, TypeError, ValueError, AttributeError) as error:  # a value that is missing or of another kind
        return Left(place, Reason.BROKEN, f"{type(error).__name__}: {error}")


def _segment(supervision: Mapping[str, Any], recordings: _Recordings, part: str, audio: Path) -> Recording:
    recording = recordings.get(str(supervision["recording_id"]))
    if recording is None:
        raise _Fault(Reason.NO_AUDIO, f"no recording {supervision['recording_id']!r}")
    start, seconds = float(supervision["start"]), float(supervision["duration"])
    if not (0 <= start < math.inf and 0 < seconds < math.inf):
        raise _Fault(Reason.BROKEN, f"needs a part that lasts, got {seconds} s from {start} s on")
    text = supervision.get("text") or ""
    if not isinstance(text, str):
        raise _Fault(Reason.BROKEN, f"needs a text, got {text!r:.60}")
    file, channel = _sound(recording, supervision.get("channel", 0))
    whole = start < WHOLE_SECONDS and abs(seconds - float(recording["duration"])) < WHOLE_SECONDS
    return Recording(
        audio / file,
        text,
        str(supervision.get("speaker") or ""),
        0.0 if whole else round(start, DIGITS),
        None if whole else round(start + seconds, DIGITS),
        channel,
        labels(part, {"gender": supervision.get("gender"), "language": supervision.get("language"), **(supervision.get("custom") or {})}),
    )


def _sound(recording: Mapping[str, Any], channel: Any) -> tuple[str, int | None]:
    """The file that has the channel (or the first of a list), and which of the file's that is; None where all are meant."""
    if recording.get("transforms"):
        raise _Fault(Reason.NO_AUDIO, "altered on reading")
    asked = channel if isinstance(channel, list) else [channel]
    for source in recording["sources"]:
        if held := [index for index, each in enumerate(source["channels"]) if each in asked]:
            if source["type"] != "file":
                raise _Fault(Reason.NO_AUDIO, f"needs a file, got sound of the type {source['type']}")
            return str(source["source"]), None if len(held) == len(source["channels"]) else held[0]
    raise _Fault(Reason.NO_AUDIO, f"no channel {channel}")
