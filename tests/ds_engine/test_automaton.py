from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ds_engine.automaton import NO_WORD, Layers
from tests.ds_engine.fakes import CHARACTERS, PIECES
from tests.ds_engine.reference_decoder import Trie

word_lists = st.lists(st.lists(st.text("abc", min_size=1, max_size=4), unique=True, max_size=5), min_size=1, max_size=4)


def spelled(layers: Layers) -> list[str]:
    """All words that can be read from the roots, by walking every arc."""
    found, nodes = [], layers.roots()
    while len(nodes):
        found += [layers.word(packed) for packed in layers.words(nodes).tolist() if packed != NO_WORD]
        nodes = layers.arcs(nodes).targets
    return sorted(found)


@given(word_lists)
def test_layers_spell_exactly_the_words_of_all_their_automata(lists: list[list[str]]) -> None:
    layers = Layers(tuple(Trie(CHARACTERS, words) for words in lists))
    assert spelled(layers) == sorted(word for words in lists for word in words)


def test_an_overlay_leaves_the_base_as_it_is() -> None:
    base = Trie(CHARACTERS, ["on", "off"])
    alone = Layers((base,))
    together = Layers((base, Trie(CHARACTERS, ["on", "ona"])))
    assert spelled(together) == ["off", "on", "on", "ona"]
    assert spelled(alone) == ["off", "on"]
    assert together.automata[0] is base
    assert together.roots()[0] == alone.roots()[0]


def test_arcs_tell_which_node_they_leave_and_keep_their_layer() -> None:
    layers = Layers((Trie(CHARACTERS, ["ab"]), Trie(CHARACTERS, ["ac", "d"])))
    arcs = layers.arcs(layers.roots()[::-1])
    symbols = [CHARACTERS.symbols[column] for column in arcs.columns]
    assert sorted(zip(arcs.sources.tolist(), symbols, strict=True)) == [(0, "a"), (0, "d"), (1, "a")]
    assert (arcs.targets >> 32 == 1 - arcs.sources).all()


def test_no_nodes_have_no_arcs_and_no_words() -> None:
    layers = Layers((Trie(PIECES, ["on"]),))
    nothing = np.zeros(0, np.int64)
    assert all(len(part) == 0 and part.dtype == np.int64 for part in (layers.arcs(nothing).sources, layers.arcs(nothing).targets))
    assert len(layers.words(nothing)) == 0


def test_a_node_at_which_no_word_ends_says_so() -> None:
    layers = Layers((Trie(CHARACTERS, ["on"]), Trie(CHARACTERS, ["max"])))
    assert (layers.words(layers.roots()) == NO_WORD).all()


def test_several_spellings_of_a_word_end_in_the_same_word() -> None:
    assert set(spelled(Layers((Trie(PIECES, ["turn"]),)))) == {"turn"}
    assert len(PIECES.spell("turn")) > 2
