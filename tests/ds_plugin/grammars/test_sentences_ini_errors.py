"""What is wrong with sentences is told with its place, and nothing that anybody writes makes it run for ever."""

from __future__ import annotations

import inspect
import sys

import pytest

from ds_engine.errors import GrammarError
from ds_plugin.grammars.ini_graph import MAX_CONVERTERS
from ds_plugin.grammars.ini_names import MAX_CHARACTERS, MAX_NESTED
from ds_plugin.grammars.ini_parser import MAX_DEPTH, MAX_DIGITS, MAX_NUMBERS, MAX_TAGS
from ds_plugin.grammars.sentences_ini import of_sentences
from tests.ds_plugin.grammars.ini_said import load, read, sentences


def refusal(ini: str, slots: dict[str, list[str]] | None = None) -> str:
    with pytest.raises(GrammarError) as caught:
        load(ini, slots)
    return str(caught.value)


@pytest.mark.parametrize(
    ("template", "what"),
    [
        ("(a", "column 1: '(' is never closed"),
        ("a [b (c)", "column 3: '[' is never closed"),
        ("a)", "column 2: ')' closes nothing"),
        ("a b]", "column 4: ']' closes nothing"),
        ("a }", "column 3: '}' closes nothing"),
        ("a > b", "column 3: '>' closes nothing"),
        ("(a]", "column 3: ']' where ')' must close the '(' of column 1"),
        ("a {x", "column 3: '{' is never closed"),
        ("a <r", "column 3: '<' is never closed"),
        ("a:(b", "column 3: '(' is never closed"),
        ("a:(b [c])", "column 6: '[' cannot stand between '(' and ')'"),
        ("midnight:(12{hour} am)", "column 13: '{' cannot stand between '(' and ')'"),
        ("a{x{y}}", "column 4: '{' cannot stand between '{' and '}'"),
        ("a <b <c>>", "column 6: '<' cannot stand between '<' and '>'"),
        ("{x} a", "column 1: a tag needs something before it; (:){name:value} tags silence"),
        ("a | {x}", "column 5: a tag needs something before it; (:){name:value} tags silence"),
        ("a{}", "column 2: a tag needs a name: {name}"),
        ("a{ :b}", "column 2: a tag needs a name: {name}"),
        ("a <>", "column 3: a rule needs a name: <rule> or <Intent.rule>"),
        ("a <J. >", "column 3: a rule needs a name: <rule> or <Intent.rule>"),
        ("a $", "column 3: a slot needs a name: $slot"),
        ("stop!", "column 6: there is no converter '!', only int, float, bool, upper, lower (converters that are programs are not run)"),
        ("a{x!mine}", "column 10: there is no converter '!mine', only"),
        ("a!upper:b", "column 8: the written text stands before the converters: spoken:written!converter"),
        ("10..1", "column 1: the range '10..1' is empty"),
        ("a 1..5,0", "column 3: the range '1..5,0' is empty"),
        ("1..x", "column 1: '1..x' is no range of whole numbers: write 1..10, or 1..10,2"),
        ("0..1,-1", "column 1: '0..1,-1' is no range of whole numbers"),
        ("x..1", "column 1: 'x..1' is no range of whole numbers"),
        (f"0..{MAX_NUMBERS}", f"column 1: the range '0..{MAX_NUMBERS}' has more than {MAX_NUMBERS} numbers"),
        ("a " + "1" * (MAX_DIGITS + 1), f"column 3: a number has at most {MAX_DIGITS} digits"),
        ("(low | high)!int", "column 2: !int does not take 'low'"),
        ("a:inf!float!int", "column 1: !int does not take 'inf'"),
        ("<r>", "<I.r> stands for nothing: [I] has no rules"),
        ("<J.s>", "<J.s> stands for nothing: the rules of [J] are <J.r>"),
        ("$s", "$s stands for nothing: it did not come with the sentences"),
        ("$empty", "$empty stands for nothing: it has no values"),
        ("$text", "$text stands for nothing: its values are no list of texts but 'red'"),
        ("$local", "column 1: a slot's value belongs to no intent: write <Intent.r>"),
        ("<J.r>", "<J.r> leads back to itself: <J.r> -> $round -> <J.r>"),
        ("a{x}" + "{y}" * MAX_TAGS, f"column {5 + 3 * (MAX_TAGS - 1)}: more than {MAX_TAGS} tags stand on one element"),
        ("(" * (MAX_DEPTH + 1), f"column {MAX_DEPTH + 1}: brackets stand more than {MAX_DEPTH} deep"),
        ("a" + "!upper" * (MAX_CONVERTERS + 1), f"column 1: more than {MAX_CONVERTERS} converters apply to one text"),
        ("=", "a rule needs a name"),
        ("two (=) two", "the '=' makes this a rule (name = body), and a rule's name cannot hold '('"),
    ],
)
def test_a_broken_template_is_told_with_its_place(template: str, what: str) -> None:
    slots = {"empty": [""], "text": "red", "local": ["<r>"], "round": ["<J.r>"]}

    message = refusal(f"[J]\nr = $round\n\n[I]\n{template}", slots)  # type: ignore[arg-type] # text: what JSON may hold all the same

    assert what in message
    assert ", line " in message
    assert "template '" in message


@pytest.mark.parametrize(
    ("ini", "message"),
    [
        ("a\n[I]\nb", "sentences.ini, line 1: 'a' stands before the first [Intent]"),
        ("r = a\n[I]\nb", "sentences.ini, line 1: 'r = a' stands before the first [Intent]"),
        ("[I]\na\n[the] lamp", r"line 3: '[the] lamp' would open an intent: write \[ where a sentence begins with an optional word"),
        ("[I]\n[(a | b)]\n", r"line 2: '[(a | b)]' would open an intent: write \["),
        ("[ ]\na", "line 1: an intent needs a name: [Intent]"),
        ("[I\na", "line 1: '[I' stands before the first [Intent]"),
        ("[I]\na\n[J\n", "line 3: template '[J': column 1: '[' is never closed"),
        ("", "test: no sentences in sentences.ini"),
        ("[I]\nr = a", "test: no sentences in sentences.ini"),
        ("[I]\n日", "test: no sentence can be said; sentences.ini, line 2: template '日': column 1"),
    ],
)
def test_a_broken_file_is_told_with_its_line(ini: str, message: str) -> None:
    assert message in refusal(ini)


def test_an_error_in_a_slot_names_the_slot_and_its_line() -> None:
    assert refusal("[I]\n$s", {"s": ["a", "(b"]}) == "$s, line 2: template '(b': column 1: '(' is never closed"


def test_an_error_below_a_rule_of_several_lines_names_its_first_line() -> None:
    assert "line 2: template '(a | (b': column 6" in refusal("[I]\nr = (a |\n  (b\n<r>")


def test_a_long_template_is_shortened_in_its_message() -> None:
    message = refusal("[I]\n" + "a " * 500 + "(")

    assert "column 1001" in message
    assert len(message) < 200


def test_what_no_sentence_needs_may_be_broken() -> None:
    assert sentences("[I]\nr = (a\ns = <nowhere> $nothing\nb") == {"b": ("b", {})}


def test_sentences_that_are_no_text_are_refused() -> None:
    with pytest.raises(GrammarError, match=r"a\.ini: sentences are a text, not None"):
        of_sentences("test", {"a.ini": None}, {}, read, "en")  # type: ignore[dict-item] # what JSON may hold


def test_no_files_are_no_sentences() -> None:
    with pytest.raises(GrammarError, match="test: no sentences in no files"):
        of_sentences("test", {}, {}, read, "en")


def test_a_template_at_all_limits_is_read_on_a_short_stack() -> None:
    closing = "):b" + "{x}{y}{z}"[: 3 * MAX_TAGS]
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 700)
    try:
        said = sentences("[I]\n" + "(" * MAX_DEPTH + "a" + closing * MAX_DEPTH)
    finally:
        sys.setrecursionlimit(limit)

    assert said == {"a": ("b", {"x": "b", "y": "b", "z": "b"})}


def chain(length: int, link: str = "<r{}>") -> str:
    return "\n".join([f"r{number} = {link.format(number + 1, number + 1)}" for number in range(length)] + [f"r{length} = a"])


def test_rules_within_rules_have_a_limit() -> None:
    assert sentences(f"[I]\n{chain(MAX_NESTED - 1)}\n<r0>") == {"a": ("a", {})}
    assert f"leads through more than {MAX_NESTED} rules and slots, one inside the other" in refusal(f"[I]\n{chain(MAX_NESTED)}\n<r0>")
    assert "one inside the other" in refusal(f"[I]\n{chain(5000)}\n<r0>")


def test_a_circle_of_many_rules_is_found() -> None:
    assert refusal(f"[I]\n{chain(30)}\nr30 = <r28>\n<r0>").endswith(
        "<I.r28> leads back to itself: <I.r28> -> <I.r29> -> <I.r30> -> <I.r28>"
    )


def test_rules_that_double_take_no_time() -> None:
    loaded = load(f"[I]\n{chain(MAX_NESTED - 1, '<r{}> [<r{}>]')}\n<r0>")

    assert len(loaded.grammar.graphs) == MAX_NESTED + 1


def test_converters_in_every_combination_have_a_limit() -> None:
    assert f"more than {MAX_CONVERTERS} converters" in refusal(f"[I]\n{chain(40, '(<r{}>!upper | <r{}>!lower)')}\n<r0>")


def test_different_ranges_have_a_limit_together() -> None:
    assert "the ranges have more than" in refusal("[I]\n" + " ".join(f"0..{last}" for last in range(450)))
    assert load("[I]\n" + " ".join("0..450" for _ in range(450)))


def test_a_grammar_has_a_limit_of_arcs() -> None:
    many = "|" * 200_000

    assert "the sentences are too many" in refusal(f"[I]\nr = ({many})\na <r>!upper <r>!lower <r>!bool")


def test_a_grammar_has_a_limit_of_text() -> None:
    half = MAX_CHARACTERS // 2

    message = refusal("[I]\n$s", {"s": ["a" * half, "b" * half]})

    assert f"there are more than {MAX_CHARACTERS} characters of sentences, rules and slots up to here" in message
