"""Text as the model spells it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_training.text import LETTERS, SYMBOLS, decode, encode, number_words, plain_text


@given(st.text(max_size=40))
def test_any_line_becomes_text_of_the_alphabet_alone(line: str) -> None:
    text = plain_text(line)
    assert set(text) <= set(LETTERS)
    assert text == text.strip()
    assert "  " not in text


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("Turn on Grandma\u2019s lamp!", "turn on grandma's lamp"),
        ("set to 21%", "set to twenty one"),
        ("café in Zürich", "cafe in zurich"),
        ("rock 'n' roll ' ", "rock 'n' roll"),
        ("year 1984, 30000 people", "year one thousand nine hundred eighty four people"),
    ],
)
def test_punctuation_accents_and_numbers_are_made_plain(line: str, text: str) -> None:
    assert plain_text(line) == text


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "zero"), (13, "thirteen"), (40, "forty"), (99, "ninety nine"), (105, "one hundred five"), (7000, "seven thousand")],
)
def test_numbers_are_spelled_as_they_are_said(number: int, words: str) -> None:
    assert number_words(number) == words


@given(st.text(LETTERS, max_size=30).map(lambda text: " ".join(text.split())))
def test_a_path_with_a_blank_after_each_symbol_decodes_to_its_text(text: str) -> None:
    assert decode([step for symbol in encode(text) for step in (symbol, symbol, 0)]) == text


def test_a_symbol_outside_the_alphabet_is_named() -> None:
    with pytest.raises(ValueError, match="'ü'"):
        encode("über")


def test_the_blank_is_symbol_zero_and_a_space_symbol_one() -> None:
    assert SYMBOLS[:3] == ("<blank>", " ", "a")
    assert len(SYMBOLS) == 29
