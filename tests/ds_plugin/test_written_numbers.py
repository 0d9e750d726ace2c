"""Numbers in digits: what is certain is written, and what could mean something else stays as it was said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("text_to_num", reason="needs the extra normalise")

from ds_plugin.number_words import number_words
from ds_plugin.written_numbers import LANGUAGES, MIN_BARE, written

ENGLISH = [
    # a unit makes any number one
    ("set the lights to fifty percent", "set the lights to 50%"),
    ("fifty per cent", "50%"),
    ("one percent", "1%"),
    ("zero percent", "0%"),
    ("a hundred percent", "100%"),
    ("one hundred percent", "100%"),
    ("a hundred and five percent", "105%"),
    ("zero point five percent", "0.5%"),
    ("seventy-two percent", "72%"),
    ("turn it up by five percent and then ten percent", "turn it up by 5% and then 10%"),
    ("fifty percent twenty one degrees", "50% 21°"),
    ("twenty one degrees", "21°"),
    ("one degree", "1°"),
    ("set it to twenty one point five degrees celsius", "set it to 21.5°C"),
    ("seventy two degrees fahrenheit", "72°F"),
    ("minus five degrees", "-5°"),
    ("it is minus twelve degrees celsius outside", "it is -12°C outside"),
    ("ten to fifteen percent", "10 to 15%"),
    # without one, from ten on
    ("turn the heating to twenty one", "turn the heating to 21"),
    ("set the volume to eleven", "set the volume to 11"),
    ("ten", "10"),
    ("two hundred and fifty", "250"),
    ("two hundred fifty", "250"),
    ("one thousand two hundred", "1200"),
    ("twelve hundred", "1200"),
    ("a hundred and five", "105"),
    ("forty two thousand and one", "42001"),
    ("nine hundred and ninety nine thousand nine hundred and ninety nine", "999999"),
    ("zero point five", "0.5"),
    ("between ten and fifteen", "between 10 and 15"),
    ("one hundred and one dalmatians", "101 dalmatians"),
    ("sixteen candles for mum", "16 candles for mum"),
    ("a timer for thirty seconds", "a timer for 30 seconds"),
    # however it is written around it
    ("Set it to Fifty Percent, please.", "Set it to 50%, please."),
    ("  fifty   percent  ", "  50%  "),
    ("FIFTY PERCENT!", "50%!"),
    ("(fifty percent)", "(50%)"),
]
LEFT_IN_ENGLISH = [
    # below ten: a pronoun, an article, a name
    "one of them is on", "no one is home", "i want one", "one by one", "one more time", "the one in the hall", "turn on lamp one",
    "turn on lamp two", "two", "zero", "a timer for two minutes", "turn on number nine", "to two", "for four lamps", "won too for ate",
    # ordinals, and what sounds like them
    "the second light", "in a second", "one second", "seconds", "twenty seconds ago" [7:], "a twenty second timer", "the first lamp",
    "turn off the twenty first light", "third floor", "the fifth of may", "the sixties", "three tenths of a percent",
    # a year, a time, a telephone number
    "nineteen eighty four", "nineteen ninety nine", "twenty twenty five", "set an alarm for seven thirty", "ten thirty five", "fifty fifty",
    "call five five five one two three four", "zero zero seven", "double twenty", "channel one oh one", "oh five", "o five",
    "fifty oh one", "half past ten", "quarter to twelve", "ten past eleven",
    # parts of something larger
    "half a percent", "three quarters", "ten and a half percent", "twenty and a quarter", "one point five million percent",
    "point fifteen", "point five percent", "a hundred", "a hundred times", "a thousand thanks", "half a hundred percent",
    "a few hundred percent", "hundreds", "thousand", "million", "a couple of minutes", "negative ten degrees", "minus twenty",
    "one million two hundred thousand", "one million", "twenty minus five percent",
    # what the library would take and nobody says
    "twenty and one percent", "zero five percent", "one hundred thousand million billion percent", "20 twenty percent",
    # no numbers at all
    "", " ", "percent", "degrees", "for ever", "won", "turn on the light", "...", "\N{SNOWMAN} lamp", "5 percent",
]  # fmt: skip
OTHERS = [
    ("de", "stell das licht auf fünfzig prozent", "stell das licht auf 50%"),
    ("de", "ein prozent", "1%"),
    ("de", "hundert prozent", "100%"),
    ("de", "einhundert prozent", "100%"),
    ("de", "ein hundert prozent", "100%"),
    ("de", "fünf und zwanzig prozent", "25%"),
    ("de", "einundzwanzig grad", "21°"),
    ("de", "zwanzig komma fünf grad celsius", "20,5°C"),
    ("de", "minus fünf grad", "-5°"),
    ("de", "dreissig grad", "30°"),
    ("de", "zweihundert fünfzig", "250"),
    ("de", "ein paar hundert prozent", None),
    ("de", "drei Millionen zweihundertachtundneunzigtausendsechshunderteine lampen", None),
    ("de", "sieben uhr dreißig", None),
    ("de", "zwölf uhr dreißig", None),
    ("de", "halb zehn", None),
    ("de", "zwanzig nach acht", None),
    ("de", "mach lampe zwei an", None),
    ("de", "mach eine lampe an", None),
    ("de", "mach das licht ein", None),
    ("de", "der zweite", None),
    ("fr", "mets la lumière à cinquante pour cent", "mets la lumière à 50%"),
    ("fr", "cent pour cent", "100%"),
    ("fr", "quatre-vingt-dix pour cent", "90%"),
    ("fr", "quatre vingt dix pour cent", "90%"),
    ("fr", "vingt et un degrés", "21°"),
    ("fr", "un degré", "1°"),
    ("fr", "vingt et un virgule cinq degrés", "21,5°"),
    ("fr", "moins cinq degrés", "-5°"),
    ("fr", "soixante et onze", "71"),
    ("fr", "dix heures trente", None),
    ("fr", "dix heures et demie", None),
    ("fr", "une lampe", None),
    ("fr", "la première lampe", None),
    ("fr", "le neuf", None),
    ("es", "pon la luz al cincuenta por ciento", "pon la luz al 50%"),
    ("es", "cien por cien", "100%"),
    ("es", "ciento veinte por ciento", "120%"),
    ("es", "treinta y cinco grados", "35°"),
    ("es", "un grado", "1°"),
    ("es", "veinte coma cinco grados", "20,5°"),
    ("es", "menos cinco grados", "-5°"),
    ("es", "las diez y media", None),
    ("es", "las diez y veinte", None),
    ("es", "una luz", None),
    ("es", "la primera", None),
    ("en-US", "fifty percent", "50%"),
    ("EN_gb", "fifty percent", "50%"),
    ("fr-CA", "cinquante pour cent", "50%"),
    ("it", "cinquanta per cento", None),
    ("ja", "五十パーセント", None),
    ("xx", "fifty percent", None),
    ("", "fifty percent", None),
]


@pytest.mark.parametrize(("said", "text"), ENGLISH)
def test_what_is_certain_is_written_in_digits(said: str, text: str) -> None:
    assert written(said, "en") == text


@pytest.mark.parametrize("said", LEFT_IN_ENGLISH)
def test_what_could_mean_something_else_stays(said: str) -> None:
    assert written(said, "en") == said


@pytest.mark.parametrize(("language", "said", "text"), OTHERS)
def test_other_languages_and_those_without_rules(language: str, said: str, text: str | None) -> None:
    assert written(said, language) == (text or said)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_number_below_a_thousand_is_itself_or_stays(language: str) -> None:
    unit = {"en": "percent", "de": "prozent", "es": "por ciento", "fr": "pour cent"}[language]
    found = 0
    for number in range(1000):
        for words in number_words(number, language):
            assert written(f"{words} {unit}", language) in {f"{number}%", f"{words} {unit}"}
            assert written(words, language) in {str(number), words}
        found += written(f"{number_words(number, language)[0]} {unit}", language) == f"{number}%"
    assert found >= 990


@given(st.text(), st.sampled_from(sorted(LANGUAGES)))
def test_any_text_is_taken(text: str, language: str) -> None:
    assert isinstance(written(text, language), str)


SOME = (
    "one",
    "two",
    "ten",
    "twenty",
    "fifty",
    "a",
    "hundred",
    "and",
    "point",
    "half",
    "oh",
    "percent",
    "degrees",
    "minus",
    "the",
    "lamp",
    ",",
)


@given(st.lists(st.sampled_from(SOME)))
def test_writing_twice_changes_nothing_more_and_loses_no_other_word(words: list[str]) -> None:
    once = written(" ".join(words), "en")
    assert written(once, "en") == once
    assert [word for word in once.split() if word in {"the", "lamp"}] == [word for word in words if word in {"the", "lamp"}]


@given(st.integers(MIN_BARE, 10**9))
def test_a_number_between_words_is_written_as_itself(number: int) -> None:
    said = number_words(number, "en")[-1]
    assert written(f"the {said} lamps", "en") in {f"the {number} lamps", f"the {said} lamps"}
