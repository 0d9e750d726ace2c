from __future__ import annotations

import io
import struct

import pytest

from ds_engine.errors import LanguageModelError
from ds_engine.lm.kenlm_header import KenlmType, read_layout
from tests.ds_engine.lm.kenlm_files import SCORERS, kenlm_file, published, random_model

ENDS = {  # reference/deepspeech.md, 4.1
    "pruned_lm.scorer": (KenlmType.QUANTISED_ARRAY_TRIE, (3543, 13119, 17076, 17231), 266_112),
    "pruned_lm.bytes.scorer": (KenlmType.TRIE, (30, 479), 3_056),
    "coqui-english-digits.scorer": (KenlmType.QUANTISED_ARRAY_TRIE, (13, 20), 518),
    "coqui-english-yesno.scorer": (KenlmType.QUANTISED_ARRAY_TRIE, (5, 4), 315),
    "kinyarwanda-covid.scorer": (KenlmType.QUANTISED_ARRAY_TRIE, (74, 141, 0, 0, 0), 9_662),
}
ORDER, MULTIPLIER, KIND, HAS_WORDS, VERSION, COUNTS = 0x58, 0x5C, 0x60, 0x64, 0x68, 0x6C
VOCABULARY = 0x88  # of a model of order 3; a multiple of 8 as it is


def u8(value: int) -> bytes:
    return struct.pack("<Q", value)


@pytest.mark.parametrize("order", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", list(KenlmType))
def test_the_end_is_computed_from_the_counts_whatever_follows(kind: KenlmType, order: int) -> None:
    model = random_model(order, order)
    content = kenlm_file(model, kind)
    layout = read_layout(io.BytesIO(content + b"something else"), "lm")
    assert (layout.kind, layout.order, layout.end) == (kind, order, len(content))
    assert layout.counts == tuple(len(level.ids) for level in model.orders)
    assert layout.words == len(model.words) - 1


@published
@pytest.mark.parametrize("name", ENDS)
def test_published_scorers_end_where_their_words_begin(name: str) -> None:
    with (SCORERS / name).open("rb") as file:
        layout = read_layout(file, name)
    assert (layout.kind, layout.counts, layout.end) == ENDS[name]


@pytest.mark.parametrize("kind", list(KenlmType))
def test_a_file_cut_anywhere_is_refused(kind: KenlmType) -> None:
    content = kenlm_file(random_model(3, 3, words=3, ngrams=4), kind)
    for size in [*range(400), *range(400, len(content), 37), len(content) - 1]:
        with pytest.raises(LanguageModelError):
            read_layout(io.BytesIO(content[:size]), "lm")


@pytest.mark.parametrize(
    ("kind", "offset", "wrong", "message"),
    [
        (2, 0, b"\\data\\\n", "not a KenLM binary"),
        (2, 0, b"mmap lm http://kheafield.com/code incomplete\n", "interrupted"),
        (2, 49, b"4", "another version or machine"),
        (2, 0x38, b"\0\0\0\x01", "another version or machine"),
        (2, ORDER, b"\0", "order 0"),
        (2, ORDER, b"\1", "order 1"),
        (2, ORDER, b"\7", "order 7"),
        (2, KIND, b"\6", "type 6"),
        (2, HAS_WORDS, b"\2", "words 2"),
        (2, VERSION, b"\0", "version 0 of the search"),
        (0, VERSION, b"\1", "version 1 of the search"),
        (0, MULTIPLIER, struct.pack("<f", 0.5), "multiplier"),
        (0, MULTIPLIER, struct.pack("<f", float("nan")), "multiplier"),
        (0, MULTIPLIER, struct.pack("<f", float("inf")), "multiplier"),
        (0, MULTIPLIER, struct.pack("<f", 1e9), "bytes expected"),
        (2, COUNTS, u8(0), "0 unigrams|claims"),
        (2, COUNTS, u8(2**32), "claims 4294967296"),
        (2, COUNTS + 8, u8(2**63), "claims 9223372036854775808"),
        (2, COUNTS + 8, u8(2**56), "bytes expected"),
        (4, COUNTS + 16, u8(2**56), "bytes expected"),
        (3, COUNTS + 16, u8(2**40), "bytes expected"),
        (1, COUNTS + 8, u8(2**56), "bytes expected"),
        (2, VOCABULARY, u8(15), "vocabulary of 15 words"),
        (2, VOCABULARY, u8(2**64 - 1), "vocabulary"),
        (3, VOCABULARY + 8 + 15 * 8, b"\1", "version 1 of the quantiser"),
        (3, VOCABULARY + 8 + 15 * 8 + 1, b"\0", "0 and 8 bits"),
        (3, VOCABULARY + 8 + 15 * 8 + 2, b"\x1a", "8 and 26 bits"),
        (4, VOCABULARY + 8 + 15 * 8 + 17 * 16, b"\1", "version 1 of compressed pointers"),
    ],
)
def test_a_head_that_claims_the_impossible_is_refused(kind: int, offset: int, wrong: bytes, message: str) -> None:
    content = bytearray(kenlm_file(random_model(3, 3), kind))
    content[offset : offset + len(wrong)] = wrong
    with pytest.raises(LanguageModelError, match=f"^lm: .*({message})"):
        read_layout(io.BytesIO(content), "lm")
