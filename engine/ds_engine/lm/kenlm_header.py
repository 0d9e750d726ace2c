"""The head of a KenLM binary, and where everything behind it lies: exact arithmetic from the counts, as KenLM's own `Size` does it.

All six types are known: two hash tables (probing) and four tries. Whatever a head claims is checked against the size of the file
before anybody, we or the `kenlm` package, maps it. Layout, little-endian: 88 bytes of magic and test values; order, probing
multiplier, type, whether the words stand at the end, version of the search; u64 counts of n-grams by order; the vocabulary; the
quantiser's tables (types 3 and 5); the unigrams; the higher orders. Sources: lm/binary_format.cc, lm/trie.cc, lm/quantize.cc,
lm/bhiksha.cc and lm/search_hashed.hh of kenlm 0.3.0.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import IO

import numpy as np

from ds_engine.errors import LanguageModelError

MAX_ORDER = 6  # words of an n-gram; KenLM as it is published stops there
MAX_WORDS = 2**32 - 1  # KenLM's words are u32
MAX_TABLE_BITS = 25  # of a quantised value
MAX_POINTER = 2**57  # n-grams of one order
QUANTISER_VERSION, ARRAY_VERSION = 2, 0

_VERSIONED = b"mmap lm http://kheafield.com/code format version"
_UNFINISHED = b"mmap lm http://kheafield.com/code incomplete\n"
SANITY = (_VERSIONED + b" 5\n").ljust(56, b"\0") + struct.pack("<3f3IQ", 0.0, 1.0, -0.5, 1, 2**32 - 1, 0, 1)
FIXED = struct.Struct("<B3xfIB3xI")  # order, probing multiplier, type, 1 if the words are there, version of the search
UNIGRAM_BYTES = 16  # of a trie: f32 log10 probability, f32 back-off weight, u64 first bigram
_HASH_BYTES = 12  # of a probing vocabulary's entry, and of one of the highest order


class KenlmType(IntEnum):
    """KenLM's ModelType."""

    PROBING = 0
    REST_PROBING = 1
    TRIE = 2
    QUANTISED_TRIE = 3
    ARRAY_TRIE = 4
    QUANTISED_ARRAY_TRIE = 5

    @property
    def is_trie(self) -> bool:
        """False for the hash tables."""
        return self >= KenlmType.TRIE

    @property
    def is_quantised(self) -> bool:
        """True where probabilities and back-off weights are numbers of table entries."""
        return self in {KenlmType.QUANTISED_TRIE, KenlmType.QUANTISED_ARRAY_TRIE}

    @property
    def has_arrays(self) -> bool:
        """True where the high bits of pointers stand in an array of their own."""
        return self in {KenlmType.ARRAY_TRIE, KenlmType.QUANTISED_ARRAY_TRIE}


@dataclass(frozen=True, slots=True)
class Level:
    """The n-grams of one order of a trie: entries of `entry_bits`, bit 0 first; word, weights (see below), first n-gram one word longer.

    Weights are a probability of 31 bits (the sign is left out) and a back-off weight of 32, or the numbers of table entries, that of
    the back-off weight first. The highest order has neither back-off weights nor pointers.
    """

    offset: int  # bytes; one entry more than `entries` stands there, of which only the pointer counts
    entries: int
    word_bits: int
    weight_bits: int
    pointer_bits: int = 0
    longer: int = 0  # n-grams one word longer: no pointer is higher
    high_offset: int = 0  # bytes: u64s, the first entry whose pointer has the high bits 0, 1, ...
    high_count: int = 0  # 0 where a pointer holds all its bits
    probs: int = 0  # bytes: f32s, log10; 0 where the entries themselves hold the values
    back_offs: int = 0

    @property
    def entry_bits(self) -> int:
        """Bits from one entry to the next."""
        return self.word_bits + self.weight_bits + self.pointer_bits

    @property
    def size(self) -> int:
        """Bytes of the packed entries, and 8 so that the last can be read as an integer of 64 bits."""
        return ((1 + self.entries) * self.entry_bits + 7) // 8 + 8


@dataclass(frozen=True, slots=True)
class HashTable:
    """Open addressing: entries that begin with a u64 key, 0 where a bucket is empty."""

    offset: int  # bytes
    buckets: int
    entry_bytes: int


@dataclass(frozen=True, slots=True)
class KenlmLayout:
    """What a file holds and where, in bytes from its beginning; everything up to `end` lies within the file."""

    kind: KenlmType
    counts: tuple[int, ...]  # of n-grams, by order; the unigrams include <unk>
    words: int  # in the vocabulary of a trie, which leaves out <unk>
    vocabulary: int  # of a trie: u64 hashes, ascending; of a hash table: its entries
    unigrams: int
    levels: tuple[Level, ...]  # of a trie, from the bigrams
    tables: tuple[HashTable, ...]  # of hash tables: the vocabulary's, then from the bigrams
    prob_bits: int  # of a quantised value; 0 where they are not quantised
    back_off_bits: int
    has_words: bool  # the words stand behind `end`, that of <unk> first, each with a NUL
    end: int

    @property
    def order(self) -> int:
        """The longest n-gram, in words."""
        return len(self.counts)


def read_layout(file: IO[bytes], name: str) -> KenlmLayout:
    """Reads the head of a file open for reading; `name` is for messages. Raises LanguageModelError, OSError."""
    reader = _Reader(file, name, file.seek(0, 2))
    head = reader.take(0, min(len(SANITY) + FIXED.size, reader.size))
    if head[: len(SANITY)] != SANITY:
        raise reader.fault(_stranger(head))
    order, multiplier, kind, has_words, version = FIXED.unpack(head[len(SANITY) :].ljust(FIXED.size, b"\0"))
    if not 2 <= order <= MAX_ORDER:
        raise reader.fault(f"a model of order {order}; 2 to {MAX_ORDER} can be used")
    if kind > max(KenlmType) or has_words > 1:
        raise reader.fault(f"of the unknown type {kind}, or with words {has_words}")
    if version != KenlmType(kind).is_trie:
        raise reader.fault(f"version {version} of the search; {int(KenlmType(kind).is_trie)} is needed for type {kind}")
    start = len(SANITY) + FIXED.size
    counts = struct.unpack(f"<{order}Q", reader.take(start, 8 * order))
    if not 1 <= counts[0] <= MAX_WORDS or max(counts) >= MAX_POINTER:
        raise reader.fault(f"claims {max(counts)} n-grams of one order")
    start += 8 * order + -(start + 8 * order) % 8
    if KenlmType(kind).is_trie:
        layout = _trie(reader, KenlmType(kind), counts, start, has_words=bool(has_words))
    else:
        layout = _probing(reader, KenlmType(kind), counts, start, multiplier, has_words=bool(has_words))
    if layout.end > reader.size:
        raise reader.fault(f"{layout.end} bytes expected, {reader.size} found")
    return layout


@dataclass(frozen=True, slots=True)
class _Reader:
    file: IO[bytes]
    name: str
    size: int  # of the file, in bytes

    def take(self, offset: int, count: int) -> bytes:
        if offset + count > self.size:
            raise self.fault(f"at least {offset + count} bytes expected, {self.size} found")
        self.file.seek(offset)
        data = self.file.read(count)
        if len(data) != count:
            raise self.fault("shorter than it was a moment ago")
        return data

    def fault(self, message: str) -> LanguageModelError:
        return LanguageModelError(f"{self.name}: {message}")


def _stranger(head: bytes) -> str:
    if head.startswith(_UNFINISHED):
        return "a KenLM binary whose making was interrupted"
    if head.startswith(_VERSIONED):
        return "a KenLM binary of another version or machine; it must be made anew from its ARPA file"
    return "not a KenLM binary"


def _trie(reader: _Reader, kind: KenlmType, counts: tuple[int, ...], start: int, *, has_words: bool) -> KenlmLayout:
    (words,) = struct.unpack("<Q", reader.take(start, 8))
    if words >= counts[0]:
        raise reader.fault(f"a vocabulary of {words} words, but {counts[0]} unigrams, <unk> included")
    vocabulary, end = start + 8, start + 8 + 8 * counts[0]
    prob_bits = back_off_bits = 0
    tables = [(0, 0)] * (len(counts) - 1)
    if kind.is_quantised:
        prob_bits, back_off_bits = _table_bits(reader, end)
        tables, end = _tables(len(counts), end + 8, 4 << prob_bits, 4 << back_off_bits)
    unigrams, end = end, end + (counts[0] + 2) * UNIGRAM_BYTES
    array_bits = _array_bits(reader, end) if kind.has_arrays and len(counts) > 2 else 0
    word_bits, levels = counts[0].bit_length(), list[Level]()
    for entries, longer, (probs, back_offs) in zip(counts[1:-1], counts[2:], tables, strict=False):
        weight_bits = prob_bits + back_off_bits or 63
        pointer_bits, high_offset, high_count = longer.bit_length(), 0, 0
        if kind.has_arrays:
            chopped = _chopped(entries + 1, longer, array_bits)
            high_offset, high_count = end + -end % 8 + 8, (longer >> (pointer_bits - chopped)) + 1
            pointer_bits -= chopped
            end += 8 * (1 + high_count) + 7
        levels.append(Level(end, entries, word_bits, weight_bits, pointer_bits, longer, high_offset, high_count, probs, back_offs))
        end += levels[-1].size
    levels.append(Level(end, counts[-1], word_bits, prob_bits or 31, probs=tables[-1][0]))
    end += levels[-1].size
    return KenlmLayout(kind, counts, words, vocabulary, unigrams, tuple(levels), (), prob_bits, back_off_bits, has_words, end)


def _table_bits(reader: _Reader, offset: int) -> tuple[int, int]:
    version, prob_bits, back_off_bits = reader.take(offset, 3)
    if version != QUANTISER_VERSION or not 1 <= min(prob_bits, back_off_bits) <= max(prob_bits, back_off_bits) <= MAX_TABLE_BITS:
        raise reader.fault(
            f"version {version} of the quantiser, {prob_bits} and {back_off_bits} bits; 2, and 1 to {MAX_TABLE_BITS}, needed"
        )
    return prob_bits, back_off_bits


def _tables(order: int, offset: int, prob_bytes: int, back_off_bytes: int) -> tuple[list[tuple[int, int]], int]:
    """Where the tables of probabilities and of back-off weights begin, from the bigrams, and where the last ends."""
    both = prob_bytes + back_off_bytes
    tables = [(offset + level * both, offset + level * both + prob_bytes) for level in range(order - 2)]
    highest = offset + (order - 2) * both
    return [*tables, (highest, 0)], highest + prob_bytes


def _array_bits(reader: _Reader, offset: int) -> int:
    version, bits = reader.take(offset, 2)
    if version != ARRAY_VERSION:
        raise reader.fault(f"version {version} of compressed pointers; {ARRAY_VERSION} is needed")
    return bits


def _chopped(entries: int, highest: int, most: int) -> int:
    """How many high bits of the pointers the array takes over: what makes the file smallest (ChopBits in lm/bhiksha.cc)."""
    bits = highest.bit_length()
    return min(range(min(bits, most) + 1), key=lambda chopped: (highest >> (bits - chopped)) * 64 - entries * chopped)


def _probing(reader: _Reader, kind: KenlmType, counts: tuple[int, ...], start: int, multiplier: float, *, has_words: bool) -> KenlmLayout:
    if not 1.0 <= multiplier <= float(MAX_WORDS):
        raise reader.fault(f"a probing multiplier of {multiplier}")
    weight_bytes = 8 if kind is KenlmType.PROBING else 12
    vocabulary = HashTable(start + 8, _buckets(counts[0], multiplier), _HASH_BYTES)
    unigrams = vocabulary.offset + vocabulary.buckets * vocabulary.entry_bytes
    tables, end = [vocabulary], unigrams + (counts[0] + 1) * weight_bytes
    for count, entry_bytes in zip(counts[1:], [8 + weight_bytes] * (len(counts) - 2) + [_HASH_BYTES], strict=True):
        tables.append(HashTable(end, _buckets(count, multiplier), entry_bytes))
        end += tables[-1].buckets * entry_bytes
    return KenlmLayout(kind, counts, counts[0] - 1, vocabulary.offset, unigrams, (), tuple(tables), 0, 0, has_words, end)


def _buckets(entries: int, multiplier: float) -> int:
    """In float32, as KenLM multiplies."""
    return max(entries + 1, math.floor(np.float32(multiplier) * np.float32(entries)))
