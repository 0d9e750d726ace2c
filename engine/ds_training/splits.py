"""Who is heard in training, in development and in calibration: speakers in, three disjoint lists out.

A split is a TSV with a header line and the columns `speaker` and `part`; it is committed, so that no later run moves a speaker.

    python -m ds_training.splits MANIFEST.tsv OUT.tsv --seed 1 --train 95 --development 15 --calibration 15
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from ds_training.corpus import CorpusError, Recording, read_manifest

PARTS = ("train", "development", "calibration")


def split_speakers(speakers: Sequence[str], sizes: Mapping[str, int], seed: int) -> dict[str, str]:
    """Speaker -> part, by seed alone: the order of `speakers` changes nothing. Raises CorpusError where sizes and speakers differ."""
    names = sorted(set(speakers))
    if sum(sizes.values()) != len(names):
        raise CorpusError(f"a split needs sizes that add up to the speakers, got {dict(sizes)} for {len(names)} speakers")
    random.Random(seed).shuffle(names)  # noqa: S311  # a draw that anybody can repeat
    parts = [part for part in PARTS for _ in range(sizes[part])]
    return dict(sorted(zip(names, parts, strict=True)))


def write_split(path: Path, split: Mapping[str, str]) -> None:
    path.write_text("speaker\tpart\n" + "".join(f"{speaker}\t{part}\n" for speaker, part in split.items()), "utf-8")


def read_split(path: Path) -> dict[str, str]:
    """Speaker -> part. Raises CorpusError, with the line's number, for a line that is broken or a speaker named twice."""
    split: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines()[1:], 2):
        speaker, _, part = line.partition("\t")
        if part not in PARTS or speaker in split:
            raise CorpusError(f"{path}: line {number} needs a new speaker and one of {', '.join(PARTS)}, got {line!r}")
        split[speaker] = part
    return split


def of_part(recordings: Sequence[Recording], split: Mapping[str, str], part: str) -> list[Recording]:
    """The recordings of the speakers of one part. Raises CorpusError for a speaker whom the split does not know."""
    unknown = {recording.speaker for recording in recordings} - split.keys()
    if unknown:
        raise CorpusError(f"the split lacks the speakers {', '.join(sorted(unknown))}")
    return [recording for recording in recordings if split[recording.speaker] == part]


def main() -> None:
    parser = argparse.ArgumentParser(description="Split the speakers of a manifest.")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    for part in PARTS:
        parser.add_argument(f"--{part}", type=int, required=True, help="number of speakers")
    options = parser.parse_args()
    sizes = {part: getattr(options, part) for part in PARTS}
    write_split(options.out, split_speakers([recording.speaker for recording in read_manifest(options.manifest)], sizes, options.seed))


if __name__ == "__main__":
    main()
