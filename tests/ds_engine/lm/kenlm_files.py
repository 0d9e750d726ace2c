"""KenLM binaries of all six types, made as plainly as possible, and what they should give.

Dictionaries, and one long integer for everything that is bit-packed: written from KenLM's sources (lm/trie.cc, lm/bhiksha.hh,
lm/quantize.hh, lm/search_hashed.hh, lm/vocab.cc) without anything of the engine's reader or writer, but for the hash of a word,
which has tests of its own.
"""

from __future__ import annotations

import math
import random
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ds_engine.lm.backoff import BackoffModel, Ngrams, assemble
from ds_engine.lm.kenlm_vocabulary import hash_word

TRIES, HASH_TABLES = (2, 3, 4, 5), (0, 1)
TABLE_BITS = 8  # of the quantised types: enough for every value of a small model, so that none changes
ARRAY_BITS = 3
MULTIPLIER = 1.5
SCORERS = Path(__file__).resolve().parents[4] / "shared" / "scorers"
published = pytest.mark.skipif(not SCORERS.is_dir(), reason="the published scorers are not here")

Ids = tuple[int, ...]
Weights = tuple[float, float]


def random_model(seed: int, order: int, words: int = 12, ngrams: int = 40) -> BackoffModel:
    """Random n-grams with few distinct values, among them back-off weights of 0 and above, and contexts that begin nothing."""
    chance = random.Random(seed)  # noqa: S311 - a test's model
    names = ["<unk>", "<s>", "</s>", *(f"w{number}é" * (1 + number % 5) for number in range(words))]
    log_probs, back_offs = [-0.25, -0.5, -1.125, -2.0, -3.5, 0.0], [0.0, 0.0, -0.25, -0.75, 0.125]
    levels = []
    for length in range(1, order + 1):
        every = [(index,) for index in range(len(names))]
        grams = every if length == 1 else list({tuple(chance.choices(range(len(names)), k=length)) for _ in range(ngrams)})
        weights = [0.0 if length == order else chance.choice(back_offs) for _ in grams]
        ids = np.array(grams, np.int32).reshape(-1, length)
        levels.append(Ngrams(ids, np.array([chance.choice(log_probs) for _ in grams]), np.array(weights)))
    return assemble(names, levels)


@dataclass(frozen=True, slots=True)
class Oracle:
    """What every reader must agree with: n-grams in a dictionary, and the definition of backing off."""

    grams: dict[tuple[str, ...], Weights]

    @classmethod
    def of(cls, model: BackoffModel) -> Oracle:
        columns = [zip(level.ids.tolist(), level.log_probs.tolist(), level.back_offs.tolist(), strict=True) for level in model.orders]
        return cls({tuple(model.words[index] for index in ids): (prob, back) for rows in columns for ids, prob, back in rows})

    def log_prob(self, history: tuple[str, ...], word: str) -> float:
        """log10 P(word | history)."""
        if (*history, word) in self.grams:
            return self.grams[*history, word][0]
        return self.grams.get(history, (0.0, 0.0))[1] + self.log_prob(history[1:], word)


def kenlm_file(model: BackoffModel, kind: int, *, words: bool = False) -> bytes:
    """The file of a model of order 2 or more; `words` stores the words behind it."""
    numbered = sorted(model.words[1:], key=lambda word: hash_word(word.encode()))
    number = {word: position for position, word in enumerate(["<unk>", *numbered])}
    grams = _grams(model, number)
    counts = [len(level) for level in grams]
    head = b"mmap lm http://kheafield.com/code format version 5\n\0".ljust(56, b"\0") + struct.pack(
        "<3f3IQ", 0, 1, -0.5, 1, 2**32 - 1, 0, 1
    )
    head += struct.pack("<B3xfIB3xI", len(counts), MULTIPLIER, kind, words, kind >= 2) + struct.pack(f"<{len(counts)}Q", *counts)
    head += bytes(-len(head) % 8)
    hashes = [hash_word(word.encode()) for word in numbered]
    body = head + (_trie(head, hashes, grams, kind) if kind >= 2 else _hash_tables(hashes, grams, kind))
    return body + (b"".join(word.encode() + b"\0" for word in ["<unk>", *numbered]) if words else b"")


def _grams(model: BackoffModel, number: dict[str, int]) -> list[dict[Ids, Weights]]:
    """By order: the words of an n-gram in KenLM's numbers, last word first -> log10 probability, back-off weight with its sign."""
    plain = [
        {tuple(number[model.words[index]] for index in reversed(ids)): (prob, back) for ids, prob, back in zip(*columns, strict=True)}
        for columns in ((level.ids.tolist(), level.log_probs.tolist(), level.back_offs.tolist()) for level in model.orders)
    ]
    for level, longer in zip(plain, [*plain[1:], {}], strict=True):
        begun = {gram[1:] for gram in longer}
        for gram, (prob, back) in level.items():
            level[gram] = prob, back or (0.0 if gram in begun else -0.0)
    return [dict(sorted(level.items())) for level in plain]


def _trie(head: bytes, hashes: list[int], grams: list[dict[Ids, Weights]], kind: int) -> bytes:
    counts, tables = [len(level) for level in grams], [_tables(level) for level in grams]
    content = struct.pack(f"<Q{len(hashes)}QQ", len(hashes), *hashes, 0)
    if kind in {3, 5}:
        content += bytes([2, TABLE_BITS, TABLE_BITS, 0, 0, 0, 0, 0])
        for probs, backs in tables[1:-1]:
            content += _floats(probs) + _floats(backs)
        content += _floats(tables[-1][0])
    firsts = [_firsts(level, longer) for level, longer in pairwise(grams)]
    for (prob, back), first in zip(grams[0].values(), firsts[0], strict=False):
        content += struct.pack("<ffQ", prob, back, first)
    content += struct.pack("<ffQ16x", 0, 0, firsts[0][-1])
    width = 2 * TABLE_BITS if kind in {3, 5} else 63
    for level, pointers, table in zip(grams[1:-1], firsts[1:], tables[1:], strict=False):
        bits = pointers[-1].bit_length()
        if kind in {4, 5}:
            bits -= _chopped(len(level) + 1, pointers[-1])
            highs = [_reaching(pointers, high << bits) for high in range((pointers[-1] >> bits) + 1)]
            stored = bytearray(-(len(head) + len(content)) % 8) + struct.pack(f"<Q{len(highs)}Q", 0, *highs)
            stored[:2] = bytes([0, ARRAY_BITS])
            content += stored.ljust(8 * (1 + len(highs)) + 7, b"\0")
        coded = [(gram[-1], _coded(weights, table, kind)) for gram, weights in level.items()]
        rows = [(word, weights, pointer) for (word, weights), pointer in zip([*coded, (0, 0)], pointers, strict=True)]
        content += _packed(counts[0], rows, width, bits)
    width = TABLE_BITS if kind in {3, 5} else 31
    highest = [(gram[-1], _coded((prob, None), tables[-1], kind), 0) for gram, (prob, _) in grams[-1].items()]
    return content + _packed(counts[0], [*highest, (0, 0, 0)], width, 0)


def _reaching(pointers: list[int], least: int) -> int:
    return next(row for row, pointer in enumerate(pointers) if pointer >= least)


def _tables(level: dict[Ids, Weights]) -> tuple[list[float], list[float]]:
    probs, backs = sorted({prob for prob, _ in level.values()}), sorted({back for _, back in level.values() if back})
    assert len(probs) <= 1 << TABLE_BITS
    return probs, [-0.0, 0.0, *backs]


def _floats(values: list[float]) -> bytes:
    return struct.pack(f"<{1 << TABLE_BITS}f", *values, *[0.0] * ((1 << TABLE_BITS) - len(values)))


def _firsts(level: dict[Ids, Weights], longer: dict[Ids, Weights]) -> list[int]:
    parents = [gram[:-1] for gram in longer]
    return [*(sum(parent < gram for parent in parents) for gram in level), len(longer)]


def _coded(weights: tuple[float, float | None], table: tuple[list[float], list[float]], kind: int) -> int:
    """The bits of a probability and of a back-off weight; the highest order has none."""
    prob, back = weights
    if kind in {3, 5}:
        number = table[0].index(prob)
        if back is None:
            return number
        return number << TABLE_BITS | (table[1].index(back) if back else int(math.copysign(1, back) > 0))
    first, second = struct.unpack("<II", struct.pack("<ff", prob, 0.0 if back is None else back))
    if back is None:
        return int(first & 0x7FFFFFFF)
    return int(first & 0x7FFFFFFF | second << 31)


def _packed(words: int, rows: list[tuple[int, int, int]], weight_bits: int, pointer_bits: int) -> bytes:
    """Rows of a word, the bits of its weights, and a pointer; the last row has only a pointer."""
    word_bits, packed = words.bit_length(), 0
    total = word_bits + weight_bits + pointer_bits
    for position, (word, weights, pointer) in enumerate(rows):
        low = pointer & (1 << pointer_bits) - 1
        packed |= (word | weights << word_bits | low << word_bits + weight_bits) << position * total
    return packed.to_bytes((len(rows) * total + 7) // 8 + 8, "little")


def _chopped(entries: int, highest: int) -> int:
    costs = [(highest >> (highest.bit_length() - bits)) * 64 - entries * bits for bits in range(min(highest.bit_length(), ARRAY_BITS) + 1)]
    return costs.index(min(costs))


def _hash_tables(hashes: list[int], grams: list[dict[Ids, Weights]], kind: int) -> bytes:
    content = struct.pack("<II", 0, len(hashes) + 1)
    content += _hash_table({key: struct.pack("<I", word) for word, key in enumerate(hashes, 1)}, 12, len(hashes) + 1)
    followed = [{gram[:-1] for gram in longer} for longer in [*grams[1:], {}]]
    for level, left in zip(grams, followed, strict=True):
        keyed = {}
        for gram, (prob, back) in level.items():
            known = abs(prob) if gram in left else -abs(prob)  # a positive one means that there are longer n-grams that end so
            rest = struct.pack("<f", prob) if kind == 1 else b""
            keyed[_combined(gram)] = struct.pack("<ff", known, back) + rest if level is not grams[-1] else struct.pack("<f", prob)
        if level is grams[0]:
            content += b"".join(keyed[_combined(gram)] for gram in level) + bytes(12 if kind == 1 else 8)
        else:
            content += _hash_table(keyed, 8 + len(next(iter(keyed.values()))) if keyed else 12, len(keyed))
    return content


def _combined(gram: Ids) -> int:
    node = gram[0]
    for word in gram[1:]:
        node = node * 8978948897894561157 % 2**64 ^ (1 + word) * 17894857484156487943 % 2**64
    return node


def _hash_table(entries: dict[int, bytes], entry_bytes: int, count: int) -> bytes:
    buckets = [bytes(entry_bytes)] * max(count + 1, math.floor(np.float32(MULTIPLIER) * np.float32(count)))
    for key, value in entries.items():
        place = key % len(buckets)
        while any(buckets[place][:8]):
            place = (place + 1) % len(buckets)
        buckets[place] = struct.pack("<Q", key) + value
    return b"".join(buckets)
