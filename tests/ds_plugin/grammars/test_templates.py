"""Whole files of templates: slots, contexts, skip words, local rules, and what is left out."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.errors import GrammarError
from ds_plugin.grammars.frames import Frame
from ds_plugin.grammars.remembered import frame_of
from ds_plugin.grammars.schema import MAX_VALUES
from ds_plugin.grammars.templates import filled, of_templates, with_lists
from tests.ds_plugin.grammars.template_helpers import LetterReader, heard, is_said, of, said, values

NAMES = values(
    {"in": "lamp", "context": {"domain": "light"}},
    {"in": "blind", "context": {"domain": "cover"}},
    {"in": "heater", "context": {"domain": {"value": "climate"}}},
    "thing",
)


def blocks(*data: dict[str, Any], **more: Any) -> Any:
    return of_templates("test", {"intents": {"Do": {"data": [*data]}}, **more}, LetterReader(), "en", "test.yaml")


def test_slots_of_a_block_are_set_unless_the_sentence_says_them() -> None:
    found = of("light [in {area}]", lists={"area": values("den")}, slots={"domain": "light", "area": "here", "level": 5})
    assert heard(found, "light").slots == {"domain": "light", "area": "here", "level": "5"}
    assert heard(found, "light in den").slots == {"domain": "light", "area": "den", "level": "5"}


@pytest.mark.parametrize(
    ("context", "names"),
    [
        ({"requires_context": {"domain": "light"}}, {"lamp", "thing"}),
        ({"requires_context": {"domain": ["light", "cover"]}}, {"lamp", "blind", "thing"}),
        ({"requires_context": {"domain": {"value": "climate"}}}, {"heater", "thing"}),
        ({"requires_context": {"domain": {"slot": True}}}, {"lamp", "blind", "heater", "thing"}),
        ({"requires_context": {"area": {"slot": True}}}, {"lamp", "blind", "heater", "thing"}),
        ({"excludes_context": {"domain": "light"}}, {"blind", "heater", "thing"}),
        ({"excludes_context": {"domain": ["light", "climate"]}}, {"blind", "thing"}),
        ({"requires_context": {"domain": ["light", "cover"]}, "excludes_context": {"domain": "light"}}, {"blind", "thing"}),
    ],
)
def test_contexts_choose_the_values_that_fit(context: dict[str, Any], names: set[str]) -> None:
    assert said(of("see {name}", lists={"name": NAMES}, **context)) == {f"see {name}" for name in names}


def test_choices_of_equal_values_are_one_graph() -> None:
    lists = {"name": NAMES, "area": values("den", "hall")}
    domains = ({"domain": "light"}, {"domain": ["light"]}, {"domain": "fan"}, {"domain": "vacuum"})
    found = blocks(
        *({"sentences": [f"{n} {{name}} in {{area}}"], "requires_context": domain} for n, domain in zip("abcd", domains, strict=True)),
        lists=lists,
    )
    called = [name for name in found.grammar.graphs if name.startswith("list ")]
    assert sorted(name.split("}")[0] for name in called) == ["list {area:area", "list {name:name", "list {name:name"]


def test_sentences_for_what_nobody_here_has_are_counted_not_reported() -> None:
    names = values({"in": "lamp", "context": {"domain": "light"}})
    found = blocks(
        {"sentences": ["light {name}"], "requires_context": {"domain": "light"}},
        {"sentences": ["lock {name}", "unlock {name} [now]", "lock all"], "requires_context": {"domain": "lock"}},
        lists={"name": names},
    )
    assert said(found) == {"light lamp", "lock all"}
    assert (found.problems, found.unused) == ((), 2)


def test_lists_that_are_not_given_leave_out_the_templates_that_need_them() -> None:
    found = of("see {name}", "hear {name} in {area}", "go [to {area}]", "come", expansion_rules={"unused": "{nobody}"})
    assert said(found) == {"go", "come"}
    assert found.problems == (
        "the list {area} is not given: 1 templates are left out",
        "the list {name} is not given: 2 templates are left out",
    )
    assert found.unused == 0


def test_an_empty_list_is_one_of_which_this_household_has_nothing() -> None:
    found = of("see {floor}", "hear {name} on {floor}", "go [to {floor}]", lists={"floor": values()})
    assert said(found) == {"go"}
    assert (found.problems, found.unused) == (("the list {name} is not given: 1 templates are left out",), 1)


def test_lists_that_are_not_given_are_found_behind_rules() -> None:
    found = of("<a> <a> x", "go", expansion_rules={"a": "(one|two|three|four) <b>", "b": "{nobody} [and] {nobody} more words"})
    assert said(found) == {"go"}
    assert found.problems == ("the list {nobody} is not given: 1 templates are left out",)


def test_rules_that_are_missing_leave_out_the_templates_that_need_them() -> None:
    rules = {"is": "(is|are|was|were) <deep>", "deep": "very <oops> much so"}
    found = of("<oops> it", "it <is> so", "go [<oops>] on", expansion_rules=rules)
    assert said(found) == {"go on"}
    assert found.problems == ("the rule <oops> is missing; 3 templates lead to it, such as test.yaml: template '<oops> it'",)


def test_rules_in_a_circle_are_refused_with_the_circle() -> None:
    rules = {"a": "x <b>", "b": "[y] (<c>|z)", "c": "{list} <b>"}
    with pytest.raises(GrammarError, match=r"test.yaml: template .*leads back to itself: <b> -> <c> -> <b>"):
        of("<a>", expansion_rules=rules)
    with pytest.raises(GrammarError, match=r"<self> -> <self>"):
        of("x", expansion_rules={"self": "<self>"})


def test_a_block_has_rules_and_lists_of_its_own_before_those_of_the_file() -> None:
    rules, lists = {"go": "(go|walk|run|jump) <to>", "to": "to"}, {"place": values("den")}
    found = blocks(
        {"sentences": ["a <go> {place}"], "expansion_rules": {"to": "into"}},
        {"sentences": ["b <go> {place}"], "lists": {"place": values("hall")}},
        {"sentences": ["c <go> {place}"]},
        expansion_rules=rules,
        lists=lists,
    )
    verbs = ("go", "walk", "run", "jump")
    expected = {f"a {verb} into den" for verb in verbs} | {f"b {verb} to hall" for verb in verbs} | {f"c {verb} to den" for verb in verbs}
    assert said(found) == expected


def test_a_rule_of_some_size_is_a_graph_for_all_blocks_in_which_it_means_the_same() -> None:
    rules = {"on": "(in|on|at|of|to)", "at": "(at|by|to|near) {place}"}
    data = [
        {"sentences": [f"{n} <on> it <at>"], "requires_context": {"domain": domain}} for n, domain in (("a", "x"), ("b", "y"), ("c", "x"))
    ]
    found = blocks(*data, expansion_rules=rules, lists={"place": values("den", {"in": "hall", "context": {"domain": "x"}})})
    ruled = sorted(name for name in found.grammar.graphs if name.startswith("rule"))
    assert ruled == ['rule <at> [{"domain": "x"}, {}]', 'rule <at> [{"domain": "y"}, {}]', "rule <on>"]


def test_skip_words_may_stand_at_either_end() -> None:
    found = of("light on", skip_words=["please", "would you", "ξ"])
    for sentence in ("light on", "please light on", "would you please light on please", "light on please please"):
        assert heard(found, sentence).sentence == sentence
    for sentence in ("light please on", "please", "would light on", "please please please light on"):
        assert not is_said(found, sentence)
    assert "the file: a skip word: 'ξ' is left out, the model cannot write 'ξ'" in found.problems


def test_an_alternative_that_cannot_be_written_is_left_out_and_the_rest_stays() -> None:
    found = of("turn on the (λ|lamp)[ μ]", "ψ {name}", lists={"name": values("x")})
    assert said(found) == {"turn on the lamp"}
    assert found.problems == (
        "test.yaml: template 'turn on the (λ|lamp)[ μ]': 'λ' is left out, the model cannot write 'λ'",
        "test.yaml: template 'turn on the (λ|lamp)[ μ]': 'μ' is left out, the model cannot write 'μ'",
        "test.yaml: template 'ψ {name}': 'ψ' is left out, the model cannot write 'ψ'",
        "test.yaml: template 'ψ {name}': nothing of it can be said",
    )


def test_a_template_whose_list_has_nothing_to_say_is_reported() -> None:
    found = of("see {name}", "go", lists={"name": values("ω")})
    assert said(found) == {"go"}
    assert "test.yaml: template 'see {name}': nothing of it can be said" in found.problems


def test_a_template_that_says_nothing_is_left_out() -> None:
    found = of("[please]", "go", "<maybe>[.]", expansion_rules={"maybe": "[a] [b]"})
    assert said(found) == {"go"}
    assert "test.yaml: template '[please]': is left out, as it can be followed without saying a word" in found.problems
    assert "test.yaml: template '<maybe>[.]': is left out, as it can be followed without saying a word" in found.problems


@pytest.mark.parametrize("data", [{}, {"intents": {}}, {"intents": {"Do": {"data": []}}}, {"intents": {"Do": {}}}])
def test_a_file_without_sentences_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(GrammarError, match="test: no sentence can be said; there are no sentences"):
        of_templates("test", data, LetterReader(), "en")


def test_a_grammar_of_which_nothing_can_be_said_is_refused_with_the_first_reason() -> None:
    with pytest.raises(GrammarError, match=r"no sentence can be said; test.yaml: template 'ξ': 'ξ' is left out"):
        of("ξ")
    with pytest.raises(GrammarError, match=r"no sentence can be said; the list \{name\} is not given: 1 templates"):
        of("see {name}")


def test_an_intent_of_which_nothing_can_be_said_is_left_out() -> None:
    data = {"intents": {"One": {"data": [{"sentences": ["one"]}]}, "Two": {"data": [{"sentences": ["τ"]}]}}}
    found = of_templates("test", data, LetterReader(), "en")
    assert dict(found.grammar.intents) == {"One": "intent One"}


def test_a_file_of_another_language_is_told_of() -> None:
    assert of("go", language="de").problems == ("the sentences are of language 'de', and are read as 'en'",)
    assert of("go", language="en-GB").problems == ()


def test_problems_are_told_as_far_as_anybody_reads_them() -> None:
    found = of("go", *(f"{n} ξ" for n in range(500)))
    assert len(found.problems) == 201
    assert found.problems[-1] == "and 800 more"


def test_names_of_a_household_are_filled_in_and_exchanged() -> None:
    found = of("turn on {name}", "turn on {name}s in {area}", "count to {n}", lists={"n": {"range": {"from": 1, "to": 20}}})
    reader = LetterReader()
    first = with_lists(found, {"name": ["Lamp (old)", {"in": "telly", "out": "TV"}], "area": ["den"]}, reader)
    assert said(first) >= {"turn on lamp old", "turn on tellys in den"}
    assert heard(first, "turn on telly").slots == {"name": "TV"}
    assert heard(first, "turn on lamp old").slots == {"name": "Lamp (old)"}
    assert first.problems == ()
    second = with_lists(first, {"name": ["fan"]}, reader)
    assert not is_said(second, "turn on telly")
    assert heard(second, "turn on fans in den").slots == {"name": "fan", "area": "den"}
    third = with_lists(second, {"name": []}, reader)
    assert said(third) == said(found)
    assert (third.problems, third.unused) == ((), 2)
    assert is_said(first, "turn on telly"), "a grammar never changes"


def test_another_name_leaves_all_other_graphs_as_they_are() -> None:
    reader = LetterReader()
    found = with_lists(of("turn on {name}", "{area} of {name}s", "to {1..50:n}"), {"name": ["lamp"], "area": ["den", "hall"]}, reader)
    asked = reader.asked
    other = with_lists(found, {"name": ["fan"]}, reader)
    changed = {name for name, graph in other.grammar.graphs.items() if graph is not found.grammar.graphs.get(name)}
    assert changed == {"list {name:name}", "list {name:name}s"}
    assert reader.asked - asked < 10


def test_names_that_fit_another_domain_bring_its_sentences() -> None:
    data = [
        {"sentences": ["light {name}"], "requires_context": {"domain": "light"}},
        {"sentences": ["lock {name}"], "requires_context": {"domain": "lock"}},
    ]
    reader = LetterReader()
    found = with_lists(blocks(*data, {"sentences": ["go"]}), {"name": [{"in": "lamp", "context": {"domain": "light"}}]}, reader)
    assert (said(found), found.unused) == ({"go", "light lamp"}, 1)
    both = with_lists(found, {"name": [{"in": x, "context": {"domain": d}} for x, d in (("lamp", "light"), ("door", "lock"))]}, reader)
    assert (said(both), both.unused) == ({"go", "light lamp", "lock door"}, 0)


@pytest.mark.parametrize("names", [[5], [None], [{"out": "x"}], [{"in": 5}], [{"in": "x", "context": 5}], [["x"]]])
def test_names_that_are_no_names_are_refused(names: list[Any]) -> None:
    with pytest.raises(GrammarError, match="the list name"):
        with_lists(of("see {name}", "go"), {"name": names}, LetterReader())


def test_a_million_names_are_refused() -> None:
    with pytest.raises(GrammarError, match="the list name: has more than 100000 values"):
        with_lists(of("see {name}", "go"), {"name": (f"name {n}" for n in range(1_000_000))}, LetterReader())


TEXTS = st.text("()[]{}<>|;:@'%°., abλ1\\é", max_size=12)


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=4), st.lists(TEXTS, max_size=3), st.dictionaries(st.sampled_from("ab"), TEXTS, max_size=2))
def test_any_templates_are_a_grammar_or_a_grammar_error(sentences: list[str], names: list[str], rules: dict[str, str]) -> None:
    with suppress(GrammarError):
        found = of("go", *sentences, lists={"a": values(*names), "b": {"range": {"from": 0, "to": 3}}}, expansion_rules=rules)
        assert is_said(found, "go")
        assert with_lists(found, {"a": names}, LetterReader()).grammar.intents


def frame() -> Frame:
    return frame_of(
        "test",
        {
            "intents": {"Do": {"data": [{"sentences": ["see {name} in {area}", "call {someone}"]}]}},
            "lists": {"name": values("lamp"), "area": values("den")},
        },
        LetterReader(),
        "en",
    )


def test_a_frame_is_filled_with_its_own_lists_where_no_others_are_given() -> None:
    assert said(filled(frame(), {}, LetterReader())) == {"see lamp in den"}
    assert said(filled(frame(), {"someone": ["Me"], "area": ["hall"]}, LetterReader())) == {"see lamp in hall", "call me"}


def test_filling_a_frame_anew_reads_only_the_lists_that_changed() -> None:
    made, reader = frame(), LetterReader()
    first = filled(made, {"name": ["lamp", "fan"], "area": ["den"], "someone": ["me"]}, LetterReader())
    assert first.bound is not None
    again = filled(first.bound.frame, {"name": ["lamp", "light"], "area": ["den"], "someone": ["me"]}, reader, first.bound)
    assert said(again) == {"see lamp in den", "see light in den", "call me"}
    assert reader.asked == 2
    shared = {name for name, graph in again.grammar.graphs.items() if first.grammar.graphs.get(name) is graph}
    assert len(again.grammar.graphs) - len(shared) == 1
    assert again.bound is not None
    assert again.bound.frame.graphs is first.bound.frame.graphs is made.graphs


def test_the_same_values_again_read_nothing() -> None:
    reader = LetterReader()
    first = filled(frame(), {"name": ["lamp", "fan"]}, LetterReader())
    assert first.bound is not None
    again = filled(first.bound.frame, {"name": ["lamp", "fan"]}, reader, first.bound)
    assert reader.asked == 0
    assert all(first.grammar.graphs[name] is graph for name, graph in again.grammar.graphs.items())


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ({"name": [5]}, "the list name"),
        ({"name": [{"out": "x"}]}, "the list name"),
        ({"name": ["x"] * (MAX_VALUES + 1)}, "the list name: has more than"),
        ({"name": [], "someone": []}, "no sentence can be said"),
        ({"name": ["ξ"]}, "no sentence can be said"),
    ],
)
def test_values_that_cannot_be_leave_the_frame_as_it_was(lists: dict[str, Any], message: str) -> None:
    made = frame()
    before = filled(made, {}, LetterReader())
    with pytest.raises(GrammarError, match=message):
        filled(made, lists, LetterReader(), before.bound)
    assert said(filled(made, {}, LetterReader(), before.bound)) == said(before) == {"see lamp in den"}
