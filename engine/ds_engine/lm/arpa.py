"""ARPA files: n-gram models as text, read strictly and written.

A head says how many n-grams of each order there are; a section for each order has them, a line each:

    LOG10_PROBABILITY <tab> WORDS <tab> LOG10_BACK_OFF

The back-off weight is left out at the highest order, and may be where it is 0.

What KenLM reads is read: blanks or tabs between the fields, <UNK> for <unk>, comment lines (#) before the first. Files compressed
with gzip are read as they are. Memory grows with the lines that were really there, never with the counts that a file claims.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

import numpy as np

from ds_engine.errors import LanguageModelError
from ds_engine.lm.backoff import (
    MAX_LOG,
    MAX_ORDER,
    ROUNDING,
    SPECIAL,
    UNKNOWN,
    BackoffModel,
    DoubleArray,
    IntArray,
    Ngrams,
    assemble,
)
from ds_engine.lm.lines import Lines, opened

_UNKNOWN_NAMES = (b"<unk>", b"<UNK>")
_COUNT = re.compile(rb"ngram\s+(\d)\s*=\s*(\d{1,18})")
_WRITTEN_ROWS = 50_000  # formatted at a time

_Numbering = Callable[[tuple[bytes, ...]], Iterable[int]]  # words -> indices; raises KeyError or ValueError


def read_arpa(path: Path) -> BackoffModel:
    """The model in an ARPA file. Raises LanguageModelError that names the file and, where one is at fault, the line."""
    with opened(path) as lines:
        counts = _counts(lines)
        words: dict[bytes, int] = {}
        orders = [_section(lines, 1, counts, lambda column: _new(column, words))]
        unknown = next((words[name] for name in _UNKNOWN_NAMES if name in words), len(words))
        known = {**words, **dict.fromkeys(_UNKNOWN_NAMES, unknown)}
        orders += [_section(lines, order, counts, lambda column: map(known.__getitem__, column)) for order in range(2, len(counts) + 1)]
        _end(lines)
    names = [SPECIAL[UNKNOWN] if word in _UNKNOWN_NAMES else word.decode() for word in words]
    try:
        return assemble(names if unknown < len(words) else [*names, SPECIAL[UNKNOWN]], orders)
    except LanguageModelError as error:
        raise LanguageModelError(f"{path.name}: {error}") from error


def write_arpa(model: BackoffModel, path: Path) -> None:
    """Writes a model; nine digits of every value, so that 32-bit floats read back as they were. Raises OSError."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\\data\\\n")
        file.writelines(f"ngram {order}={len(level.ids)}\n" for order, level in enumerate(model.orders, 1))
        for order, level in enumerate(model.orders, 1):
            file.write(f"\n\\{order}-grams:\n")
            for first in range(0, len(level.ids), _WRITTEN_ROWS):
                _write_rows(file, model.words, level, slice(first, first + _WRITTEN_ROWS), highest=order == model.order)
        file.write("\n\\end\\\n")


def _counts(lines: Lines) -> list[int]:
    """The head of the file -> how many n-grams of each order it claims."""
    line = lines.take_filled()
    while line is not None and line.startswith(b"#"):
        line = lines.take_filled()
    if line != b"\\data\\":
        raise lines.fault(r"not an ARPA file: it should begin with \data\ ")
    counts: list[int] = []
    while line := lines.take_one():
        count = _COUNT.fullmatch(line)
        if not count or int(count[1]) != len(counts) + 1:
            raise lines.fault(f"'ngram {len(counts) + 1}=' and a number are needed, or a blank line")
        counts.append(int(count[2]))
    if not 1 <= len(counts) <= MAX_ORDER:
        raise lines.fault(f"{len(counts)} orders of n-grams; 1 to {MAX_ORDER} can be used")
    return counts


def _section(lines: Lines, order: int, counts: list[int], numbering: _Numbering) -> Ngrams:
    r"""One section, from `\N-grams:` to its last n-gram."""
    if lines.take_filled() != b"\\%d-grams:" % order:
        before = f"after the {counts[order - 2]} {order - 1}-grams that the head of the file counts, " if order > 1 else ""
        raise lines.fault(rf"{before}\{order}-grams: is needed")
    blocks = [_parsed([], order, numbering, highest=False)]
    left = counts[order - 1]
    while left:
        block = lines.take(left)
        if not block:
            raise lines.fault(f"the file ends here, {left} {order}-grams early")
        try:
            blocks.append(_parsed(block, order, numbering, highest=order == len(counts)))
        except (KeyError, ValueError):
            _find_fault(lines, block, lambda line: _parsed([line], order, numbering, highest=order == len(counts)))
            raise
        left -= len(block)
    ids, log_probs, back_offs = zip(*blocks, strict=True)
    return Ngrams(np.concatenate(ids), np.concatenate(log_probs), np.concatenate(back_offs))


def _parsed(block: list[bytes], order: int, numbering: _Numbering, *, highest: bool) -> tuple[IntArray, DoubleArray, DoubleArray]:
    """Lines -> ids [count, order], log_probs [count], back_offs [count]. Raises KeyError for a word, ValueError for the rest."""
    rows = [line.split() for line in block]
    for row in rows:
        if len(row) == order + 1:
            row.append(b"0")
    columns = list(zip(*rows, strict=True)) or [()] * (order + 2)
    if len(columns) != order + 2:
        raise ValueError(f"a probability, {order} words and maybe a back-off weight are needed, {len(columns)} fields found")
    log_probs, back_offs = _numbers(columns[0]), _numbers(columns[-1])
    if np.any(log_probs > ROUNDING):
        raise ValueError("a probability above 1")
    if highest and np.any(back_offs):
        raise ValueError("a back-off weight at the highest order")
    ids = np.empty((len(rows), order), np.int32)
    for place, column in enumerate(columns[1:-1]):
        ids[:, place] = np.fromiter(numbering(column), np.int32, len(rows))
    return ids, log_probs, back_offs


def _numbers(column: tuple[bytes, ...]) -> DoubleArray:
    values = np.fromiter(map(float, column), np.float64, len(column))
    if not np.all(np.abs(values) <= MAX_LOG):  # not: any above; NaN is neither
        raise ValueError(f"a value that is no logarithm: not finite, or beyond {MAX_LOG:g}")
    return values


def _new(column: tuple[bytes, ...], words: dict[bytes, int]) -> Iterable[int]:
    """The indices of the unigrams' words, which are new."""
    text = b"\n".join(column)
    text.decode()  # raises UnicodeDecodeError, a ValueError
    if b"\0" in text:
        raise ValueError("a word with NUL in it")
    added = dict(zip(column, itertools.count(len(words)), strict=False))
    if len(added) < len(column) or not added.keys().isdisjoint(words):
        raise ValueError("a word that stands twice")
    words.update(added)
    return added.values()


def _find_fault(lines: Lines, block: list[bytes], parse: Callable[[bytes], object]) -> None:
    """Raises what is wrong with the first line at fault of a block, the one that was taken last."""
    for number, line in enumerate(block, lines.number - len(block) + 1):
        try:
            parse(line)
        except KeyError as error:
            raise lines.fault(f"the word {error.args[0]!r:.80} is not among the unigrams", number) from None
        except ValueError as error:
            ends = line.startswith(b"\\") or not line.strip()
            raise lines.fault("the section ends before its count" if ends else f"{error!s:.120}", number) from None


def _end(lines: Lines) -> None:
    if lines.take_filled() != b"\\end\\":
        raise lines.fault(r"after the last of the n-grams that the head of the file counts, \end\ is needed")
    if lines.take_filled() is not None:
        raise lines.fault(r"text after \end\ ")


def _write_rows(file: IO[str], words: tuple[str, ...], level: Ngrams, rows: slice, *, highest: bool) -> None:
    spelled: Iterator[str] = (" ".join([words[index] for index in ids]) for ids in level.ids[rows].tolist())
    log_probs, back_offs = level.log_probs[rows].tolist(), level.back_offs[rows].tolist()
    if highest:
        file.writelines(f"{log_prob:.9g}\t{text}\n" for log_prob, text in zip(log_probs, spelled, strict=True))
    else:
        parts = zip(log_probs, spelled, back_offs, strict=True)
        file.writelines(f"{log_prob:.9g}\t{text}\t{back_off:.9g}\n" for log_prob, text, back_off in parts)
