"""Characters of manifests, and alphabets from them and from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds_engine.errors import InputError
from ds_training.corpora.characters import alphabet_from_file, alphabet_of, count_characters
from ds_training.corpora.manifest import CorpusError
from ds_training.text import SYMBOLS, Orthography
from tests.ds_training.corpora.sounds import text


def test_characters_are_counted_and_those_that_would_be_lost_are_named_with_their_first_line(tmp_path: Path) -> None:
    path = text(tmp_path / "list.tsv", "file\ttext", "a.wav\tAb, b", "b.wav\t日本 7", "c.wav\t日 \u00e9")
    found = {each.symbol: each for each in count_characters([path])}
    assert {symbol: each.times for symbol, each in found.items()} == {"A": 1, "b": 2, ",": 1, " ": 3, "日": 2, "本": 1, "7": 1, "é": 1}
    assert [each.symbol for each in found.values() if not each.written] == ["日", "本"]
    assert found["日"].place == f"{path}: line 3"


def test_the_most_frequent_come_first_over_all_manifests(tmp_path: Path) -> None:
    paths = [text(tmp_path / f"{name}.tsv", "file\ttext", f"a.wav\t{said}") for name, said in (("a", "xy"), ("b", "yzz"), ("c", "zy"))]
    assert "".join(each.symbol for each in count_characters(paths)) == "yzx"


def test_letters_and_digits_that_an_alphabet_lacks_are_told_apart_from_signs(tmp_path: Path) -> None:
    path = text(tmp_path / "list.tsv", "file\ttext", "a.wav\tÉa\u0308 x\u0302 ka 7 !")
    lost = {each.symbol for each in count_characters([path], Orthography(("<blank>", " ", *"aex"))) if not each.written}
    assert lost == {"k", "7", "\u0302"}


def test_an_alphabet_from_manifests_has_their_letters_composed(tmp_path: Path) -> None:
    path = text(tmp_path / "list.tsv", "file\ttext", "a.wav\tU\u0308ber 7!", "b.wav\tDon't")
    assert alphabet_of([path]) == ("<blank>", " ", "'", "b", "d", "e", "n", "o", "r", "t", "ü")


def test_an_alphabet_needs_letters(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"needs letters, got none in .*list\.tsv"):
        alphabet_of([text(tmp_path / "list.tsv", "file\ttext", "a.wav\t7 !")])


def test_an_alphabet_file_keeps_its_order_and_gets_the_blank_in_front(tmp_path: Path) -> None:
    path = text(tmp_path / "alphabet.txt", "# letters", " ", "b", "a", "\\#", encoding="utf-8-sig", end="\r\n")
    assert alphabet_from_file(path) == ("<blank>", " ", "b", "a", "#")
    english = text(tmp_path / "english.txt", *SYMBOLS[1:])
    assert alphabet_from_file(english) == SYMBOLS


@pytest.mark.parametrize(
    ("lines", "message"), [(["ch"], "one character, got 'ch'"), (["\u00fc", "u\u0308"], "twice"), (["<blank>"], "one character")]
)
def test_symbols_that_training_cannot_use_are_named(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        alphabet_from_file(text(tmp_path / "alphabet.txt", "a", *lines))


def test_a_broken_alphabet_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"alphabet\.txt"):
        alphabet_from_file(tmp_path / "alphabet.txt")
