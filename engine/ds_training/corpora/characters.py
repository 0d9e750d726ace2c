"""What texts are written with: manifests in, their characters with counts, or an alphabet for them, out.

An alphabet is a network's symbols by column, the blank first. From manifests it has their letters in the order of Unicode; from
a file (DeepSpeech's alphabet.txt, which has no blank) the symbols in the order of the file, which is that of a network's columns.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ds_engine.alphabet_file import read_alphabet
from ds_training.corpora.manifest import CorpusError, numbered
from ds_training.text import ENGLISH, SYMBOLS, Orthography, letters_of


@dataclass(frozen=True, slots=True)
class Character:
    """A character of texts, how often it stands in them, and where first; not `written`: a letter or digit that would be lost."""

    symbol: str
    times: int
    place: str
    written: bool


def count_characters(paths: Sequence[Path], orthography: Orthography = ENGLISH) -> list[Character]:
    """The characters of manifests as they stand (composed, capitals apart), the most frequent first. Raises CorpusError."""
    counts, places = Counter[str](), dict[str, str]()
    for path in paths:
        for number, recording in numbered(path):
            text = unicodedata.normalize("NFC", recording.text)
            counts.update(text)
            places.update(dict.fromkeys(set(text) - places.keys(), f"{path}: line {number}"))
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Character(symbol, times, places[symbol], _written(symbol, orthography)) for symbol, times in ordered]


def _written(symbol: str, orthography: Orthography) -> bool:
    if unicodedata.category(symbol)[0] not in "LMN":  # punctuation is not spoken
        return True
    try:
        return bool(orthography.plain(symbol).strip())
    except ValueError:
        return False


def alphabet_of(paths: Sequence[Path]) -> tuple[str, ...]:
    """The blank, the space and every letter of manifests. Raises CorpusError where there is no letter."""
    symbols = letters_of(recording.text for path in paths for _, recording in numbered(path))
    if len(symbols) <= len(letters_of([])):
        raise CorpusError(f"an alphabet needs letters, got none in {', '.join(map(str, paths))}")
    return symbols


def alphabet_from_file(path: Path) -> tuple[str, ...]:
    """The blank and the symbols of a file. Raises InputError for a broken file, CorpusError for one that training cannot use."""
    symbols = tuple(unicodedata.normalize("NFC", symbol) for symbol in read_alphabet(path))
    if long := [symbol for symbol in symbols if len(symbol) != 1]:
        raise CorpusError(f"{path}: training needs symbols of one character, got {', '.join(map(repr, long[:5]))}")
    if len(set(symbols)) < len(symbols):
        raise CorpusError(f"{path}: needs each symbol once, got one twice, composed and not")
    return (SYMBOLS[0], *symbols)
