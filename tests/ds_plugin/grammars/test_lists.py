"""Lists become graphs of their own: values, numbers and wildcards, with their slots."""

from __future__ import annotations

import pytest

from ds_engine.errors import GrammarError
from ds_plugin.grammars.joined import MAX_JOINED
from ds_plugin.grammars.lists import ListGraphs
from ds_plugin.grammars.making import FEW
from ds_plugin.grammars.rules import Rules
from ds_plugin.grammars.schema import TextList, Value
from ds_plugin.grammars.walk import ListWord, Mention
from tests.ds_plugin.grammars.template_helpers import WILD, LetterReader, heard, is_said, of, said, values


def test_a_slot_has_the_value_out_and_the_sentence_what_was_said() -> None:
    states = values({"in": "(closed|shut)", "out": "off"}, {"in": "open", "out": 1}, {"in": "ajar"})
    found = of("is the door {state:is}", lists={"state": states})
    assert heard(found, "is the door shut").slots == {"is": "off"}
    assert heard(found, "is the door shut").sentence == "is the door shut"
    assert heard(found, "is the door open").slots == {"is": "1"}
    assert heard(found, "is the door ajar").slots == {"is": "ajar"}


@pytest.mark.parametrize(("out", "text"), [(100, "100"), (1.5, "1.5"), (True, "true"), ("on", "on"), ([1, "a"], '[1, "a"]')])
def test_values_that_are_no_text_become_text(out: object, text: str) -> None:
    assert heard(of("{x}", lists={"x": values({"in": "max", "out": out})}), "max").slots == {"x": text}


def test_a_name_is_written_as_it_was_given() -> None:
    found = heard(of("turn on {name}", lists={"name": values("Grandma's  LED-Lamp")}), "turn on grandma's led lamp")
    assert (found.sentence, found.slots) == ("turn on Grandma's LED-Lamp", {"name": "Grandma's  LED-Lamp"})


def test_a_captured_list_fills_no_slot() -> None:
    found = of("{@x} and {x:@other}", lists={"x": values("one", "two")})
    assert heard(found, "one and two").slots == {}


def test_values_may_have_rules_and_lists_of_their_own() -> None:
    lists = {"room": values("[the ]{floor} room", "<den>"), "floor": values({"in": "first", "out": "1"})}
    found = of("go to {room}", lists=lists, expansion_rules={"den": "den|study"})
    assert said(found) == {"go to the first room", "go to first room", "go to den", "go to study"}
    assert heard(found, "go to the first room").slots == {"room": "the first room", "floor": "1"}


def test_lists_that_lead_back_to_themselves_are_refused() -> None:
    with pytest.raises(GrammarError, match=r"circle: list \{a:a\} -> list \{b:b\} -> list \{a:a\}"):
        of("{a}", lists={"a": values("x {b}"), "b": values("y {a}")})


def test_a_value_that_is_joined_to_letters_keeps_its_own_slot_value() -> None:
    found = of("the {area}['s] light", lists={"area": values({"in": "den|study", "out": "Den"}, "Hall Way")})
    assert heard(found, "the study's light").slots == {"area": "Den"}
    assert heard(found, "the hall way's light").slots == {"area": "Hall Way"}
    assert heard(found, "the hall way's light").sentence == "the Hall Way's light"
    assert not is_said(found, "the den's study light")


def test_two_lists_in_one_word_fill_both_slots() -> None:
    found = of("{colour}{thing}", lists={"colour": values("red", "blue"), "thing": values("bird", {"in": "shift", "out": "S"})})
    assert heard(found, "redshift").slots == {"colour": "red", "thing": "S"}
    assert said(found) == {"redbird", "redshift", "bluebird", "blueshift"}


def test_lists_that_make_too_many_words_together_are_left_out() -> None:
    letters = [f"{a}{b}" for a in "abcdefghijklmno" for b in "abcdefghijklmno"]
    found = of("{x}{x:y} please", "go on", lists={"x": values(*letters)})
    assert said(found) == {"go on"}
    assert f"list {{x:x}}{{x:y}} is left out: it stands for more than {MAX_JOINED} texts" in found.problems


def test_a_wildcard_takes_any_words_and_cannot_be_joined_to_letters() -> None:
    found = of("say {any}", "spell {any}s", "dis l'{any}", lists={"any": {"wildcard": True}})
    assert said(found) == {f"say {WILD}", f"dis {WILD}"}
    assert heard(found, "say good morning").slots == {"any": "good morning"}
    assert heard(found, "dis l'eau").slots == {"any": "l'eau"}
    assert "list {any:any}s is left out: a wildcard cannot be joined to letters" in found.problems


@pytest.mark.parametrize(
    ("given", "sentence", "value"),
    [
        ({"from": 0, "to": 100}, "a hundred", "100"),
        ({"from": 0, "to": 100}, "twenty one", "21"),
        ({"from": 0, "to": 30, "step": 10}, "twenty", "20"),
        ({"from": -5, "to": 5}, "minus three", "-3"),
        ({"from": "0", "to": "5"}, "two", "2"),
        ({"from": 0, "to": 5, "fractions": "halves"}, "two point five", "2.5"),
        ({"from": 0, "to": 5, "fractions": "halves"}, "five point five", "5.5"),
        ({"from": 0, "to": 5, "fractions": "tenths"}, "zero point nine", "0.9"),
        ({"from": -2, "to": 0, "fractions": "halves"}, "minus zero point five", "-0.5"),
        ({"from": 0, "to": 5, "words_language": "de"}, "drei", "3"),
        ({"from": 0, "to": 5, "digits": False}, "three", "3"),
        ({"from": 0, "to": 5, "type": "percentage"}, "three", "3"),
    ],
)
def test_numbers_are_said_in_words_and_written_in_digits(given: dict[str, object], sentence: str, value: str) -> None:
    found = heard(of("to {n}", lists={"n": {"range": given}}), f"to {sentence}")
    assert (found.sentence, found.slots) == (f"to {value}", {"n": value})


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"from": 0, "to": 30, "step": 10}, "fifteen"),
        ({"from": 0, "to": 30}, "thirty one"),
        ({"from": 1, "to": 30}, "zero"),
        ({"from": 0, "to": 30}, "one point five"),
    ],
)
def test_other_numbers_are_not_said(given: dict[str, object], sentence: str) -> None:
    assert not is_said(of("to {n}", lists={"n": {"range": given}}), f"to {sentence}")


def test_a_multiplied_number_is_written_as_it_was_said() -> None:
    found = of("down by {n}[%]", lists={"n": {"range": {"from": 0, "to": 100, "multiplier": -1}}})
    for sentence, written in (("down by ten", "down by 10"), ("down by ten percent", "down by 10%")):
        assert (heard(found, sentence).sentence, heard(found, sentence).slots) == (written, {"n": "-10"})
    halved = of("{n}", lists={"n": {"range": {"from": 0, "to": 100, "multiplier": 0.5}}})
    assert heard(halved, "fifteen").slots == {"n": "7.5"}


def test_a_unit_may_follow_a_number_with_and_without_a_space() -> None:
    found = of("auf {n}[prozent]", lists={"n": {"range": {"from": 5, "to": 5}}})
    assert said(found) == {"auf five", "auf five prozent", "auf fiveprozent"}
    assert heard(found, "auf five prozent").sentence == "auf 5 prozent"
    assert heard(found, "auf fiveprozent").sentence == "auf 5prozent"


def test_a_range_may_stand_in_the_template() -> None:
    found = of("set {0..20,5:level} for {1..3:hours}", lists={})
    assert heard(found, "set fifteen for two").slots == {"level": "15", "hours": "2"}
    assert not is_said(found, "set sixteen for two")


def test_ranges_of_equal_numbers_are_one_graph() -> None:
    found = of("{a} {b} {a:c}", lists={"a": {"range": {"from": 0, "to": 50}}, "b": {"range": {"from": 0, "to": 50}}})
    assert [name for name in found.grammar.graphs if name.startswith("range")] == ["range 0..50"]


def test_only_long_lists_are_lists_of_the_search() -> None:
    lists = {"short": values(*"abcdefgh"[:FEW]), "long": values(*"abcdefghi"), "n": {"range": {"from": 1, "to": 50}}}
    found = of("{short} {long} {n}", lists=lists)
    assert found.grammar.lists == {"list {long:long}", "range 1..50"}


def test_a_language_without_number_words_loses_its_ranges_and_says_so() -> None:
    found = of("to {n}", "to {n}%", "go on", lists={"n": {"range": {"from": 0, "to": 5, "words_language": "xx"}}})
    assert said(found) == {"go on"}
    assert "list {n:n} is left out: no rules for saying numbers in language 'xx'" in found.problems
    assert "list {n:n}% is left out: no rules for saying numbers in language 'xx'" in found.problems


def test_what_cannot_be_written_is_left_out_and_reported() -> None:
    found = of("turn on {name}", lists={"name": values("lamp", "αβγ", "Lamp 🙂", "...", "fan|δ")})
    assert said(found) == {"turn on lamp", "turn on fan"}
    assert found.problems == (
        "test.yaml: the list name: 'αβγ' is left out, the model cannot write 'αβγ'",
        "test.yaml: the list name: 'Lamp 🙂' is said without '🙂'",
        "test.yaml: the list name: the value '...' is left out: it says nothing",
        "test.yaml: template 'fan|δ': 'δ' is left out, the model cannot write 'δ'",
    )


def test_a_value_that_may_be_silent_is_left_out() -> None:
    found = of("turn on {name} now", lists={"name": values("[lamp]", "fan", {"in": "<oops> x"})})
    assert said(found) == {"turn on fan now"}
    assert "test.yaml: the list name: the rule <oops> is missing" in found.problems


def test_lists_that_take_too_many_steps_are_refused() -> None:
    specs = {"x": TextList(tuple(Value(letter, None, {}, "a.yaml", plain=True) for letter in "abcdef"))}
    for pieces, reason in (((Mention("x", "x"),), "a.yaml: the list x"), ((Mention("x", "x"), "s"), "list {x:x}s")):
        with pytest.raises(GrammarError, match=f"{reason}: the grammar is too large: it takes more than 5 steps"):
            ListGraphs(specs, Rules({}), LetterReader(), "en", {}, steps=5).of(ListWord(pieces, ""))
