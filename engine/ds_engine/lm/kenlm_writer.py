"""A back-off model as a KenLM trie (type 2, without its words): what KenLM, DeepSpeech and Coqui read, byte for byte as KenLM makes it.

Words are numbered by their hashes. N-grams are sorted last word first, so that those that end alike are neighbours, and packed bit
by bit without gaps. A back-off weight of zero has a sign: minus where the n-gram begins no longer one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ds_engine.errors import LanguageModelError
from ds_engine.lm.backoff import MAX_LOG, UNKNOWN, BackoffModel, LongArray, Rows, is_spelled
from ds_engine.lm.kenlm_header import FIXED, SANITY, KenlmType, Level
from ds_engine.lm.kenlm_vocabulary import HashArray, hash_words

BitArray = npt.NDArray[np.uint64]
SingleArray = npt.NDArray[np.float32]

_MULTIPLIER, _SEARCH_VERSION = 1.5, 1  # KenLM's default, of no meaning in a trie; TrieSearch::kVersion
_UNIGRAMS = np.dtype([("log_prob", "<f4"), ("back_off", "<f4"), ("first", "<u8")])
_WEIGHT_BITS, _HIGHEST_BITS, _SIGN = 63, 31, np.uint32(1 << 31)


def write_kenlm_trie(model: BackoffModel, path: Path) -> None:
    """Writes a model; the file appears under its name when it is complete. Raises LanguageModelError as `kenlm_trie` does, OSError."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            file.writelines(kenlm_trie(model))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def kenlm_trie(model: BackoffModel) -> Iterator[bytes]:
    """The file in pieces. A model of unigrams gets bigrams, of which there are none: KenLM knows no order of 1.

    Raises LanguageModelError for a model that `assemble` would not have made, and where two words have one hash.
    """
    hashes, numbers = _numbered(model.words)
    orders = list(_orders(model, numbers))
    counts = [len(order.words) for order in orders]
    head = SANITY + FIXED.pack(len(counts), _MULTIPLIER, KenlmType.TRIE, 0, _SEARCH_VERSION) + struct.pack(f"<{len(counts)}Q", *counts)
    yield head + bytes(-len(head) % 8)
    yield struct.pack("<Q", len(hashes)) + hashes.astype("<u8").tobytes() + bytes(8)  # KenLM leaves a place for <unk>
    for order, longer in zip(orders, [*orders[1:], None], strict=True):
        firsts = None if longer is None else np.searchsorted(longer.parents, np.arange(len(order.words) + 1))
        yield _unigrams(order, firsts) if order is orders[0] and firsts is not None else _level(order, firsts, counts[0])


@dataclass(frozen=True, slots=True, eq=False)
class _Order:
    """The n-grams of one order as they stand in a trie."""

    words: LongArray  # [count], KenLM's number of the first word
    parents: LongArray  # [count], ascending: the place of the words but the first in the order below
    log_probs: SingleArray  # [count], log10
    back_offs: SingleArray  # [count], log10, zeros with their sign


def _numbered(words: Sequence[str]) -> tuple[HashArray, LongArray]:
    """The hashes of all words but <unk>, ascending, and KenLM's number of every word."""
    if not is_spelled(words):
        raise LanguageModelError("a word is empty, or has a blank or NUL in it, or is not Unicode")
    hashes = hash_words(words[UNKNOWN + 1 :])
    ascending = np.argsort(hashes)
    if np.any(hashes[ascending[1:]] == hashes[ascending[:-1]]):
        raise LanguageModelError("two words have the same hash; KenLM could not tell them apart")
    numbers = np.zeros(len(words), np.int64)
    numbers[UNKNOWN + 1 + ascending] = np.arange(1, len(words))
    return hashes[ascending], numbers


def _orders(model: BackoffModel, numbers: LongArray) -> Iterator[_Order]:
    rows = Rows.of(model)
    places = parents = np.zeros(1, np.int64)  # where the n-grams of the order below stand; at first those of no words
    for length, level in enumerate(model.orders, 1):
        if not np.all(np.abs([level.log_probs, level.back_offs]) <= MAX_LOG):  # not: any above; NaN is neither
            raise LanguageModelError(f"{length}-grams with values that are no logarithms: not finite, or beyond {MAX_LOG:g}")
        begins = np.zeros(len(level.ids), np.bool_)  # a longer n-gram
        if length < model.order:
            begins[rows.prefixes(length + 1)] = True
        back_offs = level.back_offs.astype(np.float32)
        back_offs[back_offs == 0] = -0.0
        back_offs[begins & (back_offs == 0)] = 0.0
        parents, words = places[rows.suffixes[length - 1]], numbers[level.ids[:, 0]]
        order = np.argsort(parents * len(numbers) + words)
        places = np.empty(len(order), np.int64)
        places[order] = np.arange(len(order))
        yield _Order(words[order], parents[order], np.minimum(level.log_probs, 0.0).astype(np.float32)[order], back_offs[order])
    if model.order == 1:
        nothing = np.empty(0, np.int64)
        yield _Order(nothing, nothing, np.empty(0, np.float32), np.empty(0, np.float32))


def _unigrams(order: _Order, firsts: LongArray) -> bytes:
    """With one entry more for where the last word's bigrams end, and one that KenLM never uses."""
    entries = np.zeros(len(order.words) + 2, _UNIGRAMS)
    entries["log_prob"][:-2], entries["back_off"][:-2], entries["first"][:-1] = order.log_probs, order.back_offs, firsts
    return entries.tobytes()


def _level(order: _Order, firsts: LongArray | None, words: int) -> bytes:
    """A middle order, or the highest, which has no `firsts`; `words` is the size of the vocabulary."""
    weights = (order.log_probs.view(np.uint32) & ~_SIGN).astype(np.uint64)
    if firsts is None:
        level = Level(0, len(weights), words.bit_length(), _HIGHEST_BITS)
        fields = [(0, order.words), (level.word_bits, weights)]
    else:
        level = Level(0, len(weights), words.bit_length(), _WEIGHT_BITS, int(firsts[-1]).bit_length())
        weights |= order.back_offs.view(np.uint32).astype(np.uint64) << np.uint64(_HIGHEST_BITS)
        fields = [(0, order.words), (level.word_bits, weights), (level.word_bits + _WEIGHT_BITS, firsts)]
    packed = np.zeros(level.size // 8 + 2, "<u8")
    for bit, values in fields:
        pack(packed, bit, level.entry_bits, values.astype(np.uint64))
    return packed.tobytes()[: level.size]


def pack(packed: BitArray, first: int, width: int, values: BitArray) -> None:
    """Writes values (uint64 [n]) at the bits first, first + width, ... of what is zero there; bit 0 is the lowest of the first."""
    bits = first + width * np.arange(len(values))
    apart = -(-64 // width)  # so many values further, one begins in another integer: these can be written at once
    for phase in range(apart):
        place, shift = bits[phase::apart] >> 6, (bits[phase::apart] & 63).astype(np.uint64)
        packed[place] |= values[phase::apart] << shift
        packed[place + 1] |= values[phase::apart] >> np.uint64(1) >> np.uint64(63) - shift
