"""KenLM's tries (types 2 to 5 of its binaries), asked where they lie in a mapped file; DeepSpeech's and Coqui's scorers begin with one.

A trie is walked from the last word of an n-gram to the first: the unigram of the word asked for points to its bigrams, sorted by
the word before, and so on. A context is what KenLM's `State` is: the words that can still matter, the most recent first, and the
log10 back-off weights of the n-grams that they make; KenLM marks an n-gram that begins no longer one and has no weight by a
negative zero, and its first words are left out. Opening reads the head; nothing grows with the number of n-grams. Pointers are
checked as they are followed: a hostile file gives wrong numbers or a LanguageModelError.
"""

from __future__ import annotations

import io
import math
import mmap
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ds_engine.errors import LanguageModelError
from ds_engine.lm.backoff import MAX_LOG
from ds_engine.lm.kenlm_header import MAX_ORDER, UNIGRAM_BYTES, KenlmLayout, Level, read_layout
from ds_engine.lm.kenlm_vocabulary import hash_word, hash_words, spelling
from ds_engine.lm.model import Context

FloatArray = npt.NDArray[np.float32]
IndexArray = npt.NDArray[np.int64]
TrieContext = tuple[tuple[int, ...], tuple[float, ...]]  # words, most recent first; log10 back-off weights of 1, 2, ... of them

LN10 = math.log(10.0)
UNKNOWN = 0
GUESSES = 12  # steps of a search that guess where a word should be; words are hashes, so these nearly always do
_IMPOSSIBLE = MAX_LOG * MAX_ORDER  # no sum of a sound model's logarithms exceeds it
_UNIGRAM = struct.Struct("<ffQ8xQ")  # log10 probability, back-off weight, first bigram, and that of the next word
_UNIGRAMS = np.dtype([("log_prob", "<f4"), ("back_off", "<f4"), ("first", "<u8")])
_LONG = struct.Struct("<Q")
_FLOATS = struct.Struct("<ff")
_SIGN = 1 << 31


class KenlmTrie:
    """A model in a mapped file; a `LanguageModel`. Immutable, for any number of threads."""

    __slots__ = ("_content", "_end", "_hashes", "_highest", "_layout", "_middles", "_name", "_start", "_unigrams")

    def __init__(self, content: bytes | mmap.mmap, layout: KenlmLayout, name: str) -> None:
        """The content of a file and what its head says; `name` is for messages. Raises LanguageModelError for a hash table."""
        if not layout.kind.is_trie:
            raise LanguageModelError(f"{name}: a KenLM binary of type {layout.kind:d}, which is no trie")
        self._content, self._layout, self._name = content, layout, name
        hashes = memoryview(content)[layout.vocabulary : layout.vocabulary + 8 * layout.words]
        self._hashes = hashes.cast("B").cast("Q")
        self._unigrams = layout.unigrams
        *middles, self._highest = [_Entries(content, layout, level) for level in layout.levels]
        self._middles = tuple(middles)
        self._end = self.index("</s>")
        start = self.index("<s>")
        self._start = (start,), (_UNIGRAM.unpack_from(content, self._unigrams + UNIGRAM_BYTES * start)[1],)

    @classmethod
    def open(cls, path: Path) -> KenlmTrie:
        """Maps a file, whatever follows the trie in it. Raises LanguageModelError."""
        try:
            with path.open("rb") as file:
                layout = read_layout(file, path.name)
                return cls(mmap.mmap(file.fileno(), layout.end, access=mmap.ACCESS_READ), layout, path.name)
        except OSError as error:
            raise LanguageModelError(f"{path.name}: cannot be read: {error.strerror or error}") from error

    @classmethod
    def read(cls, content: bytes, name: str) -> KenlmTrie:
        """The same from a file's content. Raises LanguageModelError."""
        return cls(content, read_layout(io.BytesIO(content), name), name)

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
    def start(self) -> TrieContext:
        """The context after <s>."""
        return self._start

    @property
    def empty(self) -> TrieContext:
        """The context that knows nothing of what came before."""
        return (), ()

    def index(self, word: str) -> int:
        """The index of a word, or `unknown`."""
        wanted = hash_word(spelling(word))
        found = bisect_left(self._hashes, wanted)
        return found + 1 if found < len(self._hashes) and self._hashes[found] == wanted else UNKNOWN

    def indices(self, words: Sequence[str]) -> IndexArray:
        """int64 [words]: `index` of many at once."""
        hashes, wanted = np.asarray(self._hashes), hash_words(words)
        if not hashes.size:
            return np.zeros(len(words), np.int64)
        found = np.searchsorted(hashes, wanted)
        return np.where(hashes[np.minimum(found, len(hashes) - 1)] == wanted, found + 1, UNKNOWN)

    def advance(self, context: Context, word: int) -> tuple[float, TrieContext]:
        """Natural-log P(word | context), and the context after the word.

        Raises LanguageModelError where the file is damaged, IndexError for a word that no `index` gave.
        """
        known: Any = context
        history, weights = known
        if not 0 <= word <= self._layout.words:
            raise IndexError(f"word {word} of a model of {self._layout.words + 1}")
        log_prob, back_off, low, high = _UNIGRAM.unpack_from(self._content, self._unigrams + UNIGRAM_BYTES * word)
        back_offs = [back_off]
        matters = 1 if back_off or _extends(back_off) else 0  # words of the context after
        matched = 1  # words of the longest n-gram found
        for entries, before in zip(self._middles, history, strict=False):
            row = entries.find(before, low, high)
            if row < 0:
                break
            log_prob, back_off, low, high = entries.read(row)
            matched += 1
            back_offs.append(back_off)
            if back_off or _extends(back_off):
                matters = matched
        else:
            if matched < len(history) + 1 and (row := self._highest.find(history[-1], low, high)) >= 0:
                log_prob = self._highest.read_probability(row)
                matched += 1
        log_prob += sum(weights[matched - 1 :])
        if not -_IMPOSSIBLE < log_prob < _IMPOSSIBLE:  # not: outside; NaN is neither
            raise LanguageModelError(f"{self._name}: damaged: a probability that is none")
        after = (word, *history[: matters - 1]) if matters else ()
        return log_prob * LN10, (after, tuple(back_offs[:matters]))

    def end(self, context: Context) -> float:
        """Natural-log P(</s> | context)."""
        return self.advance(context, self._end)[0]

    def unigram(self, word: int) -> float:
        """Natural-log P(word) where nothing is known of what came before."""
        return self.advance(self.empty, word)[0]

    def unigrams(self, words: npt.ArrayLike) -> FloatArray:
        """The same of many at once: indices [n] -> float32 [n]. Raises as `advance` does."""
        stored = np.frombuffer(self._content, _UNIGRAMS, self._layout.words + 1, self._unigrams)
        log_probs = stored["log_prob"][np.asarray(words, np.int64)]
        if not np.all(np.abs(log_probs) < _IMPOSSIBLE):
            raise LanguageModelError(f"{self._name}: damaged: a probability that is none")
        return (log_probs * np.float32(LN10)).astype(np.float32)


class _Entries:
    """The n-grams of one order, to be searched and read."""

    __slots__ = (
        "_back_off_bits",
        "_back_off_mask",
        "_back_offs",
        "_content",
        "_count",
        "_highs",
        "_longer",
        "_next",
        "_offset",
        "_pointer",
        "_pointer_bits",
        "_pointer_mask",
        "_prob_mask",
        "_probs",
        "_span",
        "_width",
        "_word_bits",
        "_word_mask",
        "_words",
    )  # fmt: skip

    def __init__(self, content: bytes | mmap.mmap, layout: KenlmLayout, level: Level) -> None:
        self._content, self._offset, self._width = content, level.offset, level.entry_bits
        self._count, self._longer, self._words = level.entries, level.longer, layout.counts[0]
        self._word_bits, self._word_mask = level.word_bits, (1 << level.word_bits) - 1
        self._pointer, self._pointer_bits = level.weight_bits, level.pointer_bits
        self._pointer_mask = (1 << level.pointer_bits) - 1
        self._next = level.weight_bits + level.entry_bits
        self._span = (7 + self._next + level.pointer_bits + 7) // 8  # bytes that hold the weights and both pointers
        self._back_off_bits, self._back_off_mask = layout.back_off_bits, (1 << layout.back_off_bits) - 1
        self._prob_mask = (1 << layout.prob_bits) - 1
        view = memoryview(content)
        self._probs = view[level.probs : level.probs + (4 << layout.prob_bits)].cast("B").cast("f") if level.probs else None
        self._back_offs = view[level.back_offs : level.back_offs + (4 << layout.back_off_bits)].cast("B").cast("f")
        highs = view[level.high_offset : level.high_offset + 8 * level.high_count]
        self._highs = highs.cast("B").cast("Q") if level.high_count else None

    def find(self, word: int, low: int, high: int) -> int:
        """The entry of a word among those from `low` to before `high`, or -1."""
        if not 0 <= low <= high <= self._count:
            raise LanguageModelError("a KenLM binary is damaged: its n-grams lead nowhere")
        content, offset, width, mask, read = self._content, self._offset, self._width, self._word_mask, _LONG.unpack_from
        before, after, least, most = low - 1, high, 0, self._words
        guesses = GUESSES  # then halves, so that a hostile file cannot make this take forever
        while after - before > 1:
            if guesses:
                guesses -= 1
                row = before + 1 + (word - least) * (after - before - 1) // (most - least + 1)
            else:
                row = (before + after) >> 1
            bit = row * width
            found = read(content, offset + (bit >> 3))[0] >> (bit & 7) & mask
            if found < word:
                before, least = row, found
            elif found > word:
                after, most = row, found
            else:
                return row
        return -1

    def read(self, row: int) -> tuple[float, float, int, int]:
        """log10 probability and back-off weight of an entry; the first n-gram one word longer, and where those of the entry end."""
        bit = row * self._width + self._word_bits
        place = self._offset + (bit >> 3)
        bits = int.from_bytes(self._content[place : place + self._span], "little") >> (bit & 7)
        if self._probs is None:
            log_prob, back_off = _FLOATS.unpack(_LONG.pack(bits & _SIGN - 1 | _SIGN | (bits >> 31 & 0xFFFFFFFF) << 32))
        else:
            back_off = self._back_offs[bits & self._back_off_mask]
            log_prob = self._probs[bits >> self._back_off_bits & self._prob_mask]
        low, high = bits >> self._pointer & self._pointer_mask, bits >> self._next & self._pointer_mask
        if self._highs is not None:
            low |= (bisect_right(self._highs, row) - 1) << self._pointer_bits
            high |= (bisect_right(self._highs, row + 1) - 1) << self._pointer_bits
        return log_prob, back_off, low, high

    def read_probability(self, row: int) -> float:
        """log10 probability of an entry of the highest order."""
        bit = row * self._width + self._word_bits
        bits = _LONG.unpack_from(self._content, self._offset + (bit >> 3))[0] >> (bit & 7)
        if self._probs is None:
            return float(_FLOATS.unpack(_LONG.pack(bits & _SIGN - 1 | _SIGN))[0])
        return float(self._probs[bits & self._prob_mask])


def _extends(back_off: float) -> bool:
    """True for a weight of zero whose n-gram begins a longer one (lm/blank.hh)."""
    return math.copysign(1.0, back_off) > 0
