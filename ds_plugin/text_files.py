"""Text to make and to measure language models with: files in, sentences of words out, written as they are spoken."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TextIO

from ds_engine.errors import InputError
from ds_engine.lm.counts import MAX_WEIGHT
from ds_engine.text import normalise

MAX_TEXT_CHARACTERS = 2**30  # of all files together; estimating from a million words takes about 200 MB of memory
STANDARD_INPUT = Path("-")


class Sentence(NamedTuple):
    """A line with words."""

    words: list[str]
    weight: float


def read_sentences(paths: Iterable[Path], *, keep_case: bool = False, weighted: bool = False) -> Iterator[Sentence]:
    """The sentences of text files, one per line, with a weight: 1, or what stands before the line's first tab.

    Lines without words are passed over. `-` is standard input. Raises InputError that names the file and, where one is at fault,
    the line.
    """
    left = MAX_TEXT_CHARACTERS
    for path in paths:
        with _opened(path) as file:
            for number, line in enumerate(file, 1):
                left -= len(line)
                if left < 0:
                    raise InputError(f"{path}: more than {MAX_TEXT_CHARACTERS} characters of text")
                weight, text = _parted(line, path, number) if weighted and line.strip() else (1.0, line)
                if words := normalise(text, keep_case=keep_case).split():
                    yield Sentence(words, weight)


def read_tokens(path: Path) -> list[str]:
    """The words of a vocabulary file as they stand, one or several per line. Raises InputError, also where there are none."""
    with _opened(path) as file:
        tokens = file.read(MAX_TEXT_CHARACTERS).split()
    if not tokens:
        raise InputError(f"{path}: no words")
    return tokens


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        if path == STANDARD_INPUT:
            yield sys.stdin
        else:
            with path.open(encoding="utf-8-sig") as file:
                yield file
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file in UTF-8 ({error.reason})") from error


def _parted(line: str, path: Path, number: int) -> tuple[float, str]:
    weight, tab, text = line.partition("\t")
    try:
        value = float(weight) if tab else -1.0
    except ValueError:
        value = -1.0
    if not 0 <= value <= MAX_WEIGHT:  # not: NaN
        raise InputError(f"{path}, line {number}: a weight from 0 to {MAX_WEIGHT:g} and a tab are needed before the text")
    return value, text
