from __future__ import annotations

import gzip
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from ds_engine.errors import LanguageModelError
from ds_engine.lm.arpa import read_arpa, write_arpa
from ds_engine.lm.backoff import BackoffModel
from ds_engine.lm.lines import BLOCK_BYTES, GROWTH, GROWTH_FREE_BYTES, LINE_BYTES
from tests.ds_engine.lm.models import LN10, TINY, Dictionary, dictionaries, dictionary, scores, spoken, stored


@pytest.fixture(name="path")
def a_path(tmp_path: Path) -> Path:
    return tmp_path / "tiny.arpa"


def read(path: Path, text: str | bytes) -> BackoffModel:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_arpa(path)


def test_ten_n_grams_are_read_as_they_stand(path: Path) -> None:
    model = read(path, TINY)
    assert model.words == ("<unk>", "<s>", "</s>", "on", "turn")
    assert model.order == 3
    assert dictionary(model) == {
        ("<unk>",): (-1.5, 0),
        ("<s>",): (-99, -0.5),
        ("</s>",): (-1, 0),
        ("on",): (-0.6, -0.2),
        ("turn",): (-0.7, -0.4),
        ("<s>", "turn"): (-0.3, -0.1),
        ("turn", "on"): (-0.25, -0.3),
        ("on", "</s>"): (-0.4, 0),
        ("turn", "<unk>"): (-0.9, 0),
        ("<s>", "turn", "on"): (-0.2, 0),
        ("turn", "on", "</s>"): (-0.1, 0),
    }


@given(dictionaries())
def test_a_model_comes_back_as_it_went_in(parts: Dictionary) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, model = Path(folder) / "any.arpa", parts.model()
        write_arpa(model, path)
        back, text = read_arpa(path), path.read_bytes()
        write_arpa(back, path)
        assert path.read_bytes() == text
        write_arpa(stored(back).to_backoff(), path)
        again = read_arpa(path)
    assert back.words == model.words == again.words
    for level, same, after in zip(model.orders, back.orders, again.orders, strict=True):
        assert np.array_equal(level.ids, same.ids)
        assert same.log_probs == pytest.approx(level.log_probs, rel=1e-8)
        assert same.back_offs == pytest.approx(level.back_offs, rel=1e-8)
        assert after.log_probs == pytest.approx(level.log_probs, rel=1e-6, abs=1e-30)


@given(dictionaries())
def test_text_with_holes_in_it_is_filled_as_loose_parts_are(parts: Dictionary) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.arpa"
        path.write_text(parts.arpa())
        assert dictionary(read_arpa(path)) == dictionary(parts.model())


@given(dictionaries(min_order=2, prefixes=True), st.lists(spoken, max_size=8))
def test_kenlm_gives_the_same(parts: Dictionary, sentence: list[str]) -> None:
    kenlm = pytest.importorskip("kenlm")
    assume(len(max(parts.grams, key=len)) > 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.arpa"
        path.write_text(parts.arpa())
        ours = stored(read_arpa(path))
        try:
            theirs = kenlm.Model(str(path))
        except OSError as error:
            assert "Avoid pruning" in str(error)  # noqa: PT017 - its hash table has no room for many that pruning took
            reject()
    before, after, expected = kenlm.State(), kenlm.State(), []
    theirs.BeginSentenceWrite(before)
    for word in sentence:
        expected.append(theirs.BaseScore(before, word, after) * LN10)
        before, after = after, before
    assert scores(ours, sentence, ours.start) == pytest.approx(expected, rel=1e-5, abs=1e-5)


@given(dictionaries())
def test_a_model_through_our_file_and_text_is_the_same_to_the_bit(parts: Dictionary) -> None:
    once = stored(parts.model())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.arpa"
        write_arpa(once.to_backoff(), path)
        twice = stored(read_arpa(path))
    assert np.array_equal(once.unigrams(), twice.unigrams())
    assert all(once.advance(context, 0) == twice.advance(context, 0) for context in range(1 + sum(once.counts[:-1])))


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("blanks", TINY.replace("\t", "  ")),
        ("tabs", TINY.replace(" turn", "\tturn").replace("n on", "n\ton")),
        ("ends of lines", TINY.replace("\n", "\r\n")),
        ("no end of the last line", TINY.rstrip()),
        ("blank lines", "\n \n" + TINY.replace("\n\n", "\n\n\n\n") + "\n\n"),
        ("comments", "# by hand\n\n#\n" + TINY),
        ("counts apart", TINY.replace("ngram 2=4", "ngram  2 = 4")),
        ("<UNK>", TINY.replace("unk", "UNK")),
        ("back-off weights of nought", TINY.replace("-0.4\ton </s>", "-0.4\ton </s>\t0").replace("turn on </s>", "turn on </s>\t-0.0")),
        ("exponents", TINY.replace("-99", "-9.9e1").replace("-0.3\t", "-3E-1\t")),
    ],
)
def test_ways_of_writing_that_mean_the_same(path: Path, what: str, text: str) -> None:
    assert dictionary(read(path, text)) == dictionary(read(path, TINY)), what


def test_a_compressed_file_is_known_by_its_content(path: Path) -> None:
    assert dictionary(read(path, gzip.compress(TINY.encode()))) == dictionary(read(path, TINY))


def test_a_missing_unknown_word_is_given_kenlms_probability(path: Path) -> None:
    found = dictionary(read(path, TINY.replace("-1.5\t<unk>\n", "").replace("1=5", "1=4")))
    assert found["<unk>",] == (-100, 0)
    assert found["turn", "<unk>"] == (-0.9, 0)


def test_n_grams_that_pruning_took_are_put_back(path: Path) -> None:
    found = dictionary(read(path, TINY.replace("-0.25\tturn on\t-0.3\n", "").replace("2=4", "2=3")))
    assert found["turn", "on"] == (-0.4 + -0.6, 0)


def test_blocks_and_the_lines_across_their_borders_are_whole(path: Path) -> None:
    words = [f"word{number:05}" for number in range(2 * BLOCK_BYTES // 20)]
    unigrams = "".join(f"-{number % 7}.5\t{word}\n" for number, word in enumerate(words))
    text = TINY.replace("1=5", f"1={5 + len(words)}").replace("-0.7\tturn\t-0.4\n", "-0.7\tturn\t-0.4\n" + unigrams)
    model = read(path, text)
    assert set(words) < set(model.words)
    assert len(dictionary(model)) == 11 + len(words)


def lines(*replaced: tuple[int, str]) -> str:
    """TINY with whole lines, from 1, put in place of others."""
    text = TINY.split("\n")
    for number, line in replaced:
        text[number - 1] = line
    return "\n".join(text)


@pytest.mark.parametrize(
    ("text", "number", "message"),
    [
        ("", 0, r"begin with \\data\\"),
        ("\n\n", 2, r"begin with \\data\\"),
        ("PK\3\4", 1, r"begin with \\data\\"),
        (lines((2, "ngram 2=4")), 2, "'ngram 1=' and a number"),
        (lines((3, "ngram 3=4")), 3, "'ngram 2=' and a number"),
        (lines((3, "ngram 2=many")), 3, "'ngram 2=' and a number"),
        (lines((3, "ngram 2=-4")), 3, "'ngram 2=' and a number"),
        (lines((3, "ngram 2=" + "9" * 5000)), 3, "'ngram 2=' and a number"),
        (lines((2, "")), 2, "0 orders"),
        (lines((4, "".join(f"ngram {order}=1\n" for order in range(3, 7)))), 8, "6 orders"),
        (lines((6, "\\2-grams:")), 6, r"\\1-grams: is needed"),
        (lines((2, "ngram 1=4")), 11, r"after the 4 1-grams .* \\2-grams: is needed"),
        (lines((2, "ngram 1=6")), 12, "the section ends before its count"),
        (lines((3, f"ngram 2={10**17}")), 18, "the section ends before its count"),
        (lines((4, "ngram 3=3")), 22, "the section ends before its count"),
        (lines((4, "ngram 3=1")), 21, r"after the last .* \\end\\ is needed"),
        (lines((20, ""), (21, "")), 20, "the section ends before its count"),
        (lines((23, "")), 23, r"\\end\\ is needed"),
        (TINY + "more\n", 24, r"text after \\end\\"),
        (TINY[: TINY.index("-0.4\ton </s>")], 15, "the file ends here, 2 2-grams early"),
        (TINY[: TINY.index("-0.2\t<s> turn on")], 19, "the file ends here, 2 3-grams early"),
        (lines((10, "-0.6\ton\t-0.2\t-0.2")), 10, "4 fields found"),
        (lines((10, "-0.6")), 10, "1 fields found"),
        (lines((10, "")), 10, "the section ends before its count"),
        (lines((14, "-0.3\tturn")), 14, "2 fields found"),
        (lines((10, "on\t-0.6")), 10, "could not convert"),
        (lines((10, "-0.6\ton\toff")), 10, "could not convert"),
        (lines((10, "0.6\ton\t-0.2")), 10, "above 1"),
        (lines((10, "nan\ton\t-0.2")), 10, "no logarithm"),
        (lines((10, "-0.6\ton\tinf")), 10, "no logarithm"),
        (lines((10, "-1e999\ton\t-0.2")), 10, "no logarithm"),
        (lines((11, "-0.6\ton\t-0.2")), 11, "stands twice"),
        (lines((11, "-0.6\tt\0rn\t-0.2")), 11, "NUL"),
        (lines((15, "-0.25\tturn off\t-0.3")), 15, "b'off' is not among the unigrams"),
        (lines((20, "-0.2\t<s> turn on\t-1")), 20, "at the highest order"),
    ],
)
def test_a_fault_is_told_with_its_line(path: Path, text: str, number: int, message: str) -> None:
    with pytest.raises(LanguageModelError, match=rf"^tiny\.arpa, line {number}: .*{message}"):
        read(path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lines((17, "-0.3\t<s> turn\t-0.1")), "'<s> turn' stands twice"),
        (
            lines((11, "-0.7\t<UNK>"), (14, "-1 on on"), (15, "-1 on <s>"), (17, "-1 on <unk>"), (20, "-1 on on on"), (21, "-1 on on <s>")),
            "twice",
        ),
        (lines((8, "-99\t<S>"), (14, "-1 on on"), (20, "-1 on on on")), "<s> is missing"),
    ],
)
def test_a_fault_of_the_whole_is_told_with_the_file(path: Path, text: str, message: str) -> None:
    with pytest.raises(LanguageModelError, match=rf"^tiny\.arpa: .*{message}"):
        read(path, text)


def test_a_word_that_is_not_unicode_is_told_with_its_line(path: Path) -> None:
    with pytest.raises(LanguageModelError, match=r"line 10: .*utf-8"):
        read(path, TINY.encode().replace(b"-0.6\ton\t", b"-0.6\t\xe4\t"))


def test_what_cannot_be_read_is_told_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(LanguageModelError, match=r"missing\.arpa: cannot be read: No such file"):
        read_arpa(tmp_path / "missing.arpa")
    with pytest.raises(LanguageModelError, match="cannot be read: Is a directory"):
        read_arpa(tmp_path)


def test_a_compressed_file_that_is_cut_off_or_broken_is_refused(path: Path) -> None:
    packed = gzip.compress(TINY.encode())
    for length in range(3, len(packed)):
        with pytest.raises(LanguageModelError, match=r"^tiny\.arpa"):
            read(path, packed[:length])
    for place in range(10, len(packed) - 8):
        with pytest.raises(LanguageModelError, match=r"^tiny\.arpa"):
            read(path, packed[:place] + bytes([packed[place] ^ 0xFF]) + packed[place + 1 :])


def test_a_claimed_count_allocates_nothing(path: Path) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(LanguageModelError):
            read(path, lines((2, f"ngram 1={10**17}")))
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("filling", [b"\n", b"# \n", b"#"])
def test_a_small_file_that_unpacks_to_a_huge_one_is_given_up(path: Path, filling: bytes) -> None:
    bomb = gzip.compress(filling * (4 * 2**20 // len(filling)))
    tracemalloc.start()
    try:
        with pytest.raises(LanguageModelError, match=f"unpacks to more than {GROWTH} times|longer than {LINE_BYTES} bytes"):
            read(path, bomb)
        assert tracemalloc.get_traced_memory()[1] < GROWTH_FREE_BYTES + 64 * BLOCK_BYTES
    finally:
        tracemalloc.stop()


def test_a_line_without_end_is_given_up(path: Path) -> None:
    with pytest.raises(LanguageModelError, match=rf"^tiny\.arpa, line 7: longer than {LINE_BYTES} bytes"):
        read(path, lines((7, "-1 " + "a" * (2 * BLOCK_BYTES))))
