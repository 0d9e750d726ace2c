from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.automaton import Arcs, Ending, Layers, NodeArray
from ds_engine.bias import Phrase
from ds_engine.search.language import FIRST, REFUSED, Language
from ds_engine.search.phrases import Phrases
from ds_engine.search.policy import SearchPolicy
from tests.ds_engine.tables import TableModel

WORDS = ("a", "b", "c", "d")
POLICY = SearchPolicy(alpha=0.7, beta=0.4)
NODES = {word: node for node, word in enumerate(WORDS, 1)}
ANOTHER_A = 5  # a node at which "a" ends too, spelled in another way
NOWHERE = 6  # a node at which no word ends


@dataclass(frozen=True)
class Endings:
    """An automaton of which only the word ends matter."""

    table: dict[int, Ending]
    greatest: float = 1.0

    def arcs(self, nodes: NodeArray) -> Arcs:
        raise NotImplementedError

    def ending(self, node: int) -> Ending | None:
        return self.table.get(node)

    def spelling(self, node: int) -> tuple[int, ...]:
        return ()


def language(model: TableModel | None, phrases: Iterable[Phrase] = (), policy: SearchPolicy = POLICY) -> Language:
    index = {word: model.index(word) if model else 0 for word in WORDS}
    table = {node: Ending(word, (node,), index[word], advance=-0.1 * node, price=-0.01 * node) for word, node in NODES.items()}
    table[ANOTHER_A] = Ending("a", (8, 9), index["a"], advance=-0.7, price=-0.2)
    return Language(Layers((Endings(table),)), model, Phrases(phrases), policy)


def say(spoken: Language, words: Sequence[str], history: int = FIRST) -> tuple[int, float]:
    """The history after these words, and the natural log of what they cost."""
    cost = 0.0
    for word in words:
        history, factor, key = spoken.step(history, NODES[word])
        assert key == spoken.key(history)
        cost += math.log(factor)
    return history, cost


sentences = st.lists(st.sampled_from(WORDS), max_size=6)
phrase_lists = st.lists(
    st.builds(Phrase, st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join), st.floats(-3, 3)), max_size=3
)


class TestSteps:
    """What a word costs."""

    @settings(max_examples=150, deadline=None)
    @given(words=sentences, phrases=phrase_lists, sentence_end=st.booleans())
    def test_a_sentence_costs_what_model_policy_phrases_and_prices_say(
        self, words: list[str], phrases: list[Phrase], *, sentence_end: bool
    ) -> None:
        model, policy = TableModel(WORDS, 3), SearchPolicy(alpha=0.7, beta=0.4, sentence_end=sentence_end)
        spoken = language(model, phrases, policy)
        history, cost = say(spoken, words)
        expected, context, state, followed = 0.0, model.start, 0, Phrases(phrases)
        for word in words:
            state, gain = followed.follow(state, word)
            expected += 0.7 * float(model.table[context, model.index(word)]) + 0.4 + gain - 0.01 * NODES[word] + 0.1 * NODES[word]
            context = model.index(word)
        assert cost == pytest.approx(expected, abs=1e-9)
        assert [said.text for said in spoken.said(history)] == words
        assert [said.spelling for said in spoken.said(history)] == [(NODES[word],) for word in words]
        end = followed.end(state) + (0.7 * float(model.table[context, 2]) if sentence_end else 0.0)
        assert math.log(spoken.end(history)) == pytest.approx(end, abs=1e-9)

    def test_without_a_model_only_beta_price_and_phrases_count(self) -> None:
        spoken = language(None, [Phrase("b", 2.0)])
        history, cost = say(spoken, ["a", "b"])
        assert cost == pytest.approx(2 * 0.4 + 0.1 + 0.2 - 0.01 - 0.02 + 2.0)
        assert spoken.end(history) == 1.0

    def test_where_no_word_ends_every_history_is_refused(self) -> None:
        spoken = language(TableModel(WORDS))
        history, _ = say(spoken, ["a"])
        for before in (FIRST, history):
            assert spoken.step(before, NOWHERE) == REFUSED
            assert spoken.step(before, NOWHERE) == REFUSED
        assert len(spoken) == 2

    def test_a_step_taken_twice_is_the_same_step(self) -> None:
        spoken = language(TableModel(WORDS))
        assert say(spoken, ["a", "b", "a"]) == say(spoken, ["a", "b", "a"])
        assert len(spoken) == 4

    def test_one_word_spelled_in_two_ways_leads_to_one_history_at_the_price_of_each(self) -> None:
        spoken = language(TableModel(WORDS))
        (one, cost, key), (other, other_cost, other_key) = spoken.step(FIRST, NODES["a"]), spoken.step(FIRST, ANOTHER_A)
        assert (one, key) == (other, other_key)
        assert math.log(other_cost) - math.log(cost) == pytest.approx(0.7 - 0.1 - 0.2 + 0.01)

    @settings(max_examples=60, deadline=None)
    @given(st.lists(sentences, min_size=1, max_size=8))
    def test_histories_are_equal_exactly_where_their_words_are_and_above_their_parents(self, spoken_words: list[list[str]]) -> None:
        spoken = language(TableModel(WORDS))
        found = {tuple(words): say(spoken, words)[0] for words in spoken_words}
        assert len(set(found.values())) == len(found)
        assert len(spoken) == len({tuple(words[:length]) for words in spoken_words for length in range(len(words) + 1)})
        for words, history in found.items():
            assert not words or say(spoken, words[:-1])[0] < history

    def test_an_exact_search_joins_no_histories(self) -> None:
        spoken = language(TableModel(WORDS), policy=SearchPolicy(recombine=False))
        histories = [FIRST, *(say(spoken, words.split())[0] for words in ("a", "b a", "a a", "c a"))]
        assert len({spoken.key(history) for history in histories}) == len(histories)

    def test_keys_are_equal_where_model_and_phrases_are_in_one_state(self) -> None:
        spoken = language(TableModel(WORDS), [Phrase("c d a", 1.0)])
        context = {words: spoken.key(say(spoken, words.split())[0]) for words in ("", "a", "b a", "a a", "d a", "c a", "c", "a c", "c d")}
        assert context["a"] == context["b a"] == context["a a"] == context["d a"] == context["c a"]
        assert context["c"] == context["a c"]
        assert len(set(context.values())) == 4
        assert spoken.key(say(spoken, ["d"])[0]) != context["c d"]  # in the midst of the phrase

    def test_what_was_said_since_a_history_is_what_came_after_it(self) -> None:
        spoken = language(TableModel(WORDS))
        middle, _ = say(spoken, ["a", "b"])
        last, _ = say(spoken, ["c", "a"], middle)
        assert [said.text for said in spoken.said(last, middle)] == ["c", "a"]
        assert spoken.said(last, last) == []
        assert spoken.said(FIRST) == []

    def test_the_greatest_weights_make_a_factor_that_is_still_a_number(self) -> None:
        """A word that is next to impossible by itself and certain here: its look-ahead, weighted, is given back."""
        policy = SearchPolicy(alpha=10.0, beta=20.0)
        spoken = Language(Layers((Endings({1: Ending("a", (1,), 3, advance=10 * -228.0)}),)), TableModel(WORDS), Phrases(()), policy)
        _, factor, _ = spoken.step(FIRST, 1)
        assert math.isfinite(factor)
        assert factor > 1e200


@dataclass(frozen=True)
class Tree:
    """Histories, and the words of each."""

    spoken: Language
    words: dict[int, tuple[str, ...]]


def grown(choices: Sequence[tuple[int, str]], phrases: Iterable[Phrase] = ()) -> Tree:
    """A tree to which every choice adds a word after one of the histories that are there."""
    spoken, words = language(TableModel(WORDS, 5), phrases), {FIRST: ()}
    found: dict[int, tuple[str, ...]] = dict(words)
    for place, word in choices:
        before = sorted(found)[place % len(found)]
        after, _, _ = spoken.step(before, NODES[word])
        found[after] = (*found[before], word)
    return Tree(spoken, found)


def common(words: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """What all begin with."""
    shared = []
    for column in zip(*words, strict=False):
        if len(set(column)) > 1:
            break
        shared.append(column[0])
    return tuple(shared)


choices = st.lists(st.tuples(st.integers(0, 60), st.sampled_from(WORDS)), max_size=60)


class TestTree:
    """What histories share, and which are forgotten."""

    @settings(max_examples=150, deadline=None)
    @given(choices, st.lists(st.integers(0, 60), min_size=1, max_size=8))
    def test_what_histories_share_are_the_words_that_all_begin_with(self, made: list[tuple[int, str]], asked: list[int]) -> None:
        tree = grown(made)
        histories = [sorted(tree.words)[place % len(tree.words)] for place in asked]
        shared = tree.spoken.shared(histories)
        assert tree.words[shared] == common([tree.words[history] for history in histories])
        assert tree.spoken.shared(iter([*histories, shared])) == shared

    @settings(max_examples=100, deadline=None)
    @given(choices, st.lists(st.integers(0, 60), min_size=1, max_size=8), st.data())
    def test_forgetting_keeps_words_contexts_and_ancestry(self, made: list[tuple[int, str]], asked: list[int], data: st.DataObject) -> None:
        tree = grown(made, [Phrase("a b", 1.0), Phrase("b c d", -0.5)])
        live = [sorted(tree.words)[place % len(tree.words)] for place in asked]
        shared = tree.words[tree.spoken.shared(live)]
        ancestors = [history for history, words in tree.words.items() if shared[: len(words)] == words]
        root = data.draw(st.sampled_from(ancestors))
        before = {history: (tree.spoken.key(history), [said.text for said in tree.spoken.said(history, root)]) for history in live}
        ends = {history: tree.spoken.end(history) for history in live}
        renamed = tree.spoken.forget(iter(live), root)
        between = {
            words[:length] for words in (tree.words[history] for history in live) for length in range(len(tree.words[root]), len(words) + 1)
        }
        assert {tree.words[history] for history in renamed} == between | {tree.words[root]}
        assert len(tree.spoken) == len(renamed)
        assert sorted(renamed.values()) == list(range(len(renamed)))
        assert renamed[root] == FIRST
        for history, (context, words) in before.items():
            assert [said.text for said in tree.spoken.said(renamed[history])] == words
            assert tree.spoken.end(renamed[history]) == ends[history]
            for other, (context_of_other, _) in before.items():
                same = tree.spoken.key(renamed[history]) == tree.spoken.key(renamed[other])
                assert same == (context == context_of_other)
        assert tree.spoken.shared(renamed[history] for history in live) == renamed[tree_node(tree, shared)]

    @settings(max_examples=100, deadline=None)
    @given(choices, st.lists(st.integers(0, 60), min_size=1, max_size=8), choices)
    def test_what_is_said_after_forgetting_costs_what_it_would_have(
        self, made: list[tuple[int, str]], asked: list[int], later: list[tuple[int, str]]
    ) -> None:
        phrases = [Phrase("a b", 1.0), Phrase("b c d", -0.5)]
        tree, same = grown(made, phrases), grown(made, phrases)
        live = [sorted(tree.words)[place % len(tree.words)] for place in asked]
        renamed = tree.spoken.forget(live, FIRST)
        pairs = [(history, renamed[history]) for history in live]
        for place, word in later:
            remembered, forgotten = pairs[place % len(pairs)]
            after, factor, _ = same.spoken.step(remembered, NODES[word])
            after_forgotten, factor_forgotten, _ = tree.spoken.step(forgotten, NODES[word])
            assert factor == factor_forgotten
            assert same.spoken.said(after) == tree.spoken.said(after_forgotten)
            pairs.append((after, after_forgotten))
        assert len({one for one, _ in pairs}) == len({other for _, other in pairs}) == len(set(pairs))
        for one, other in pairs:
            for two, another in pairs:
                assert (same.spoken.key(one) == same.spoken.key(two)) == (tree.spoken.key(other) == tree.spoken.key(another))

    def test_forgetting_again_and_again_keeps_little(self) -> None:
        spoken, random, live = language(TableModel(WORDS)), np.random.default_rng(0), [FIRST]
        for _ in range(300):
            live = [spoken.step(history, NODES[word])[0] for history in live for word in random.choice(WORDS, 2).tolist()][:6]
            root = spoken.shared(live)
            renamed = spoken.forget(live, root)
            live = [renamed[history] for history in live]
            assert len(spoken) <= 1 + sum(len(spoken.said(history)) for history in live)

    def test_a_very_long_history_is_no_trouble(self) -> None:
        spoken = language(TableModel(WORDS))
        one, _ = say(spoken, ["a", "b"] * 5_000)
        other, _ = say(spoken, ["c"], one)
        another, _ = say(spoken, ["d"] * 100, one)
        assert spoken.shared([other, another, FIRST]) == FIRST
        assert spoken.shared([other, another]) == one
        assert len(spoken.said(another, FIRST)) == 10_100


def tree_node(tree: Tree, words: tuple[str, ...]) -> int:
    return next(history for history, said in tree.words.items() if said == words)
