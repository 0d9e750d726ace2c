"""A KenLM trie taken apart into its n-grams, its words being known from elsewhere: slow, plain, and not the code that the engine has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ds_engine.lm.backoff import SPECIAL, UNKNOWN, BackoffModel, Ngrams, assemble
from ds_engine.lm.kenlm_header import KenlmLayout, Level, read_layout
from ds_engine.lm.kenlm_vocabulary import hash_word

UNIGRAMS = np.dtype([("log_prob", "<f4"), ("back_off", "<f4"), ("first", "<u8")])
SIGN = 1 << 31

LongArray = npt.NDArray[np.int64]


def taken_apart(path: Path, words: list[str]) -> BackoffModel:
    """All n-grams. `words` are the vocabulary without <unk>, <s> and </s>; a word of the file that is not among them raises KeyError."""
    content = path.read_bytes()
    with path.open("rb") as file:
        layout = read_layout(file, path.name)
    hashes = np.frombuffer(content, "<u8", layout.words, layout.vocabulary).tolist()
    spelled = {hash_word(word.encode()): word for word in (*words, *SPECIAL)}
    names = [SPECIAL[UNKNOWN], *(spelled[value] for value in hashes)]
    unigrams = np.frombuffer(content, UNIGRAMS, len(names) + 1, layout.unigrams)
    ids = np.arange(len(names))[:, None]  # [count, n], the last word last
    orders = [_ngrams(ids, unigrams["log_prob"][:-1], unigrams["back_off"][:-1])]
    firsts = unigrams["first"].astype(np.int64)
    for level in layout.levels:
        columns = _unpacked(content, layout, level)
        parents = np.searchsorted(firsts, np.arange(level.entries), side="right") - 1
        ids = np.concatenate([columns["word"][:-1, None], ids[parents]], axis=1)
        orders.append(_ngrams(ids, columns["log_prob"][:-1], columns["back_off"][:-1]))
        firsts = columns["first"]
    return assemble(names, orders)


def _ngrams(ids: LongArray, log_probs: Any, back_offs: Any) -> Ngrams:
    return Ngrams(ids.astype(np.int32), np.asarray(log_probs, np.float64), np.asarray(back_offs, np.float64))


def _unpacked(content: bytes, layout: KenlmLayout, level: Level) -> dict[str, Any]:
    """The fields of all entries of a level and of the one behind the last."""
    rows = [_row(content, layout, level, row) for row in range(level.entries + 1)]
    words, log_probs, back_offs, firsts = (list(column) for column in zip(*rows, strict=True))
    high = (
        np.frombuffer(content, "<u8", level.high_count, level.high_offset).astype(np.int64) if level.high_count else np.zeros(1, np.int64)
    )
    above = np.searchsorted(high, np.arange(len(rows)), side="right") - 1
    first = np.array(firsts, np.int64) | above << level.pointer_bits
    return {"word": np.array(words), "log_prob": np.array(log_probs), "back_off": np.array(back_offs), "first": first}


def _row(content: bytes, layout: KenlmLayout, level: Level, row: int) -> tuple[int, float, float, int]:
    bit = row * level.entry_bits
    place, spread = level.offset + (bit >> 3), (level.entry_bits + 14) // 8
    bits = int.from_bytes(content[place : place + spread], "little") >> (bit & 7) & (1 << level.entry_bits) - 1
    word, weights = bits & (1 << level.word_bits) - 1, bits >> level.word_bits
    first = weights >> level.weight_bits
    highest = level is layout.levels[-1]
    if level.probs:
        back_off_bits = 0 if highest else layout.back_off_bits
        log_prob = _table(content, level.probs, weights >> back_off_bits & (1 << layout.prob_bits) - 1)
        back_off = 0.0 if highest else _table(content, level.back_offs, weights & (1 << layout.back_off_bits) - 1)
    else:
        log_prob = _single(weights & SIGN - 1 | SIGN)
        back_off = 0.0 if highest else _single(weights >> 31 & 0xFFFFFFFF)
    return word, log_prob, back_off, first


def _table(content: bytes, offset: int, number: int) -> float:
    return float(np.frombuffer(content, "<f4", 1, offset + 4 * number)[0])


def _single(bits: int) -> float:
    return float(np.uint32(bits).view(np.float32))
