"""Templates are of characters, graphs of words: no sentence is lost between them, and none is added. hassil's own sampler is the judge."""

from __future__ import annotations

from math import factorial, prod

import pytest
from hassil.expression import Alternative, Expression, Group, ListReference, Permutation, RuleReference
from hassil.intents import RangeSlotList, TextSlotList
from hassil.parse_expression import parse_sentence
from hassil.sample import sample_sentence
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ds_engine.errors import GrammarError
from ds_engine.grammar.graph import Spoken
from ds_plugin.grammars.frames import framed
from ds_plugin.grammars.schema import MAX_TEMPLATE_CHARACTERS, MAX_TEMPLATE_NESTING, template_file
from tests.ds_plugin.grammars.template_helpers import LetterReader, heard, is_said, of, said, values

LISTS = {"x": values("kitchen", "hall way"), "y": values("one"), "n": {"range": {"from": 1, "to": 3}}}
RULES = {"r": "(big|small[er]) ", "s": "a b", "long": "(in|on|at|of|to|by) [the]"}


def sampled(*templates: str) -> set[str]:
    """What hassil samples from templates, as the reader reads it."""
    reader = LetterReader()
    lists = {
        "x": TextSlotList.from_strings(["kitchen", "hall way"]),
        "y": TextSlotList.from_strings(["one"]),
        "n": RangeSlotList("n", 1, 3, digits=False),
    }
    rules = {name: parse_sentence(text) for name, text in RULES.items()}
    return {reader(text).spoken for template in templates for text in sample_sentence(parse_sentence(template), lists, rules, "en")}


@pytest.mark.parametrize(
    "template",
    [
        "turn on the light[s]",
        "[un]lock (the|a[n]) door",
        "turn( on| off) it",
        "turn[ on][ it][ off]",
        "light[s] (in|on)[ the] {x}",
        "{x}['s] light",
        "[the ]{x}[s][ light]",
        "in[to]{x}door",
        "{x}{y}",
        "{x}-{y} {x:other}s",
        "set it to {n}[%| percent]",
        "set it to {n}[([ ]°)|( degrees)]",
        "re{n}",
        "(turn it on;now)",
        "go (left;right;[far] away) now",
        "very<r>{x}",
        "<long>{x} <long> it",
        "<long> <s>c",
        "<s><s>",
        "please,  turn on: the light!",
        "((((nested))))[[[s]]]",
        "Turn ON the TV",
        "a\\(b\\) c",
        "à l'été",
    ],
)
def test_a_grammar_says_what_hassil_samples(template: str) -> None:
    assert said(of(template, lists=LISTS, expansion_rules=RULES)) == sampled(template)


def count(expression: Expression) -> int:
    """How many texts hassil goes through, at most."""
    match expression:
        case Alternative():
            return sum(map(count, expression.items))
        case Permutation():
            return factorial(len(expression.items)) * prod(map(count, expression.items))
        case Group():
            return prod(map(count, expression.items))
        case RuleReference():
            return count(parse_sentence(RULES[expression.rule_name]).expression)
        case ListReference():
            return 3
        case _:
            return 1


TEXTS = st.sampled_from(["ab", "c", "d e", " ", " f", "g ", "{x}", "{y}", "<r>", "<s>", "<long>", ",", "-"])
TEMPLATES = st.recursive(
    TEXTS,
    lambda parts: st.one_of(
        st.lists(parts, min_size=1, max_size=3).map("".join),
        parts.map("[{}]".format),
        st.lists(parts, min_size=2, max_size=3).map(lambda items: f"({'|'.join(items)})"),
        st.lists(parts, min_size=2, max_size=3).map(lambda items: f" ({';'.join(items)}) "),
    ),
    max_leaves=7,
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["", "q ", "q"]), TEMPLATES)
def test_a_grammar_says_what_hassil_samples_of_any_template(begin: str, template: str) -> None:
    template = begin + template
    assume(template.strip() and count(parse_sentence(template).expression) < 2000)
    expected = sampled(template)
    assume("" not in expected)
    assert said(of(template, lists=LISTS, expansion_rules=RULES)) == expected


@pytest.mark.parametrize(("template", "rules"), [("(le|l') {x}", {}), ("<the> {x}", {"the": "[<the2>]", "the2": "(le|l') [,]"})])
def test_an_apostrophe_ends_a_word_or_joins_it_to_the_next_as_in_hassil(template: str, rules: dict[str, str]) -> None:
    found = said(of(f"dans {template}", lists={"x": values("entrée", "four")}, expansion_rules=rules))
    assert found - {"dans entrée", "dans four"} == {
        "dans le entrée",
        "dans le four",
        "dans l' entrée",
        "dans l'entrée",
        "dans l' four",
        "dans l'four",
    }


def test_a_rule_of_some_size_that_ends_in_an_apostrophe_joins_it_too() -> None:
    found = of("dans <the> {x}", lists={"x": values("entrée")}, expansion_rules={"the": "(le|la|les|du|de|l')[ ]"})
    assert is_said(found, "dans l'entrée")
    assert is_said(found, "dans les entrée")
    assert not is_said(found, "dans lesentrée now")


def test_the_written_sentence_keeps_case_and_symbols() -> None:
    found = heard(of("Turn the TV to {n}%", lists=LISTS), "turn the tv to two percent")
    assert (found.sentence, found.slots) == ("Turn the TV to 2%", {"n": "2"})


def test_what_ends_alike_is_in_the_graph_once() -> None:
    many = of(*(f"{first} the light in the kitchen" for first in ("see", "hear", "touch", "paint")))
    arcs = [arc.label for graph in many.grammar.graphs.values() for leaving in graph.arcs for arc in leaving]
    assert arcs.count(Spoken("kitchen")) == 1


def test_parts_in_any_order_share_what_comes_after_the_same_parts() -> None:
    seven = of("do (a;b;c;d;e;f;g) now")
    assert sum(len(graph.arcs) for graph in seven.grammar.graphs.values()) < 1000
    assert is_said(seven, "do g e a b f d c now")
    assert not is_said(seven, "do g e a b f d now")
    assert not is_said(seven, "do g e a b f d d now")


def test_words_need_no_spaces_where_the_language_has_none() -> None:
    found = of("打开{x}灯", lists={"x": values("厨房")}, settings={"ignore_whitespace": True})
    assert said(found) == {"打开 厨房 灯"}
    assert heard(found, "打开 厨房 灯").slots == {"x": "厨房"}


@pytest.mark.parametrize(
    ("template", "rules", "reason"),
    [
        ("(a;b;c;d;e;f;g;h;i)", {}, "at most 8"),
        ("<a><a><a><a>", {"a": "<b><b><b><b>", "b": "<c><c><c><c>", "c": "wordwordword"}, "more than 200 characters"),
        ("[a][b][c][d][e][f][g][h][i][j][k][l][m][n] o", {}, "begun in more than 5000 ways"),
    ],
)
def test_a_template_that_grows_too_large_is_left_out_by_name(template: str, rules: dict[str, str], reason: str) -> None:
    found = of(template, "go on", expansion_rules=rules)
    assert said(found) == {"go on"}
    assert any(reason in problem and problem.startswith("test.yaml: template") for problem in found.problems)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("k" * (MAX_TEMPLATE_CHARACTERS + 1), f"at most {MAX_TEMPLATE_CHARACTERS} are allowed"),
        ("[" * (MAX_TEMPLATE_NESTING + 1) + "a" + "]" * (MAX_TEMPLATE_NESTING + 1), "brackets inside each other"),
        ("turn (on", "Unable to find end of group"),
        ("turn on)", "turn on"),
        ("turn ] on", "cannot be read"),
        ("", "too short"),
        ("{}", "too short"),
    ],
)
def test_a_template_that_hassil_cannot_read_is_refused_by_name(template: str, reason: str) -> None:
    with pytest.raises(GrammarError, match=r"^test.yaml: template") as caught:
        of(template)
    assert reason in str(caught.value)


def test_rules_that_multiply_are_refused_before_they_take_long() -> None:
    rules = {f"r{n}": f"x<r{n + 1}>y<r{n + 1}>z " for n in range(40)} | {"r40": "a b c d e"}
    data = {"intents": {"Do": {"data": [{"sentences": ["<r0>"]}]}}, "expansion_rules": rules}
    with pytest.raises(GrammarError, match=r"^test.yaml: template .*too large: it takes more than 1000 steps"):
        framed("test", template_file(data, "en", "test.yaml"), LetterReader(), "en", steps=1000)
