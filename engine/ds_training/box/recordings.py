"""Recordings small enough to travel: a manifest and a split of its speakers in, Opus files with a manifest of their own out.

Nobody of a test set travels: that part of a split is refused, and so is a speaker whom the split does not name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from ds_engine.features import FloatArray, LogMel, LogMelSpec
from ds_training.box.contents import BoxError
from ds_training.corpus import Recording, log_power, read_manifest, samples_of
from ds_training.splits import of_part, read_split, speaker_of, write_split

MANIFEST, SPLIT = "manifest.tsv", "split.tsv"
TRAVELS = ("train", "development", "calibration")  # parts of a split
KILOBITS = (6, 256)  # of Opus in libsndfile, per second: compression levels 1 and 0
CHECKED_EVERY = 20  # recordings: each n-th is compared with its Opus form
LOUD = 9.0  # ln of power below the loudest cell within which a difference counts: 39 dB


@dataclass(frozen=True, slots=True)
class Carried:
    """What travels, and how far ln(mel power) moved: the mean over cells where there is sound, in every 20th recording."""

    recordings: int
    speakers: int
    hours: float
    difference: float


def carry(manifest: Path, split: Path, parts: Sequence[str], out: Path, kilobits: float = 12) -> Carried:
    """The recordings of these parts, `out/PART/00001.ogg` and so on, with `manifest.tsv` and `split.tsv` of them alone.

    Raises CorpusError for a recording that is broken or a speaker whom the split lacks, BoxError for a part that may not travel, one
    without recordings, or a rate that Opus has not.
    """
    if not set(parts) <= set(TRAVELS):
        raise BoxError(f"parts that travel are {', '.join(TRAVELS)}; got {', '.join(parts)}")
    if not KILOBITS[0] <= kilobits <= KILOBITS[1]:
        raise BoxError(f"recordings need {KILOBITS[0]} to {KILOBITS[1]} kbit/s, got {kilobits:g}")
    speakers, recordings = read_split(split), read_manifest(manifest)
    mel, rows, seconds, moved = LogMel(LogMelSpec()), ["file\tspeaker\ttext"], 0.0, []
    for part in parts:
        chosen = of_part(recordings, speakers, part)
        if not chosen:
            raise BoxError(f"{manifest}: needs a recording for {part}, got none")
        for number, recording in enumerate(chosen, 1):
            path = out / part / f"{number:05}.ogg"
            samples = _write(recording, path, mel.spec.sample_rate, kilobits)
            seconds += len(samples) / mel.spec.sample_rate
            if number % CHECKED_EVERY == 1:
                moved.append(difference(samples, path, mel))
            rows.append(f"{part}/{path.name}\t{speaker_of(recording)}\t{recording.text}")
    (out / MANIFEST).write_text("\n".join(rows) + "\n", "utf-8")
    heard = {row.split("\t")[1] for row in rows[1:]}
    write_split(out / SPLIT, {speaker: part for speaker, part in speakers.items() if speaker in heard})
    return Carried(len(rows) - 1, len(heard), seconds / 3600, float(np.mean(moved)))


def _write(recording: Recording, path: Path, sample_rate: int, kilobits: float) -> FloatArray:
    samples = samples_of(recording, sample_rate)
    path.parent.mkdir(parents=True, exist_ok=True)
    least, most = KILOBITS
    soundfile.write(path, samples, sample_rate, "OPUS", format="OGG", compression_level=(most - kilobits) / (most - least))
    return samples


def difference(samples: FloatArray, path: Path, mel: LogMel) -> float:
    """How far the sound in a file is from the samples: the mean difference of ln(mel power), where it is within LOUD of the loudest."""
    before, after = (
        log_power(mel, each).astype(np.float32) for each in (samples, samples_of(Recording(path, ""), mel.spec.sample_rate)[: len(samples)])
    )
    if before.shape != after.shape:
        raise BoxError(f"{path}: needs {len(before)} frames after coding, got {len(after)}")
    loud = before > before.max() - LOUD
    return float(np.abs(before - after)[loud].mean())
