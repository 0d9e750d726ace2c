"""The recipe of a bundle's language model."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds_engine.bundle import Bundle
from ds_engine.lm.backoff import SPECIAL
from ds_engine.search.sources import of_bundle
from ds_training.language import Kind, LanguageModel, Source, commands, install, mixture, vocabulary, word_list
from ds_training.text import Orthography, letters_of
from tests.ds_engine import bundles
from tests.ds_engine.bundles import SYMBOLS

KINDS = (Kind("letters", ("a b", "a c a", "b"), 1.0), Kind("others", ("c c", "a <name>"), 3.0))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return bundles.write(tmp_path / "bundle")


def test_a_model_is_installed_where_the_search_finds_it(bundle: Path) -> None:
    alphabet = Bundle.open(bundle).manifest.alphabet
    assert alphabet.symbols == SYMBOLS
    words = vocabulary(KINDS, ["abc"], alphabet)
    install(bundle, mixture(KINDS, words), alphabet)
    source = of_bundle(Bundle.open(bundle))
    assert source is not None
    assert [word for word in source.words if word not in SPECIAL] == ["a", "abc", "b", "c"]
    assert source.lexicon is not None


def test_words_seen_once_are_unknown_unless_they_are_listed_or_cannot_be_written(bundle: Path) -> None:
    alphabet = Bundle.open(bundle).manifest.alphabet
    kinds = [Kind("text", ("a cab", "a b b zoo zoo"), 1.0)]
    assert vocabulary(kinds, ["bac", "yes"], alphabet) == ["a", "b", "bac"]


def test_a_kind_counts_by_its_weight(bundle: Path) -> None:
    words = ["a", "b", "c"]
    likely = {}
    for weight in (0.1, 10.0):
        model = mixture([KINDS[0], Kind("others", KINDS[1].sentences, weight)], words)
        likely[weight] = float(model.orders[0].log_probs[model.words.index("c")])
    assert likely[10.0] > likely[0.1]


def test_a_word_list_gives_lower_case_words_only(tmp_path: Path) -> None:
    path = tmp_path / "words"
    path.write_text("Apple\napple's\nétude\nx-ray\n\n3d\n'tis\n")
    assert list(word_list(path)) == ["apple", "apple's"]


def test_some_owners_of_commands_are_left_open() -> None:
    pytest.importorskip("hassil")
    pytest.importorskip("home_assistant_intents")
    lines = commands(["milk", "soap"], 400, 3)
    assert lines == commands(["milk", "soap"], 400, 3)
    assert any("<name>" in line.split() for line in lines)
    assert len(set(lines)) > 100


def test_texts_and_word_lists_of_another_language_keep_its_letters(tmp_path: Path) -> None:
    german = Orthography(letters_of(["schöne grüße"]))
    (tmp_path / "text.txt").write_text("Schöne Grüße!\nkiste\n", "utf-8")
    (tmp_path / "words.txt").write_text("Grüße\nx2\n", "utf-8")
    wanted = LanguageModel(text=(Source(tmp_path / "text.txt", 1.0),), commands=0, everyday=0)
    assert [kind.sentences for kind in wanted.kinds(german)] == [["schöne grüße"]]
    assert list(word_list(tmp_path / "words.txt", german)) == ["grüße"]
