"""What the host's files hold at one time: vocabulary files and grammars in, phrases, pronunciations and problems out.

Only files that have changed since the last time are read again. One that cannot be read leaves what it held before.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from ds_engine.bias import MAX_PHRASES, MAX_PRONUNCIATIONS, Bias, Phrase, Pronunciation
from ds_engine.errors import BiasError, InputError
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.spoken import Reader
from ds_plugin.vocabulary.files import DEFAULT_BOOST, Line, VocabularyFile, read_vocabulary
from ds_plugin.vocabulary.phrases import Phrases, Said
from ds_plugin.vocabulary.problems import unusable
from ds_plugin.vocabulary.stamps import Stamp, stamp_of

MAX_WATCHED_FILES = 2_000  # of one grammar, which may be a folder

T = TypeVar("T")

GrammarLoader = Callable[[Path, Reader], Loaded]


@dataclass(frozen=True, slots=True)
class Sources:
    """The files that the settings name."""

    vocabularies: tuple[Path, ...] = ()
    grammars: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a vocabulary file as it is heard."""

    line: Line
    said: Said

    @property
    def problem(self) -> str:
        """Why the line is of no use, with its place; "" where it is of use."""
        if self.said.text:
            return ""
        if self.line.spoken:
            return f"{self.line.place}: the model's alphabet cannot write how it is said: {self.line.spoken!r}"
        return f"{self.line.place}: {unusable(self.line.text, self.said)}"


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that was read. Immutable."""

    phrases: Phrases
    reader: Reader  # of the grammars: it knows the pronunciations
    stamps: Mapping[Path, Stamp] = field(default_factory=dict)
    files: Mapping[Path, VocabularyFile] = field(default_factory=dict)
    grammars: Mapping[Path, Loaded] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    bias: Bias = field(default_factory=Bias)

    @property
    def problems(self) -> tuple[str, ...]:
        """What cannot be used and why, a line for each; the rest can be used all the same."""
        lines = (entry.problem for entry in self.entries if entry.problem)
        return (*lines, *(problem for loaded in self.grammars.values() for problem in loaded.problems))


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What came of looking at the files again."""

    changed: tuple[Path, ...] = ()  # files that were read again
    failures: tuple[InputError, ...] = ()  # files that could not be, and why


def read_again(before: Contents, sources: Sources, reader: Reader, load: GrammarLoader, *, anew: bool) -> tuple[Contents, Refreshed]:
    """Reads what has changed since `before`, or, if `anew`, everything, which for grammars may take seconds.

    A file that is at fault is among the failures, and leaves what it held before.
    """
    stamps = {path: _stamp(path) for path in (*sources.vocabularies, *sources.grammars)}
    changed = {path for path, stamp in stamps.items() if anew or before.stamps.get(path) != stamp}
    if not changed:
        return before, Refreshed()
    failures: list[InputError] = []
    files = _read(sources.vocabularies, changed, before.files, _sound_vocabulary, failures)
    lines = [line for file in files.values() for line in file.lines]
    knowing = reader.knowing(pronounced(lines))
    if knowing.key != before.reader.key:
        changed.update(sources.grammars)
    grammars = _read(sources.grammars, changed, before.grammars, lambda path: load(path, knowing), failures)
    try:
        after = replace(_heard(lines, reader, grammars), reader=knowing, files=files, grammars=grammars)
    except BiasError as error:
        failures.append(error)
        after = replace(before, reader=knowing, files=files, grammars=grammars)  # for the next time; what is heard stays
    return replace(after, stamps=stamps), Refreshed(tuple(path for path in stamps if path in changed), tuple(failures))


def pronounced(lines: Iterable[Line]) -> list[tuple[str, str]]:
    """The words among lines of which it is told how they are said, and how."""
    return [(line.text, line.spoken) for line in lines if line.spoken]


def understood(lines: Sequence[Line], reader: Reader) -> tuple[Phrases, tuple[Entry, ...]]:
    """How the lines are heard; a pronunciation holds for all of them."""
    phrases = Phrases(reader, pronounced(lines))
    return phrases, tuple(Entry(line, _said(line, phrases)) for line in lines)


def _read(
    paths: Iterable[Path], changed: Container[Path], before: Mapping[Path, T], read: Callable[[Path], T], failures: list[InputError]
) -> dict[Path, T]:
    found = {}
    for path in paths:
        if path in before:
            found[path] = before[path]
        if path in changed:
            try:
                found[path] = read(path)
            except InputError as error:
                failures.append(error)
    return found


def _sound_vocabulary(path: Path) -> VocabularyFile:
    file = read_vocabulary(path)
    if file.faults:
        raise BiasError(file.faults[0] + (f" (and {len(file.faults) - 1} more faults)" if len(file.faults) > 1 else ""))
    return file


def _heard(lines: Sequence[Line], reader: Reader, grammars: Mapping[Path, Loaded]) -> Contents:
    """What is heard. Raises BiasError where that is too much."""
    phrases, entries = understood(lines, reader)
    boosts: dict[str, float] = {}
    for entry in entries:
        if entry.said.text and (entry.line.boost is not None or not entry.line.spoken):
            boost = DEFAULT_BOOST if entry.line.boost is None else entry.line.boost
            boosts[entry.said.text] = max(boost, boosts.get(entry.said.text, boost))
    bias = Bias(
        _few([Phrase(*item) for item in boosts.items()], MAX_PHRASES, "phrases"),
        _few(_pronunciations(phrases, entries), MAX_PRONUNCIATIONS, "words that are said otherwise than they are written"),
        tuple(loaded.grammar for loaded in grammars.values()),
    )
    return Contents(phrases, reader, entries=entries, bias=bias)


def _said(line: Line, phrases: Phrases) -> Said:
    if not line.spoken:
        return phrases.read(line.text)
    said = phrases.pronounced(line.text, line.spoken)
    return Said("") if said is None else Said(said.word, (said,))


def _pronunciations(phrases: Phrases, entries: Iterable[Entry]) -> list[Pronunciation]:
    return list(dict.fromkeys((*phrases.pronunciations, *(said for entry in entries for said in entry.said.pronunciations))))


def _few(values: list[T], most: int, what: str) -> tuple[T, ...]:
    if len(values) > most:
        raise BiasError(f"the vocabulary files hold at most {most} {what} together, got {len(values)}")
    return tuple(values)


def _stamp(path: Path) -> Stamp:
    """What changes when a file changes, or one of the folder or profile that it stands for; empty where it is gone."""
    beside = (path.parent / "intents", path.parent / "slots") if path.suffix.lower() == ".ini" else ()
    found = itertools.chain([path], *(folder.rglob("*") for folder in (path, *beside) if folder.is_dir()))
    return stamp_of(itertools.islice(found, MAX_WATCHED_FILES))
