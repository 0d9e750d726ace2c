from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_engine.alphabet import MAX_SPELLINGS, Alphabet, Boundary, BoundaryRule
from ds_engine.errors import BundleError
from tests.ds_engine.fakes import BYTES, CHARACTERS, PIECES

UNMARKED = Boundary(BoundaryRule.NONE, "")
MARKED = Boundary(BoundaryRule.WORD_INITIAL, "▁")
SIGNS = Alphabet(("_", "你", "好", "吗"), boundary=UNMARKED)
BYTE_SIGNS = Alphabet(("_", *map(chr, range(1, 256))), boundary=UNMARKED, bytes_mode=True)

words = st.text("abcdefghijklmnopqrstuvwxyz'", min_size=1, max_size=12)
piece_words = st.text("abcdenortu", min_size=1, max_size=12)
byte_words = st.text(st.characters(exclude_characters=" \0", exclude_categories=["Cs"]), min_size=1, max_size=8)


def columns(alphabet: Alphabet, symbols: str) -> tuple[int, ...]:
    return tuple(alphabet.symbols.index(symbol) for symbol in symbols.split("|"))


def all_cuts(text: str, pieces: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Brute force: every way to cut `text` into pieces."""
    for joints in itertools.product([False, True], repeat=len(text) - 1):
        ends = [i + 1 for i, joint in enumerate(joints) if joint] + [len(text)]
        cut = tuple(text[start:end] for start, end in zip([0, *ends], ends, strict=False))
        if all(piece in pieces for piece in cut):
            yield cut


@given(words)
def test_a_word_of_characters_has_one_spelling_that_reads_back(word: str) -> None:
    (spelling,) = CHARACTERS.spell(word)
    assert CHARACTERS.word(spelling) == word
    assert CHARACTERS.text(spelling) == word


@given(piece_words)
def test_every_spelling_in_word_pieces_reads_back(word: str) -> None:
    spellings = PIECES.spell(word)
    assert spellings
    assert all(PIECES.word(spelling) == word for spelling in spellings)
    assert all(PIECES.words([*spelling, *spelling]) == [word, word] for spelling in spellings)


@given(piece_words.filter(lambda word: len(word) < 10))
def test_spellings_are_the_shortest_of_all_there_are(word: str) -> None:
    pieces = tuple(symbol for column, symbol in enumerate(PIECES.symbols) if not PIECES.is_silent(column))
    expected = sorted(len(cut) for cut in all_cuts("▁" + word, pieces))
    found = PIECES.spell(word)
    assert [len(spelling) for spelling in found] == expected[:MAX_SPELLINGS]
    assert len(set(found)) == len(found)


@given(byte_words)
def test_any_word_reads_back_in_bytes_mode(word: str) -> None:
    (spelling,) = BYTES.spell(word)
    assert len(spelling) == len(word.encode())
    assert BYTES.word(spelling) == word


@given(byte_words)
def test_languages_without_spaces_read_back_in_bytes_mode(word: str) -> None:
    (spelling,) = BYTE_SIGNS.spell(word)
    assert BYTE_SIGNS.text(spelling) == word
    assert BYTE_SIGNS.words(spelling) == list(word)


def test_a_short_spelling_is_found_behind_many_long_ones() -> None:
    ending = "cdefghij"
    parts = [ending[i : i + size] for size in (1, 2, 3) for i in range(len(ending) - size + 1)]
    alphabet = Alphabet(("_", "ab", "a", "b" + ending, *parts), boundary=Boundary(BoundaryRule.NONE, ""))
    spellings = alphabet.spell("ab" + ending)
    assert len(spellings) == MAX_SPELLINGS
    assert spellings[0] == columns(alphabet, "a|b" + ending)


def test_a_word_of_a_thousand_letters_can_be_spelled() -> None:
    assert len(CHARACTERS.spell("a" * 1_000)[0]) == 1_000


@pytest.mark.parametrize("word", ["", "Ä", "two words", "\ud800"])
def test_what_cannot_be_written_has_no_spelling(word: str) -> None:
    assert CHARACTERS.spell(word) == ()


def test_half_a_surrogate_pair_has_no_spelling_in_bytes_mode() -> None:
    assert BYTES.spell("a\ud800") == ()


def test_a_word_with_the_mark_inside_would_be_two_words_and_has_no_spelling() -> None:
    assert PIECES.spell("tu▁on") == ()


def test_silent_symbols_never_spell() -> None:
    alphabet = Alphabet(("_", "a", "b"), ignored=frozenset({2}), boundary=UNMARKED)
    assert alphabet.spell("_") == alphabet.spell("b") == ()
    assert alphabet.words([0, 2]) == []


def test_an_alphabet_of_nothing_but_a_blank_spells_nothing() -> None:
    assert Alphabet(("_",), boundary=UNMARKED).spell("a") == ()


def test_separators_and_silence_make_no_empty_words() -> None:
    said = columns(CHARACTERS, " | |o|n|_| | |b|e|d| ")
    assert CHARACTERS.words(said) == ["on", "bed"]
    assert CHARACTERS.text(said) == "on bed"
    assert CHARACTERS.text([]) == ""


def test_word_pieces_begin_words_by_their_mark() -> None:
    assert PIECES.words(columns(PIECES, "▁tu|rn|▁on|▁|ed|_|<unk>")) == ["turn", "on", "ed"]
    assert [PIECES.starts_word(PIECES.symbols.index(symbol)) for symbol in ("▁", "▁on", "rn")] == [True, True, False]


def test_languages_without_spaces_are_joined_without_them() -> None:
    assert SIGNS.text([1, 2, 3]) == "你好吗"
    assert SIGNS.words([1, 2]) == ["你", "好"]
    assert SIGNS.spell("你好") == ((1, 2),)


def test_an_unfinished_character_at_the_end_is_left_out() -> None:
    (spelling,) = BYTES.spell("grü")
    assert BYTES.word(spelling[:-1]) == "gr"
    assert BYTE_SIGNS.text(BYTE_SIGNS.spell("日本")[0][:-1]) == "日"


def test_the_separator_is_a_column_only_where_there_is_one() -> None:
    assert CHARACTERS.separator == 1
    assert PIECES.separator is None
    assert not CHARACTERS.starts_word(1)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"symbols": ()}, "must lie in"),
        ({"symbols": ("_", " "), "blank": 2}, "must lie in"),
        ({"symbols": ("_", " "), "blank": -1}, "must lie in"),
        ({"symbols": ("_", " "), "ignored": frozenset({5})}, "must lie in"),
        ({"symbols": ("_", " ", "a", "a")}, "distinct"),
        ({"symbols": ("_", " ", "")}, "distinct and not empty"),
        ({"symbols": ("_", "a")}, "separator ' ' is not among"),
        ({"symbols": (" ", "a")}, "separator ' ' is not among"),
        ({"symbols": ("_", "a"), "boundary": Boundary(BoundaryRule.WORD_INITIAL, "")}, "mark is empty"),
        ({"symbols": ("_", " ", "ab"), "bytes_mode": True}, "bytes mode"),
        ({"symbols": ("_", "▁"), "boundary": MARKED, "bytes_mode": True}, "bytes mode"),
    ],
)
def test_an_alphabet_that_contradicts_itself_is_refused(values: dict[str, object], told: str) -> None:
    with pytest.raises(BundleError, match=told):
        Alphabet(**values)  # type: ignore[arg-type]


def test_blank_and_ignored_symbols_may_have_any_name() -> None:
    Alphabet(("", " ", "<unk>", "<unk>"), ignored=frozenset({2, 3}))
