"""Who is heard in training, in development, in calibration and in the test: speakers in, disjoint lists out.

A split is a TSV with a header line and the columns `speaker` and `part`; it is committed, so that no later run moves a speaker.

    python -m ds_training.splits MANIFEST.tsv... OUT.tsv --seed 1 --train 95 --development 15 --calibration 15 [--test 0] [--by gender]

Sizes are numbers of speakers, or fractions of them (0.8 0.1 0.1, with a point). A recording without a speaker counts as somebody of
its own, by the name of its file: nobody can know then who is heard in two parts.
"""

from __future__ import annotations

import argparse
import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ds_training.corpora.manifest import CorpusError, Recording, lines_of, numbered

PARTS = ("train", "development", "calibration", "test")
_NAMED = 10  # speakers in a message


def split_speakers(speakers: Sequence[str], sizes: Mapping[str, int], seed: int, strata: Mapping[str, str] | None = None) -> dict[str, str]:
    """Speaker -> part, by seed alone: the order of `speakers` changes nothing. Raises CorpusError where sizes and speakers differ.

    With strata (speaker -> gender, say) every part has about the share of each that all speakers have.
    """
    names = sorted(set(speakers))
    if sum(sizes.values()) != len(names) or not all(part in PARTS and size >= 0 for part, size in sizes.items()):
        raise CorpusError(f"a split needs sizes that add up to the speakers, got {dict(sizes)} for {len(names)} speakers")
    random.Random(seed).shuffle(names)  # noqa: S311  # a draw that anybody can repeat
    parts = [part for part in PARTS for _ in range(sizes.get(part, 0))]
    return dict(sorted(zip(_interleaved(names, strata or {}), parts, strict=True)))


def _interleaved(names: Sequence[str], strata: Mapping[str, str]) -> list[str]:
    """The names in an order of which every stretch has its share of each stratum; within a stratum the order stays."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(strata.get(name, ""), []).append(name)
    placed = [((index + 0.5) / len(group), name) for group in groups.values() for index, name in enumerate(group)]
    return [name for _, name in sorted(placed, key=lambda pair: pair[0])]


def counts_of(fractions: Mapping[str, float], total: int) -> dict[str, int]:
    """Fractions of all speakers -> numbers of them that add up. Raises CorpusError where one is lost or they are not of a whole."""
    if not math.isclose(sum(fractions.values()), 1, abs_tol=1e-6) or not all(share >= 0 for share in fractions.values()):
        raise CorpusError(f"a split needs fractions that add up to 1, got {dict(fractions)}")
    counts = {part: math.floor(share * total + 1e-6) for part, share in fractions.items()}
    behind = sorted(fractions, key=lambda part: counts[part] - fractions[part] * total)
    for part in behind[: total - sum(counts.values())]:
        counts[part] += 1
    if empty := [part for part in fractions if fractions[part] and not counts[part]]:
        raise CorpusError(f"a split needs speakers for every part, got {total}, none for {', '.join(empty)}")
    return counts


def speaker_of(recording: Recording) -> str:
    """Who speaks; where that is not known, the name of the file, so that only files of one name are sure to stay together."""
    return recording.speaker or recording.file.name


def strata_of(recordings: Iterable[Recording], label: str) -> dict[str, str]:
    """Speaker -> what the label says most often. Raises CorpusError where it says nothing at all."""
    said: dict[str, Counter[str]] = {}
    for recording in recordings:
        if value := recording.labels.get(label):
            said.setdefault(speaker_of(recording), Counter())[value] += 1
    if not said:
        raise CorpusError(f"strata need the label {label}, got no recording that has it")
    return {speaker: max(sorted(values), key=values.__getitem__) for speaker, values in said.items()}


def write_split(path: Path, split: Mapping[str, str]) -> None:
    path.write_text("speaker\tpart\n" + "".join(f"{speaker}\t{part}\n" for speaker, part in split.items()), "utf-8")


def read_split(path: Path) -> dict[str, str]:
    """Speaker -> part. Raises CorpusError, with the line's number, for a line that is broken or a speaker named twice."""
    split: dict[str, str] = {}
    for number, line in lines_of(path):
        speaker, _, part = line.partition("\t")
        if number == 1:
            continue
        if part not in PARTS or speaker in split:
            raise CorpusError(f"{path}: line {number} needs a new speaker and one of {', '.join(PARTS)}, got {line!r}")
        split[speaker] = part
    return split


def of_part(recordings: Iterable[Recording], split: Mapping[str, str], part: str) -> list[Recording]:
    """The recordings of the speakers of one part. Raises CorpusError for a speaker whom the split does not know."""
    listed = list(recordings)
    unknown = sorted({speaker_of(recording) for recording in listed} - split.keys())
    if unknown:
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        raise CorpusError(f"the split lacks the speakers {', '.join(unknown[:_NAMED])}{more}")
    return [recording for recording in listed if split[speaker_of(recording)] == part]


def _size(text: str) -> float:
    return float(text) if "." in text else int(text)


def main() -> None:
    parser = argparse.ArgumentParser(description="Split the speakers of manifests.")
    parser.add_argument("manifests", type=Path, nargs="+", metavar="MANIFEST")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--by", metavar="LABEL", help="give every part the same shares of this label's values")
    for part in PARTS:
        parser.add_argument(f"--{part}", type=_size, default=0, help="number of speakers, or a fraction with a point")
    options = parser.parse_args()
    sizes = {part: getattr(options, part) for part in PARTS if getattr(options, part)}
    if len({type(size) for size in sizes.values()}) > 1:
        parser.error("sizes are either all numbers or all fractions")
    speakers = sorted({speaker_of(recording) for recording in _all(options.manifests)})
    counts = counts_of(sizes, len(speakers)) if any(isinstance(size, float) for size in sizes.values()) else sizes
    strata = strata_of(_all(options.manifests), options.by) if options.by else None
    split = split_speakers(speakers, counts, options.seed, strata)
    write_split(options.out, split)
    heard = Counter(split[speaker_of(recording)] for recording in _all(options.manifests))
    print(*(f"{part}: {counts[part]} speakers, {heard[part]} recordings" for part in PARTS if part in counts), sep="\n")


def _all(manifests: Sequence[Path]) -> Iterator[Recording]:
    return (recording for path in manifests for _, recording in numbered(path))


if __name__ == "__main__":
    main()
