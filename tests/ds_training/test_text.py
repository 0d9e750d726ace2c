"""Text as the model spells it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_training.text import ENGLISH, LETTERS, SYMBOLS, Orthography, letters_of, number_words, plain_text


@given(st.text(max_size=40))
def test_any_line_becomes_text_of_the_alphabet_alone(line: str) -> None:
    try:
        text = plain_text(line)
    except ValueError as error:  # a letter of another script
        assert "the alphabet has no" in str(error)  # noqa: PT017
        return
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
        ("year 1984, 30000 people", "year one thousand nine hundred eighty four thirty thousand people"),
    ],
)
def test_punctuation_accents_and_numbers_are_made_plain(line: str, text: str) -> None:
    assert plain_text(line) == text


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (40, "forty"),
        (99, "ninety nine"),
        (105, "one hundred five"),
        (7000, "seven thousand"),
        (41_015, "forty one thousand fifteen"),
        (2_000_300, "two million three hundred"),
        (10**12, "one zero zero zero zero zero zero zero zero zero zero zero zero"),
    ],
)
def test_numbers_are_spelled_as_they_are_said(number: int, words: str) -> None:
    assert number_words(number) == words


@given(st.text(LETTERS, max_size=30).map(lambda text: " ".join(text.split())))
def test_a_path_with_a_blank_after_each_symbol_decodes_to_its_text(text: str) -> None:
    assert ENGLISH.decode([step for symbol in ENGLISH.encode(text) for step in (symbol, symbol, 0)]) == text


def test_a_symbol_outside_the_alphabet_is_named() -> None:
    with pytest.raises(ValueError, match="'ü'"):
        ENGLISH.encode("über")


GERMAN = Orthography(letters_of(["Größe über alles", "Äpfel?", "x2 y"]))


def test_an_alphabet_has_the_letters_of_its_texts_and_no_signs_or_digits() -> None:
    assert "".join(GERMAN.alphabet.symbols[1:]) == " abefglprsxyßäöü"


@pytest.mark.parametrize(
    ("line", "text"),
    [("Über  Größe!", "über größe"), ("U\u0308ber", "über"), ("ap\u00e8s", "apes"), ("- ab, ", "ab")],
    ids=["capitals and signs", "decomposed", "an accent that the alphabet lacks", "only signs around"],
)
def test_a_line_is_written_with_the_letters_there_are(line: str, text: str) -> None:
    assert GERMAN.plain(line) == text
    assert GERMAN.decode([column for letter in GERMAN.encode(text) for column in (letter, 0)]) == text


@pytest.mark.parametrize("line", ["Kiste", "7 Zwerge", "日", "a\u093f"])
def test_a_letter_or_digit_that_cannot_be_written_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="the alphabet has no"):
        GERMAN.plain(line)


def test_capitals_stay_where_the_alphabet_has_them() -> None:
    assert Orthography(("<blank>", " ", "A", "a")).plain("Aa a") == "Aa a"


def test_without_a_space_every_letter_is_a_word() -> None:
    writing = Orthography(("<blank>", "你", "好"))
    assert writing.decode(writing.encode("你好")) == "你好"


def test_the_blank_is_symbol_zero_and_a_space_symbol_one() -> None:
    assert SYMBOLS[:3] == ("<blank>", " ", "a")
    assert len(SYMBOLS) == 29
