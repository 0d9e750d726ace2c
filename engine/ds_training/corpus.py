"""Utterances for training: recordings and shards in, log mel power with text and speaker out.

An utterance is held as float16 ln(mel power + 1e-9) [frames, bands] at the loudness of its recording: what augmentation works on,
computed once. Recordings come from a manifest (see corpora/manifest.py for its form). A shard is a NumPy archive of many utterances:
`power` [all frames, bands], `frames`, `texts`, `speakers`, `phones` [utterances], and where there are any, `labels` [utterances]
and what was `left` out on the way [any number], both as JSON.
"""

from __future__ import annotations

import contextlib
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from ds_engine.features import FloatArray, LogMel
from ds_training.corpora.manifest import CorpusError, Left, Reason, Recording, read_manifest
from ds_training.phones import pronounce

__all__ = [
    "SMALLEST_POWER",
    "CorpusError",
    "HalfArray",
    "Left",
    "Reason",
    "Recording",
    "ShardIndex",
    "Utterance",
    "hours",
    "load",
    "log_power",
    "read_index",
    "read_manifest",
    "read_samples",
    "read_shard",
    "samples_of",
    "seconds_of",
    "steps_needed",
    "with_phones",
    "write_shard",
]

HalfArray = npt.NDArray[np.float16]
SMALLEST_POWER = 1e-9  # added before the logarithm, so that float16 holds it
SLACK_SECONDS = 0.1  # by which a header, or the end of a part, may promise more than a file holds
LOUDEST = 16.0  # of a sample, where full scale is 1: what is louder was scaled by mistake


@dataclass(frozen=True, slots=True)
class Utterance:
    """What was said, by whom, its sound as float16 ln(mel power) [frames, bands], its phones (see phones.py) and labels if known."""

    log_power: HalfArray
    text: str
    speaker: str = ""
    phones: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


def load(recordings: Iterable[Recording], mel: LogMel) -> Iterator[Utterance]:
    """Read, mix down, resample and turn into log mel power. Raises CorpusError for a file that is not audio."""
    for recording in recordings:
        power = log_power(mel, samples_of(recording, mel.spec.sample_rate))
        yield Utterance(power, recording.text, recording.speaker, labels=recording.labels)


def samples_of(recording: Recording, sample_rate: int) -> FloatArray:
    """The samples of a recording, or of its part; see `read_samples`."""
    return read_samples(recording.file, sample_rate, recording.start, recording.end, recording.channel)


def seconds_of(recording: Recording) -> float:
    """The length of a recording, or of its part, by the header of the file. Raises CorpusError like `read_samples`."""
    with _audio(recording.file) as file:
        _, count = _frames(file, recording.start, recording.end)
        return float(count / file.samplerate)


def read_samples(path: Path, sample_rate: int, start: float = 0.0, end: float | None = None, channel: int | None = None) -> FloatArray:
    """float32 [n] in [-1, 1], from `start` to `end` seconds, of one channel (from 0 on) or the mean of all.

    Raises CorpusError for a file that is not audio, is shorter than it says, lacks the part or channel, or is far beyond full scale.
    """
    with _audio(path) as file:
        rate, (first, count) = file.samplerate, _frames(file, start, end)
        if channel is not None and channel >= file.channels:
            raise CorpusError(f"{path}: needs channel {channel}, counted from 0, got {file.channels} in all")
        if first:
            file.seek(first)
        samples = file.read(count, dtype="float32", always_2d=True)
    if len(samples) < count - SLACK_SECONDS * rate:
        raise CorpusError(f"{path}: cut off, needs {count / rate:.2f} s of audio, got {len(samples) / rate:.2f} s")
    mono: FloatArray = samples.mean(axis=1) if channel is None else samples[:, channel]
    peak = float(np.abs(mono).max(initial=0.0))
    if not peak <= LOUDEST:
        raise CorpusError(f"{path}: needs samples around [-1, 1], got up to {peak:g}")
    return mono if rate == sample_rate else soxr.resample(mono, rate, sample_rate)


@contextlib.contextmanager
def _audio(path: Path) -> Iterator[soundfile.SoundFile]:
    try:
        with soundfile.SoundFile(path) as file:
            yield file
    except (soundfile.SoundFileError, OSError, TypeError, UnicodeEncodeError) as error:  # TypeError: a name that ends in .raw
        raise CorpusError(f"{path}: cannot be read as audio ({error})") from error


def _frames(file: soundfile.SoundFile, start: float, end: float | None) -> tuple[int, int]:
    """The first frame of a part and how many it has, as far as the file goes."""
    seconds = file.frames / file.samplerate
    if (start and start >= seconds) or (end is not None and end > seconds + SLACK_SECONDS):
        raise CorpusError(f"{file.name}: needs {start:g} to {'the end' if end is None else f'{end:g}'} s, got a file of {seconds:.2f} s")
    first = round(start * file.samplerate)
    return first, (file.frames if end is None else min(file.frames, round(end * file.samplerate))) - first


def log_power(mel: LogMel, samples: FloatArray) -> HalfArray:
    """float32 [n] -> float16 ln(mel power + 1e-9) [frames, bands]; a tail below one hop, and silence up to one window, is padded."""
    needed = mel.spec.samples_for(max(1, -(-(len(samples) - mel.spec.window) // mel.spec.hop) + 1))
    power = mel.power(np.pad(samples, (0, needed - len(samples))))
    logarithm: FloatArray = np.log(power + np.float32(SMALLEST_POWER))
    return logarithm.astype(np.float16)


def steps_needed(text: str) -> int:
    """The fewest steps in which CTC can write a text: one for each symbol, and a blank between equal ones."""
    return len(text) + sum(one == other for one, other in pairwise(text))


def write_shard(path: Path, utterances: Sequence[Utterance], left: Sequence[Left] = ()) -> None:
    """Written beside and renamed, so that a reader never sees half a shard. Raises CorpusError where there is no utterance."""
    if not utterances:
        raise CorpusError(f"{path}: a shard needs utterances, got none")
    arrays: dict[str, Any] = {
        "power": np.concatenate([utterance.log_power for utterance in utterances]),
        "frames": np.array([len(utterance.log_power) for utterance in utterances]),
        "texts": np.array([utterance.text for utterance in utterances]),
        "speakers": np.array([utterance.speaker for utterance in utterances]),
        "phones": np.array([utterance.phones for utterance in utterances]),
    }
    if any(utterance.labels for utterance in utterances):
        arrays["labels"] = np.array([json.dumps(dict(utterance.labels), ensure_ascii=False) for utterance in utterances])
    if left:
        arrays["left"] = np.array([json.dumps([line.place, line.reason, line.detail], ensure_ascii=False) for line in left])
    beside = path.with_name(f"partial-{path.name}")
    np.savez(beside, **arrays)
    beside.rename(path)


def read_shard(path: Path) -> list[Utterance]:
    """All utterances of a shard, as views into one array. Raises CorpusError where it is not a shard."""
    with _archive(path) as archive:
        power, frames, *columns = (archive[name] for name in ("power", "frames", "texts", "speakers", "phones"))
        labels = [json.loads(line) for line in archive["labels"].tolist()] if "labels" in archive else [{} for _ in frames]
        if frames.sum() != len(power):
            raise ValueError(f"{frames.sum()} frames in {len(power)} rows")
        rows = zip(*(column.tolist() for column in columns), labels, strict=True)
        return [Utterance(piece, *row) for piece, row in zip(np.split(power, np.cumsum(frames)[:-1]), rows, strict=True)]


@dataclass(frozen=True, slots=True)
class ShardIndex:
    """What is in a shard, without the sound: the frames and speaker of each utterance, and what was left out."""

    frames: tuple[int, ...]
    speakers: tuple[str, ...]
    left: tuple[Left, ...] = ()


def read_index(path: Path) -> ShardIndex:
    """A fast look into a shard. Raises CorpusError where it is not one."""
    with _archive(path) as archive:
        rows = [json.loads(line) for line in archive["left"].tolist()] if "left" in archive else []
        left = tuple(Left(place, Reason(reason), detail) for place, reason, detail in rows)
        return ShardIndex(tuple(archive["frames"].tolist()), tuple(archive["speakers"].tolist()), left)


@contextlib.contextmanager
def _archive(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        with path.open("rb") as file, np.load(file) as archive:
            yield archive
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:  # TypeError: an .npy file
        raise CorpusError(f"{path}: not a shard ({error})") from error


def with_phones(utterances: Sequence[Utterance]) -> list[Utterance]:
    """The same utterances with their phones, from espeak-ng."""
    phones = pronounce([utterance.text for utterance in utterances])
    return [replace(utterance, phones=spoken) for utterance, spoken in zip(utterances, phones, strict=True)]


def hours(utterances: Sequence[Utterance], frames_per_second: int = 100) -> float:
    """The length of all of them together."""
    return sum(len(utterance.log_power) for utterance in utterances) / frames_per_second / 3600
