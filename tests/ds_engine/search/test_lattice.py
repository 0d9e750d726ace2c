"""The word lattice against all paths through small graphs of words."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.search.confidence import Belief
from ds_engine.search.language import FIRST
from ds_engine.search.lattice import JOINED_ROWS, LEAST, SHARPNESS, Lattice


@dataclass
class Tree:
    """Histories as the language side has them; keys, support and endings are what a test says."""

    parents: list[int] = field(default_factory=lambda: [-1])
    words: list[str] = field(default_factory=lambda: [""])
    keys: list[int] = field(default_factory=lambda: [0])

    def add(self, parent: int, word: str, key: int) -> int:
        self.parents.append(parent)
        self.words.append(word)
        self.keys.append(key)
        return len(self.parents) - 1

    def key(self, history: int) -> int:
        return self.keys[history]

    def parent(self, history: int) -> int:
        return self.parents[history]

    def word(self, history: int) -> str:
        return self.words[history]

    def support(self, history: int) -> float:
        return -float(history)

    def ending(self, history: int) -> float:
        return -100.0 - history

    def path(self, history: int, root: int = FIRST) -> list[int]:
        found = []
        while history != root:
            found.append(history)
            history = self.parents[history]
        return found[::-1]

    def forget(self, live: Sequence[int], root: int) -> tuple[Tree, dict[int, int]]:
        """As Language.forget has it, into a new tree."""
        kept = sorted({root} | {one for history in live for one in self.path(history, root)})
        renamed = {old: new for new, old in enumerate(kept)}
        parents = [-1, *(renamed[self.parents[old]] for old in kept[1:])]
        return Tree(parents, ["", *(self.words[old] for old in kept[1:])], [100 + self.keys[old] for old in kept]), renamed


@dataclass
class Utterance:
    """A lattice, and rows to put words into."""

    tree: Tree = field(default_factory=Tree)
    row: int = 0

    def __post_init__(self) -> None:
        self.lattice = Lattice(self.tree)

    def go_to(self, row: int) -> None:
        while self.row < row:
            self.lattice.advance()
            self.row += 1

    def end(self, parent: int, word: str, key: int, log_mass: float = 0.0) -> int:
        """A word ends in this row, for the first time."""
        history = self.tree.add(parent, word, key)
        self.lattice.end(parent, history, key, math.exp(log_mass))
        return history

    def shares(self, weights: dict[int, float], history: int, root: int = FIRST) -> list[float]:
        [beliefs] = self.lattice.beliefs(weights, [self.tree.path(history, root)], root)
        return [belief.share for belief in beliefs[:-1]]


Arc = tuple[int, str, int, float]  # from key, word, to key, weight of it (tempered)
WORDS = ("a", "b", "c")
KEYS = 2  # between two words


def graph(seed: int, depth: int) -> list[list[Arc]]:
    """Layers of arcs: every key of a layer may be reached from every key of the one before by one or two words."""
    random = np.random.default_rng(seed)
    return [
        [
            (before, str(word), after, float(random.uniform(0.2, 1.0)))
            for before in range(KEYS if layer else 1)
            for after in range(KEYS)
            for word in random.choice(WORDS, int(random.integers(1, 3)), replace=False)
        ]
        for layer in range(depth)
    ]


def searched(layers: list[list[Arc]]) -> tuple[Utterance, list[int], list[float]]:
    """A search that joins at every key, as the kernel does: the likelier history goes on. The winners and their masses."""
    utterance, winners, masses = Utterance(), [FIRST], [1.0]
    for layer, arcs in enumerate(layers):
        utterance.go_to(10 * (layer + 1))
        found: list[list[tuple[float, int]]] = [[] for _ in range(KEYS)]
        for before, word, after, weight in arcs:
            mass = masses[before] * weight
            log_mass = math.log(mass) / SHARPNESS  # a lattice tempers what it is told
            history = utterance.end(winners[before], word, KEYS * layer + after, log_mass)
            found[after].append((mass, history))
        winners = [max(each)[1] for each in found if each]
        masses = [sum(mass for mass, _ in each) for each in found if each]
    return utterance, winners, masses


def counted(layers: list[list[Arc]], place: int, word: str) -> float:
    """The share of all paths, by weight, that have the word at this place."""
    there = total = 0.0
    for path in itertools.product(*layers):
        if all(one[2] == other[0] for one, other in itertools.pairwise(path)):
            weight = math.prod(arc[3] for arc in path)
            total += weight
            there += weight * (path[place][1] == word)
    return there / total


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_a_words_share_is_that_of_all_paths_that_have_it_there(depth: int) -> None:
    for seed in range(15):
        layers = graph(seed, depth)
        utterance, winners, masses = searched(layers)
        weights = {winner: math.log(mass) / SHARPNESS for winner, mass in zip(winners, masses, strict=True)}
        for winner in winners:
            found = utterance.shares(weights, winner)
            expected = [counted(layers, place, utterance.tree.word(one)) for place, one in enumerate(utterance.tree.path(winner))]
            assert found == pytest.approx(expected, abs=LEAST * 4 * depth)  # what is below LEAST is left out


def test_nothing_else_was_possible() -> None:
    utterance = Utterance()
    utterance.go_to(5)
    one = utterance.end(FIRST, "turn", 1)
    utterance.go_to(9)
    two = utterance.end(one, "on", 2)
    assert utterance.shares({two: -3.0}, two) == pytest.approx([1.0, 1.0])


def test_a_word_that_is_in_no_reading_has_no_share() -> None:
    utterance = Utterance()
    utterance.go_to(5)
    one, other = utterance.end(FIRST, "on", 1), utterance.end(FIRST, "off", 2)
    assert utterance.shares({one: 0.0}, other) == [0.0]
    assert utterance.shares({one: 0.0, other: -100.0}, other) == [0.0]


def test_the_same_word_at_another_time_is_another_word() -> None:
    utterance = Utterance()
    utterance.go_to(5)
    early, other = utterance.end(FIRST, "no", 1), utterance.end(FIRST, "on", 2)
    utterance.go_to(9)
    one, late = utterance.end(early, "on", 3), utterance.end(other, "no", 4)
    assert utterance.shares({one: 0.0, late: 0.0}, one) == pytest.approx([0.5, 0.5])


def test_the_same_word_in_nearly_the_same_rows_is_the_same_word() -> None:
    """The histories differ in the word before, and the language model tells them apart."""
    utterance = Utterance()
    utterance.go_to(5)
    one, other = utterance.end(FIRST, "a", 1), utterance.end(FIRST, "the", 2)
    utterance.go_to(9)
    first = utterance.end(one, "light", 3)
    utterance.go_to(10)
    second = utterance.end(other, "light", 4)
    assert utterance.shares({first: 0.0, second: 0.0}, first) == pytest.approx([0.5, 1.0])


@pytest.mark.parametrize(("apart", "share"), [(JOINED_ROWS, 0.5), (JOINED_ROWS + 1, 1.0)])
def test_words_of_one_key_are_alternatives_where_they_end_together(apart: int, share: float) -> None:
    utterance = Utterance()
    utterance.go_to(20)
    one = utterance.end(FIRST, "here", 1)
    utterance.go_to(20 + apart)
    utterance.end(FIRST, "hear", 1)
    utterance.go_to(60)
    last = utterance.end(one, "now", 2)
    assert utterance.shares({last: 0.0}, last) == pytest.approx([share, 1.0])


def test_the_best_end_of_a_word_counts() -> None:
    """Its mass comes and goes over many rows; only the largest is compared, and its row is where the word ends."""
    utterance = Utterance()
    utterance.go_to(20)
    one = utterance.end(FIRST, "here", 1, log_mass=-9.0)
    utterance.go_to(40)
    other = utterance.end(FIRST, "hear", 1, log_mass=-1.0)
    utterance.lattice.end(FIRST, one, 1, math.exp(-1.0))
    utterance.go_to(41)
    utterance.lattice.end(FIRST, one, 1, math.exp(-8.0))
    utterance.lattice.end(FIRST, other, 1, math.exp(-8.0))
    utterance.go_to(60)
    last = utterance.end(one, "now", 2)
    assert utterance.shares({last: 0.0}, last) == pytest.approx([0.5, 1.0])


def test_a_word_that_has_not_ended_lasts_until_now() -> None:
    utterance = Utterance()
    utterance.go_to(5)
    one = utterance.end(FIRST, "on", 1)
    utterance.go_to(12)
    open_, other = utterance.tree.add(one, "light", 2), utterance.tree.add(one, "night", 3)
    assert utterance.shares({open_: 0.0, other: 0.0}, open_) == pytest.approx([1.0, 0.5])


def test_what_was_joined_to_its_own_beginning_does_not_go_in_circles() -> None:
    """Under a short memory "the a" may have the key of "the", and both may end at about the same time."""
    utterance = Utterance()
    utterance.go_to(5)
    one = utterance.end(FIRST, "the", 1)
    utterance.go_to(6)
    two = utterance.end(one, "a", 1)
    utterance.go_to(7)
    three = utterance.end(two, "an", 1)
    assert utterance.shares({three: 0.0}, three) == pytest.approx([1.0, 1 / 3 + 1 / 6, 1 / 3])


def test_a_word_that_ended_before_the_one_before_it_did_best_is_still_there() -> None:
    utterance = Utterance()
    utterance.go_to(5)
    one = utterance.end(FIRST, "the", 1, log_mass=-5.0)
    utterance.go_to(9)
    two = utterance.end(one, "end", 2)
    utterance.go_to(12)
    utterance.lattice.end(FIRST, one, 1, math.exp(-1.0))
    assert utterance.shares({two: 0.0}, two) == pytest.approx([1.0, 1.0])


def test_beliefs_know_how_the_language_model_finds_each_word_and_the_end() -> None:
    utterance = Utterance()
    utterance.go_to(5)
    one = utterance.end(FIRST, "on", 1)
    two = utterance.end(one, "top", 2)
    found = utterance.lattice.beliefs({two: 0.0, one: 0.0}, [[one, two], [one], []], FIRST)
    assert [[belief.support for belief in each] for each in found] == [[-1.0, -2.0, -102.0], [-1.0, -101.0], [-100.0]]
    assert found[2] == [Belief(1.0, -100.0)]


def test_nothing_was_heard() -> None:
    utterance = Utterance()
    assert utterance.lattice.beliefs({}, [[]], FIRST) == [[Belief(1.0, -100.0)]]
    assert utterance.lattice.beliefs({FIRST: 0.0}, [], FIRST) == []
    assert utterance.lattice.alive({FIRST: 0.0}, FIRST) == []


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**16), depth=st.integers(2, 4), settled=st.integers(1, 3))
def test_beliefs_are_the_same_after_forgetting_what_is_over(seed: int, depth: int, settled: int) -> None:
    """All words up to `settled` are certain; they get new numbers, and so does what is alive after them."""
    layers = [[(0, word, 0, 1.0)] for word in WORDS[:settled]] + graph(seed, depth)
    utterance, winners, masses = searched(layers)
    weights = {winner: math.log(mass) / SHARPNESS for winner, mass in zip(winners, masses, strict=True)}
    root = utterance.tree.path(winners[0])[settled - 1]
    before = [utterance.shares(weights, winner, root) for winner in winners]
    assert before == [utterance.shares(weights, winner)[settled:] for winner in winners]
    tree, renamed = utterance.tree.forget([*winners, *utterance.lattice.alive(weights, root)], root)
    for name in ("parents", "words", "keys"):
        setattr(utterance.tree, name, getattr(tree, name))
    utterance.lattice.rename(renamed)
    again = {renamed[winner]: weight for winner, weight in weights.items()}
    assert [utterance.shares(again, renamed[winner]) for winner in winners] == before


def test_what_was_joined_to_a_living_history_lives_with_it() -> None:
    utterance = Utterance()
    utterance.go_to(5)
    root = utterance.end(FIRST, "turn", 1)
    utterance.end(FIRST, "tern", 1)
    utterance.go_to(15)
    one, loser = utterance.end(root, "on", 2), utterance.end(root, "an", 2)
    utterance.end(root, "off", 3)
    utterance.go_to(25)
    last = utterance.end(one, "it", 4)
    assert sorted(utterance.lattice.alive({last: 0.0}, root)) == [one, loser, last]


def test_what_ends_after_forgetting_is_joined_to_what_ended_before() -> None:
    utterance = Utterance()
    utterance.go_to(5)
    root = utterance.end(FIRST, "turn", 1)
    utterance.go_to(15)
    one = utterance.end(root, "on", 2)
    tree, renamed = utterance.tree.forget([one], root)
    for name in ("parents", "words", "keys"):
        setattr(utterance.tree, name, getattr(tree, name))
    utterance.lattice.rename(renamed)
    utterance.go_to(16)
    utterance.end(FIRST, "an", 102)
    other = utterance.end(FIRST, "off", 2)  # another key that has the number of the old one
    assert utterance.shares({renamed[one]: 0.0}, renamed[one]) == pytest.approx([0.5])
    assert utterance.shares({other: 0.0}, other) == pytest.approx([1.0])
