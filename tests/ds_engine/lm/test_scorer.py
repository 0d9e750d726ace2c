from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
import pytest

from ds_engine.errors import LanguageModelError
from ds_engine.lm.backoff import SPECIAL, BackoffModel, Ngrams, assemble
from ds_engine.lm.constfst import ConstFst
from ds_engine.lm.kenlm_trie import LN10
from ds_engine.lm.kenlm_writer import kenlm_trie, write_kenlm_trie
from ds_engine.lm.scorer import Scorer, write_scorer
from tests.ds_engine.lm.kenlm_files import SCORERS, Oracle, kenlm_file, published, random_model

ENGLISH = tuple(" abcdefghijklmnopqrstuvwxyz'")
KINYARWANDA = tuple(" abcdefghijklmnoqprstuvwxyz'")
WORDS = ("turn", "on", "off", "the", "kitchen", "light", "lights", "don't", "größe", "a b", "", "turn")


def small(words: tuple[str, ...]) -> BackoffModel:
    """A bigram model of some words."""
    names = [*SPECIAL, *words]
    pairs = np.array([(1, 3), (3, 4), (4, 2), (4, 4)], np.int32)
    unigrams = Ngrams(np.arange(len(names), dtype=np.int32)[:, None], np.linspace(-3, -1, len(names)), np.linspace(-1, 0, len(names)))
    return assemble(names, [unigrams, Ngrams(pairs, np.array([-0.5, -0.25, -0.75, -1.0]), np.zeros(4))])


def spelled_by(words: list[str]) -> ConstFst:
    return ConstFst.of("".join(chr(ENGLISH.index(letter) + 1) for letter in f"{word} ") for word in words)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "small.scorer"


def test_a_scorer_holds_what_was_written(path: Path) -> None:
    model = small(("turn", "on", "off", "kitchen"))
    skipped = write_scorer(path, model, WORDS, ENGLISH, 0.93, 1.18)
    assert skipped == ("größe", "a b", "")
    scorer = Scorer.open(path)
    assert (scorer.alpha, scorer.beta, scorer.bytes_mode) == (0.93, 1.18, False)
    assert sorted(scorer.words(ENGLISH)) == sorted(set(WORDS) - set(skipped))
    oracle, known = Oracle.of(model), scorer.model
    for before in model.words:
        context = known.advance(known.empty, known.index(before))[1]
        for word in model.words:
            expected = oracle.log_prob((before,), word) * LN10
            assert known.advance(context, known.index(word))[0] == pytest.approx(expected, abs=1e-5)


def test_words_come_in_the_order_of_the_symbols(path: Path) -> None:
    symbols = ("z", " ", "y", "x")
    write_scorer(path, small(("x", "y", "z")), ["xx", "xy", "z", "zz", "yx"], symbols, 1.0, 1.0)
    assert Scorer.open(path).words(symbols) == ["zz", "z", "yx", "xy", "xx"]


def test_in_bytes_mode_every_character_is_a_word(path: Path) -> None:
    skipped = write_scorer(path, small(("a", "你")), ["a", "é", "你", "😀", "ab", "", "\ud800", "\0"], (), 1.0, 2.0, bytes_mode=True)
    assert skipped == ("ab", "", "\ud800", "\0")
    scorer = Scorer.open(path)
    assert scorer.bytes_mode
    assert scorer.words(()) == ["a", "é", "你", "😀"]
    assert scorer.model.index("你") != scorer.model.unknown


def test_symbols_of_several_characters_spell_too(path: Path) -> None:
    write_scorer(path, small(("ab", "b")), ["ab", "b"], ("a", "b", " "), 1.0, 1.0)
    assert sorted(Scorer.open(path).words(("sch", "ö", " "))) == ["schö", "ö"]


def test_a_model_without_a_space_has_words_as_they_are(path: Path) -> None:
    write_scorer(path, small(("ab", "b")), ["ab", "b"], ("a", "b", " "), 1.0, 1.0)
    assert sorted(Scorer.open(path).words(("a", "b", "|"))) == ["ab|", "b|"]


def test_symbols_that_do_not_belong_to_the_scorer_are_refused(path: Path) -> None:
    write_scorer(path, small(("turn", "on")), WORDS, ENGLISH, 1.0, 1.0)
    with pytest.raises(LanguageModelError, match=r"small\.scorer: its words have a symbol 28, but the model has 5: they do not belong"):
        Scorer.open(path).words(tuple(" abcd"))
    with pytest.raises(LanguageModelError, match=r"small\.scorer: its words do not end with a space"):
        Scorer.open(path).words(tuple("abcdefghijklmnopqrstuvwxyz' "))


def test_what_cannot_be_a_scorer_is_not_written(path: Path) -> None:
    model = small(("turn", "on"))
    with pytest.raises(LanguageModelError, match="none of 2 words can be spelled"):
        write_scorer(path, model, ["größe", "ß"], ENGLISH, 1.0, 1.0)
    with pytest.raises(LanguageModelError, match="symbols without a space"):
        write_scorer(path, model, ["turn"], tuple("turn"), 1.0, 1.0)
    with pytest.raises(LanguageModelError, match="weights nan and 1; finite ones are needed"):
        write_scorer(path, model, ["turn"], ENGLISH, math.nan, 1.0)
    assert list(path.parent.iterdir()) == []


def test_a_language_model_alone_is_no_scorer(path: Path) -> None:
    write_kenlm_trie(random_model(1, 2), path)
    with pytest.raises(LanguageModelError, match=r"small\.scorer: a KenLM binary, but no scorer: nothing of a scorer follows"):
        Scorer.open(path)
    path.write_bytes(kenlm_file(random_model(1, 2), 2, words=True))
    with pytest.raises(LanguageModelError, match=r"small\.scorer: a KenLM binary, but no scorer: its words are stored in it"):
        Scorer.open(path)
    with pytest.raises(LanguageModelError, match="missing: cannot be read"):
        Scorer.open(path.with_name("missing"))


@pytest.mark.parametrize(
    ("offset", "wrong", "message"),
    [
        (0, b"E1RT", "no scorer"),
        (4, b"\5", "version 5"),
        (8, b"\2", "mode 2"),
        (9, struct.pack("<d", math.nan), "weights nan"),
        (17, struct.pack("<d", math.inf), "1 and inf"),
        (25, b"\0", "no ConstFst"),
    ],
)
def test_a_damaged_head_is_refused(offset: int, wrong: bytes, message: str, path: Path) -> None:
    model = small(("turn", "on"))
    write_scorer(path, model, WORDS, ENGLISH, 1.0, 1.0)
    content, start = bytearray(path.read_bytes()), len(b"".join(kenlm_trie(model)))
    content[start + offset : start + offset + len(wrong)] = wrong
    path.write_bytes(content)
    with pytest.raises(LanguageModelError, match=rf"small\.scorer: .*{message}"):
        Scorer.open(path)


def test_words_that_never_end_are_refused(path: Path) -> None:
    write_scorer(path, small(("turn", "on")), ["a", "ab"], ENGLISH, 1.0, 1.0)
    content = path.read_bytes()
    path.write_bytes(content[:-16] + struct.pack("<iifi", 1, 1, 0.0, 0))
    with pytest.raises(LanguageModelError, match=r"small\.scorer: a list with words of more than 255 labels"):
        Scorer.open(path).words(ENGLISH)


def test_bytes_that_are_no_text_are_refused(path: Path) -> None:
    write_scorer(path, small(("a", "你")), ["é"], (), 1.0, 2.0, bytes_mode=True)
    content = path.read_bytes()
    for label, message in ((0xFF, "no UTF-8"), (0x100, "no bytes")):
        path.write_bytes(content[:-16] + struct.pack("<iifi", label, label, 0.0, 2))
        with pytest.raises(LanguageModelError, match=rf"small\.scorer: its words are in bytes mode, but .*{message}"):
            Scorer.open(path).words(())


PUBLISHED = {  # reference/deepspeech.md, 4.1: alpha, beta, bytes mode, states, arcs, words
    "pruned_lm.scorer": (0.75, 1.850000023841858, False, 3451, 6488, 3540),
    "pruned_lm.bytes.scorer": (0.93128901720047, 1.1834137439727783, True, 2, 27, 27),
    "coqui-english-digits.scorer": (1.0, 1.0, False, 25, 33, 10),
    "coqui-english-yesno.scorer": (1.0, 1.0, False, 6, 6, 2),
    "kinyarwanda-covid.scorer": (0.93128901720047, 1.1834137439727783, False, 216, 285, 71),
}


@published
@pytest.mark.parametrize("name", PUBLISHED)
def test_published_scorers_have_the_published_words(name: str) -> None:
    scorer = Scorer.open(SCORERS / name)
    words = scorer.words(KINYARWANDA if "kinyarwanda" in name else ENGLISH)
    automaton = scorer.automaton
    found = scorer.alpha, scorer.beta, scorer.bytes_mode, len(automaton.finals), len(automaton.labels), len(words)
    assert found == PUBLISHED[name]
    assert scorer.model.unknown not in scorer.model.indices(words)
    if not scorer.bytes_mode and "kinyarwanda" not in name:
        ours = spelled_by(words)
        assert (len(ours.finals), len(ours.labels)) == (len(automaton.finals), len(automaton.labels))


DIGITS = ["eight", "five", "four", "nine", "one", "seven", "six", "three", "two", "zero"]


@published
def test_published_words_stand_in_their_order() -> None:
    words = Scorer.open(SCORERS / "pruned_lm.scorer").words(ENGLISH)
    assert words[:10] == ["a", "abbey", "ability", "able", "aboard", "abounding", "about", "above", "absence", "absent"]
    assert words[-10:] == ["york", "you", "young", "younger", "your", "yourselves", "youth", "you're", "zeal", "zola's"]
    assert set(words) == set((SCORERS / "vocab.pruned.txt").read_text().split())
    assert Scorer.open(SCORERS / "coqui-english-digits.scorer").words(ENGLISH) == DIGITS
    assert Scorer.open(SCORERS / "coqui-english-yesno.scorer").words(ENGLISH) == ["no", "yes"]
    assert Scorer.open(SCORERS / "pruned_lm.bytes.scorer").words(()) == list("'abcdefghijklmnopqrstuvwxyz")
