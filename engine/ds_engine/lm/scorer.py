"""DeepSpeech's and Coqui's scorers: a language model, the words that may be said, and two weights in one file.

Layout (native_client/ctcdecode/scorer.cpp, version 6): a KenLM binary without its words; `EIRT`, the version, a byte for bytes mode,
alpha and beta as f64; a ConstFst. Its labels are the positions of the acoustic model's symbols, the blank left out, from 1, and
every word ends with the label of the space; in bytes mode labels are bytes of UTF-8, and every character is a word. The file does
not say which symbols those are: whoever asks for the words must.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ds_engine.errors import LanguageModelError
from ds_engine.lm.backoff import BackoffModel
from ds_engine.lm.constfst import ConstFst, LabelArray
from ds_engine.lm.kenlm_header import read_layout
from ds_engine.lm.kenlm_package import KenlmPackage, open_kenlm
from ds_engine.lm.kenlm_trie import KenlmTrie
from ds_engine.lm.kenlm_writer import kenlm_trie

SPACE = " "
EXPANSION = 2  # labels of all words and their beginnings, times the bytes of the file; published scorers have 0.1
EXPANSION_FREE = 2**16  # that they may have whatever the size; each takes up to 130 bytes while they are spelled
_HEAD = struct.Struct("<4siBdd")  # magic, version, bytes mode, alpha, beta
_MAGIC, _VERSION = b"EIRT", 6


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    """An opened scorer."""

    name: str  # for messages
    model: KenlmTrie | KenlmPackage
    alpha: float  # weight of the language model's natural-log probabilities
    beta: float  # nats for every word
    bytes_mode: bool
    automaton: ConstFst
    size: int  # of the file, in bytes

    @classmethod
    def open(cls, path: Path) -> Scorer:
        """Maps the language model and reads the rest. Raises LanguageModelError."""
        model = open_kenlm(path)
        try:
            with path.open("rb") as file:
                layout = read_layout(file, path.name)
                file.seek(layout.end)
                content = file.read()
        except OSError as error:
            raise LanguageModelError(f"{path.name}: cannot be read: {error.strerror or error}") from error
        if not content.startswith(_MAGIC) or len(content) < _HEAD.size:
            reason = "its words are stored in it (build_binary without -v)" if layout.has_words else "nothing of a scorer follows"
            raise LanguageModelError(f"{path.name}: a KenLM binary, but no scorer: {reason}")
        _, version, bytes_mode, alpha, beta = _HEAD.unpack_from(content)
        if version != _VERSION or bytes_mode > 1 or not math.isfinite(alpha) or not math.isfinite(beta):
            raise LanguageModelError(f"{path.name}: a scorer of version {version}, mode {bytes_mode}, weights {alpha:g} and {beta:g}")
        automaton = ConstFst.read(content[_HEAD.size :], layout.end + _HEAD.size, path.name)
        return cls(path.name, model, alpha, beta, bool(bytes_mode), automaton, layout.end + len(content))

    def words(self, symbols: Sequence[str]) -> list[str]:
        """All words in the order of their labels. `symbols` are the acoustic model's in their order, without the blank.

        In bytes mode they do not matter. Raises LanguageModelError where they do not fit the scorer, and where the words are out of
        all proportion to the file.
        """
        highest = int(self.automaton.labels.max(initial=0))
        if highest > len(symbols) and not self.bytes_mode:
            raise LanguageModelError(
                f"{self.name}: its words have a symbol {highest}, but the model has {len(symbols)}: they do not belong together"
            )
        try:
            parts = [
                (places, _bytes_words(labels) if self.bytes_mode else _words(labels, symbols))
                for places, labels in self.automaton.words(max(EXPANSION * self.size, EXPANSION_FREE))
            ]
        except LanguageModelError as error:
            raise LanguageModelError(f"{self.name}: {error}") from error
        ordered = np.empty(sum(len(places) for places, _ in parts), object)
        for places, words in parts:
            ordered[places] = words
        return [word for word in ordered.tolist() if word]


def write_scorer(
    path: Path, model: BackoffModel, words: Iterable[str], symbols: Sequence[str], alpha: float, beta: float, *, bytes_mode: bool = False
) -> tuple[str, ...]:
    """Writes a scorer that DeepSpeech 0.9 and Coqui STT 1.4 read too. Gives the words that the symbols cannot spell: they are left out.

    `symbols` are the acoustic model's in their order, without the blank, each one character; in bytes mode they do not matter, and
    words of more than one character are left out. Raises LanguageModelError where no word remains, for weights that are not finite,
    and as `kenlm_trie` does; OSError.
    """
    if not math.isfinite(alpha) or not math.isfinite(beta):
        raise LanguageModelError(f"weights {alpha:g} and {beta:g}; finite ones are needed")
    labels = {symbol: chr(label) for label, symbol in enumerate(symbols, 1)}
    if not bytes_mode and SPACE not in labels:
        raise LanguageModelError("symbols without a space; every word of a scorer ends with one")
    spelled = {word: _bytes_spelling(word) if bytes_mode else _spelling(word, labels) for word in words}
    skipped = tuple(word for word, spelling in spelled.items() if spelling is None)
    automaton = ConstFst.of(spelling for spelling in spelled.values() if spelling is not None)
    if not automaton.labels.size:
        raise LanguageModelError(f"none of {len(spelled)} words can be spelled with the symbols")
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            file.writelines(kenlm_trie(model))
            file.write(_HEAD.pack(_MAGIC, _VERSION, bytes_mode, alpha, beta))
            file.write(automaton.write(file.tell()))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return skipped


def _spelling(word: str, labels: dict[str, str]) -> str | None:
    """The labels of a word and of the space, as characters; None where it cannot be spelled."""
    try:
        return "".join(map(labels.__getitem__, word + SPACE)) if word and SPACE not in word else None
    except KeyError:
        return None


def _bytes_spelling(word: str) -> str | None:
    try:
        return word.encode().decode("latin-1") if len(word) == 1 and word != "\0" else None
    except UnicodeEncodeError:  # half a surrogate pair
        return None


def _words(labels: LabelArray, symbols: Sequence[str]) -> list[str]:
    """int32 [n, length] -> n words."""
    separator = symbols.index(SPACE) + 1 if SPACE in symbols else 0
    if separator:
        if not np.all(labels[:, -1] == separator) or np.any(labels[:, :-1] == separator):
            raise LanguageModelError("its words do not end with a space, or have one inside: it does not belong to these symbols")
        labels = labels[:, :-1]
    return list(_joined(labels, symbols))


def _joined(labels: LabelArray, symbols: Sequence[str]) -> Iterator[str]:
    if not labels.size:
        return iter([""] * len(labels))
    if any(len(symbol) != 1 for symbol in symbols):
        return ("".join(symbols[label - 1] for label in row) for row in labels.tolist())
    points = np.array([0, *map(ord, symbols)], np.uint32)[labels]
    return iter(points.view(f"U{labels.shape[1]}")[:, 0].tolist())


def _bytes_words(labels: LabelArray) -> list[str]:
    if int(labels.max(initial=0)) > 0xFF:
        raise LanguageModelError("its words are in bytes mode, but have labels that are no bytes")
    try:
        return [spelled.decode() for spelled in labels.astype(np.uint8).view(f"S{labels.shape[1]}")[:, 0].tolist()]
    except UnicodeDecodeError as error:
        raise LanguageModelError("its words are in bytes mode, but no UTF-8") from error
