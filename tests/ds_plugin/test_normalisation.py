"""The final text as people write it: what each setting changes, and that nothing happens without one."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest

from ds_engine.transcript import Hypothesis, Match, Transcript, Word
from ds_plugin import builtin
from ds_plugin.config import ConfigError, Schema
from ds_plugin.hooks import Hooks
from ds_plugin.host import HOST_OPTIONS
from ds_plugin.normalisation import MAX_CHARACTERS, OPTIONS, SECTION, Normalisation
from ds_plugin.observer import HookObserver
from tests.ds_plugin.helpers import INFO, hooked, plugin, transcript

NUMBERS = pytest.mark.skipif("not __import__('importlib').util.find_spec('text_to_num')", reason="needs the extra normalise")


def configured(*others: object, **values: Any) -> Hooks:
    """The built-in plugin with these settings, loaded before others."""
    hooks = hooked(builtin, *others)
    arguments = {(SECTION, name): value for name, value in values.items()}
    hooks.configure(Schema({**HOST_OPTIONS, **hooks.options()}).load(arguments=arguments))
    return hooks


async def normalised(text: str, language: str = "en", match: Match | None = None, **values: Any) -> str:
    said = Transcript(Hypothesis(text, (), 0.9, 0.0, match))
    return (await configured(**values).transform(replace(INFO, language=language), said)).text


async def test_without_a_setting_nothing_changes_and_nobody_waits() -> None:
    hooks = configured()
    assert not HookObserver(hooks).rewrites
    assert await hooks.transform(INFO, transcript("fifty percent")) == transcript("fifty percent")


@NUMBERS
async def test_numbers_are_written_in_digits_and_the_rest_stays() -> None:
    words = (Word("fifty", 0.0, 0.3, 0.9), Word("percent", 0.3, 0.8, 0.8))
    said = Transcript(Hypothesis("fifty percent", words, 0.7, -3.0), (Hypothesis("fifteen percent", (), 0.2, -4.0),), "en", "m", 1.0, 0.1)
    hooks = configured(numbers=True)
    assert HookObserver(hooks).rewrites
    assert await hooks.transform(INFO, said) == replace(said, best=replace(said.best, text="50%"))


@NUMBERS
async def test_the_language_is_the_utterances() -> None:
    assert await normalised("fünfzig prozent", "de-DE", numbers=True) == "50%"
    assert await normalised("fünfzig prozent", "en", numbers=True) == "fünfzig prozent"


MATCH = Match("home", "HassLightSet", "set Lamp Two to 50%", {"brightness": "50"})


@NUMBERS
@pytest.mark.parametrize(("case", "text"), [("", MATCH.sentence), ("sentence", "Set Lamp Two to 50%"), ("lower", "set lamp two to 50%")])
async def test_a_sentence_of_a_grammar_is_as_its_author_wrote_it(case: str, text: str) -> None:
    assert await normalised("set lamp two to fifty percent", match=MATCH, numbers=True, case=case) == text


@NUMBERS
async def test_a_match_without_a_sentence_is_as_open_speech() -> None:
    assert await normalised("fifty percent", match=Match("home", "x", ""), numbers=True) == "50%"


async def test_case_alone_needs_no_library_and_leaves_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    without_library(monkeypatch)
    assert await normalised("set it to fifty percent", case="sentence") == "Set it to fifty percent"


@NUMBERS
async def test_units_keep_their_own_case() -> None:
    assert await normalised("Twenty One Degrees Celsius", numbers=True, case="lower") == "21°C"
    assert await normalised("is it fifty percent", numbers=True, case="sentence") == "Is it 50%"


@pytest.mark.parametrize(
    ("language", "said", "text"),
    [
        ("en", "turn on the TV", "Turn on the TV"),
        ("en", "should i open it", "Should I open it"),
        ("en", "i'm here and i'll wait, i think i", "I'm here and I'll wait, I think I"),
        ("en-GB", "i", "I"),
        ("en", "the wi-fi is in iceland", "The wi-fi is in iceland"),
        ("it", "i cani", "I cani"),
        ("it", "apri i cani", "Apri i cani"),
        ("es", "¿qué hora es?", "¿Qué hora es?"),
        ("de", "öffne das tor", "Öffne das tor"),
        ("en", "50 lamps", "50 lamps"),
        ("en", "", ""),
        ("en", "...", "..."),
    ],
)
async def test_a_sentence_begins_with_a_capital(language: str, said: str, text: str) -> None:
    assert await normalised(said, language, case="sentence") == text


async def test_lower_case() -> None:
    assert await normalised("Turn On the TV", case="lower") == "turn on the tv"


@NUMBERS
async def test_strangers_see_the_text_as_it_will_be_read() -> None:
    seen: list[str] = []

    def looking(transcript: Transcript) -> Transcript:
        seen.append(transcript.text)
        return transcript.with_text(transcript.text + ".")

    hooks = configured(plugin(ds_transform_transcript=looking), numbers=True)
    assert (await hooks.transform(INFO, transcript("fifty percent"))).text == "50%."
    assert seen == ["50%"]


@pytest.mark.parametrize("case", ["upper", "Lower", " "])
def test_an_unknown_case_is_refused_by_name(case: str) -> None:
    with pytest.raises(ConfigError, match=r"^normalise\.case must be lower or sentence, got "):
        configured(case=case)


def without_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ds_plugin.written_numbers", raising=False)
    monkeypatch.setitem(sys.modules, "text_to_num", None)


def test_a_missing_library_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    without_library(monkeypatch)
    with pytest.raises(ConfigError, match=r"^normalise: needs the extra 'normalise', pip install 'ds-plugin\[normalise\]' "):
        configured(numbers=True)


async def test_a_transcript_longer_than_the_limit_stays() -> None:
    long = "Lamp " * (MAX_CHARACTERS // 5)
    assert await normalised(long, case="lower") == long.lower()
    assert await normalised(long + "x", case="lower") == long + "x"


def test_the_options_are_the_settings() -> None:
    assert Normalisation(**{option.name: option.default for option in OPTIONS}) == Normalisation()
    assert Normalisation().normaliser() is None
