"""Numbers in words, against what people say, and against a library of somebody else's that reads words as numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_engine.errors import InputError
from ds_plugin.number_words import MAX_NUMBER, decimal_words, minus, number_words, ordinal_words, primary, year_words


@pytest.mark.parametrize(
    ("number", "language", "ways"),
    [
        (0, "en", ("zero",)),
        (21, "en", ("twenty one",)),
        (105, "en", ("one hundred five", "one hundred and five", "a hundred five", "a hundred and five")),
        (-7, "en_US", ("minus seven",)),
        (21, "de-AT", ("einundzwanzig",)),
        (80, "fr", ("quatre vingts",)),
        (80, "fr-CH", ("huitante",)),
        (1, "es", ("uno", "un", "una")),
        (2, "nb-NO", ("to",)),
        (105, "zh", ("一百〇五", "一百零五")),
    ],
)
def test_a_number_is_said_in_every_sensible_way_the_usual_one_first(number: int, language: str, ways: tuple[str, ...]) -> None:
    assert number_words(number, language) == ways


def test_a_year_is_said_as_such_and_a_number_may_be() -> None:
    assert year_words(1984, "en") == "nineteen eighty four"
    assert year_words(1984, "en") in number_words(1984, "en")
    assert not set(ordinal_words(1984, "ru")) & set(number_words(1984, "ru"))
    assert year_words(1984, "ru") == number_words(1984, "ru")[0]


def test_ordinals_decimals_and_what_is_below_zero() -> None:
    assert (ordinal_words(22, "en")[0], ordinal_words(2, "fr")[0]) == ("twenty second", "deuxième")
    assert [decimal_words("0", "05", language) for language in ("en", "de")] == ["zero point zero five", "null Komma null fünf"]
    assert [minus(language) for language in ("en", "fr", "de")] == ["minus", "moins", "minus"]


@pytest.mark.parametrize("language", ["xx", "", "-", "../en", "english", "é"])
def test_a_language_without_rules_is_refused_by_name(language: str) -> None:
    for ask in (number_words, ordinal_words, year_words):
        with pytest.raises(InputError, match="no rules for saying numbers in language"):
            ask(5, language)


def test_a_number_is_bounded() -> None:
    assert number_words(MAX_NUMBER, "en") == ("one quadrillion",)
    for number in (MAX_NUMBER + 1, -MAX_NUMBER - 1, 10**5000):
        with pytest.raises(InputError, match="must lie within"):
            number_words(number, "en")


def test_a_language_is_known_by_its_first_tag() -> None:
    assert [primary(tag) for tag in ("pt-BR", "EN_us", "de", "nb", "")] == ["pt", "en", "de", "no", ""]


@given(st.integers(0, 999_999))
def test_words_are_read_back_as_the_number(number: int) -> None:
    text_to_num = pytest.importorskip("text_to_num")
    assert text_to_num.text2num(number_words(number, "en")[0], "en") == number
    assert text_to_num.text2num(number_words(number, "de")[0], "de") == number


@given(st.integers(-MAX_NUMBER, MAX_NUMBER), st.sampled_from(["en", "de", "fr", "es", "it", "nl", "ru", "sv", "pl", "hi", "zh"]))
def test_words_are_words_with_single_spaces(number: int, language: str) -> None:
    for way in number_words(number, language):
        assert way == " ".join(way.split())
        assert not set(way) & set("-,\u00ad\u2010.0123456789")
