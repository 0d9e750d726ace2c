"""Checking a vocabulary: files in, a finding for everything that people should know of out.

Everything is looked at, however much is wrong: a fault of one line or file does not hide those of others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ds_engine.errors import InputError
from ds_plugin.spoken import Reader
from ds_plugin.vocabulary.contents import Entry, GrammarLoader, Sources, pronounced, understood
from ds_plugin.vocabulary.files import Line, read_vocabulary
from ds_plugin.vocabulary.phrases import Phrases


@dataclass(frozen=True, slots=True)
class Finding:
    """One line for people, which names the place."""

    text: str
    usable: bool  # False: something of the household's cannot be heard as long as this stands


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in files."""

    phrases: int  # lines of vocabulary files, those with faults left out
    grammars: int  # that can be used
    findings: tuple[Finding, ...]


def check(sources: Sources, reader: Reader, load_grammar: GrammarLoader) -> Checked:
    """Looks at every line and grammar."""
    findings: list[Finding] = []
    lines = [line for path in sources.vocabularies for line in _lines(path, findings)]
    phrases, entries = understood(lines, reader)
    findings += [finding for entry in entries for finding in _of_entry(entry, reader, phrases)]
    knowing = reader.knowing(pronounced(lines))
    loaded = [_loads(path, knowing, load_grammar, findings) for path in sources.grammars]
    return Checked(len(lines), sum(loaded), tuple(findings))


def _lines(path: Path, findings: list[Finding]) -> tuple[Line, ...]:
    try:
        file = read_vocabulary(path)
    except InputError as error:
        findings.append(Finding(str(error), usable=False))
        return ()
    findings += [Finding(fault, usable=False) for fault in file.faults]
    return file.lines


def _loads(path: Path, reader: Reader, load_grammar: GrammarLoader, findings: list[Finding]) -> bool:
    try:
        loaded = load_grammar(path, reader)
    except InputError as error:
        findings.append(Finding(str(error), usable=False))
        return False
    findings += [Finding(problem, usable=False) for problem in loaded.problems]
    return True


def _of_entry(entry: Entry, reader: Reader, phrases: Phrases) -> Iterator[Finding]:
    line = entry.line
    if entry.problem:
        yield Finding(entry.problem, usable=False)
        return
    if line.spoken:
        return
    if entry.said.changes or entry.said.lost:
        how = [*entry.said.changes, *([f"without {entry.said.lost}"] if entry.said.lost else [])]
        yield Finding(f"{line.place}: {line.text!r} is heard as {reader(line.text).spoken!r} ({', '.join(how)})", usable=True)
    for word in line.text.split():
        if (letters := reader.spelled_out(word)) and not phrases.read(word).pronunciations:
            yield Finding(f"{line.place}: {word!r} is perhaps said by its letters; if so, add {word} = {letters}", usable=True)
