"""KenLM's vocabulary: a word is known by its MurmurHash64A (seed 0, over UTF-8) alone, and numbered by the order of the hashes.

<unk> is word 0 and has no hash; the word with the lowest hash is number 1. One word at a time or all words of a list at once. A file
may hold the words themselves at its end, which KenLM itself never needs. Sources: lm/vocab.cc and util/murmur_hash.cc of kenlm 0.3.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ds_engine.errors import LanguageModelError
from ds_engine.lm.kenlm_header import read_layout

HashArray = npt.NDArray[np.uint64]

_FACTOR, _SHIFT, _MASK = 0xC6A4A7935BD1E995, 47, 2**64 - 1


def hash_word(spelled: bytes) -> int:
    """The hash of a word in UTF-8."""
    whole = len(spelled) // 8 * 8
    value = len(spelled) * _FACTOR & _MASK
    for place in range(0, whole, 8):
        part = int.from_bytes(spelled[place : place + 8], "little") * _FACTOR & _MASK
        value = (value ^ (part ^ part >> _SHIFT) * _FACTOR & _MASK) * _FACTOR & _MASK
    if len(spelled) > whole:
        value = (value ^ int.from_bytes(spelled[whole:], "little")) * _FACTOR & _MASK
    value = (value ^ value >> _SHIFT) * _FACTOR & _MASK
    return value ^ value >> _SHIFT


def spelling(word: str) -> bytes:
    """A word in UTF-8; half a surrogate pair, which is not Unicode, becomes bytes that no file has."""
    return word.encode("utf-8", "surrogatepass")


def hash_words(words: Sequence[str]) -> HashArray:
    """uint64 [words]: the hashes of many words."""
    spelled = [spelling(word) for word in words]
    lengths = np.fromiter(map(len, spelled), np.int64, len(spelled))
    parts = unaligned(b"".join(spelled) + bytes(8))
    starts = np.cumsum(lengths) - lengths
    factor, shift = np.uint64(_FACTOR), np.uint64(_SHIFT)
    values = lengths.astype(np.uint64) * factor
    for number in range(int(lengths.max(initial=0)) // 8):
        here = np.flatnonzero(lengths >= 8 * (number + 1))
        part = parts[starts[here] + 8 * number] * factor
        values[here] = (values[here] ^ (part ^ part >> shift) * factor) * factor
    tails = np.flatnonzero(lengths % 8)
    rest = (lengths[tails] % 8 * 8).astype(np.uint64)  # bits of the last, shorter part
    part = parts[starts[tails] + lengths[tails] // 8 * 8] & (np.uint64(1) << rest) - np.uint64(1)
    values[tails] = (values[tails] ^ part) * factor
    values = (values ^ values >> shift) * factor
    return values ^ values >> shift


def unaligned(content: bytes | memoryview) -> HashArray:
    """The integers of 64 bits that begin at byte 0, 1, 2, ...; seven fewer than there are bytes. Nothing is copied."""
    return np.ndarray((max(len(content) - 7, 0),), "<u8", content, strides=(1,))


def stored_words(path: Path) -> tuple[str, ...]:
    """The words that a KenLM binary of any type holds, <unk> first; none where it was made without them. Raises LanguageModelError."""
    try:
        with path.open("rb") as file:
            layout = read_layout(file, path.name)
            if not layout.has_words:
                return ()
            file.seek(layout.end)
            content = file.read()
    except OSError as error:
        raise LanguageModelError(f"{path.name}: cannot be read: {error.strerror or error}") from error
    *spelled, rest = content.split(b"\0")
    if rest or spelled[:1] != [b"<unk>"] or len(spelled) != layout.words + 1:
        raise LanguageModelError(f"{path.name}: its words are damaged")
    try:
        return tuple(word.decode() for word in spelled)
    except UnicodeDecodeError as error:
        raise LanguageModelError(f"{path.name}: its words are not UTF-8") from error
