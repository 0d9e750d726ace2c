"""A language model over the `kenlm` package (extra `kenlm`), which is compiled: several times as fast as our own reader, and every type.

The package trusts its files, so the head and all pointers are checked before it gets to see one. It numbers words for itself and
takes them as text; here they are numbered as they are asked for, once each, however many threads ask. A context is its `State`.
"""

from __future__ import annotations

import importlib
import itertools
import mmap
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ds_engine.errors import LanguageModelError
from ds_engine.lm.backoff import MAX_LOG
from ds_engine.lm.kenlm_check import check_kenlm
from ds_engine.lm.kenlm_header import MAX_ORDER, KenlmLayout, read_layout
from ds_engine.lm.kenlm_trie import LN10, UNKNOWN, FloatArray, IndexArray, KenlmTrie
from ds_engine.lm.model import Context

_IMPOSSIBLE = MAX_LOG * MAX_ORDER  # no sum of a sound model's logarithms exceeds it


def open_kenlm(path: Path) -> KenlmTrie | KenlmPackage:
    """A KenLM binary, or a scorer, whose rest is left alone: over the `kenlm` package where it is installed, else with our reader.

    Raises LanguageModelError, also for a hash table (types 0 and 1) without the package.
    """
    layout = _layout(path)
    if _package() is not None:
        return KenlmPackage(path, layout)
    if not layout.kind.is_trie:
        raise LanguageModelError(f"{path.name}: a KenLM hash table; it needs the extra 'kenlm', pip install 'ds-plugin[kenlm]'")
    return KenlmTrie.open(path)


class KenlmPackage:
    """A model that the package has mapped; a `LanguageModel`. Immutable but for the numbers of words, for any number of threads."""

    __slots__ = ("_empty", "_following", "_layout", "_model", "_name", "_numbers", "_start", "_state", "_words")

    def __init__(self, path: Path, layout: KenlmLayout | None = None) -> None:
        """Maps a file, once it is checked: of a trie all pointers, which takes some 2 s for 900 MB. Raises LanguageModelError."""
        self._name, self._layout = path.name, layout or _layout(path)
        kenlm = _package()
        if kenlm is None:
            raise LanguageModelError(f"{path.name}: needs the extra 'kenlm', pip install 'ds-plugin[kenlm]'")
        try:
            with path.open("rb") as file:
                content = mmap.mmap(file.fileno(), self._layout.end, access=mmap.ACCESS_READ)
            check_kenlm(content, self._layout, path.name)
            config = kenlm.Config()
            config.load_method = kenlm.LoadMethod.LAZY
            self._model: Any = kenlm.Model(os.fsencode(path), config)
        except (OSError, RuntimeError) as error:
            raise LanguageModelError(f"{path.name}: cannot be read: {error}") from error
        self._state: Any = kenlm.State
        self._start, self._empty = self._state(), self._state()
        self._model.BeginSentenceWrite(self._start)
        self._model.NullContextWrite(self._empty)
        self._following = itertools.count(UNKNOWN + 1)
        self._words, self._numbers = {UNKNOWN: "<unk>"}, {"<unk>": UNKNOWN}

    @property
    def order(self) -> int:
        """The longest n-gram, in words."""
        return self._layout.order

    @property
    def counts(self) -> tuple[int, ...]:
        """How many n-grams there are of 1, 2, ... words, <unk> among them."""
        return self._layout.counts

    @property
    def unknown(self) -> int:
        """The index of <unk>."""
        return UNKNOWN

    @property
    def start(self) -> Context:
        """The context after <s>."""
        return self._start  # type: ignore[no-any-return]

    @property
    def empty(self) -> Context:
        """The context that knows nothing of what came before."""
        return self._empty  # type: ignore[no-any-return]

    def index(self, word: str) -> int:
        """The index of a word, or `unknown`."""
        number = self._numbers.get(word)
        if number is not None:
            return number
        try:
            if word not in self._model:
                return UNKNOWN
        except UnicodeEncodeError:  # half a surrogate pair
            return UNKNOWN
        number = next(self._following)
        self._words[number] = word  # first: whoever finds a number finds its word
        return self._numbers.setdefault(word, number)  # of two threads that number a word at once, one is followed by both

    def indices(self, words: Sequence[str]) -> IndexArray:
        """int64 [words]: `index` of many."""
        return np.fromiter(map(self.index, words), np.int64, len(words))

    def advance(self, context: Context, word: int) -> tuple[float, Context]:
        """Natural-log P(word | context), and the context after the word. Raises LanguageModelError, and KeyError for a wrong word."""
        return self._advance(context, self._words[word])

    def end(self, context: Context) -> float:
        """Natural-log P(</s> | context)."""
        return self._advance(context, "</s>")[0]

    def unigram(self, word: int) -> float:
        """Natural-log P(word) where nothing is known of what came before."""
        return self.advance(self._empty, word)[0]

    def unigrams(self, words: npt.ArrayLike) -> FloatArray:
        """The same of many: indices [n] -> float32 [n]."""
        numbers = np.asarray(words, np.int64).tolist()
        return np.fromiter(map(self.unigram, numbers), np.float32, len(numbers))

    def _advance(self, context: Context, word: str) -> tuple[float, Context]:
        after: Any = self._state()
        log_prob: float = self._model.BaseScore(context, word, after)
        if not -_IMPOSSIBLE < log_prob < _IMPOSSIBLE:  # not: outside; NaN is neither
            raise LanguageModelError(f"{self._name}: damaged: a probability that is none")
        return log_prob * LN10, after


def _package() -> Any:
    """The package, or None where it is not installed or does not work."""
    try:
        return importlib.import_module("kenlm")
    except ImportError:
        return None


def _layout(path: Path) -> KenlmLayout:
    try:
        with path.open("rb") as file:
            return read_layout(file, path.name)
    except OSError as error:
        raise LanguageModelError(f"{path.name}: cannot be read: {error.strerror or error}") from error
