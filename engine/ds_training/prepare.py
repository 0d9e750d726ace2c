"""Recordings for training: manifests in, shards out (see corpus.py), so that training starts at once.

    python -m ds_training.prepare MANIFEST.tsv... OUT.npz [--split SPLIT.tsv --part train] [--alphabet alphabet.txt] [--no-phones]
        [--unwritable skip] [--unreadable skip] [--shortest 0.2] [--longest 36] [--size 2000] [--jobs 4]

All goes into one shard, or with --size into OUT-0.npz, OUT-1.npz, ..., each of so many lines of the manifests; run again, it makes
those that are missing. What is left out is counted by reason and listed in OUT.left.tsv. Some values depend in their last bit on the
threads of the matrix library (OMP_NUM_THREADS); with several --jobs it has one.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import multiprocessing
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache, partial
from itertools import chain, islice
from pathlib import Path

from ds_engine.features import LogMel, LogMelSpec
from ds_training.corpora.characters import alphabet_from_file
from ds_training.corpora.manifest import CorpusError, Left, Reason, Recording, skips, usable
from ds_training.corpora.writing import Account, LeftOut
from ds_training.corpus import (
    ShardIndex,
    Utterance,
    log_power,
    read_index,
    samples_of,
    seconds_of,
    steps_needed,
    with_phones,
    write_shard,
)
from ds_training.splits import PARTS, of_part, read_split
from ds_training.text import SYMBOLS, Orthography

SHORTEST_SECONDS = 0.2
LONGEST_SECONDS = 36.0  # LibriSpeech's longest utterance has 35 s
STEP_FRAMES = 4  # of 10 ms: a step of our networks
CHUNK = 8  # recordings that a process is handed at a time
_THREADS = "OMP_NUM_THREADS"  # read by NumPy's OpenBLAS when it is loaded

Hear = Callable[[Iterable[Recording]], Iterable[Utterance | Left]]


@dataclass(frozen=True, slots=True)
class PrepareSettings:
    """What becomes an utterance, and how. Raises CorpusError where the settings contradict themselves."""

    symbols: tuple[str, ...] = SYMBOLS
    unwritable: str = "error"  # or "skip": lines without a text of these symbols
    unreadable: str = "error"  # or "skip": files that are no sound
    shortest: float = SHORTEST_SECONDS
    longest: float = LONGEST_SECONDS
    phones: bool = True  # of American English, by espeak-ng
    size: int = 0  # lines of the manifests for each shard; 0: one shard of everything
    jobs: int = 1  # processes

    def __post_init__(self) -> None:
        for policy in (self.unwritable, self.unreadable):
            skips(policy)
        if not 0 <= self.shortest <= self.longest:
            raise CorpusError(f"utterances need 0 <= shortest <= longest, got {self.shortest} and {self.longest} s")
        if self.size < 0 or self.jobs < 1:
            raise CorpusError(f"shards need a size from 0 and jobs from 1 on, got {self.size} and {self.jobs}")
        if self.phones and self.symbols != SYMBOLS:
            raise CorpusError("phones are known for English alone: this alphabet needs phones to be off")


@dataclass(frozen=True, slots=True)
class Prepared:
    """The shards, old ones included, what they hold together, and what was left out."""

    shards: tuple[Path, ...]
    utterances: int
    speakers: int
    hours: float
    left: LeftOut


def prepare(
    manifests: Sequence[Path], out: Path, settings: PrepareSettings | None = None, split: Path | None = None, part: str = "train"
) -> Prepared:
    """Make the shards of the recordings, or of those of one part of a split. A line is printed for each shard that is made.

    Raises CorpusError for what cannot be used; manifests are looked through before any sound is read.
    """
    settings = settings or PrepareSettings()
    if out.suffix != ".npz":
        raise CorpusError(f"{out}: a shard needs a name that ends in .npz")
    if settings.phones and not shutil.which("espeak-ng"):
        raise CorpusError("phones need the program espeak-ng: install it, or turn phones off")
    lines = partial(_lines, manifests, settings, read_split(split) if split else None, part)
    lost = [line for line in lines() if isinstance(line, Left)]
    out.parent.mkdir(parents=True, exist_ok=True)
    if settings.size:
        _claim(out, _fingerprint(manifests, settings, split, part))
    with _processes(settings) as hear:
        return _report(out, lost, _shards(out, (line for line in lines() if isinstance(line, Recording)), settings, hear))


def _lines(manifests: Sequence[Path], settings: PrepareSettings, split: Mapping[str, str] | None, part: str) -> Iterator[Recording | Left]:
    orthography = Orthography(settings.symbols)
    wanted = None if split is None else lambda recording: bool(of_part([recording], split, part))
    return chain.from_iterable(usable(path, orthography, settings.unwritable, wanted) for path in manifests)


def _shards(out: Path, recordings: Iterator[Recording], settings: PrepareSettings, hear: Hear) -> Iterator[tuple[Path, ShardIndex]]:
    for index, chunk in enumerate(iter(lambda: list(islice(recordings, settings.size or None)), [])):
        path = out.with_name(f"{out.stem}-{index}.npz") if settings.size else out
        made = settings.size and path.exists()  # by a run that was stopped
        yield path, read_index(path) if made else _shard(path, chunk, settings, hear)


def _shard(path: Path, recordings: Sequence[Recording], settings: PrepareSettings, hear: Hear) -> ShardIndex:
    """Make one shard; none where nothing is fit for it."""
    utterances, left = list[Utterance](), list[Left]()
    for heard in hear(recordings):
        if isinstance(heard, Utterance):
            utterances.append(heard)
        elif heard.reason == Reason.UNREADABLE and not skips(settings.unreadable):
            raise CorpusError(heard.detail)
        else:
            left.append(heard)
    if utterances:
        write_shard(path, with_phones(utterances) if settings.phones else utterances, left)
        print(f"{path}: {len(utterances)} utterances of {len({utterance.speaker for utterance in utterances})} speakers", flush=True)
    return ShardIndex(
        tuple(len(utterance.log_power) for utterance in utterances), tuple(utterance.speaker for utterance in utterances), tuple(left)
    )


@contextlib.contextmanager
def _processes(settings: PrepareSettings) -> Iterator[Hear]:
    listen = partial(_listen, settings.shortest, settings.longest)
    if settings.jobs == 1:
        yield partial(map, listen)
        return
    with _single_threaded(), ProcessPoolExecutor(settings.jobs, multiprocessing.get_context("spawn")) as pool:
        try:
            yield partial(pool.map, listen, chunksize=CHUNK)
        finally:
            pool.shutdown(cancel_futures=True)  # after a fault nobody wants the rest


@contextlib.contextmanager
def _single_threaded() -> Iterator[None]:
    """Processes that are begun meanwhile multiply matrices with one thread each: more would be in each other's way."""
    before = os.environ.get(_THREADS)
    os.environ[_THREADS] = "1"
    try:
        yield
    finally:
        os.environ.pop(_THREADS)
        os.environ.update({_THREADS: before} if before is not None else {})


def _listen(shortest: float, longest: float, recording: Recording) -> Utterance | Left:
    """What a process does with a recording; a long one is not even read."""
    place = f"{recording.file}" + (f" from {recording.start:g} s on" if recording.start else "")
    try:
        seconds = seconds_of(recording)
        if not shortest <= seconds <= longest:
            return Left(place, Reason.TOO_SHORT if seconds < shortest else Reason.TOO_LONG, f"{seconds:.2f} s")
        samples = samples_of(recording, _mel().spec.sample_rate)
    except CorpusError as error:
        return Left(place, Reason.UNREADABLE, str(error))
    power = log_power(_mel(), samples)
    steps = steps_needed(recording.text)
    if steps * STEP_FRAMES > len(power):
        return Left(place, Reason.TOO_DENSE, f"{steps} steps in {seconds:.2f} s")
    return Utterance(power, recording.text, recording.speaker, labels=recording.labels)


@cache
def _mel() -> LogMel:
    return LogMel(LogMelSpec())


def _fingerprint(manifests: Sequence[Path], settings: PrepareSettings, split: Path | None, part: str) -> str:
    """What shards depend on, beside the sound itself."""
    digests = [[path.name, hashlib.sha256(path.read_bytes()).hexdigest()] for path in (*manifests, *filter(None, [split]))]
    shaping = {name: value for name, value in asdict(settings).items() if name not in {"unwritable", "unreadable", "jobs"}}
    return json.dumps({"files": digests, "part": part if split else None, **shaping}, ensure_ascii=False) + "\n"


def _claim(out: Path, fingerprint: str) -> None:
    """Makes sure that shards of this name, where there are some, are from the same manifests and settings."""
    path = out.with_name(f"{out.stem}.settings.json")
    same = path.exists() and path.read_text("utf-8") == fingerprint
    numbered = re.compile(re.escape(out.stem) + r"-\d+\.npz")
    if not same and any(numbered.fullmatch(other.name) for other in out.parent.iterdir()):
        raise CorpusError(f"{path}: the shards beside it are of other manifests or settings; delete them, or choose another name")
    path.write_text(fingerprint, "utf-8")


def _report(out: Path, lost: Sequence[Left], shards: Iterable[tuple[Path, ShardIndex]]) -> Prepared:
    left, paths, speakers, utterances, frames = list(lost), list[Path](), set[str](), 0, 0
    for path, index in shards:
        left += index.left
        if index.frames:
            paths.append(path)
        speakers.update(index.speakers)
        utterances, frames = utterances + len(index.frames), frames + sum(index.frames)
    account = Account()
    for each in left:
        account.add(each)
    _list(out.with_name(f"{out.stem}.left.tsv"), left)
    if not paths:
        raise CorpusError("\n".join((f"{out}: shards need utterances, got none", *account.result().told())))
    spec = _mel().spec
    return Prepared(tuple(paths), utterances, len(speakers), frames * spec.hop / spec.sample_rate / 3600, account.result())


def _list(path: Path, left: Sequence[Left]) -> None:
    """All that was left out, for whoever wants to look; no file where nothing was."""
    rows = ("\t".join(" ".join(cell.split()) for cell in (each.place, each.reason, each.detail)) for each in left)
    if left:
        path.write_text("".join(f"{row}\n" for row in ("place\treason\tdetail", *rows)), "utf-8", "replace")
    else:
        path.unlink(missing_ok=True)


def main() -> None:
    default = PrepareSettings()
    parser = argparse.ArgumentParser(description="Recordings into shards.")
    parser.add_argument("manifests", type=Path, nargs="+", metavar="MANIFEST")
    parser.add_argument("out", type=Path)
    parser.add_argument("--split", type=Path, help="TSV of speakers and parts")
    parser.add_argument("--part", choices=PARTS, default="train")
    parser.add_argument("--alphabet", type=Path, help="alphabet.txt of another language, without the blank; no phones then")
    parser.add_argument("--no-phones", action="store_true", help="leave espeak-ng's phones away")
    parser.add_argument("--unwritable", choices=("error", "skip"), default="error", help="lines that the alphabet cannot write")
    parser.add_argument("--unreadable", choices=("error", "skip"), default="error", help="files that are no sound")
    parser.add_argument("--shortest", type=float, default=default.shortest, help="seconds; what is shorter is left out")
    parser.add_argument("--longest", type=float, default=default.longest, help="seconds; what is longer is left out")
    parser.add_argument("--size", type=int, default=default.size, help="lines of the manifests for each shard; 0: one shard")
    parser.add_argument("--jobs", type=int, default=default.jobs, help="processes")
    options = parser.parse_args()
    settings = PrepareSettings(
        symbols=alphabet_from_file(options.alphabet) if options.alphabet else SYMBOLS,
        unwritable=options.unwritable,
        unreadable=options.unreadable,
        shortest=options.shortest,
        longest=options.longest,
        phones=not options.no_phones and not options.alphabet,
        size=options.size,
        jobs=options.jobs,
    )
    prepared = prepare(options.manifests, options.out, settings, options.split, options.part)
    print(*prepared.left.told(), sep="\n", end="\n" if prepared.left.counts else "")
    if options.size:
        print(f"{len(prepared.shards)} shards: {prepared.utterances} utterances of {prepared.speakers} speakers, {prepared.hours:.2f} h")


if __name__ == "__main__":
    main()
