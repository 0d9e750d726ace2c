from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

import pytest

from ds_engine.errors import GrammarError
from ds_engine.grammar.builder import GraphBuilder, grammar
from ds_engine.grammar.graph import FINAL, START, Begin, Call, End, Grammar, Label, Set, Skip, Spoken, Wildcard
from ds_engine.grammar.machine import Machine
from ds_engine.grammar.matching import MAX_WORDS, match, match_in
from ds_engine.transcript import Match
from tests.ds_engine.grammar.enumeration import STRANGE, VOCABULARY, Enumeration, Path, TooManyError, random_grammars
from tests.ds_engine.grammar.graphs import chain, choice, one, words

LONGEST = 3  # words


def found(made: Grammar, said: str) -> Match:
    result = match([made], said.split())
    assert result is not None
    return result


def by_hand(labels: Iterable[Label | str]) -> tuple[str, Mapping[str, str]]:
    """What a path writes, in the plainest way: texts and marks in one list."""
    texts: list[str] = []
    slots: dict[str, str] = {}
    begun: list[tuple[str, int]] = []
    for label in labels:
        if isinstance(label, str):
            texts.append(label)
        elif isinstance(label, Spoken):
            texts.append(label.word if label.written is None else label.written)
        elif isinstance(label, Skip):
            texts.append(label.written)
        elif isinstance(label, Begin):
            begun.append((label.slot, len(texts)))
        elif isinstance(label, Set):
            slots[label.slot] = label.value
        elif isinstance(label, End):
            slot, since = begun.pop()
            slots[slot] = " ".join(" ".join(texts[since:]).split()) if label.value is None else label.value
    return " ".join(" ".join(texts).split()), slots


@pytest.mark.parametrize("block", range(2))
@pytest.mark.parametrize("weighted", [False, True])
def test_the_match_is_the_best_of_all_paths(block: int, *, weighted: bool) -> None:
    tried = 0
    for seed in range(block * 400, block * 400 + 400):
        grammars = random_grammars(seed, weighted=weighted)
        best: dict[tuple[str, ...], tuple[tuple[object, ...], Match]] = {}
        try:
            for place, ours in enumerate(grammars):
                every = Enumeration(ours.graphs)
                for rank, (intent, name) in enumerate(ours.intents.items()):
                    for path in every.paths(name, LONGEST):
                        keep_better(best, path, (place, rank), Match(ours.name, intent, *by_hand(path.labels)))
        except TooManyError:
            continue
        tried += bool(grammars)
        machine = Machine(grammars)
        for length in range(LONGEST + 1):
            for said in itertools.product((*VOCABULARY, STRANGE), repeat=length):
                assert match_in(machine, said) == best.get(said, (None, None))[1], (seed, said)
    assert tried > 100


def keep_better(best: dict[tuple[str, ...], tuple[tuple[object, ...], Match]], path: Path, rank: tuple[int, int], what: Match) -> None:
    key = (-path.weight, path.wild, rank, path.order)
    if path.words not in best or key < best[path.words][0]:
        best[path.words] = key, what


def test_the_written_side_may_differ_from_what_is_said() -> None:
    made = one(chain(*words("set to"), Spoken("twenty", ""), Spoken("five", "25"), Skip("%")))
    assert found(made, "set to twenty five").sentence == "set to 25 %"


def test_a_written_sentence_has_single_spaces() -> None:
    made = one(chain(Skip("  "), Spoken("a", " A  b "), Skip("\n"), Spoken("c")))
    assert found(made, "a c").sentence == "A b c"


def test_a_slot_has_its_value_or_else_the_text_that_is_written_in_it() -> None:
    made = one(chain(Begin("name"), *words("bed light"), End("light.bed"), Begin("area"), Spoken("hall", "Hall"), Skip("way"), End()))
    assert found(made, "bed light hall").slots == {"name": "light.bed", "area": "Hall way"}


def test_a_slot_that_nobody_says_is_set() -> None:
    assert found(one(chain(Set("domain", "light"), *words("on"))), "on").slots == {"domain": "light"}


def test_the_last_value_of_a_slot_stands() -> None:
    twice = one(chain(Set("x", "0"), Begin("x"), *words("a"), End(), Begin("x"), *words("b"), End()))
    assert found(twice, "a b").slots == {"x": "b"}
    assert found(one(chain(Begin("x"), *words("a"), End(), Set("x", "set"))), "a").slots == {"x": "set"}


def test_an_outer_slot_holds_the_text_of_the_one_inside_it() -> None:
    nested = one(chain(Begin("outer"), *words("a"), Begin("inner"), *words("b"), End("B"), *words("c"), End()))
    assert found(nested, "a b c").slots == {"inner": "B", "outer": "a b c"}


def test_a_slot_may_be_begun_around_a_call() -> None:
    made = one(chain(Begin("name"), Call("list"), End()), list=choice(words("bed light"), words("lamp")))
    assert found(made, "bed light").slots == {"name": "bed light"}


def test_the_weight_decides_first() -> None:
    made = one(choice([Set("x", "1"), *words("a")], [Set("x", "2"), Wildcard()], weights=[0, 0.5]))
    assert found(made, "a").slots == {"x": "2"}


def test_fewest_words_lie_under_wildcards() -> None:
    made = one(choice([Set("x", "1"), Wildcard()], [Set("x", "2"), Wildcard(), *words("please")], [Set("x", "3"), *words("stop it")]))
    assert found(made, "stop it please").slots == {"x": "2"}
    assert found(made, "stop it").slots == {"x": "3"}
    assert found(made, "stop that").slots == {"x": "1"}


def test_a_first_wildcard_or_called_graph_takes_the_most() -> None:
    made = one(chain(Begin("x"), Wildcard(), End(), *words("by"), Begin("y"), Wildcard(), End()))
    assert found(made, "stand by me by ben").slots == {"x": "stand by me", "y": "ben"}
    made = one(chain(Call("list"), Begin("x"), Call("list"), End()), list=choice(words("a"), words("a a")))
    assert found(made, "a a a").slots == {"x": "a"}


def test_the_first_grammar_and_the_first_intent_stand_where_all_else_is_equal() -> None:
    graphs = {"it": chain(*words("a"))}
    first = grammar("first", {"One": "it", "Two": "it"}, graphs)
    second = grammar("second", {"Three": "it"}, graphs)
    assert match([first, second], ["a"]) == Match("first", "One", "a", {})
    assert match([second, first], ["a"]) == Match("second", "Three", "a", {})


def test_what_no_grammar_says_is_no_match() -> None:
    made = one(chain(*words("turn on"), Call("list")), list=choice(words("lamp")))
    for said in ("", "turn", "turn on", "turn on lamp now", "on lamp", "turn on Lamp", "turn on the", "lamp", "turn  on lamp"):
        assert match([made], said.split(" ")) is None
    assert match([], ["a"]) is None


def test_a_long_sentence_is_found_and_an_endless_one_is_not_looked_at() -> None:
    builder = GraphBuilder()
    loop = builder.node()
    builder.add(START, Begin("x"), loop)
    builder.add(loop, Wildcard(), loop)
    builder.add(loop, Spoken("a", "A"), loop)
    builder.add(loop, End(), FINAL)
    made = one(builder.build())
    assert found(made, "a " * MAX_WORDS).slots["x"] == "A" + " A" * (MAX_WORDS - 1)
    assert match([made], ["a"] * (MAX_WORDS + 1)) is None


def test_a_long_silence_needs_no_deep_recursion() -> None:
    made = one(chain(*[Skip("x")] * 20_000, *words("a")))
    assert found(made, "a").sentence.endswith("x a")


def test_a_list_that_cannot_say_anything_leaves_the_other_ways_open() -> None:
    nothing = GraphBuilder().build()
    made = one(choice(words("on"), [*words("on"), Call("list")]), list=nothing)
    assert found(made, "on").intent == "Intent"


def test_an_unsound_grammar_is_refused_by_name() -> None:
    made = Grammar("home", {"Intent": "it"}, {"it": chain(Call("nowhere"))})
    with pytest.raises(GrammarError, match=r"grammar 'home': graph 'it' calls graph 'nowhere', which is not there"):
        match([made], ["a"])
