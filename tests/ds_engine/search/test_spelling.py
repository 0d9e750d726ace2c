from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.alphabet import Alphabet, Boundary, BoundaryRule
from ds_engine.automaton import ROOT
from ds_engine.search.lexicon import Lexicon
from ds_engine.search.spelling import Spelling, SpellingModel

SPACED = Alphabet(("_", " ", "a", "b", "c"))
PIECED = Alphabet(("▁", "_", "▁a", "▁b", "a", "b", "?"), blank=1, ignored=frozenset({6}), boundary=Boundary(BoundaryRule.WORD_INITIAL, "▁"))
JOINED = Alphabet(("a", "b", "c", "_"), blank=3, boundary=Boundary(BoundaryRule.NONE, ""))
BYTED = Alphabet(("_", " ", *(chr(byte) for byte in sorted({*"aé日😀".encode(), 0xA0, 0xC0, 0xED}))), bytes_mode=True)
ALPHABETS = {"spaced": SPACED, "pieced": PIECED, "joined": JOINED, "bytes": BYTED}
UNKNOWN = 7

each_alphabet = pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=ALPHABETS)
words = st.lists(st.text("abc", min_size=1, max_size=5), max_size=12)


def lexicon_of(alphabet: Alphabet, texts: Sequence[str]) -> Lexicon:
    return Lexicon.of_words(alphabet, [(text, number) for number, text in enumerate(texts)], np.zeros(len(texts), np.float32))


def spelling(
    alphabet: Alphabet,
    model: SpellingModel | None = None,
    weight: float = 1.0,
    entry: float = 0.0,
    known: Callable[[str], bool] | None = None,
) -> Spelling:
    return Spelling(model or SpellingModel.free(alphabet), alphabet, UNKNOWN, weight, entry, known or (lambda word: False))


def node_of(automaton: Spelling, columns: Sequence[int]) -> tuple[int, float]:
    """The node at the end of a spelling, and the product of the factors on the way."""
    node, mass = ROOT, 1.0
    for column in columns:
        arcs = automaton.arcs(np.array([node]))
        (place,) = np.flatnonzero(arcs.columns == column)
        node, mass = int(arcs.targets[place]), mass * float(arcs.factors[place])
    return node, mass


def possible(automaton: Spelling, depth: int) -> dict[tuple[int, ...], float]:
    """All spellings of up to `depth` symbols whose factors are above zero, and their mass."""
    found: dict[tuple[int, ...], float] = {}
    nodes, masses = np.array([ROOT]), np.ones(1)
    for _ in range(depth):
        arcs = automaton.arcs(nodes)
        masses, nodes = (masses[arcs.sources] * arcs.factors)[arcs.factors > 0], arcs.targets[arcs.factors > 0]
        found |= {automaton.spelling(node): mass for node, mass in zip(nodes.tolist(), masses.tolist(), strict=True)}
    return found


class TestModel:
    """The bigram."""

    @each_alphabet
    @settings(max_examples=60, deadline=None)
    @given(texts=words)
    def test_what_follows_a_letter_is_a_distribution(self, alphabet: Alphabet, texts: list[str]) -> None:
        model = SpellingModel.estimate(alphabet, lexicon_of(alphabet, texts))
        sums = np.exp(model.log_probs).sum(axis=1) + np.exp(model.log_ends)
        np.testing.assert_allclose(sums, 1.0)
        assert model.log_ends[0] == -math.inf
        assert np.isfinite(model.log_ends[1:]).all()

    @each_alphabet
    @settings(max_examples=60, deadline=None)
    @given(texts=words)
    def test_it_counts_every_spelling_once_and_one_more_of_whatever_may_follow(self, alphabet: Alphabet, texts: list[str]) -> None:
        lexicon = lexicon_of(alphabet, texts)
        model = SpellingModel.estimate(alphabet, lexicon)
        letters: list[int] = model.letters.tolist()
        pairs: Counter[tuple[int | None, int | None]] = Counter()
        for written in {written for text in texts for written in alphabet.spell(text)}:
            pairs.update(itertools.pairwise((None, *written, None)))
        marked = alphabet.boundary.rule is not BoundaryRule.SEPARATOR
        for row, before in enumerate((None, *letters)):
            for after in letters:
                may = not marked or alphabet.starts_word(after) == (before is None)
                pairs[before, after] += may
            pairs[before, None] += before is not None
            total = sum(pairs[before, after] for after in (*letters, None))
            expected = [pairs[before, after] / total for after in (*letters, None)]
            np.testing.assert_allclose(np.exp([*model.log_probs[row], model.log_ends[row]]), expected, atol=1e-12)

    @each_alphabet
    def test_letters_are_all_symbols_but_silent_ones_and_the_separator(self, alphabet: Alphabet) -> None:
        expected = [column for column in range(len(alphabet.symbols)) if not alphabet.is_silent(column) and column != alphabet.separator]
        for model in (SpellingModel.free(alphabet), SpellingModel.estimate(alphabet, lexicon_of(alphabet, ["a", "ab"]))):
            assert model.letters.tolist() == expected

    @each_alphabet
    def test_a_free_model_charges_nothing_for_what_may_be_and_everything_for_what_may_not(self, alphabet: Alphabet) -> None:
        model = SpellingModel.free(alphabet)
        assert set(model.log_probs.ravel().tolist()) <= {0.0, -math.inf}
        assert (model.log_ends == 0.0).all()
        if alphabet.separator is not None:
            assert (model.log_probs == 0.0).all()

    def test_an_alphabet_in_which_no_word_can_begin_is_no_error(self) -> None:
        alphabet = Alphabet(("_", "a", "b"), boundary=Boundary(BoundaryRule.WORD_INITIAL, "▁"))
        for model in (SpellingModel.free(alphabet), SpellingModel.estimate(alphabet, lexicon_of(alphabet, []))):
            automaton = spelling(alphabet, model)
            assert possible(automaton, 2) == {}
            assert automaton.greatest <= 1.0


class TestWords:
    """What may be spelled, and what it costs."""

    @each_alphabet
    @settings(max_examples=40, deadline=None)
    @given(
        texts=words,
        columns=st.lists(st.integers(0, 30), min_size=1, max_size=6),
        weight=st.sampled_from([0.0, 0.3, 1.0, 2.5]),
        entry=st.floats(-30, 0),
    )
    def test_a_word_costs_its_bigrams_and_its_end_and_advances_all_but_its_end(
        self, alphabet: Alphabet, texts: list[str], columns: list[int], weight: float, entry: float
    ) -> None:
        model = SpellingModel.estimate(alphabet, lexicon_of(alphabet, texts))
        automaton = spelling(alphabet, model, weight, entry)
        letters: list[int] = model.letters.tolist()
        places = [column % len(letters) for column in columns]
        path = tuple(letters[place] for place in places)
        rows = [0, *(place + 1 for place in places)]
        steps = [float(model.log_probs[before, place]) for before, place in zip(rows[:-1], places, strict=True)]
        node, mass = node_of(automaton, path)
        assert automaton.spelling(node) == path
        if not all(map(math.isfinite, steps)):
            assert mass == 0.0
            return
        assert math.log(mass) == pytest.approx(entry + weight * sum(steps), abs=1e-9)
        ending = automaton.ending(node)
        if ending is None:
            assert alphabet.bytes_mode or not alphabet.word(path)
            return
        assert ending.text == alphabet.word(path)
        assert ending.spelling == path
        assert ending.index == UNKNOWN
        assert ending.advance == pytest.approx(math.log(mass), abs=1e-9)
        assert ending.price == pytest.approx(weight * (sum(steps) + float(model.log_ends[rows[-1]])), abs=1e-9)

    @each_alphabet
    def test_the_greatest_factor_is_that_of_any_arc(self, alphabet: Alphabet) -> None:
        automaton = spelling(alphabet, SpellingModel.estimate(alphabet, lexicon_of(alphabet, ["a", "abc"])), 0.7, -3.0)
        first = automaton.arcs(np.array([ROOT]))
        second = automaton.arcs(first.targets)
        assert automaton.greatest == max(first.factors.max(), second.factors.max())

    def test_of_word_pieces_a_marked_one_begins_a_word_and_stands_nowhere_else(self) -> None:
        for model in (SpellingModel.free(PIECED), SpellingModel.estimate(PIECED, lexicon_of(PIECED, ["ab", "b"]))):
            written = set(possible(spelling(PIECED, model), 3))
            letters = model.letters.tolist()
            expected = {group for length in (1, 2, 3) for group in itertools.product(letters, repeat=length)}
            assert written == {
                group for group in expected if PIECED.starts_word(group[0]) and not any(PIECED.starts_word(column) for column in group[1:])
            }

    def test_a_mark_alone_is_no_word(self) -> None:
        automaton = spelling(PIECED)
        node, _ = node_of(automaton, [0])
        assert automaton.ending(node) is None
        node, _ = node_of(automaton, [0, 4])
        ending = automaton.ending(node)
        assert ending is not None
        assert ending.text == "a"

    def test_without_boundaries_and_lexicon_every_character_is_a_word(self) -> None:
        assert set(possible(spelling(JOINED), 3)) == {(0,), (1,), (2,)}

    def test_a_known_word_is_refused_and_what_begins_like_it_is_not(self) -> None:
        automaton = spelling(SPACED, known={"ab", "c"}.__contains__)
        endings = {written: automaton.ending(node_of(automaton, written)[0]) for written in ((2,), (2, 3), (2, 3, 4), (4,))}
        assert {written: None if ending is None else ending.text for written, ending in endings.items()} == {
            (2,): "a",
            (2, 3): None,
            (2, 3, 4): "abc",
            (4,): None,
        }

    def test_no_word_ends_at_the_root(self) -> None:
        for alphabet in ALPHABETS.values():
            assert spelling(alphabet).ending(ROOT) is None
            assert spelling(alphabet).spelling(ROOT) == ()

    @pytest.mark.parametrize("text", ["a", "é", "日", "😀", "aé日😀", "日a"])
    def test_bytes_make_a_word_once_its_characters_are_complete(self, text: str) -> None:
        automaton = spelling(BYTED)
        data = text.encode()
        complete = {len(text[:count].encode()): text[:count] for count in range(1, len(text) + 1)}
        for count in range(1, len(data) + 1):
            ending = automaton.ending(node_of(automaton, [BYTED.symbols.index(chr(byte)) for byte in data[:count]])[0])
            assert (None if ending is None else ending.text) == complete.get(count)

    @pytest.mark.parametrize(
        "data", [b"\xa9", b"a\xa9", b"\xa9a", b"\xc3a", b"\xc0\xa0", b"\xed\xa0\x80", b"\xc3\xc3\xa9", b"\xc3\xa9\xa9", b"\xe6\x97a"]
    )
    def test_bytes_that_are_no_text_make_no_word(self, data: bytes) -> None:
        symbols = (*BYTED.symbols, "\x80") if "\x80" not in BYTED.symbols else BYTED.symbols
        alphabet = Alphabet(symbols, bytes_mode=True)
        automaton = spelling(alphabet)
        assert automaton.ending(node_of(automaton, [alphabet.symbols.index(chr(byte)) for byte in data])[0]) is None


paths = st.lists(st.lists(st.integers(2, 4), max_size=6).map(tuple), max_size=12)


class TestNodes:
    """They grow as they are asked for, and are forgotten."""

    @settings(max_examples=60, deadline=None)
    @given(asked=paths)
    def test_every_spelling_has_one_node_however_often_it_is_asked_for(self, asked: list[tuple[int, ...]]) -> None:
        automaton = spelling(SPACED)
        first = {path: node_of(automaton, path)[0] for path in asked}
        again = {path: node_of(automaton, path)[0] for path in reversed(asked)}
        assert first == again
        assert len(set(first.values())) == len(first)
        assert all(automaton.spelling(node) == path for path, node in first.items())

    def test_a_node_asked_for_twice_in_one_call_has_the_same_children(self) -> None:
        automaton = spelling(SPACED)
        first = automaton.arcs(np.array([ROOT, ROOT]))
        assert first.targets[:3].tolist() == first.targets[3:].tolist()
        node = first.targets[:1]
        arcs = automaton.arcs(np.concatenate((node, [ROOT], node)))
        assert arcs.targets[:3].tolist() == arcs.targets[6:].tolist()
        assert arcs.sources.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
        assert arcs.targets[3:6].tolist() == first.targets[:3].tolist()

    def test_no_nodes_have_no_arcs(self) -> None:
        arcs = spelling(SPACED).arcs(np.zeros(0, np.int64))
        assert all(len(part) == 0 for part in (arcs.sources, arcs.columns, arcs.targets, arcs.ends, arcs.factors))
        assert arcs.targets.dtype == arcs.columns.dtype == np.int64

    def test_there_may_be_very_many(self) -> None:
        automaton = spelling(SPACED)
        nodes = np.array([ROOT])
        for _ in range(9):
            nodes = automaton.arcs(nodes).targets
        assert len(set(nodes.tolist())) == 3**9
        written = [automaton.spelling(node) for node in nodes[::971].tolist()]
        assert written == list(itertools.product((2, 3, 4), repeat=9))[::971]

    @settings(max_examples=80, deadline=None)
    @given(before=paths, kept=paths)
    def test_forgetting_keeps_the_spellings_of_live_nodes(self, before: list[tuple[int, ...]], kept: list[tuple[int, ...]]) -> None:
        automaton = spelling(SPACED)
        for path in before:
            node_of(automaton, path)
        live = np.array([node_of(automaton, path)[0] for path in kept], np.int64)
        after = automaton.forget(live)
        assert after.dtype == np.int64
        assert [automaton.spelling(node) for node in after.tolist()] == kept
        assert [node_of(automaton, path)[0] for path in kept] == after.tolist()
        for path, node in zip(kept, after.tolist(), strict=True):
            ending = automaton.ending(node)
            assert (ending is None) == (not path)
            assert ending is None or ending.spelling == path
        assert all(automaton.spelling(node_of(automaton, path)[0]) == path for path in before)

    @settings(max_examples=60, deadline=None)
    @given(kept=paths)
    def test_forgetting_frees_all_other_nodes(self, kept: list[tuple[int, ...]]) -> None:
        automaton, nodes = spelling(SPACED), np.array([ROOT])
        for _ in range(7):
            nodes = automaton.arcs(nodes).targets
        after = automaton.forget(np.array([node_of(automaton, path)[0] for path in kept], np.int64))
        inner = {path[:length] for path in kept for length in range(len(path))}
        assert after.max(initial=0) <= 3 * len(inner)  # three children of each node on the way, and nothing else
        assert automaton.arcs(np.array([ROOT])).targets.max() <= 3 * (len(inner) + 1)

    def test_forgetting_from_time_to_time_keeps_the_numbers_small_for_ever(self) -> None:
        automaton, random = spelling(SPACED), np.random.default_rng(0)
        nodes, highest = np.array([ROOT]), 0
        for turn in range(400):
            arcs = automaton.arcs(nodes)
            chosen = random.integers(0, len(arcs.targets), 8)
            nodes = np.where(random.random(8) < 0.15, ROOT, arcs.targets[chosen])
            if turn % 10 == 0:
                written = [automaton.spelling(node) for node in nodes.tolist()]
                nodes = automaton.forget(nodes)
                assert [automaton.spelling(node) for node in nodes.tolist()] == written
            highest = max(highest, int(nodes.max()))
        assert highest < 3000
