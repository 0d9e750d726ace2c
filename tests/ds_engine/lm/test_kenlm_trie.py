from __future__ import annotations

import hashlib
import itertools
import math
import random
import struct
from pathlib import Path

import numpy as np
import pytest

from ds_engine.errors import LanguageModelError
from ds_engine.lm.arpa import read_arpa
from ds_engine.lm.backoff import BackoffModel, Ngrams
from ds_engine.lm.kenlm_trie import LN10, KenlmTrie
from ds_engine.lm.kenlm_writer import kenlm_trie, write_kenlm_trie
from tests.ds_engine.lm.kenlm_files import SCORERS, TRIES, Oracle, kenlm_file, published, random_model

LMPLZ = Path(__file__).parent / "lmplz"
BUILT = {  # SHA-256 of what `build_binary -v trie` of kenlm 0.3.0 makes of these
    "household-3.arpa": "713b21ed1eb858cd9d6277b2695e4e24125ebe6ec5808862a174729730d50180",
    "household-4-pruned.arpa": "36dd7cf7f4af19f4fd3507a4a146796027dae5012f45fda48513fe357f415aaf",
    "ten-sentences-5.arpa": "05f512b20ea7aab493221c589d74190f556db6f0d9c2169cd376049fc6ee8d2d",
}


def every_history(model: BackoffModel, longest: int) -> list[tuple[str, ...]]:
    """Histories that occur in the model, beginnings of them, and some that never do."""
    chance = random.Random(1)  # noqa: S311 - a test's histories
    seen = [tuple(model.words[index] for index in ids) for level in model.orders for ids in level.ids.tolist()]
    made = [tuple(chance.choices(model.words, k=chance.randrange(longest + 2))) for _ in range(60)]
    return [(), *chance.sample(seen, min(60, len(seen))), *made]


@pytest.mark.parametrize("order", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", TRIES)
def test_every_probability_is_what_the_back_off_rule_gives(kind: int, order: int) -> None:
    model = random_model(order, order)
    oracle, trie = Oracle.of(model), KenlmTrie.read(kenlm_file(model, kind), "lm")
    assert (trie.order, trie.unknown, trie.counts) == (order, 0, tuple(len(level.ids) for level in model.orders))
    for history in every_history(model, order):
        context = trie.empty
        for word in history:
            context = trie.advance(context, trie.index(word))[1]
        for word in model.words:
            expected = oracle.log_prob(history[-(order - 1) :], word) * LN10
            assert trie.advance(context, trie.index(word))[0] == pytest.approx(expected, abs=1e-5)
        assert trie.end(context) == trie.advance(context, trie.index("</s>"))[0]


@pytest.mark.parametrize("kind", TRIES)
def test_histories_share_a_context_only_where_all_that_follows_is_equal(kind: int) -> None:
    model = random_model(5, 4, words=5, ngrams=25)
    oracle, trie = Oracle.of(model), KenlmTrie.read(kenlm_file(model, kind), "lm")
    shared: dict[object, list[tuple[str, ...]]] = {}
    for history in itertools.product(model.words, repeat=3):
        context = trie.empty
        for word in history:
            context = trie.advance(context, trie.index(word))[1]
        shared.setdefault(context, []).append(history)
    assert len(shared) < len(model.words) ** 3 / 2
    for histories in shared.values():
        for ending in itertools.product(model.words, repeat=2):
            values = {
                round(sum(oracle.log_prob((*history, *ending[:at])[-3:], ending[at]) for at in (0, 1)), 5) for history in histories[:6]
            }
            assert len(values) == 1


def test_the_sentence_begins_after_its_mark() -> None:
    model = random_model(2, 3)
    oracle, trie = Oracle.of(model), KenlmTrie.read(kenlm_file(model, 2), "lm")
    for word in model.words:
        assert trie.advance(trie.start, trie.index(word))[0] == pytest.approx(oracle.log_prob(("<s>",), word) * LN10, abs=1e-5)


def test_words_are_found_one_by_one_and_all_at_once() -> None:
    model = random_model(2, 3, words=40)
    trie = KenlmTrie.read(kenlm_file(model, 2), "lm")
    asked = [*model.words, "missing", "", "\x00", "w1", "\ud800"]
    found = [trie.index(word) for word in asked]
    assert sorted(found[: len(model.words)]) == list(range(len(model.words)))
    assert found[len(model.words) :] == [0, 0, 0, 0, 0]
    assert trie.indices(asked).tolist() == found
    assert trie.unigrams(found).tolist() == pytest.approx([trie.advance(trie.empty, index)[0] for index in found], abs=1e-6)
    assert trie.unigram(found[5]) == trie.advance(trie.empty, found[5])[0]
    with pytest.raises(IndexError, match="word 43 of a model of 43"):
        trie.advance(trie.empty, len(model.words))


@pytest.mark.parametrize("name", BUILT)
def test_what_we_write_is_byte_for_byte_what_kenlm_writes(name: str) -> None:
    assert hashlib.sha256(b"".join(kenlm_trie(read_arpa(LMPLZ / name)))).hexdigest() == BUILT[name]


@pytest.mark.parametrize("order", [2, 3, 4, 5])
def test_what_we_write_is_what_the_layout_says(order: int) -> None:
    model = random_model(10 + order, order)
    assert b"".join(kenlm_trie(model)) == kenlm_file(model, 2)


def test_a_model_of_unigrams_becomes_one_without_bigrams(tmp_path: Path) -> None:
    model = random_model(1, 1)
    write_kenlm_trie(model, tmp_path / "lm")
    trie = KenlmTrie.open(tmp_path / "lm")
    assert trie.counts == (15, 0)
    context = trie.advance(trie.start, trie.index(model.words[5]))[1]
    assert context == trie.empty
    assert trie.advance(context, trie.index(model.words[6]))[0] == pytest.approx(model.orders[0].log_probs[6] * LN10, abs=1e-5)


def test_an_old_file_stays_whole_where_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "lm"
    path.write_bytes(b"old")
    model = random_model(2, 2)
    broken = BackoffModel(model.words, (Ngrams(model.orders[0].ids, model.orders[0].log_probs * math.nan, model.orders[0].back_offs),))
    with pytest.raises(LanguageModelError, match="1-grams with values that are no logarithms"):
        write_kenlm_trie(broken, path)
    with pytest.raises(LanguageModelError, match="a word is empty, or has a blank or NUL in it, or is not Unicode"):
        write_kenlm_trie(BackoffModel((*model.words[:-1], "\ud800"), model.orders), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_not_there_or_no_trie_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LanguageModelError, match="missing: cannot be read: No such file"):
        KenlmTrie.open(tmp_path / "missing")
    (tmp_path / "empty").touch()
    with pytest.raises(LanguageModelError, match="empty: not a KenLM binary"):
        KenlmTrie.open(tmp_path / "empty")
    with pytest.raises(LanguageModelError, match="lm: a KenLM binary of type 0, which is no trie"):
        KenlmTrie.read(kenlm_file(random_model(2, 2), 0), "lm")


@pytest.mark.parametrize("wrong", [2**63, 39, 41])
def test_a_pointer_that_leads_nowhere_is_reported_when_it_is_followed(wrong: int) -> None:
    model = random_model(2, 2)
    content = bytearray(kenlm_file(model, 2))
    assert len(model.orders[1].ids) == 38
    unigrams = 0x80 + 8 + 8 * 15
    struct.pack_into("<Q", content, unigrams + 16 * 7 + 8, wrong)
    trie = KenlmTrie.read(bytes(content), "lm")
    with pytest.raises(LanguageModelError, match="damaged: its n-grams lead nowhere"):
        [trie.advance(trie.start, word) for word in (6, 7)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e30])
def test_a_probability_that_is_none_is_reported(value: float) -> None:
    content = bytearray(kenlm_file(random_model(2, 2), 2))
    struct.pack_into("<f", content, 0x80 + 8 + 8 * 15 + 16 * 7, value)
    trie = KenlmTrie.read(bytes(content), "lm")
    with pytest.raises(LanguageModelError, match="lm: damaged: a probability that is none"):
        trie.advance(trie.empty, 7)
    with pytest.raises(LanguageModelError, match="lm: damaged: a probability that is none"):
        trie.unigrams(np.arange(15))


VECTORS = {  # reference/deepspeech.md, 4.1: log10, from the beginning of a sentence to its end
    ("pruned_lm.scorer", "she had your dark suit in greasy wash water all year"): -12.688312,
    ("pruned_lm.scorer", "hello world"): -9.746407,
    ("pruned_lm.bytes.scorer", "t h e"): -3.731819,
}


@published
@pytest.mark.parametrize(("name", "sentence"), VECTORS)
def test_published_models_give_the_published_probabilities(name: str, sentence: str) -> None:
    trie = KenlmTrie.open(SCORERS / name)
    context, total = trie.start, 0.0
    for word in sentence.split():
        log_prob, context = trie.advance(context, trie.index(word))
        total += log_prob
    assert (total + trie.end(context)) / LN10 == pytest.approx(VECTORS[name, sentence], abs=1e-5)
