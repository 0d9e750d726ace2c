"""Templates and what they say. Where nothing else is noted, rhasspy-nlu 0.4.0 accepts the same sentences with the same result."""

from __future__ import annotations

import pytest

from ds_engine.grammar.matching import match
from tests.ds_plugin.grammars.ini_said import load, sentences

Meanings = dict[str, tuple[str, dict[str, str]]]  # spoken -> written, slots

ALIKE: list[tuple[str, Meanings]] = [
    ("turn it on", {"turn it on": ("turn it on", {})}),
    ("turn [it] on", {"turn it on": ("turn it on", {}), "turn on": ("turn on", {})}),
    (r"\[please] stop", {"please stop": ("please stop", {}), "stop": ("stop", {})}),
    (r"stop \[now]", {"stop now": ("stop now", {}), "stop": ("stop", {})}),
    ("(red | green)", {"red": ("red", {}), "green": ("green", {})}),
    ("light red | blue", {"light red": ("light red", {}), "blue": ("blue", {})}),
    ("(a (b | c) | d)e", {"a b e": ("a b e", {}), "a c e": ("a c e", {}), "d e": ("d e", {})}),
    ("a [b [c]]", {"a": ("a", {}), "a b": ("a b", {}), "a b c": ("a b c", {})}),
    ("a [b | c]", {"a": ("a", {}), "a b": ("a b", {}), "a c": ("a c", {})}),
    ("() a []", {"a": ("a", {})}),
    ("(a | ) b", {"a b": ("a b", {}), "b": ("b", {})}),
    ("(| a) b", {"a b": ("a b", {}), "b": ("b", {})}),
    ("a |", {"": ("", {}), "a": ("a", {})}),
    # what is written in place of what is said
    ("twenty:20 lamps", {"twenty lamps": ("20 lamps", {})}),
    ("(living room lamp):light_1", {"living room lamp": ("light_1", {})}),
    ("(turn | switch):switch on", {"turn on": ("switch on", {}), "switch on": ("switch on", {})}),
    ("a:(b c) d", {"a d": ("b c d", {})}),
    ("(a b):(c d) e", {"a b e": ("c d e", {})}),
    ("drop: this: :add :these", {"drop this": ("add these", {})}),
    ("((a:b) c):d", {"a c": ("d", {})}),
    ("half:12:30", {"half": ("12:30", {})}),
    # tags
    ("set (red | green){color}", {"set red": ("set red", {"color": "red"}), "set green": ("set green", {"color": "green"})}),
    ("set red {color} now", {"set red now": ("set red now", {"color": "red"})}),
    ("(on){action:activate} now", {"on now": ("activate now", {"action": "activate"})}),
    ("(on){a:set on}", {"on": ("set on", {"a": "set on"})}),
    ("lamp (:){domain:light}", {"lamp": ("lamp light", {"domain": "light"})}),
    ("((the den):den | attic){room}", {"the den": ("den", {"room": "den"}), "attic": ("attic", {"room": "attic"})}),
    ("a [b | c]{x}", {"a": ("a", {"x": ""}), "a b": ("a b", {"x": "b"}), "a c": ("a c", {"x": "c"})}),
    ("site{url:http://b}", {"site": ("http://b", {"url": "http://b"})}),
    ("(a | b{x} c)", {"a": ("a", {}), "b c": ("b c", {"x": "b"})}),
    # converters
    ("(low:0 | high:0.5){b!float}", {"low": ("0.0", {"b": "0.0"}), "high": ("0.5", {"b": "0.5"})}),
    ("two:02!int", {"two": ("2", {})}),
    ("(red wine)!upper", {"red wine": ("RED WINE", {})}),
    ("red:Rosso!upper!lower", {"red": ("rosso", {})}),
    ("(a b):c!upper", {"a b": ("C", {})}),
    ("a {x:b!upper}", {"a": ("B", {"x": "B"})}),
    # numbers
    ("(1..3){n}", {"one": ("1", {"n": "1"}), "two": ("2", {"n": "2"}), "three": ("3", {"n": "3"})}),
    ("75 lamps", {"seventy five lamps": ("75 lamps", {})}),
    ("(75){n}", {"seventy five": ("75", {"n": "75"})}),
    ("(1..2){n!float}", {"one": ("1.0", {"n": "1.0"}), "two": ("2.0", {"n": "2.0"})}),
    ("-2..-1", {"minus two": ("-2", {}), "minus one": ("-1", {})}),
]

OURS: list[tuple[str, Meanings]] = [
    # rhasspy-nlu 0.4.0 gives something else, or fails
    ("0..10,5", {"zero": ("0", {}), "five": ("5", {}), "ten": ("10", {})}),  # there: no step, and nothing for 0
    ("75{n}", {"seventy five": ("75", {"n": "75"})}),  # there: no tag
    ("5:five", {"five": ("five", {})}),  # there: 5
    ("(a):b{x}", {"a": ("b", {"x": "b"})}),
    ("a:(b c)!upper", {"a": ("B C", {})}),
    ("(a b):", {"a b": ("", {})}),
    (r"\[a b]: c", {"a b c": ("c", {}), "c": ("c", {})}),  # there: a b c
    ("a{x:}", {"a": ("", {"x": ""})}),
    ("(a b)!upper{x}", {"a b": ("A B", {"x": "A B"})}),
    ("((a){x} b)!upper", {"a b": ("A B", {"x": "A"})}),
    ("((a){x} b){y}", {"a b": ("a b", {"x": "a", "y": "a b"})}),  # there: y is b
    ("a{x}{y:z}", {"a": ("z", {"x": "", "y": "z"})}),  # there: the last tag only
    ("((on){a:x} now):y", {"on now": ("y", {"a": "x"})}),  # there: x y
    ("((on){a:x!upper}):y!lower", {"on": ("y", {"a": "X"})}),
    ("(off:0 | on:1 | no:False){s!bool}", {w: (v, {"s": v}) for w, v in (("off", "false"), ("on", "true"), ("no", "false"))}),
    ("(half:0.5){s!float!int!bool}", {"half": ("false", {"s": "false"})}),
    ("105", {w: ("105", {}) for w in ("one hundred five", "one hundred and five", "a hundred five", "a hundred and five")}),
]


@pytest.mark.parametrize(("template", "meanings"), ALIKE)
def test_a_template_says_what_it_says_in_rhasspy(template: str, meanings: Meanings) -> None:
    assert sentences(f"[I]\n{template}\nnever mind") == meanings | {"never mind": ("never mind", {})}


@pytest.mark.parametrize(("template", "meanings"), OURS)
def test_a_template_says_what_rhasspy_documents(template: str, meanings: Meanings) -> None:
    assert sentences(f"[I]\n{template}") == meanings


@pytest.mark.parametrize(
    ("ini", "meanings"),
    [
        ("[I]\nr = (a | b)\nset <r>", {"set a": ("set a", {}), "set b": ("set b", {})}),
        ("[I]\nr = a | b\nset <r> c", {"set a c": ("set a c", {}), "set b c": ("set b c", {})}),
        ("[I]\nr = (a | b){x}\n<r>", {"a": ("a", {"x": "a"}), "b": ("b", {"x": "b"})}),
        ("[I]\nr = a\n<r>{x}", {"a": ("a", {"x": "a"})}),
        ("[I]\nr = a\n<r>:b{x}", {"a": ("b", {"x": "b"})}),
        ("[I]\nr = a:b{x}\n<r>!upper", {"a": ("B", {"x": "B"})}),
        ("[I]\nr =\na <r>", {"a": ("a", {})}),
        ("[I]\nr = (a |\n     # a comment\n\n     b)\n<r> c", {"a c": ("a c", {}), "b c": ("b c", {})}),
        ("[J]\nr = <s> b\ns = a\n[I]\n s = c\n <J.r> <s>", {"a b c": ("a b c", {})}),
        ("[my.app:J]\nr = a\n[I]\n<my.app:J.r>", {"a": ("a", {})}),
        ("[I]\r\n; a comment\r\na\r\n  # another\r\nb\r\n", {"a": ("a", {}), "b": ("b", {})}),
        ("\ufeff[I] # a comment\na\n  b", {"a": ("a", {}), "b": ("b", {})}),
        ("[I]\na\n[I]\na\nb", {"a": ("a", {}), "b": ("b", {})}),
    ],
)
def test_rules_and_lines_of_the_file(ini: str, meanings: Meanings) -> None:
    assert sentences(ini) == meanings


@pytest.mark.parametrize(
    ("template", "slots", "meanings"),
    [
        ("set $color", {"$color": ["red", "green"]}, {"set red": ("set red", {}), "set green": ("set green", {})}),
        ("set ($color){c}", {"color": ["red:#f00"]}, {"set red": ("set #f00", {"c": "#f00"})}),
        ("$rooms", {"rooms": ["[the:] (den | playroom):den"]}, {w: ("den", {}) for w in ("den", "the den", "playroom", "the playroom")}),
        ("$a{x}", {"a": ["b $c"], "c": ["d"]}, {"b d": ("b d", {"x": "b d"})}),
        ("$a", {"a": ["b", "", " b ", r"\[c] d"]}, {"b": ("b", {}), "d": ("d", {}), "c d": ("c d", {})}),
        ("$a:b!upper", {"a": ["c{x:y}"]}, {"c": ("B", {"x": "y"})}),
        ("$home/lamps,kitchen", {"$home/lamps,kitchen": ["lamp"]}, {"lamp": ("lamp", {})}),
        ("$rhasspy/number,4,6,2", {}, {"four": ("4", {}), "six": ("6", {})}),
        ("$rhasspy/number,1,2,1", {"$rhasspy/number,1,2,1": ["1"]}, {"one": ("1", {})}),
        ("$a", {"a": ["1..2", "(3){x}"]}, {"one": ("1", {}), "two": ("2", {}), "three": ("3", {"x": "3"})}),
        ("$a", {"a": ["<I.r>", "c"]}, {"b": ("b", {}), "c": ("c", {})}),
    ],
)
def test_slots_hold_templates(template: str, slots: dict[str, list[str]], meanings: Meanings) -> None:
    assert sentences(f"[I]\nr = b\n{template}", slots) == meanings


def test_words_pass_through_the_reader_and_keep_their_spelling() -> None:
    assert sentences("[I]\nCafé -, Olé{x}") == {"cafe ole": ("Café -, Olé", {"x": "Olé"})}


def test_numbers_are_said_in_the_language() -> None:
    loaded = load("[I]\n(21){n}", language="de")

    found = match([loaded.grammar], ["einundzwanzig"])

    assert found is not None
    assert found.slots == {"n": "21"}


def test_intents_are_told_apart_by_case_and_have_their_own_rules() -> None:
    loaded = load("[light]\nr = on\nturn <r>\n[Light]\nr = off\nturn <r>\n[Rules]\nx = y")

    assert loaded.grammar.intents.keys() == {"light", "Light"}
    assert [found and found.intent for found in (match([loaded.grammar], ["turn", word]) for word in ("on", "off"))] == ["light", "Light"]


def test_a_name_is_one_graph_however_often_it_is_called() -> None:
    loaded = load("[I]\nr = a $s\n<r> <r> $s 1..20\n[J]\n<I.r> 1..20", {"s": ["b", "c"]})

    assert loaded.grammar.graphs.keys() == {"[I]", "[J]", "<I.r>", "$s", "1..20"}


def test_names_in_other_surroundings_are_graphs_of_their_own() -> None:
    loaded = load("[I]\nr = a\n<r> <r>!upper (<r> b):c")

    assert loaded.grammar.graphs.keys() == {"[I]", "<I.r>", "<I.r>!upper", "<I.r>:"}


def test_names_with_more_than_a_few_first_words_are_lists() -> None:
    many = [f"{letter}{letter}" for letter in "abcdefghi"]

    loaded = load(f"[I]\nr = ({'|'.join(many)}){{x}}\nfew = ({'|'.join(many[:8])})\n<r> <few> $s 1..8 1..9", {"s": many})

    assert loaded.grammar.lists == {"<I.r>", "$s", "1..9"}


def test_what_the_alphabet_cannot_write_is_left_out_and_told() -> None:
    loaded = load("[I]\nset (日本 | red)\n日本\nplay $s\n[J]\n日本\n", {"s": ["a", "日 b"]})

    assert loaded.grammar.intents.keys() == {"I"}
    assert loaded.problems[0] == (
        "$s, line 2: template '日 b': column 1: '日' cannot be said: the model's alphabet has nothing for '日'; left out"
    )
    assert [problem.partition(": '")[0] for problem in loaded.problems[1:]] == [
        "sentences.ini, line 2: template 'set (日本 | red)': column 6",
        "sentences.ini, line 3: template '日本': column 1",
        "sentences.ini, line 6: template '日本': column 1",
    ]


def test_an_optional_word_that_cannot_be_said_is_not_said() -> None:
    assert sentences("[I]\na [日]") == {"a": ("a", {})}


def test_a_name_of_which_nothing_can_be_said_is_left_out_where_it_is_called() -> None:
    loaded = load("[I]\nr = 日\na (<r> | b)\n")

    assert any("column 4: nothing of <I.r> can be said; left out" in problem for problem in loaded.problems)
    assert match([loaded.grammar], ["a", "b"])


def test_numbers_of_a_language_without_number_words_are_left_out() -> None:
    loaded = load("[I]\na [1..3] b", language="xx")

    assert len(loaded.problems) == 1
    assert "there are no words for the number 1 and 2 more of 1..3" in loaded.problems[0]
    assert match([loaded.grammar], ["a", "b"])


def test_a_sentence_of_silence_is_left_out() -> None:
    loaded = load("[I]\n(:){x:y}\na\n[J]\n<r> [:b]\nr = -\n")

    assert loaded.grammar.intents.keys() == {"I"}
    assert [problem.rpartition(": ")[2] for problem in loaded.problems] == ["nothing is said here; left out"] * 2


def test_a_tag_below_other_text_is_told_to_stay_empty() -> None:
    loaded = load("[I]\nr = a{x}\n<r>:b <r>:c")

    assert loaded.problems == ("sentences.ini, line 2: template 'a{x}': column 1: other text is written here, so {x} stays empty",)


def test_of_two_rules_of_one_name_the_later_counts() -> None:
    ini = "[I]\nr = a\nr = b\nr = b\n<r>"

    assert sentences(ini) == {"b": ("b", {})}
    assert load(ini).problems == ("sentences.ini, line 3: template 'b': <I.r> stands in sentences.ini, line 2 already; this one counts",)


def test_only_the_first_of_very_many_problems_are_told() -> None:
    loaded = load("[I]\na\n" + "\n".join(f"{'日' * count}" for count in range(1, 151)))

    assert len(loaded.problems) == 101
    assert loaded.problems[-1] == "and 50 more"
