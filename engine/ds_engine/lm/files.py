"""A language model by its path, whatever its format: told by what stands in the file, never by its name.

our own                 memory-mapped (`ngram`)
ARPA, plain or gzip     read into memory (`arpa`)
KenLM binary            all types with the `kenlm` package, tries without it (`kenlm_package`)
DeepSpeech's scorer     its KenLM part
"""

from __future__ import annotations

import tempfile
from enum import Enum
from pathlib import Path

from ds_engine.errors import LanguageModelError
from ds_engine.lm.arpa import read_arpa
from ds_engine.lm.backoff import BackoffModel
from ds_engine.lm.kenlm_package import KenlmPackage, open_kenlm
from ds_engine.lm.kenlm_trie import KenlmTrie
from ds_engine.lm.ngram import NgramModel, write_ngram
from ds_engine.lm.sections import MAGIC

_KENLM = b"mmap lm http://kheafield.com/code"


class Format(Enum):
    """What a file is; a scorer counts as the KenLM binary that it begins with."""

    NGRAM = "ngram"
    KENLM = "kenlm"
    ARPA = "arpa"  # or nothing that we know


def format_of(path: Path) -> Format:
    """The format by the first bytes. Raises LanguageModelError where they cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_KENLM))
    except OSError as error:
        raise LanguageModelError(f"{path.name}: cannot be read: {error.strerror or error}") from error
    return Format.NGRAM if head.startswith(MAGIC) else Format.KENLM if head == _KENLM else Format.ARPA


def open_language_model(path: Path) -> NgramModel | KenlmTrie | KenlmPackage:
    """A `LanguageModel` for the search. Raises LanguageModelError for a file that is missing, broken, or of none of the formats."""
    match format_of(path):
        case Format.NGRAM:
            return NgramModel.open(path)
        case Format.KENLM:
            return open_kenlm(path)
        case Format.ARPA:
            return searchable(read_arpa(path))


def read_backoff(path: Path) -> BackoffModel:
    """A model as plain arrays, to be mixed, pruned or written. Raises LanguageModelError, also for a KenLM binary."""
    match format_of(path):
        case Format.NGRAM:
            return NgramModel.open(path).to_backoff()
        case Format.KENLM:
            raise LanguageModelError(f"{path.name}: a KenLM binary cannot be taken apart; its ARPA file is needed")
        case Format.ARPA:
            return read_arpa(path)


def searchable(model: BackoffModel) -> NgramModel:
    """A model in the form that the search asks, without a file that stays."""
    with tempfile.TemporaryDirectory(prefix="ds-plugin-") as folder:
        path = Path(folder) / "model.ngram"
        write_ngram(model, path)
        return NgramModel.open(path)  # mapped: it outlives the name
