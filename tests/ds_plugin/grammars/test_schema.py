"""What a file of templates may say, and that everything else is refused with its place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.errors import GrammarError
from ds_plugin.grammars.places import Placed
from ds_plugin.grammars.schema import MAX_NUMBERS, MAX_TEMPLATES, MAX_VALUES, NumberList, template_file


def file_with(block: Any = None, **more: Any) -> Any:
    return template_file({"intents": {"Do": {"data": [block or {"sentences": ["go"]}]}}, **more}, "en", "a.yaml")


def failure(data: Any) -> str:
    try:
        template_file(data, "en", "a.yaml")
    except GrammarError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "a file of sentence templates must be a mapping of names, got None"),
        ([], "a file of sentence templates must be a mapping"),
        ({5: 6}, "a file of sentence templates must be a mapping of names"),
        ({"intents": []}, "intents must be a mapping"),
        ({"intents": {"Do": []}}, "the intent Do must be a mapping"),
        ({"intents": {"Do": {"data": {}}}}, "data of Do must be a list"),
        ({"intents": {"Do": {"data": ["go"]}}}, "data of Do must be a mapping"),
        ({"intents": {"Do": {"data": [{"sentences": "go"}]}}}, "sentences of Do must be a list"),
        (
            {"intents": {"Do": {"data": [{"sentences": [True]}]}}},
            "a sentence of Do must be text (in quotes where it looks like something else)",
        ),
        ({"intents": {"Do": {"data": [{"slots": []}]}}, "lists": {}}, ""),
        ({"intents": {"Do": {"data": [{"slots": [1]}]}}}, "slots of Do must be a mapping"),
        ({"intents": {"Do": {"data": [{"requires_context": "x"}]}}}, "requires_context of Do must be a mapping"),
        ({"lists": {"x": 5}}, "the list x must be a mapping"),
        ({"lists": {"x": {}}}, "the list x needs `values`, `range` or `wildcard: true`"),
        ({"lists": {"x": {"wildcard": False}}}, "the list x needs"),
        ({"lists": {"x": {"values": "a"}}}, "values of the list x must be a list"),
        ({"lists": {"x": {"values": [5]}}}, "a value of the list x must be text"),
        ({"lists": {"x": {"values": [{"out": "a"}]}}}, "a value of the list x needs `in`"),
        ({"lists": {"x": {"values": [{"in": "a", "context": [1]}]}}}, "the context of 'a' must be a mapping"),
        ({"lists": {"x": {"range": {}}}}, "the range x cannot be"),
        ({"lists": {"x": {"range": {"from": 5, "to": 4}}}}, "the range x cannot be"),
        ({"lists": {"x": {"range": {"from": 0, "to": 4, "step": 0}}}}, "the range x cannot be"),
        ({"lists": {"x": {"range": {"from": 0, "to": 4, "fractions": "thirds"}}}}, "fractions of ['halves', 'tenths']"),
        ({"lists": {"x": {"range": {"from": 0, "to": 4, "fractions": []}}}}, "the range x cannot be"),
        ({"lists": {"x": {"range": {"from": 0, "to": 10**9}}}}, f"it has at most {MAX_NUMBERS} numbers"),
        ({"lists": {"x": {"range": {"from": 0, "to": float("inf")}}}}, "the range x cannot be"),
        ({"lists": {"x": {"range": {"from": 0, "to": 9, "multiplier": "nan"}}}}, "the range x cannot be"),
        ({"lists": {"x": {"range": {"from": 0, "to": 9, "words_language": 5}}}}, "the range x cannot be"),
        ({"lists": {"x": {"values": ["a"] * (MAX_VALUES + 1)}}}, f"more than {MAX_VALUES} values"),
        ({"expansion_rules": []}, "expansion_rules must be a mapping"),
        ({"expansion_rules": {str(n): "a" for n in range(MAX_TEMPLATES + 1)}}, f"has more than {MAX_TEMPLATES} rules"),
        ({"expansion_rules": {"x": 5}}, "the rule x must be text"),
        ({"expansion_rules": {"x": "(a"}}, "template '(a': Unable to find end of group"),
        ({"skip_words": "please"}, "skip_words must be a list"),
        ({"skip_words": [5]}, "a skip word must be text"),
        ({"settings": 5}, "settings must be a mapping"),
        ({"language": 5}, "language must be text"),
        ({"intents": {"Do": {"data": [{"sentences": ["a"] * (MAX_TEMPLATES + 1)}]}}}, f"has more than {MAX_TEMPLATES} templates"),
    ],
)
def test_what_is_not_in_the_format_is_refused_with_its_place(data: Any, message: str) -> None:
    error = failure(data)
    assert message in error
    assert bool(message) == error.startswith("a.yaml: ")


def test_what_knows_its_own_place_is_named_with_it() -> None:
    with pytest.raises(GrammarError, match=r"^b.yaml, line 7: template 'turn \(on'"):
        file_with({"sentences": [Placed("turn (on", "b.yaml, line 7")]})
    with pytest.raises(GrammarError, match=r"^b.yaml, line 3: the list x needs"):
        file_with(lists={Placed("x", "b.yaml, line 3"): {}})
    with pytest.raises(GrammarError, match=r"^b.yaml, line 5: sentences of Do must be a list"):
        file_with({Placed("sentences", "b.yaml, line 5"): "x"})


def test_keys_that_belong_to_answers_mean_nothing() -> None:
    block = {
        "sentences": ["go"],
        "response": "x",
        "metadata": {"a": 1},
        "required_keywords": ["go"],
        "name_domains": ["light"],
        "new": None,
    }
    assert file_with(block, responses={"x": 5}, whatever=5).blocks[0].sentences[0].text == "go"


def test_empty_parts_are_as_good_as_none() -> None:
    block = {"sentences": ["go"], "slots": None, "requires_context": None, "expansion_rules": None, "lists": None}
    assert file_with(block).blocks[0].slots == {}


@pytest.mark.parametrize(("start", "stop", "step"), [(1, 0, 1), (0, 1, 0), (0, 1, -1), (0, MAX_NUMBERS, 1)])
def test_a_range_of_no_or_too_many_numbers_is_none(start: int, stop: int, step: int) -> None:
    with pytest.raises(GrammarError):
        NumberList(start, stop, step)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "{x}", "<r>", "(", "[a", "a|b", "{", "<x>[s]"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["values", "range", "in", "out", "from", "to", "data", "sentences", "slots", "lists", "x"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(("intents", "lists", "expansion_rules", "skip_words", "settings", "language"), JUNK))
)
def test_any_data_is_records_or_a_grammar_error(data: Any) -> None:
    error = failure(data)
    assert not error or error.startswith("a.yaml: ")
