"""What people write becomes what can be heard, and comes out as it was written where that is possible."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_engine.alphabet import Alphabet
from ds_engine.bias import MAX_PHRASE_LENGTH, Phrase, Pronunciation
from ds_plugin.spoken import Reader
from ds_plugin.vocabulary.phrases import Phrases, Said
from tests.ds_plugin.vocabulary.households import ENGLISH

TV, TELLY = Pronunciation("tv", "t v"), Pronunciation("tv", "telly")


@pytest.fixture
def phrases() -> Phrases:
    return Phrases(ENGLISH, [("TV", "T V"), ("TV", "telly"), ("AC/DC", "a c d c"), ("Мария", "Maria"), ("🛋", "sofa"), ("2nd", "second")])


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("Grandma\u2019s Lamp (left)", "grandma's lamp left"),
        ("R&B 20 °C, Room 2", "r and b twenty degrees celsius room two"),
        ("TV-Room", "tv room"),
        ("'quoted' rock 'n' roll dogs'", "quoted rock n roll dogs'"),
        ("Sofa 🪑", "sofa"),
    ],
)
def test_what_can_be_said_is_heard_in_words_of_the_alphabet(written: str, text: str) -> None:
    assert (Phrases(ENGLISH).read(written).text, Phrases(ENGLISH).read(written).pronunciations) == (text, ())


def test_a_word_with_diacritics_comes_out_as_it_is_written_and_is_said_without() -> None:
    said = Phrases(ENGLISH).read("Zoë's Café-Lamp")
    assert said.text == "zoë's café lamp"
    assert said.pronunciations == (Pronunciation("zoë's", "zoe's"), Pronunciation("café", "cafe"))
    assert said.changes == ("ë as e", "é as e")


def test_a_word_keeps_an_apostrophe_that_the_alphabet_lacks() -> None:
    plain = Phrases(Reader(Alphabet(("<blank>", " ", *string.ascii_lowercase)), "en"))
    assert plain.read("Zoe's").pronunciations == (Pronunciation("zoe's", "zoes"),)


@pytest.mark.parametrize(
    ("written", "text", "pronunciations"),
    [
        ("Zoe's TV", "zoe's tv", (TV, TELLY)),
        ("(TV)", "tv", (TV, TELLY)),
        ("TV-Room", "tv room", (TV, TELLY)),
        ("the TV's", "the tv's", (Pronunciation("tv's", "t v's"), Pronunciation("tv's", "telly's"))),
        ("AC/DC!", "ac/dc", (Pronunciation("ac/dc", "a c d c"),)),
        ("Мария-Lamp", "мария lamp", (Pronunciation("мария", "maria"),)),
        ("🛋, 2nd", "🛋 2nd", (Pronunciation("🛋", "sofa"), Pronunciation("2nd", "second"))),
    ],
)
def test_a_pronunciation_of_ones_own_comes_before_everything(
    written: str, text: str, pronunciations: tuple[Pronunciation, ...], phrases: Phrases
) -> None:
    assert phrases.read(written) == Said(text, pronunciations)


@pytest.mark.parametrize(("written", "lost"), [("Иван", "иван"), ("xЖ lamp", "ж"), ("🛋", "🛋"), ("...", ""), ("", ""), ("北京 2", "北京")])
def test_a_name_of_which_letters_are_missing_is_no_name(written: str, lost: str) -> None:
    said = Phrases(ENGLISH).read(written)
    assert (said.text, said.pronunciations, said.lost) == ("", (), lost)


def test_a_pronunciation_that_cannot_be_said_is_left_out() -> None:
    phrases = Phrases(ENGLISH, [("x", "🛋"), ("y", ""), ("z", "Иван"), ("", "a"), ("long", "1" * 100), ("ok", "o k")])
    assert phrases.pronunciations == (Pronunciation("ok", "o k"),)


def test_a_phrase_that_grows_too_long_when_it_is_said_cannot_be_used() -> None:
    assert Phrases(ENGLISH).read("9" * 100).text == ""
    assert Phrases(ENGLISH).read("ß" * (MAX_PHRASE_LENGTH // 2 + 1)).text == ""


@given(st.text(max_size=MAX_PHRASE_LENGTH), st.lists(st.tuples(st.text(min_size=1, max_size=5), st.text(max_size=9)), max_size=3))
def test_whatever_is_written_what_is_heard_can_be_used(text: str, own: list[tuple[str, str]]) -> None:
    phrases = Phrases(ENGLISH, [(word, spoken) for word, spoken in own if len(word.split()) == 1])
    said = phrases.read(text)
    written = {each.word for each in (*said.pronunciations, *phrases.pronunciations)}
    assert said.text == " ".join(said.text.split())
    assert all(word in written or ENGLISH(word).spoken == word for word in said.text.split())
    if said.text:
        Phrase(said.text)
