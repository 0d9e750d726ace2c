"""What sources publish becomes a bias: compiled once, exchanged where only lists changed, and what is wrong costs only itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ds_engine.bias import MAX_PHRASES, Phrase, Pronunciation
from ds_engine.errors import GrammarError
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.spoken import Reader, Reading
from ds_plugin.vocabulary.phrases import Phrases
from ds_plugin.vocabulary.published import Ear, Heard, hear
from ds_plugin.vocabulary.source import Household, Sentences
from tests.ds_plugin.grammars.template_helpers import said
from tests.ds_plugin.sources import names, sentences
from tests.ds_plugin.vocabulary.households import ENGLISH, LETTERS


class Listening(Reader):
    """A reader that remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(LETTERS, "en")
        self.asked: list[str] = []

    def __call__(self, text: str) -> Reading:
        self.asked.append(text)
        return super().__call__(text)

    def compiled(self) -> int:
        """How often templates were compiled: their words are asked for once each time."""
        return self.asked.count("turn") + self.asked.count("switch")

    def of(self, *grammars: Sentences, before: Heard | None = None, cache: Path | None = None) -> Heard:
        """What is heard of a household with these sentences."""
        return of(*grammars, before=before, ear=replace(EAR, reader=self, cache=cache))


EAR = Ear(ENGLISH, Phrases(ENGLISH), "en")
LAMPS = sentences("turn on {name}", "call {someone}", name=["Lamp", "Hall"])


@pytest.fixture
def reader() -> Listening:
    return Listening()


def of(*grammars: Sentences, before: Heard | None = None, ear: Ear = EAR) -> Heard:
    return hear("home", Household((), grammars), ear, before)


def only(heard: Heard) -> Loaded:
    [(_, loaded)] = heard.grammars.values()
    assert heard.bias.grammars == (loaded.grammar,)
    return loaded


def test_names_are_heard_as_they_are_said_with_their_highest_boost() -> None:
    home = Household((Phrase("Zoë's Lamp", 1.0), Phrase("Kitchen 2", 2.0), Phrase("zoë's lamp", 3.0), Phrase("kitchen two")))
    heard = hear("home", home, EAR)
    assert heard.bias.phrases == (Phrase("zoë's lamp", 3.0), Phrase("kitchen two", 2.0))
    assert heard.bias.pronunciations == (Pronunciation("zoë's", "zoe's"),)
    assert (heard.household, heard.problems, heard.failures) == (home, (), ())


def test_what_cannot_be_said_is_told_once_under_the_sources_name() -> None:
    heard = hear("home", names("🛋", "Иван", "lamp", "🛋"), EAR)
    assert heard.bias.phrases == (Phrase("lamp", 1.0),)
    assert heard.problems == (
        "home: '🛋': nothing of it can be said; write how it is said, as in 🛋 = ...",
        "home: 'Иван': no letters for 'иван'; write how it is said, as in Иван = ...",
    )


def test_of_too_many_names_the_first_are_heard() -> None:
    letters = "abcdefghij"
    many = ["x" + "".join(letters[int(digit)] for digit in str(number)) for number in range(MAX_PHRASES + 5)]
    heard = hear("home", names(*many), EAR)
    assert [phrase.text for phrase in heard.bias.phrases] == many[:MAX_PHRASES]
    assert heard.problems == ("home: more than 10000 phrases or 10000 pronunciations; the rest is left out",)


def test_an_empty_household_is_nothing() -> None:
    assert hear("home", Household(), EAR) == Heard(Household(), ENGLISH.key)


def test_sentences_are_a_grammar_whose_lists_are_the_households(reader: Listening) -> None:
    heard = reader.of(LAMPS)
    assert only(heard).grammar.name == "home: own"
    assert said(only(heard)) == {"turn on lamp", "turn on hall"}
    assert heard.problems == ("the list {someone} is not given: 1 templates are left out",)
    assert reader.compiled() == 1


def test_the_very_same_is_taken_over_and_not_even_looked_at(reader: Listening) -> None:
    first = reader.of(LAMPS)
    again = reader.of(replace(LAMPS, lists={"name": ["Lamp", "Hall"]}), before=first)
    assert only(again) is only(first)
    assert again.bias == first.bias
    assert reader.compiled() == 1


def test_another_value_of_a_list_is_exchanged_without_compiling(reader: Listening) -> None:
    grammar = sentences("turn on {name}", "see {name} in {area}", name=["Lamp"], area=["Den"])
    first = reader.of(grammar)
    other = reader.of(replace(grammar, lists={"name": ["Torch"], "area": ["Den"]}), before=first)
    assert said(only(other)) == {"turn on torch", "see torch in den"}
    assert reader.compiled() == 1
    same = {name for name, graph in only(first).grammar.graphs.items() if only(other).grammar.graphs.get(name) is graph}
    changed = set(only(first).grammar.graphs) - same
    assert any("area" in name for name in same)
    assert all("{name" in name for name in changed)
    assert len(changed) == 1
    assert said(only(first)) == {"turn on lamp", "see lamp in den"}


def test_a_list_that_comes_brings_its_sentences_without_compiling(reader: Listening) -> None:
    more = reader.of(replace(LAMPS, lists={**LAMPS.lists, "someone": ["Zoe"]}), before=reader.of(LAMPS))
    assert said(only(more)) == {"turn on lamp", "turn on hall", "call zoe"}
    assert more.problems == ()
    assert reader.compiled() == 1


def test_a_list_that_vanished_is_gone_and_the_templates_own_one_is_back(reader: Listening) -> None:
    templates: Mapping[str, Any] = {**LAMPS.templates, "lists": {"name": {"values": ["fan"]}}}
    given = replace(LAMPS, templates=templates, lists={"name": ["Lamp"], "someone": ["Zoe"]})
    before = reader.of(given)
    assert said(only(before)) == {"turn on lamp", "call zoe"}
    assert said(only(reader.of(replace(given, lists={"name": ["Lamp"]}), before=before))) == {"turn on lamp"}
    assert said(only(reader.of(replace(given, lists={}), before=before))) == {"turn on fan"}
    assert reader.compiled() == 3


def test_a_list_that_is_empty_takes_its_sentences_away(reader: Listening) -> None:
    given = replace(LAMPS, lists={"name": ["Lamp"], "someone": ["Zoe"]})
    fewer = reader.of(replace(given, lists={"name": [], "someone": ["Zoe"]}), before=reader.of(given))
    assert said(only(fewer)) == {"call zoe"}
    assert reader.compiled() == 1


def test_other_templates_are_compiled_anew(reader: Listening) -> None:
    other = sentences("switch on {name}", name=["Lamp"])
    assert said(only(reader.of(other, before=reader.of(LAMPS)))) == {"switch on lamp"}
    assert reader.compiled() == 2


@pytest.mark.parametrize(("language", "heard"), [("", True), ("en", True), ("en-GB", True), ("EN_us", True), ("de", False), ("eng", False)])
def test_sentences_of_another_language_are_left_out_without_a_word(language: str, *, heard: bool) -> None:
    found = of(replace(LAMPS, language=language))
    assert (len(found.bias.grammars) == 1, found.failures) == (heard, ())


def test_sentences_that_turn_to_another_language_are_gone() -> None:
    assert of(replace(LAMPS, language="de"), before=of(LAMPS)).bias.grammars == ()


def test_two_models_of_two_languages_hear_their_own_sentences() -> None:
    grammars = (sentences("go", called="a", language="en"), sentences("geh", called="b", language="de"), sentences("hey", called="c"))
    german = Ear(ENGLISH, Phrases(ENGLISH), "de-AT")
    assert [grammar.name for grammar in of(*grammars).bias.grammars] == ["home: a", "home: c"]
    assert [grammar.name for grammar in of(*grammars, ear=german).bias.grammars] == ["home: b", "home: c"]


BROKEN: dict[str, Sentences] = {
    "template": sentences("turn (on"),
    "nothing": sentences(),
    "silence": sentences("[please]"),
    "number": Sentences("own", 5),  # type: ignore[arg-type]
    "none": Sentences("own", None),  # type: ignore[arg-type]
    "text": Sentences("own", "go"),  # type: ignore[arg-type]
    "intents": Sentences("own", {"intents": ["go"]}),
    "keys": Sentences("own", {"intents": {}, ("a", 1): 5}),  # type: ignore[dict-item]
    "lists": replace(LAMPS, lists=5),  # type: ignore[arg-type]
    "list": replace(LAMPS, lists={"name": 5}),  # type: ignore[dict-item]
    "value": replace(LAMPS, lists={"name": [5.5, None]}),  # type: ignore[list-item]
    "values": replace(LAMPS, lists={"name": [{"out": "lamp"}]}),
    "unsaid": replace(LAMPS, lists={"name": ["🛋"]}),
}
LOOP: dict[str, Any] = {}
LOOP["intents"] = LOOP
BROKEN["loop"] = Sentences("own", LOOP)


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("kept", [False, True])
def test_a_grammar_that_cannot_be_had_leaves_the_old_one_and_harms_nothing_else(broken: Sentences, tmp_path: Path, *, kept: bool) -> None:
    ear = replace(EAR, cache=tmp_path) if kept else EAR
    home = Household((Phrase("Lamp", 1.0),), (broken, sentences("go", called="other")))
    alone = hear("home", home, ear)
    assert [grammar.name for grammar in alone.bias.grammars] == ["home: other"]
    before = of(LAMPS, ear=ear)
    after = hear("home", home, ear, before)
    assert [type(failure) for failure in after.failures] == [GrammarError]
    assert after.bias.phrases == (Phrase("lamp", 1.0),)
    assert [grammar.name for grammar in after.bias.grammars] == ["home: own", "home: other"]
    assert after.bias.grammars[0] is only(before).grammar
    mended = of(replace(LAMPS, lists={"name": ["Fan"]}), before=after, ear=ear)
    assert (said(only(mended)), mended.failures) == ({"turn on fan"}, ())


def test_what_fails_after_a_pronunciation_has_changed_leaves_the_old_one_too() -> None:
    knowing = ENGLISH.knowing([("TV", "t v")])
    after = of(sentences("turn (on"), before=of(LAMPS), ear=Ear(knowing, Phrases(knowing), "en"))
    assert said(only(after)) == {"turn on lamp", "turn on hall"}
    assert len(after.failures) == 1


def test_a_pronunciation_changes_how_a_name_is_heard_and_what_a_grammar_can_say() -> None:
    home = Household((Phrase("北京", 1.0),), (sentences("turn on {name}", name=["北京", "Lamp"]),))
    before = hear("home", home, EAR)
    assert before.bias.phrases == ()
    assert said(only(before)) == {"turn on lamp"}
    spoken = [("北京", "bay jing")]
    knowing = ENGLISH.knowing(spoken)
    after = hear("home", home, Ear(knowing, Phrases(ENGLISH, spoken), "en"), before)
    assert after.bias.phrases == (Phrase("北京", 1.0),)
    assert Pronunciation("北京", "bay jing") in after.bias.pronunciations
    assert said(only(after)) == {"turn on lamp", "turn on bay jing"}
    assert after.problems == ()


def test_what_was_compiled_is_kept_on_disk(reader: Listening, tmp_path: Path) -> None:
    first = reader.of(LAMPS, cache=tmp_path)
    again = reader.of(replace(LAMPS, lists={"name": ["Fan"]}), cache=tmp_path)
    assert said(only(again)) == {"turn on fan"}
    assert again.problems == first.problems
    assert reader.compiled() == 1
    [file] = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-20])
    assert said(only(reader.of(LAMPS, cache=tmp_path))) == said(only(first))
    assert reader.compiled() == 2
