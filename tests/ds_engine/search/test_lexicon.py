from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.automaton import ROOT
from ds_engine.errors import LanguageModelError
from ds_engine.search.lexicon import MAX_WORD_SYMBOLS, NO_WORD, SECTIONS, Lexicon, LexiconAutomaton
from ds_engine.search.spelling import SpellingModel
from tests.ds_engine.fakes import BYTES, CHARACTERS, PIECES

COLUMNS = 4  # of the alphabet that is drawn from
Spelled = Sequence[tuple[tuple[int, ...], int]]
Sections = dict[str, np.ndarray]

entries = st.lists(st.tuples(st.lists(st.integers(0, COLUMNS - 1), max_size=5).map(tuple), st.integers(0, 7)), max_size=25)
log_probs = st.lists(st.floats(-20, 0, width=32), min_size=8, max_size=8).map(lambda values: np.array(values, np.float32))


def naive(spellings: Spelled, of_word: np.ndarray) -> dict[tuple[int, ...], tuple[set[int], float]]:
    """Every prefix: the words that may stand for it (several if they are equally likely), and its look-ahead."""
    words: dict[tuple[int, ...], set[int]] = {(): set()}
    best: dict[tuple[int, ...], float] = {(): -math.inf}
    for columns, word in spellings:
        if not columns:
            continue
        for length in range(len(columns) + 1):
            prefix = columns[:length]
            words.setdefault(prefix, set())
            best[prefix] = max(best.get(prefix, -math.inf), float(of_word[word]))
        words[columns].add(word)
    likeliest = {prefix: max((float(of_word[word]) for word in found), default=0.0) for prefix, found in words.items()}
    return {
        prefix: ({word for word in found if float(of_word[word]) == likeliest[prefix]}, best[prefix]) for prefix, found in words.items()
    }


def children(lexicon: Lexicon, node: int) -> range:
    return range(int(lexicon.firsts[node]), int(lexicon.firsts[node + 1]))


def likeliest_first(count: int) -> np.ndarray:
    return -np.arange(count, dtype=np.float32)


@settings(max_examples=150, deadline=None)
@given(entries, log_probs)
def test_it_is_the_trie_that_a_dictionary_would_be(spellings: Spelled, of_word: np.ndarray) -> None:
    lexicon, expected = Lexicon.compile(spellings, of_word), naive(spellings, of_word)
    found = {lexicon.spelling(node): node for node in range(len(lexicon))}
    assert set(found) == set(expected)
    assert len(found) == len(lexicon)
    for prefix, (words, best) in expected.items():
        node = found[prefix]
        assert int(lexicon.words[node]) in (words or {NO_WORD})
        assert float(lexicon.look_ahead[node]) == best
        assert {lexicon.spelling(child) for child in children(lexicon, node)} == {p for p in expected if p[:-1] == prefix and p}


@settings(max_examples=100, deadline=None)
@given(entries, log_probs)
def test_nodes_are_numbered_breadth_first_and_siblings_by_their_columns(spellings: Spelled, of_word: np.ndarray) -> None:
    lexicon = Lexicon.compile(spellings, of_word)
    prefixes = [lexicon.spelling(node) for node in range(len(lexicon))]
    assert prefixes == sorted(prefixes, key=lambda prefix: (len(prefix), prefix))
    assert [child for node in range(len(lexicon)) for child in children(lexicon, node)] == list(range(1, len(lexicon)))
    assert all(lexicon.parents[child] == node for node in range(len(lexicon)) for child in children(lexicon, node))


@settings(max_examples=100, deadline=None)
@given(entries, st.lists(st.integers(0, COLUMNS + 2), max_size=6))
def test_it_holds_the_spellings_of_its_words_and_no_others(spellings: Spelled, other: list[int]) -> None:
    lexicon, words = Lexicon.compile(spellings, likeliest_first(8)), {columns for columns, _ in spellings if columns}
    for columns in words:
        assert lexicon.holds(columns)
        assert lexicon.holds(list(columns))
        for length in range(len(columns)):
            assert lexicon.holds(columns[:length]) == (columns[:length] in words)
    assert lexicon.holds(other) == (tuple(other) in words)


@settings(max_examples=100, deadline=None)
@given(entries, log_probs, st.randoms(use_true_random=False))
def test_the_order_of_the_words_does_not_matter(spellings: Spelled, of_word: np.ndarray, random: Any) -> None:
    of_word = of_word + np.arange(8, dtype=np.float32) * 1e-3  # equally likely words of one spelling stand as they came
    shuffled = list(spellings)
    random.shuffle(shuffled)
    one, other = Lexicon.compile(spellings, of_word), Lexicon.compile(iter(shuffled), of_word)
    assert all(np.array_equal(one.sections()[name], other.sections()[name]) for name in one.sections())


def test_of_two_words_with_one_spelling_the_likelier_stands() -> None:
    for likelier in (0, 1):
        of_word = np.array([-2.0, -2.0], np.float32)
        of_word[likelier] = -1.0
        for spellings in itertools.permutations([((1, 2), 0), ((1, 2), 1), ((1,), 0)]):
            lexicon = Lexicon.compile(spellings, of_word)
            assert int(lexicon.words[2]) == likelier
            assert float(lexicon.look_ahead[2]) == -1.0


def test_a_word_of_several_spellings_ends_at_the_end_of_each() -> None:
    lexicon = Lexicon.of_words(PIECES, [("turn", 0), ("bed", 1)], likeliest_first(2))
    for word, index in (("turn", 0), ("bed", 1)):
        spellings = PIECES.spell(word)
        ends = [node for node in range(len(lexicon)) if int(lexicon.words[node]) == index]
        assert {lexicon.spelling(node) for node in ends} == set(spellings)
        assert len(spellings) > 1
    assert float(lexicon.look_ahead[ROOT]) == 0.0


@pytest.mark.parametrize("spellings", [[], [((), 0)], [((1,) * (MAX_WORD_SYMBOLS + 1), 0)]], ids=["nothing", "no symbols", "endless"])
def test_a_lexicon_without_words_is_a_root(spellings: Spelled) -> None:
    lexicon = Lexicon.compile(spellings, likeliest_first(1))
    assert len(lexicon) == 1
    assert lexicon.spelling(ROOT) == ()
    assert not lexicon.holds(())
    assert not lexicon.holds((1,))
    automaton = LexiconAutomaton(lexicon, (), np.zeros(1))
    assert len(automaton.arcs(np.zeros(3, np.int64)).targets) == 0
    assert automaton.ending(ROOT) is None
    assert automaton.greatest == 0.0
    restored = Lexicon.of_sections(lexicon.sections(), 2, 0)
    assert len(restored) == 1


def test_the_longest_word_that_fits_is_kept() -> None:
    lexicon = Lexicon.compile([((1,) * MAX_WORD_SYMBOLS, 0)], likeliest_first(1))
    assert lexicon.holds((1,) * MAX_WORD_SYMBOLS)
    assert len(lexicon) == MAX_WORD_SYMBOLS + 1


def test_what_the_alphabet_cannot_write_is_left_out() -> None:
    words = ["on", "ön", "", "o n", "☎", "\ud800", "off"]
    lexicon = Lexicon.of_words(CHARACTERS, [(word, index) for index, word in enumerate(words)], likeliest_first(len(words)))
    found = {words[index] for index in lexicon.words.tolist() if index != NO_WORD}
    assert found == {"on", "off"}


def test_words_of_bytes_are_spelled_by_their_bytes() -> None:
    lexicon = Lexicon.of_words(BYTES, [("größe", 0), ("日本", 1)], likeliest_first(2))
    assert lexicon.holds([BYTES.symbols.index(chr(byte)) for byte in "größe".encode()])
    assert not lexicon.holds([BYTES.symbols.index(chr(byte)) for byte in "日".encode()])


class TestSections:
    """What is stored and read again."""

    @settings(max_examples=100, deadline=None)
    @given(entries, log_probs)
    def test_a_lexicon_comes_back_as_it_was_with_its_look_ahead_rounded(self, spellings: Spelled, of_word: np.ndarray) -> None:
        lexicon = Lexicon.compile(spellings, of_word)
        restored = Lexicon.of_sections(lexicon.sections(), COLUMNS, 8)
        for name in ("columns", "parents", "firsts", "words"):
            assert getattr(restored, name).dtype == getattr(lexicon, name).dtype
            assert np.array_equal(getattr(restored, name), getattr(lexicon, name))
        np.testing.assert_allclose(restored.look_ahead, lexicon.look_ahead, rtol=1e-3, atol=1e-6)
        assert (restored.look_ahead[restored.parents] >= restored.look_ahead).all()
        assert restored.look_ahead.dtype == np.float32

    def test_wide_alphabets_and_wide_nodes_come_back_too(self) -> None:
        for columns in (255, 256, 257, 65_536, 70_000):
            lexicon = Lexicon.compile([((column,), 0) for column in range(columns)], likeliest_first(1))
            restored = Lexicon.of_sections(lexicon.sections(), columns, 1)
            assert np.array_equal(restored.columns, lexicon.columns)
            assert np.array_equal(restored.firsts, lexicon.firsts)

    def test_other_sections_beside_it_do_not_matter_and_it_may_be_read_only(self) -> None:
        sections = {**some_sections(), "ngrams.words": np.zeros(3)}
        for array in sections.values():
            array.flags.writeable = False
        everything_of(Lexicon.of_sections(sections, COLUMNS, 3), 3)

    @pytest.mark.parametrize("name", SECTIONS)
    @pytest.mark.parametrize(
        "spoil",
        [
            lambda array: None,
            lambda array: array[:-1],
            lambda array: array[:0],
            lambda array: np.append(array, array[-1:]),
            lambda array: array[None],
            lambda array: array[0],
            lambda array: array.astype(np.int64),
            lambda array: array.astype(np.float64),
            lambda array: array.astype(np.complex64),
            lambda array: array != 0,
            lambda array: np.array(["a"] * len(array)),
            lambda array: np.array([None] * len(array)),
        ],
        ids=["missing", "short", "empty", "long", "matrix", "scalar", "int64", "float64", "complex", "bool", "texts", "objects"],
    )
    def test_a_section_of_the_wrong_form_is_refused(self, name: str, spoil: Callable[[np.ndarray], np.ndarray | None]) -> None:
        sections: dict[str, Any] = some_sections()
        sections[name] = spoil(sections[name])
        for given_up in (sections, {other: array for other, array in sections.items() if array is not None}):
            with pytest.raises(LanguageModelError, match="lexicon"):
                Lexicon.of_sections(given_up, COLUMNS, 3)

    @pytest.mark.parametrize("name", SECTIONS)
    def test_another_byte_order_is_refused_or_harmless(self, name: str) -> None:
        sections = some_sections()
        sections[name] = sections[name].astype(sections[name].dtype.newbyteorder())
        refused_or_harmless(sections, 3)

    def test_arrays_of_no_nodes_at_all_are_refused(self) -> None:
        with pytest.raises(LanguageModelError):
            Lexicon.of_sections({name: array[:0] for name, array in some_sections().items()}, COLUMNS, 3)

    def test_a_lexicon_for_another_alphabet_or_model_is_refused(self) -> None:
        for columns, words in ((3, 3), (4, 2), (0, 3), (4, 0)):
            with pytest.raises(LanguageModelError, match="contradict"):
                Lexicon.of_sections(some_sections(), columns, words)

    @pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 5, 100, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1])
    @pytest.mark.parametrize("name", SECTIONS[:3])
    def test_a_number_in_the_wrong_place_is_refused_or_harmless(self, name: str, number: int) -> None:
        whole = some_sections()
        for place in range(len(whole[name])):
            refused_or_harmless({**whole, name: with_number(whole[name], place, number)}, 3)

    @settings(max_examples=150, deadline=None)
    @given(entries, st.lists(st.tuples(st.sampled_from(SECTIONS[:3]), st.integers(0, 100), st.integers(0, 30)), max_size=4))
    def test_any_corruption_is_refused_or_harmless(self, spellings: Spelled, changes: list[tuple[str, int, int]]) -> None:
        sections = dict(Lexicon.compile(spellings, likeliest_first(8)).sections())
        for name, place, number in changes:
            if len(sections[name]):
                sections[name] = with_number(sections[name], place % len(sections[name]), number)
        refused_or_harmless(sections, 8)

    @settings(max_examples=100, deadline=None)
    @given(entries, st.randoms(use_true_random=False))
    def test_children_in_other_places_are_refused_or_harmless(self, spellings: Spelled, random: Any) -> None:
        sections = dict(Lexicon.compile(spellings, likeliest_first(8)).sections())
        children = sections["lexicon.children"].tolist()
        random.shuffle(children)
        refused_or_harmless({**sections, "lexicon.children": np.array(children, np.uint8)}, 8)

    def test_siblings_out_of_order_are_refused(self) -> None:
        """A word below them would be in the trie, and `holds` would not find it."""
        sections = some_sections()
        sections["lexicon.columns"] = sections["lexicon.columns"].copy()
        sections["lexicon.columns"][:2] = sections["lexicon.columns"][1::-1]
        with pytest.raises(LanguageModelError, match="contradict"):
            Lexicon.of_sections(sections, COLUMNS, 3)

    def test_a_word_at_the_root_is_refused(self) -> None:
        sections = some_sections()
        with pytest.raises(LanguageModelError, match="contradict"):
            Lexicon.of_sections({**sections, "lexicon.words": with_number(sections["lexicon.words"], 0, 1)}, COLUMNS, 3)

    @pytest.mark.parametrize("value", [math.nan, math.inf])
    def test_a_look_ahead_that_is_no_log_probability_is_refused(self, value: float) -> None:
        sections = some_sections()
        sections["lexicon.look_ahead"] = sections["lexicon.look_ahead"].copy()
        sections["lexicon.look_ahead"][2] = value
        with pytest.raises(LanguageModelError, match="contradict"):
            Lexicon.of_sections(sections, COLUMNS, 3)


def some_sections() -> Sections:
    """Three words over columns 1 to 3."""
    return dict(Lexicon.compile([((1, 2), 0), ((1, 3), 1), ((2,), 2), ((2, 2, 2), 0)], likeliest_first(3)).sections())


def with_number(array: np.ndarray, place: int, number: int) -> np.ndarray:
    """The array with another number in one place, in as wide a type as a file may have."""
    changed = array.astype(np.uint32)
    changed[place] = number
    return changed if array.dtype.kind == "u" else changed.view(np.int32)


def refused_or_harmless(sections: Mapping[str, np.ndarray], words: int) -> None:
    try:
        lexicon = Lexicon.of_sections(dict(sections), COLUMNS, words)
    except LanguageModelError:
        return
    everything_of(lexicon, words)


def everything_of(lexicon: Lexicon, words: int) -> None:
    """Asks a lexicon all that can be asked; what it spells, it must hold."""
    automaton = LexiconAutomaton(lexicon, [str(index) for index in range(words)], np.zeros(len(lexicon)))
    arcs = automaton.arcs(np.arange(len(lexicon)))
    assert ((arcs.columns >= 0) & (arcs.columns < COLUMNS)).all()
    for node in range(len(lexicon)):
        ending = automaton.ending(node)
        assert (ending is not None) == (node != ROOT and lexicon.holds(automaton.spelling(node)))
    SpellingModel.estimate(CHARACTERS, lexicon)


class TestAutomaton:
    """The trie as the search walks it."""

    @settings(max_examples=150, deadline=None)
    @given(entries, log_probs, st.sampled_from([0.0, 0.5, 1.0, 3.0]))
    def test_the_factors_on_the_way_to_a_word_are_its_advance(self, spellings: Spelled, of_word: np.ndarray, alpha: float) -> None:
        lexicon = Lexicon.compile(spellings, of_word)
        automaton = LexiconAutomaton(lexicon, [f"word {index}" for index in range(8)], charged(lexicon, alpha), np.arange(8) + 100)
        masses = walked(automaton)
        greatest = 0.0
        for node, mass in masses.items():
            ending, word = automaton.ending(node), int(lexicon.words[node])
            assert (ending is None) == (word == NO_WORD)
            if ending is not None:
                assert ending.text == f"word {word}"
                assert ending.index == word + 100
                assert ending.spelling == automaton.spelling(node) == lexicon.spelling(node)
                assert ending.advance == pytest.approx(alpha * float(lexicon.look_ahead[node]), abs=1e-5)
                assert math.log(mass) == pytest.approx(ending.advance, abs=1e-9)
                assert ending.price == 0.0
        arcs = automaton.arcs(np.arange(len(lexicon)))
        greatest = float(arcs.factors.max(initial=0.0))
        assert automaton.greatest == greatest
        assert set(masses) == set(range(len(lexicon)))

    @settings(max_examples=100, deadline=None)
    @given(entries, st.data())
    def test_arcs_of_any_nodes_in_any_order_are_those_of_each(self, spellings: Spelled, data: st.DataObject) -> None:
        lexicon = Lexicon.compile(spellings, likeliest_first(8))
        automaton = LexiconAutomaton(lexicon, [""] * 8, charged(lexicon, 1.0))
        nodes = data.draw(st.lists(st.integers(0, len(lexicon) - 1), max_size=6))
        arcs = automaton.arcs(np.array(nodes, np.int64))
        found = list(zip(*(getattr(arcs, name).tolist() for name in ("sources", "columns", "targets", "ends")), strict=True))
        assert found == [
            (position, int(lexicon.columns[child]), child, bool(lexicon.words[child] != NO_WORD))
            for position, node in enumerate(nodes)
            for child in children(lexicon, node)
        ]
        assert arcs.sources.dtype == arcs.columns.dtype == arcs.targets.dtype == np.int64
        assert arcs.factors.dtype == np.float64

    def test_indices_of_words_are_their_numbers_where_no_others_are_given(self) -> None:
        lexicon = Lexicon.compile([((1,), 0), ((2,), 1)], likeliest_first(2))
        automaton = LexiconAutomaton(lexicon, ("one", "two"), np.zeros(3))
        ending = automaton.ending(2)
        assert ending is not None
        assert (ending.index, ending.text) == (1, "two")

    def test_an_impossible_word_has_no_mass_and_spoils_no_other(self) -> None:
        of_word = np.array([-1.0, -np.inf, -np.inf], np.float32)
        lexicon = Lexicon.compile([((1,), 0), ((1, 2), 1), ((3, 3), 2)], of_word)
        masses = walked(LexiconAutomaton(lexicon, ["a", "ab", "cc"], charged(lexicon, 1.0)))
        assert {lexicon.spelling(node): mass for node, mass in masses.items()} == {
            (): 1.0,
            (1,): pytest.approx(math.exp(-1)),
            (3,): 0.0,
            (1, 2): 0.0,
            (3, 3): 0.0,
        }


def charged(lexicon: Lexicon, alpha: float) -> np.ndarray:
    advances: np.ndarray = alpha * lexicon.look_ahead.astype(np.float64) if len(lexicon) > 1 else np.zeros(1)
    advances[0] = 0.0
    return advances


def walked(automaton: LexiconAutomaton) -> dict[int, float]:
    """Every node that can be reached from the root, and the product of the factors on the way."""
    found, nodes = {ROOT: 1.0}, np.array([ROOT])
    while len(nodes):
        arcs = automaton.arcs(nodes)
        for source, target, factor in zip(nodes[arcs.sources].tolist(), arcs.targets.tolist(), arcs.factors.tolist(), strict=True):
            found[target] = found[source] * factor
        nodes = arcs.targets
    return found


def test_a_large_lexicon_compiles_in_time() -> None:
    """A tenth of the 200 000 words that a language model may have, in far less than a tenth of what that may take."""
    random = np.random.default_rng(0)
    words = [tuple(random.integers(0, 27, length).tolist()) for length in random.integers(3, 15, 20_000)]
    began = time.perf_counter()
    lexicon = Lexicon.compile([(word, index) for index, word in enumerate(words)], likeliest_first(len(words)))
    assert time.perf_counter() - began < 5
    assert all(lexicon.holds(word) for word in words[::100])
