"""Whether a KenLM binary is safe in the hands of the compiled `kenlm`, which believes every pointer and looks for an empty bucket forever.

Everything of which a wrong value would have it read beyond the file or never return is read once, in blocks: the pointers of a
trie must ascend and stay within the order they point to; a hash table must have an empty bucket, and its words their unigrams. The
numbers and words themselves may be anything.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ds_engine.errors import LanguageModelError
from ds_engine.lm.kenlm_header import UNIGRAM_BYTES, HashTable, KenlmLayout, Level
from ds_engine.lm.kenlm_vocabulary import HashArray, unaligned

BLOCK = 2**15  # entries read at a time


def check_kenlm(content: bytes | mmap.mmap, layout: KenlmLayout, name: str) -> None:
    """Reads the pointers or buckets of a file; `name` is for messages. Raises LanguageModelError where it is damaged."""
    sound = _is_sound_trie(content, layout) if layout.kind.is_trie else _are_sound_tables(content, layout)
    if not sound:
        raise LanguageModelError(f"{name}: damaged: its n-grams lead nowhere")


def _is_sound_trie(content: bytes | mmap.mmap, layout: KenlmLayout) -> bool:
    firsts = _column(content, layout.unigrams + 8, layout.words + 2, UNIGRAM_BYTES)
    if not _ascends([firsts], layout.counts[1]):
        return False
    return all(_ascends(_pointers(content, level), level.longer) for level in layout.levels[:-1])


def _pointers(content: bytes | mmap.mmap, level: Level) -> Iterator[HashArray]:
    """uint64: where the longer n-grams of each entry begin, and of the one after the last; blocks overlap by one."""
    integers = unaligned(memoryview(content)[level.offset : level.offset + level.size])
    first, mask = level.word_bits + level.weight_bits, np.uint64((1 << level.pointer_bits) - 1)
    highs = _column(content, level.high_offset, level.high_count, 8)
    for start in range(0, level.entries + 1, BLOCK):
        rows = np.arange(start, min(start + BLOCK, level.entries) + 1)
        bits = first + rows * level.entry_bits
        pointers = integers[bits >> 3] >> (bits & 7).astype(np.uint64) & mask
        if highs.size:
            pointers |= (np.searchsorted(highs, rows.astype(np.uint64), "right") - 1).astype(np.uint64) << np.uint64(level.pointer_bits)
        yield pointers


def _ascends(blocks: Iterator[HashArray] | list[HashArray], most: int) -> bool:
    return all(bool(np.all(block[1:] >= block[:-1])) and int(block[-1]) <= most for block in blocks)


def _are_sound_tables(content: bytes | mmap.mmap, layout: KenlmLayout) -> bool:
    vocabulary = layout.tables[0]
    filled = _column(content, vocabulary.offset, vocabulary.buckets, vocabulary.entry_bytes) != 0
    words = np.ndarray((vocabulary.buckets,), "<u4", content, vocabulary.offset + 8, (vocabulary.entry_bytes,))
    return int(words[filled].max(initial=0)) < layout.counts[0] + 1 and all(_has_room(content, table) for table in layout.tables)


def _has_room(content: bytes | mmap.mmap, table: HashTable) -> bool:
    keys = _column(content, table.offset, table.buckets, table.entry_bytes)
    return any(not np.all(keys[start : start + BLOCK]) for start in range(0, table.buckets, BLOCK))


def _column(content: bytes | mmap.mmap, offset: int, count: int, stride: int) -> npt.NDArray[np.uint64]:
    """The integers of 64 bits at offset, offset + stride, ..."""
    return np.ndarray((count,), "<u8", content, offset, (stride,))
