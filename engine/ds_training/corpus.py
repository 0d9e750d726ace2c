"""Utterances for training: manifests of recordings and shards in, log mel power with text and speaker out.

An utterance is held as float16 ln(mel power + 1e-9) [frames, bands] at the loudness of its recording: what augmentation works on,
computed once. A manifest is a TSV with a header line and the columns `file` (relative to it), `text` and, if known, `speaker`.
A shard is a NumPy archive of many utterances: `power` [all frames, bands], `frames`, `texts`, `speakers`, `phones` [utterances].
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from ds_engine.features import FloatArray, LogMel
from ds_training.phones import pronounce
from ds_training.text import ENGLISH, Orthography

HalfArray = npt.NDArray[np.float16]
SMALLEST_POWER = 1e-9  # added before the logarithm, so that float16 holds it


class CorpusError(ValueError):
    """A manifest, split or shard that cannot be used: the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """What was said, by whom, its sound as float16 ln(mel power) [frames, bands], and its phones (see phones.py) if known."""

    log_power: HalfArray
    text: str
    speaker: str = ""
    phones: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """One line of a manifest."""

    file: Path
    text: str
    speaker: str = ""


def read_manifest(path: Path, orthography: Orthography = ENGLISH) -> list[Recording]:
    """The lines of a manifest, text made plain. Raises CorpusError, with the line's number, for one that is broken."""
    lines = path.read_text("utf-8").splitlines()
    columns = lines[0].split("\t") if lines else []
    if not {"file", "text"} <= set(columns):
        raise CorpusError(f"{path}: line 1 needs the columns file and text, got {columns}")
    recordings = []
    for number, line in enumerate(lines[1:], 2):
        cells = line.split("\t")
        if len(cells) != len(columns):
            raise CorpusError(f"{path}: line {number} needs {len(columns)} columns, got {len(cells)}")
        row = dict(zip(columns, cells, strict=True))
        try:
            text = orthography.plain(row["text"])
        except ValueError as error:
            raise CorpusError(f"{path}: line {number}: {error}") from error
        if not row["file"] or not text:
            raise CorpusError(f"{path}: line {number} needs a file and a text, got {row['file']!r} and {row['text']!r}")
        recordings.append(Recording(path.parent / row["file"], text, row.get("speaker", "")))
    return recordings


def load(recordings: Sequence[Recording], mel: LogMel) -> Iterator[Utterance]:
    """Read, mix down, resample and turn into log mel power. Raises CorpusError for a file that is not audio."""
    for recording in recordings:
        yield Utterance(log_power(mel, read_samples(recording.file, mel.spec.sample_rate)), recording.text, recording.speaker)


def read_samples(path: Path, sample_rate: int) -> FloatArray:
    """float32 [n] in [-1, 1], the mean of the channels."""
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise CorpusError(f"{path}: cannot be read as audio ({error})") from error
    mono: FloatArray = samples.mean(axis=1)
    return mono if rate == sample_rate else soxr.resample(mono, rate, sample_rate)


def log_power(mel: LogMel, samples: FloatArray) -> HalfArray:
    """float32 [n] -> float16 ln(mel power + 1e-9) [frames, bands]; a tail below one hop, and silence up to one window, is padded."""
    needed = mel.spec.samples_for(max(1, -(-(len(samples) - mel.spec.window) // mel.spec.hop) + 1))
    power = mel.power(np.pad(samples, (0, needed - len(samples))))
    logarithm: FloatArray = np.log(power + np.float32(SMALLEST_POWER))
    return logarithm.astype(np.float16)


def write_shard(path: Path, utterances: Sequence[Utterance]) -> None:
    """Written beside and renamed, so that a reader never sees half a shard."""
    beside = path.with_name(f"partial-{path.name}")
    np.savez(
        beside,
        power=np.concatenate([utterance.log_power for utterance in utterances]),
        frames=np.array([len(utterance.log_power) for utterance in utterances]),
        texts=np.array([utterance.text for utterance in utterances]),
        speakers=np.array([utterance.speaker for utterance in utterances]),
        phones=np.array([utterance.phones for utterance in utterances]),
    )
    beside.rename(path)


def read_shard(path: Path) -> list[Utterance]:
    """All utterances of a shard, as views into one array. Raises CorpusError where it is not a shard."""
    try:
        with np.load(path) as archive:
            power, frames, *columns = (archive[name] for name in ("power", "frames", "texts", "speakers", "phones"))
    except (OSError, ValueError, KeyError) as error:
        raise CorpusError(f"{path}: not a shard ({error})") from error
    pieces = np.split(power, np.cumsum(frames)[:-1])
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Utterance(piece, *row) for piece, row in zip(pieces, rows, strict=True)]


def with_phones(utterances: Sequence[Utterance]) -> list[Utterance]:
    """The same utterances with their phones, from espeak-ng."""
    phones = pronounce([utterance.text for utterance in utterances])
    return [replace(utterance, phones=spoken) for utterance, spoken in zip(utterances, phones, strict=True)]


def hours(utterances: Sequence[Utterance], frames_per_second: int = 100) -> float:
    """The length of all of them together."""
    return sum(len(utterance.log_power) for utterance in utterances) / frames_per_second / 3600
