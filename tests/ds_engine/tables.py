"""A language model from a table, and vocabularies for searches, small enough to enumerate."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from ds_engine.alphabet import Alphabet
from ds_engine.lm.backoff import END, SPECIAL, UNKNOWN
from ds_engine.search.policy import SearchPolicy
from ds_engine.search.vocabulary import LanguageSource, Vocabulary


@dataclass(frozen=True)
class TableModel:
    """A bigram: the context is the word before. Natural logarithms, drawn by seed, not normalised."""

    words: tuple[str, ...]
    seed: int = 0
    spread: float = 2.0
    table: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        size = len(self.words) + len(SPECIAL)
        object.__setattr__(self, "table", -3 - self.spread * np.random.default_rng(self.seed).random((size, size)))

    order = 2
    unknown = UNKNOWN
    start = 1
    empty = 0

    def index(self, word: str) -> int:
        return self.words.index(word) + len(SPECIAL) if word in self.words else UNKNOWN

    def advance(self, context: Hashable, word: int) -> tuple[float, Hashable]:
        return float(self.table[cast(int, context), word]), word

    def end(self, context: Hashable) -> float:
        return float(self.table[cast(int, context), END])


def source(model: TableModel, words: Sequence[str] | None = None) -> LanguageSource:
    """What a file with this model would give; the lexicon may have other words than the model."""
    chosen = tuple(words if words is not None else model.words)
    indices = np.array([model.index(word) for word in chosen], np.int64)
    return LanguageSource(model, chosen, model.table[0, indices].astype(np.float32), float(model.table[0, UNKNOWN]), indices)


def vocabulary(alphabet: Alphabet, words: Sequence[str], policy: SearchPolicy, seed: int = 0) -> Vocabulary:
    """A lexicon of these words under a model drawn by seed."""
    return Vocabulary(alphabet, source(TableModel(tuple(words), seed)), policy)
