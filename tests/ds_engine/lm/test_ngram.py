from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_engine.errors import LanguageModelError
from ds_engine.lm.arpa import read_arpa
from ds_engine.lm.backoff import SPECIAL, BackoffModel, Ngrams, assemble
from ds_engine.lm.model import LanguageModel
from ds_engine.lm.ngram import NgramModel, write_ngram
from ds_engine.lm.sections import open_sections, write_sections
from tests.ds_engine.lm.models import LN10, TINY, Dictionary, Gram, dictionaries, scores, spoken, stored

said = st.lists(spoken, max_size=9)


@pytest.fixture(name="arpa")
def an_arpa_model(tmp_path: Path) -> BackoffModel:
    path = tmp_path / "tiny.arpa"
    path.write_text(TINY)
    return read_arpa(path)


@pytest.fixture(name="tiny")
def a_tiny_model(arpa: BackoffModel) -> NgramModel:
    return stored(arpa)


def ngrams_backwards(level: Ngrams) -> Ngrams:
    return Ngrams(level.ids[::-1], level.log_probs[::-1], level.back_offs[::-1])


def damaged(path: Path, section: str, values: Mapping[int, float]) -> Path:
    """The file with some elements of a section overwritten."""
    sections = {name: array.copy() for name, array in open_sections(path).items()}
    for place, value in values.items():
        sections[f"ngram.{section}"][place] = value
    write_sections(path, sections)
    return path


def test_it_is_a_language_model(tiny: NgramModel) -> None:
    model: LanguageModel = tiny
    assert (model.order, model.unknown, model.empty) == (3, 0, 0)
    assert tiny.counts == (5, 4, 2)


def test_ten_n_grams_worked_by_hand(tiny: NgramModel) -> None:
    def log10(history: str, word: str) -> float:
        context = tiny.empty
        for before in history.split():
            context = tiny.advance(context, tiny.index(before))[1]
        return tiny.advance(context, tiny.index(word))[0] / LN10

    assert log10("", "on") == pytest.approx(-0.6)
    assert log10("<s>", "turn") == pytest.approx(-0.3)
    assert log10("<s> turn", "on") == pytest.approx(-0.2)
    assert log10("turn on", "</s>") == pytest.approx(-0.1)
    assert log10("<s> turn on", "</s>") == pytest.approx(-0.1)
    assert log10("<s>", "on") == pytest.approx(-0.5 - 0.6)
    assert log10("<s> on", "</s>") == pytest.approx(-0.4)
    assert log10("turn turn", "on") == pytest.approx(-0.25)
    assert log10("turn on", "turn") == pytest.approx(-0.3 - 0.2 - 0.7)
    assert log10("turn on", "lamp") == pytest.approx(-0.3 - 0.2 - 1.5)
    assert log10("<s> turn", "lamp") == pytest.approx(-0.1 - 0.9)
    assert log10("lamp", "on") == pytest.approx(-0.6)
    assert tiny.advance(tiny.start, tiny.index("turn"))[1] == 6  # after five unigrams, the first of the bigrams
    assert tiny.end(tiny.start) == pytest.approx((-0.5 - 1) * LN10)


def test_histories_after_which_nothing_differs_share_a_context(tiny: NgramModel) -> None:
    def context(history: str) -> int:
        found = tiny.empty
        for word in history.split():
            found = tiny.advance(found, tiny.index(word))[1]
        return found

    assert context("<s>") == tiny.start
    assert context("<s> turn on") == context("turn on") == context("on turn on")
    assert context("turn") != context("<s> turn")  # another back-off weight
    assert context("on") != context("turn on")
    assert context("turn lamp") == context("lamp") == context("on </s>") == tiny.empty  # no children, no back-off weight


@given(dictionaries(), said, st.booleans())
def test_it_gives_what_backing_off_by_the_book_gives(parts: Dictionary, words: list[str], from_start: bool) -> None:  # noqa: FBT001
    model = stored(parts.model())
    history: Gram = ("<s>",) if from_start else ()
    context, longest = model.start if from_start else model.empty, model.order - 1
    for word in words:
        before = history[-longest:] if longest else ()
        assert model.end(context) == pytest.approx(parts.score(before, "</s>"), rel=1e-5, abs=1e-5)
        log_prob, context = model.advance(context, model.index(word))
        assert log_prob == pytest.approx(parts.score(before, word), rel=1e-5, abs=1e-5)
        history += (word,)


@given(dictionaries(), said, said, said)
def test_equal_contexts_have_equal_continuations(parts: Dictionary, one: list[str], other: list[str], then: list[str]) -> None:
    model = stored(parts.model())
    contexts = [model.empty, model.empty]
    for index, words in enumerate((one, other)):
        for word in words:
            contexts[index] = model.advance(contexts[index], model.index(word))[1]
    if contexts[0] == contexts[1]:
        books = [[parts.score((*words, *then[:at])[-4:], word) for at, word in enumerate(then)] for words in (one, other)]
        assert books[0] == pytest.approx(books[1], rel=1e-9, abs=1e-9)


@given(dictionaries(), said)
def test_sixteen_bits_are_nearly_as_good(parts: Dictionary, words: list[str]) -> None:
    model = parts.model()
    exact, halved = stored(model), stored(model, bits=16)
    assert scores(halved, words, halved.start) == pytest.approx(scores(exact, words, exact.start), rel=2**-10, abs=0.05)


@given(dictionaries(), st.sampled_from([16, 32]))
def test_a_model_comes_back_as_it_went_in(parts: Dictionary, bits: int) -> None:
    model = parts.model()
    back = stored(model, bits).to_backoff()
    again = stored(back, bits).to_backoff()
    assert back.words == again.words == model.words
    for level, read, twice in zip(model.orders, back.orders, again.orders, strict=True):
        assert np.array_equal(level.ids, read.ids)
        assert read.log_probs == pytest.approx(level.log_probs, rel=2 ** -(bits // 3), abs=1e-6)
        assert read.back_offs == pytest.approx(level.back_offs, rel=2 ** -(bits // 3), abs=1e-6)
        assert np.array_equal(twice.log_probs, read.log_probs)
        assert np.array_equal(twice.back_offs, read.back_offs)


@given(dictionaries(max_order=1))
def test_every_word_has_its_place(parts: Dictionary) -> None:
    model = stored(parts.model())
    words = model.words()
    assert [model.index(word) for word in words] == list(range(len(words)))
    assert all(word in words for (word,) in parts.grams)
    assert words[-1] == words[len(words) - 1]
    assert [model.index(word) for word in ("never seen", "", "\ud800", "a\0")] == [model.unknown] * 4


def test_the_words_are_a_sequence(tiny: NgramModel) -> None:
    words = tiny.words()
    assert list(words) == ["<unk>", "<s>", "</s>", "on", "turn"]
    assert words[1:3] == ("<s>", "</s>")
    with pytest.raises(IndexError):
        words[5]


def test_unigrams_are_natural_logarithms_without_context(tiny: NgramModel) -> None:
    assert tiny.unigrams().dtype == np.float32
    assert tiny.unigrams() == pytest.approx(np.array([-1.5, -99, -1, -0.6, -0.7]) * LN10, rel=1e-6)


def test_a_vocabulary_beyond_sixteen_bits() -> None:
    words = [*SPECIAL, *(f"w{number:06}" for number in range(2**16))]
    count = len(words)
    unigrams = Ngrams(np.arange(count, dtype=np.int32)[:, None], np.linspace(-9, -1, count), np.zeros(count))
    pair = np.array([[count - 2, count - 1]], np.int32)
    model = stored(assemble(words, [unigrams, Ngrams(pair, np.array([-0.5]), np.zeros(1))]))
    context = model.advance(model.empty, model.index(words[-2]))[1]
    assert model.advance(context, model.index(words[-1]))[0] == pytest.approx(-0.5 * LN10)
    assert model.advance(context, model.index(words[-2]))[0] == pytest.approx(unigrams.log_probs[-2] * LN10)


def test_several_threads_ask_at_once(tiny: NgramModel) -> None:
    words = ["turn", "on", "lamp", "</s>"] * 50
    alone = scores(tiny, words, tiny.start)
    with ThreadPoolExecutor(4) as pool:
        assert all(found == alone for found in pool.map(lambda _: scores(tiny, words, tiny.start), range(8)))


def test_others_may_store_arrays_beside_the_model(arpa: BackoffModel, tmp_path: Path) -> None:
    path = tmp_path / "lm.ngram"
    write_ngram(arpa, path, extra={"lexicon.nodes": np.arange(5, dtype=np.uint32), "licence": b"CC0"})
    model = NgramModel.open(path)
    nodes, licence = model.section("lexicon.nodes"), model.section("licence")
    assert nodes is not None
    assert licence is not None
    assert nodes.tolist() == [0, 1, 2, 3, 4]
    assert licence.tobytes() == b"CC0"
    assert model.section("other") is model.section("ngram.last") is None
    assert scores(model, ["turn"], model.start) == pytest.approx([-0.3 * LN10])


def test_a_model_in_use_outlives_its_file(arpa: BackoffModel, tmp_path: Path) -> None:
    path = tmp_path / "lm.ngram"
    write_ngram(arpa, path)
    model = NgramModel.open(path)
    before = scores(model, ["turn", "on"], model.start)
    write_ngram(replace(arpa, orders=arpa.orders[:1]), path)
    assert scores(model, ["turn", "on"], model.start) == before
    assert NgramModel.open(path).order == 1


def test_what_cannot_be_written_is_refused(arpa: BackoffModel, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="8 bits"):
        write_ngram(arpa, tmp_path / "lm.ngram", bits=8)
    with pytest.raises(ValueError, match=r"ngram\.\.\."):
        write_ngram(arpa, tmp_path / "lm.ngram", extra={"ngram.last": b""})
    with pytest.raises(LanguageModelError, match="not sorted"):
        write_ngram(replace(arpa, orders=(arpa.orders[0], ngrams_backwards(arpa.orders[1]))), tmp_path / "lm.ngram")


@pytest.mark.parametrize(
    ("section", "values", "message"),
    [
        ("counts", {0: 6}, "offsets has 6 elements, 7 are needed"),
        ("counts", {2: 2**63}, "elements"),
        ("spelling", {0: 255}, "not UTF-8"),
        ("spelling", {1: 65}, "begin with <unk> <s> </s>"),
        ("offsets", {1: 0}, "begin with <unk> <s> </s>"),
    ],
)
def test_a_file_at_odds_with_itself_is_not_opened(
    arpa: BackoffModel, tmp_path: Path, section: str, values: Mapping[int, float], message: str
) -> None:
    path = tmp_path / "lm.ngram"
    write_ngram(arpa, path)
    with pytest.raises(LanguageModelError, match=f"lm.ngram: .*{message}"):
        NgramModel.open(damaged(path, section, values))


def test_a_signalling_nan_is_only_an_error(arpa: BackoffModel, tmp_path: Path) -> None:
    path = tmp_path / "lm.ngram"
    write_ngram(arpa, path)
    sections = open_sections(path)
    write_sections(path, {**sections, "ngram.log_probs": np.full(12, 0x7F800001, np.uint32).view(np.float32)})
    model = NgramModel.open(path)
    for use in (model.to_backoff, model.unigrams, lambda: model.start):
        with pytest.raises(LanguageModelError, match=r"lm\.ngram"):
            use()


def test_a_file_without_a_section_or_of_another_kind_is_not_opened(arpa: BackoffModel, tmp_path: Path) -> None:
    path = tmp_path / "lm.ngram"
    write_ngram(arpa, path)
    sections = open_sections(path)
    write_sections(path, {name: array for name, array in sections.items() if name != "ngram.links"})
    with pytest.raises(LanguageModelError, match=r"ngram\.links is missing"):
        NgramModel.open(path)
    write_sections(path, {**sections, "ngram.back_offs": sections["ngram.back_offs"].astype(np.float16)})
    with pytest.raises(LanguageModelError, match="different types"):
        NgramModel.open(path)
    write_sections(path, {**sections, "ngram.counts": np.ones(6, np.uint64)})
    with pytest.raises(LanguageModelError, match="6 orders"):
        NgramModel.open(path)


HIGHEST = 2**32 - 1


@pytest.mark.parametrize(
    ("section", "values"),
    [
        ("first", dict.fromkeys(range(1, 11), HIGHEST)),
        ("first", dict.fromkeys(range(2, 11, 2), HIGHEST)),
        ("first", dict.fromkeys(range(11), 0)),
        ("links", dict.fromkeys(range(10), HIGHEST)),
        ("links", {node: node for node in range(10)}),
        ("last", dict.fromkeys(range(1, 12), 2**16 - 1)),
        ("log_probs", dict.fromkeys(range(12), np.nan)),
        ("log_probs", dict.fromkeys(range(12), np.inf)),
        ("back_offs", dict.fromkeys(range(10), -np.inf)),
        ("offsets", {5: HIGHEST}),
        ("offsets", {4: HIGHEST}),
    ],
)
def test_pointers_that_lead_astray_end_in_an_error_or_wrong_numbers(
    arpa: BackoffModel, tmp_path: Path, section: str, values: Mapping[int, float]
) -> None:
    path = tmp_path / "lm.ngram"
    write_ngram(arpa, path)
    model = NgramModel.open(damaged(path, section, values))
    for word in range(5):
        for context in range(10):
            try:
                log_prob, after = model.advance(context, word)
                model.end(after)
            except LanguageModelError as error:
                assert "damaged" in str(error)  # noqa: PT017
            else:
                assert np.isfinite(log_prob)
    for use in (model.to_backoff, model.unigrams, lambda: [model.index(word) for word in model.words()]):
        try:
            use()
        except LanguageModelError as error:
            assert "lm.ngram" in str(error) or "UTF-8" in str(error)  # noqa: PT017
