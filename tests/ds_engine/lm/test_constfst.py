from __future__ import annotations

import struct
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_engine.errors import LanguageModelError
from ds_engine.lm.constfst import MAX_LABELS, ConstFst

WORDS = st.lists(st.text("\x01\x02\x03", min_size=1, max_size=6), min_size=1, max_size=30)
HEAD = 65  # bytes


def listed(automaton: ConstFst, most: int = 10_000) -> list[str]:
    parts = list(automaton.words(most))
    words = [""] * sum(len(places) for places, _ in parts)
    for places, labels in parts:
        for place, row in zip(places.tolist(), labels.tolist(), strict=True):
            assert not words[place]
            words[place] = "".join(map(chr, row))
    return words


def languages(words: Iterable[str]) -> set[frozenset[str]]:
    """What may follow each beginning of a word; a minimal automaton has one state for each."""
    known = set(words)
    beginnings = {word[:length] for word in known for length in range(len(word) + 1)}
    return {frozenset(word[len(begun) :] for word in known if word.startswith(begun)) for begun in beginnings}


def made(states: list[tuple[float, int, int]], arcs: list[tuple[int, int]], start: int = 0, **changed: int) -> bytes:
    """A file from (final weight, first arc, arcs) and (label, target); `changed` are parts of the head."""
    head = {"magic": 2125659606, "version": 1, "flags": 4, "of_states": len(states), "of_arcs": len(arcs)} | changed
    content = struct.pack("<ii5si8sii", head["magic"], 5, b"const", 8, b"standard", head["version"], head["flags"])
    content += struct.pack("<Qqqq", 0, start, head["of_states"], head["of_arcs"])
    content += bytes(-len(content) % 16) + b"".join(struct.pack("<fIIII", *state, 0, 0) for state in states)
    return content + bytes(-len(content) % 16) + b"".join(struct.pack("<iifi", label, label, 0.0, target) for label, target in arcs)


NO, YES = float("inf"), 0.0


@given(WORDS)
def test_words_come_back_in_order_from_the_smallest_automaton(words: list[str]) -> None:
    automaton = ConstFst.of(words)
    assert listed(automaton) == sorted(set(words))
    assert len(automaton.finals) == len(languages(words))


@given(WORDS, st.integers(0, 40))
def test_what_is_written_is_read_back_wherever_in_a_file(words: list[str], offset: int) -> None:
    content = ConstFst.of(words).write(offset)
    assert (offset + len(content)) % 16 == 0
    assert listed(ConstFst.read(content, offset, "lm")) == sorted(set(words))


def test_the_layout_is_that_of_openfst() -> None:
    content = ConstFst.of(["\x02\x01", "\x03\x01"]).write(0)
    properties = slice(HEAD - 32, HEAD - 24)
    assert content[properties] == (0xA56A5A950001).to_bytes(8, "little")  # as in coqui-english-yesno.scorer
    expected = made([(NO, 0, 2), (NO, 2, 1), (YES, 3, 0)], [(2, 1), (3, 1), (1, 2)])
    assert content == expected[: properties.start] + content[properties] + expected[properties.stop :]


def test_words_may_begin_others_and_keep_the_order_of_the_arcs() -> None:
    automaton = ConstFst.read(made([(YES, 0, 2), (YES, 2, 1), (YES, 3, 0)], [(2, 1), (1, 2), (5, 2)]), 0, "lm")
    assert listed(automaton) == ["\x02", "\x02\x05", "\x01"]
    assert automaton.count(10) == (3, 3)


def test_dead_ends_are_no_words() -> None:
    automaton = ConstFst.read(made([(NO, 0, 2), (NO, 2, 0), (YES, 2, 0)], [(1, 1), (2, 2)]), 0, "lm")
    assert listed(automaton) == ["\x02"]


def test_an_unaligned_file_is_read() -> None:
    content = made([(NO, 0, 1), (YES, 1, 0)], [(1, 1)], version=2, flags=0)
    plain = content[:HEAD] + content[80:120] + content[128:]
    assert listed(ConstFst.read(plain, 3, "lm")) == ["\x01"]


def test_the_longest_word_fits_and_a_longer_one_does_not() -> None:
    assert listed(ConstFst.of(["\x01" * MAX_LABELS])) == ["\x01" * MAX_LABELS]
    with pytest.raises(LanguageModelError, match="more than 255 labels"):
        listed(ConstFst.of(["\x01" * (MAX_LABELS + 1)]))


@pytest.mark.parametrize(
    ("states", "arcs"),
    [
        ([(YES, 0, 1)], [(1, 0)]),
        ([(NO, 0, 1), (NO, 1, 1)], [(1, 1), (1, 0)]),
        ([(NO, 0, 2), (YES, 0, 2)], [(1, 1), (2, 0)]),  # twice as many beginnings with every label
    ],
)
def test_circles_are_an_error(states: list[tuple[float, int, int]], arcs: list[tuple[int, int]]) -> None:
    automaton = ConstFst.read(made(states, arcs), 0, "lm")
    with pytest.raises(LanguageModelError, match=r"a list (with|of) words"):
        automaton.count(10_000)


def test_words_out_of_all_proportion_are_an_error_before_they_are_spelled() -> None:
    wide = [(NO, 0, 9), *((NO, 9 * depth, 9) for depth in range(1, 60)), (YES, 0, 0)]
    arcs = [(label, depth) for depth in range(1, 61) for label in range(1, 10)]
    automaton = ConstFst.read(made(wide, arcs), 0, "lm")
    with pytest.raises(LanguageModelError, match="more than 1000000 labels"):
        list(automaton.words(10**6))
    every = np.full(1000, 1000)
    crowded = ConstFst(0, np.zeros(1000, np.bool_), every * 0, every, np.ones(1000, np.int32), np.arange(1000, dtype=np.int32))
    with pytest.raises(LanguageModelError, match="more than 2000 labels"):
        crowded.count(2000)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "ends before"),
        (made([(YES, 0, 0)], [], magic=1), "no ConstFst"),
        (made([(YES, 0, 0)], [], version=3), "version 3, flags 4"),
        (made([(YES, 0, 0)], [], flags=7), "version 1, flags 7"),
        (made([], []), "0 states and 0 arcs"),
        (made([(YES, 0, 0)], [], start=1), "claims"),
        (made([(YES, 0, 0)], [], start=-1), "claims"),
        (made([(YES, 0, 0)], [], of_states=2), "2 states"),
        (made([(YES, 0, 0)], [], of_states=2**62), "states"),
        (made([(YES, 0, 0)], [], of_states=-1), "-1 states"),
        (made([(YES, 0, 0)], [], of_arcs=1), "1 arcs"),
        (made([(YES, 0, 0)], [], of_arcs=-1), "-1 arcs"),
        (made([(YES, 0, 2)], [(1, 0)]), "lead nowhere"),
        (made([(YES, 2**32 - 1, 1)], [(1, 0)]), "lead nowhere"),
        (made([(YES, 0, 1)], [(1, 1)]), "lead nowhere"),
        (made([(YES, 0, 1)], [(1, -1)]), "lead nowhere"),
        (made([(YES, 0, 1)], [(0, 0)]), "lead nowhere"),
        (made([(YES, 0, 1)], [(-5, 0)]), "lead nowhere"),
    ],
)
def test_a_damaged_list_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(LanguageModelError, match=f"^lm: .*{message}"):
        ConstFst.read(content, 0, "lm")
