"""Whatever is written, what comes out can be written by the alphabet, and what had to be changed or lost is told."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_engine.alphabet import Alphabet, Boundary, BoundaryRule
from ds_engine.text import normalise
from ds_plugin.spoken import Reader, Reading, number_words

LETTERS = Alphabet(("<blank>", " ", *string.ascii_lowercase, "'"))
CAPITALS = Alphabet(("<blank>", "|", *string.ascii_uppercase, "'"), boundary=Boundary(symbol="|"))
BOTH = Alphabet(("<blank>", " ", *string.ascii_letters))
MARKS = Alphabet(("<blank>", " ", *string.ascii_lowercase, "\u0301", "\u200c"))
DIGITS = Alphabet(("<blank>", " ", *string.ascii_lowercase, *string.digits, "%"))
GERMAN = Alphabet(("<blank>", " ", *string.ascii_lowercase, *"äöüß"))
PIECES = Alphabet(("<blank>", "▁", "▁turn", "▁on", "two", *string.ascii_lowercase[:20]), boundary=Boundary(BoundaryRule.WORD_INITIAL, "▁"))
SIGNS = Alphabet(("<blank>", *"北京五点"), boundary=Boundary(BoundaryRule.NONE, ""))
BYTES = Alphabet(("<blank>", *map(chr, range(1, 256))), boundary=Boundary(BoundaryRule.NONE, ""), bytes_mode=True)
ALPHABETS = {
    "letters": LETTERS, "capitals": CAPITALS, "both": BOTH, "marks": MARKS, "digits": DIGITS,
    "german": GERMAN, "pieces": PIECES, "signs": SIGNS, "bytes": BYTES,
}  # fmt: skip

english = Reader(LETTERS, "en")


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Turn on Grandma\u2019s lamp!", "turn on grandma's lamp"),
        ("Zoë's café", "zoe's cafe"),
        ("Straße nach Łódź", "strasse nach lodz"),
        ("smo\u0308rga\u030as", "smorgas"),
        ("ＴＶ ﬁne Ⅳ", "tv fine iv"),  # noqa: RUF001 - full width
        ("TV-Room / Hall", "tv room hall"),
        ("a.m. 'quoted' rock 'n' roll '", "a m quoted rock n roll"),
        ("Kitchen 2", "kitchen two"),
        ("mp3 4K 2x4", "mp three four k two x four"),
        ("2nd floor, 21ST street", "second floor twenty first street"),
        (
            "1.5 1,234.5 1,500 1.2.3",
            "one point five one thousand two hundred thirty four point five one thousand five hundred one two three",
        ),
        ("0 007 1000000 7:30", "zero zero zero seven one zero zero zero zero zero zero seven thirty"),
        ("1984 2005 2024 1,984", "nineteen eighty four two thousand five twenty twenty four one thousand nine hundred eighty four"),
        ("-5 A-5 3-4", "minus five a five three four"),
        ("20 °C 68°F 90° 5°cool", "twenty degrees celsius sixty eight degrees fahrenheit ninety degrees five degrees cool"),
        ("50% R&B C++ #1 @home", "fifty percent r and b c plus plus number one at home"),
        ("$5 €12.50 9£", "five dollars twelve point five zero euros nine pounds"),
        ("½ ² ① ５０ ٢", "half two one fifty two"),  # noqa: RUF001 - full width
        ("Brand™ | x", "brand x"),
        ("", ""),
        (" .,;!? ' '' --- \t\n", ""),
    ],
)
def test_english_is_read_as_people_say_it(written: str, spoken: str) -> None:
    reading = english(written)
    assert (reading.spoken, reading.lost) == (spoken, "")


@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        ("de", "2. Stock, 1,5 °C & 1.500", "zweite stock eins komma fünf grad celsius und eintausendfünfhundert"),
        ("de-AT", "Zimmer 3", "zimmer drei"),
        ("fr", "2e étage 50 %", "deuxieme etage cinquante pour cent"),
        ("es", "3º B", "tercer b"),
    ],
)
def test_other_languages_have_their_own_words(language: str, written: str, spoken: str) -> None:
    assert Reader(GERMAN, language)(written).spoken == spoken


def test_what_was_changed_is_told_once_in_order() -> None:
    assert english("Zoë 2 & Noël 2").changes == ("ë as e", "2 as two", "& as and")
    assert english("plain words, really").changes == ()


@pytest.mark.parametrize(
    ("written", "reading"),
    [
        ("🛋 Sofa🛋lamp", Reading("sofa lamp", (), "🛋")),
        ("xЖy", Reading("xy", (), "ж")),
        ("👩🏽\u200d🚀", Reading("", (), "👩🚀")),
        ("Мария 2", Reading("two", ("2 as two",), "мария")),
        ("lamp ☼ § x", Reading("lamp x", (), "☼§")),
        ("\ud800x", Reading("x")),
    ],
)
def test_what_can_neither_be_written_nor_read_out_is_lost_and_told(written: str, reading: Reading) -> None:
    assert english(written) == reading


@pytest.mark.parametrize("language", ["xx", "", "ru"])
def test_numbers_and_symbols_without_words_that_can_be_written_are_lost(language: str) -> None:
    reading = Reader(LETTERS, language)("lamp 5 & 2nd")
    assert (reading.lost, reading.changes) == ("5&2", ())
    assert reading.spoken.startswith("lamp")


def test_the_case_is_the_alphabets() -> None:
    assert Reader(CAPITALS, "en")("Straße 2nd 5°c").spoken == "STRASSE SECOND FIVE DEGREES CELSIUS"
    assert Reader(BOTH, "en")("Straße 2 TV").spoken == "Strasse two TV"


def test_what_the_alphabet_can_write_stays() -> None:
    assert Reader(DIGITS, "en")("Room 2 at 50% 1,500 2nd & C") == Reading("room 2 at 50% 1500 2nd and c", ("& as and",))
    assert Reader(GERMAN, "en")("Übergröße").spoken == "übergröße"
    assert Reader(MARKS, "en")("Zoë\u200c's café").spoken == "zoe\u200cs cafe\u0301"
    assert Reader(SIGNS, "zh")("北京1.5") == Reading("北京", (), "15")
    assert Reader(SIGNS, "zh")("北京5").changes == ("5 as 五",)


def test_bytes_could_write_all_but_have_learnt_letters() -> None:
    assert Reader(BYTES, "en")("Straße 5 & 北京 🛋") == Reading("straße five and 北京", ("5 as five", "& as and"), "🛋")


def test_a_word_that_no_pieces_make_is_lost() -> None:
    assert Reader(PIECES, "en")("turn on two x lamp") == Reading("turn on two lamp", (), "x")


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("TV", "t v"),
        ("Zoë's TVs & DVD", "zoe's t v s and d v d"),
        ("the TV's PC", "the t v's p c"),
        ("LED Radio", ""),
        ("tv X hmm", ""),
        ("", ""),
    ],
)
def test_abbreviations_without_vowels_are_guessed_to_be_said_by_letter(written: str, spelled: str) -> None:
    assert english.spelled_out(written) == spelled


def test_the_key_tells_readers_apart_that_read_differently() -> None:
    keys = [Reader(alphabet, language).key for alphabet in ALPHABETS.values() for language in ("en", "de")]
    assert len(set(keys)) == len(keys)
    assert Reader(LETTERS, "en").key == english.key


def test_a_text_without_end_is_read_all_the_same() -> None:
    assert len(english("9" * 100_000).spoken.split()) == 100_000
    assert english("é" * 100_000).spoken == "e" * 100_000
    assert english("🛋" * 100_000).lost == "🛋"


def test_numbers_can_be_asked_for_here() -> None:
    assert number_words(2, "en") == ("two",)


def holds(alphabet: Alphabet, language: str, text: str) -> None:
    reader = Reader(alphabet, language)
    reading = reader(text)
    assert reading.spoken == " ".join(reading.spoken.split())
    assert all(alphabet.spell(word) for word in reading.spoken.split())
    assert len(set(reading.lost)) == len(reading.lost)
    assert reader(text) == reading
    again = reader(reading.spoken)
    assert (again.spoken, again.changes, again.lost) == (reading.spoken, (), "")


@given(st.text(max_size=40), st.sampled_from(sorted(ALPHABETS)), st.sampled_from(["en", "de", "zh", "hi", "ru", "xx"]))
def test_any_text_gives_words_that_can_be_written(text: str, alphabet: str, language: str) -> None:
    holds(ALPHABETS[alphabet], language, text)


_LIKELY = st.text(alphabet=" '-.,:%&#@°$€+½²０éßÄłЖ北🛋ⅣTVabcndst0123456789CF\u0301\u0308\u200c\u200d", max_size=20)


@given(_LIKELY, st.sampled_from(sorted(ALPHABETS)), st.sampled_from(["en", "de", "fr", "es"]))
def test_names_of_letters_digits_and_signs_give_words_that_can_be_written(text: str, alphabet: str, language: str) -> None:
    holds(ALPHABETS[alphabet], language, text)


@given(st.text(alphabet=string.ascii_letters + "' .,!?-\u2019", max_size=40).filter(lambda text: "'" not in text.replace("\u2019", "'")))
def test_plain_text_is_read_as_language_models_are_made(text: str) -> None:
    assert english(text).spoken == normalise(text)


def test_a_reader_can_be_told_of_words_that_it_cannot_read() -> None:
    knowing = english.knowing(
        [("北京", "Bay-Jing"), ("TV", "t v"), ("🛋", "sofa 2"), ("a b", "c"), ("Ж", "🛋"), ("Я", ""), ("北京", "peking")]
    )
    assert knowing("(北京) TV 🛋") == Reading("bay jing tv sofa two", ("(北京) as bay jing", "🛋 as sofa two"))
    assert knowing("Ж Я").lost == "жя"
    assert knowing.key not in {english.key, english.knowing([("北京", "peking")]).key}
    assert english.knowing([("TV", "t v"), ("Zoë", "zoey")]) is english
