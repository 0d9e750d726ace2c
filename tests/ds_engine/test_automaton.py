from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.automaton import MAX_LAYERS, NODE_BITS, ROOT, Arcs, Layers, NodeArray
from ds_engine.search.lexicon import Lexicon, LexiconAutomaton
from tests.ds_engine.fakes import CHARACTERS, PIECES

word_lists = st.lists(st.lists(st.text("abc", min_size=1, max_size=4), unique=True, max_size=5), min_size=1, max_size=MAX_LAYERS)


def automaton(words: Sequence[str], first: int = 0) -> LexiconAutomaton:
    """A lexicon of these words, each half as likely as the one before; the language model numbers them from `first`."""
    log_probs = (-math.log(2) * np.arange(1, len(words) + 1)).astype(np.float32)
    lexicon = Lexicon.of_words(CHARACTERS, [(word, number) for number, word in enumerate(words)], log_probs)
    advances = lexicon.look_ahead.astype(np.float64)
    advances[0] = 0.0
    return LexiconAutomaton(lexicon, words, advances, np.arange(len(words)) + first)


def spelled(layers: Layers) -> list[str]:
    """All words that can be read from the root, by walking every arc; each must end where and how its arcs say."""
    found, nodes, masses = [], np.array([ROOT]), np.ones(1)
    while len(nodes):
        arcs = layers.arcs(nodes)
        masses = masses[arcs.sources] * arcs.factors
        nodes = arcs.targets
        for node, column, ends, mass in zip(nodes.tolist(), arcs.columns.tolist(), arcs.ends.tolist(), masses.tolist(), strict=True):
            ending = layers.ending(node)
            assert layers.spelling(node)[-1] == column
            assert (ending is not None) == ends
            if ending is not None:
                assert ending.spelling == layers.spelling(node)
                assert CHARACTERS.text(ending.spelling) == ending.text
                assert math.log(mass) == pytest.approx(ending.advance)
                found.append(ending.text)
    return sorted(found)


@given(word_lists)
def test_layers_spell_exactly_the_words_of_all_their_automata(lists: list[list[str]]) -> None:
    layers = Layers(tuple(automaton(words) for words in lists))
    assert spelled(layers) == sorted(word for words in lists for word in words)


@settings(deadline=None)
@given(word_lists, st.data())
def test_arcs_of_many_nodes_are_those_of_each_node_whatever_their_layers(lists: list[list[str]], data: st.DataObject) -> None:
    layers = Layers(tuple(automaton(words) for words in lists))
    everything, reached = [ROOT], np.array([ROOT])
    while len(reached):
        reached = layers.arcs(reached).targets
        everything += reached.tolist()
    asked = data.draw(st.lists(st.sampled_from(everything), max_size=10))
    together = leaving(layers.arcs(np.array(asked, np.int64)))
    alone = Counter(
        (position, *arc) for position, node in enumerate(asked) for _, *arc in leaving(layers.arcs(np.array([node]))).elements()
    )
    assert together == alone


@given(word_lists)
def test_a_node_keeps_its_layer_until_the_word_ends(lists: list[list[str]]) -> None:
    layers = Layers(tuple(automaton(words) for words in lists))
    nodes: NodeArray = np.array([ROOT])
    first = layers.arcs(nodes)
    assert set((first.targets >> NODE_BITS).tolist()) == {layer for layer, words in enumerate(lists) if words}
    nodes = first.targets
    while len(nodes):
        arcs = layers.arcs(nodes)
        assert ((arcs.targets >> NODE_BITS) == (nodes >> NODE_BITS)[arcs.sources]).all()
        nodes = arcs.targets


def test_the_root_is_that_of_every_layer_and_no_word_ends_there() -> None:
    layers = Layers((automaton(["on"]), automaton(["max"]), automaton(["off", "a"])))
    arcs = layers.arcs(np.array([ROOT, ROOT]))
    symbols = [CHARACTERS.symbols[column] for column in arcs.columns.tolist()]
    assert sorted(zip(arcs.sources.tolist(), symbols, strict=True)) == [(source, symbol) for source in (0, 1) for symbol in "amoo"]
    assert layers.ending(ROOT) is None
    assert layers.spelling(ROOT) == ()


def test_one_word_in_two_layers_is_found_in_both_with_the_index_of_each() -> None:
    layers = Layers((automaton(["on"], first=10), automaton(["off", "on"], first=20)))
    nodes = layers.arcs(layers.arcs(np.array([ROOT])).targets).targets
    endings = [ending for node in nodes.tolist() if (ending := layers.ending(node)) is not None]
    assert sorted((ending.text, ending.index) for ending in endings) == [("on", 10), ("on", 21)]


def test_an_overlay_leaves_the_base_as_it_is() -> None:
    base = automaton(["on", "off"])
    alone = Layers((base,))
    together = Layers((base, automaton(["on", "ona"])))
    assert spelled(together) == ["off", "on", "on", "ona"]
    assert spelled(alone) == ["off", "on"]
    assert together.automata[0] is base
    of_base = together.arcs(np.array([ROOT])).targets
    assert of_base[of_base >> NODE_BITS == 0].tolist() == alone.arcs(np.array([ROOT])).targets.tolist()


@given(word_lists)
def test_no_nodes_have_no_arcs_and_the_kinds_of_arrays_stay(lists: list[list[str]]) -> None:
    layers = Layers(tuple(automaton(words) for words in lists))
    for nodes in (np.zeros(0, np.int64), np.array([ROOT])):
        arcs = layers.arcs(nodes)
        assert arcs.sources.dtype == arcs.columns.dtype == arcs.targets.dtype == np.int64
        assert arcs.ends.dtype == np.bool_
        assert arcs.factors.dtype == np.float64
    assert len(layers.arcs(np.zeros(0, np.int64)).targets) == 0


@given(word_lists)
def test_the_greatest_factor_is_that_of_any_arc(lists: list[list[str]]) -> None:
    layers = Layers(tuple(automaton(words) for words in lists))
    factors, nodes = [0.0], np.array([ROOT])
    while len(nodes):
        arcs = layers.arcs(nodes)
        factors += arcs.factors.tolist()
        nodes = arcs.targets
    assert layers.greatest == max(factors)


def test_several_spellings_of_a_word_end_in_the_same_word() -> None:
    lexicon = Lexicon.of_words(PIECES, [("turn", 0)], np.zeros(1, np.float32))
    layers = Layers(
        (
            LexiconAutomaton(Lexicon.compile([], np.zeros(0, np.float32)), (), np.zeros(1)),
            LexiconAutomaton(lexicon, ["turn"], np.zeros(len(lexicon))),
        )
    )
    found, nodes = [], np.array([ROOT])
    while len(nodes):
        nodes = layers.arcs(nodes).targets
        found += [ending for node in nodes.tolist() if (ending := layers.ending(node)) is not None]
    assert {ending.text for ending in found} == {"turn"}
    assert sorted(ending.spelling for ending in found) == sorted(PIECES.spell("turn"))


def leaving(arcs: Arcs) -> Counter[tuple[int, ...]]:
    names = ("sources", "columns", "targets", "ends", "factors")
    return Counter(zip(*(getattr(arcs, name).tolist() for name in names), strict=True))
