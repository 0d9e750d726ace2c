from __future__ import annotations

import itertools
import struct
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ds_engine.errors import LanguageModelError
from ds_engine.lm.kenlm_check import check_kenlm
from ds_engine.lm.kenlm_header import read_layout
from ds_engine.lm.kenlm_package import KenlmPackage, open_kenlm
from ds_engine.lm.kenlm_trie import LN10, KenlmTrie
from tests.ds_engine.lm.kenlm_files import HASH_TABLES, SCORERS, TRIES, Oracle, kenlm_file, published, random_model

try:
    import kenlm as package
except ImportError:
    package = None

needs_package = pytest.mark.skipif(package is None, reason="the package kenlm (extra `kenlm`) is not installed")


@pytest.fixture
def without_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kenlm", None)


def written(folder: Path, kind: int, order: int = 4) -> Path:
    path = folder / "lm"
    path.write_bytes(kenlm_file(random_model(order, order), kind))
    return path


@needs_package
@pytest.mark.parametrize("order", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", [*HASH_TABLES, *TRIES])
def test_the_package_gives_what_the_back_off_rule_gives(kind: int, order: int, tmp_path: Path) -> None:
    path, model = written(tmp_path, kind, order), random_model(order, order)
    oracle, found = Oracle.of(model), KenlmPackage(path)
    assert (found.order, found.unknown, found.index("missing"), found.index("\ud800")) == (order, 0, 0, 0)
    for history in itertools.product(model.words[3:9], repeat=order - 1):
        context = found.empty
        for word in history:
            context = found.advance(context, found.index(word))[1]
        for word in model.words[2:8]:
            expected = oracle.log_prob(history, word) * LN10
            assert found.advance(context, found.index(word))[0] == pytest.approx(expected, abs=1e-5)
        assert found.end(context) == pytest.approx(oracle.log_prob(history, "</s>") * LN10, abs=1e-5)


@needs_package
@pytest.mark.parametrize("order", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", TRIES)
def test_our_reader_gives_what_the_package_gives_and_shares_the_same_contexts(kind: int, order: int, tmp_path: Path) -> None:
    path, words = written(tmp_path, kind, order), random_model(order, order).words
    ours, theirs = KenlmTrie.open(path), KenlmPackage(path)
    pairs = {(ours.empty, theirs.empty), (ours.start, theirs.start)}
    for context, state in [*pairs]:
        for history in itertools.product(words[:7], repeat=order - 1):
            own, other = context, state
            for word in history:
                mine, own = ours.advance(own, ours.index(word))
                its, other = theirs.advance(other, theirs.index(word))
                assert mine == pytest.approx(its, abs=1e-5)
                pairs.add((own, other))
    assert len({own for own, _ in pairs}) == len({other for _, other in pairs}) == len(pairs)


@published
@needs_package
@pytest.mark.parametrize(
    "name",
    ["pruned_lm.scorer", "pruned_lm.bytes.scorer", "coqui-english-digits.scorer", "coqui-english-yesno.scorer", "kinyarwanda-covid.scorer"],
)
def test_our_reader_gives_what_the_package_gives_on_published_scorers(name: str) -> None:
    ours, theirs = KenlmTrie.open(SCORERS / name), KenlmPackage(SCORERS / name)
    lines = (SCORERS / "vocab.pruned.txt").read_text().splitlines()[:400]
    for line in [*lines, "zero one two yes no", "t h e ' q", "umuntu ufite urukingo", "never heard"]:
        own, other = ours.start, theirs.start
        for word in line.split():
            mine, own = ours.advance(own, ours.index(word))
            its, other = theirs.advance(other, theirs.index(word))
            assert mine == pytest.approx(its, abs=1e-5)
        assert ours.end(own) == pytest.approx(theirs.end(other), abs=1e-5)


@needs_package
def test_a_word_gets_one_number_however_many_threads_ask(tmp_path: Path) -> None:
    found, words = KenlmPackage(written(tmp_path, 0)), random_model(4, 4).words
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda shift: [found.index(words[(at + shift) % 15]) for at in range(15)], range(64)))
    known = {word: found.index(word) for word in words}
    assert sorted(known.values()) == list(range(len(words)))
    for shift, row in enumerate(numbers):
        assert row == [known[words[(at + shift) % 15]] for at in range(15)]


@needs_package
@pytest.mark.parametrize("kind", [0, 2])
def test_unigrams_are_asked_for_many_words_at_once(kind: int, tmp_path: Path) -> None:
    found, words = KenlmPackage(written(tmp_path, kind)), [*random_model(4, 4).words, "missing"]
    indices = found.indices(words)
    assert indices.tolist() == [found.index(word) for word in words]
    assert found.unigrams(indices).tolist() == pytest.approx([found.advance(found.empty, index)[0] for index in indices.tolist()])
    assert found.unigram(int(indices[4])) == found.advance(found.empty, int(indices[4]))[0]


@needs_package
def test_the_package_is_used_where_it_is_installed(tmp_path: Path) -> None:
    assert isinstance(open_kenlm(written(tmp_path, 2)), KenlmPackage)


@pytest.mark.usefixtures("without_package")
@pytest.mark.parametrize("kind", TRIES)
def test_tries_are_read_without_the_package(kind: int, tmp_path: Path) -> None:
    assert isinstance(open_kenlm(written(tmp_path, kind)), KenlmTrie)


@pytest.mark.usefixtures("without_package")
@pytest.mark.parametrize("kind", HASH_TABLES)
def test_hash_tables_need_the_package_and_the_error_says_how_to_get_it(kind: int, tmp_path: Path) -> None:
    with pytest.raises(LanguageModelError, match=r"lm: a KenLM hash table; it needs the extra 'kenlm', pip install 'ds-plugin\[kenlm\]'"):
        open_kenlm(written(tmp_path, kind))
    with pytest.raises(LanguageModelError, match="lm: needs the extra 'kenlm'"):
        KenlmPackage(written(tmp_path, kind))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LanguageModelError, match="missing: cannot be read: No such file"):
        open_kenlm(tmp_path / "missing")


@pytest.mark.parametrize("kind", [*HASH_TABLES, *TRIES])
def test_sound_files_pass_the_check(kind: int, tmp_path: Path) -> None:
    for order in (2, 3, 4, 5):
        path = written(tmp_path, kind, order)
        with path.open("rb") as file:
            check_kenlm(path.read_bytes(), read_layout(file, "lm"), "lm")


@published
def test_published_scorers_pass_the_check() -> None:
    for path in SCORERS.glob("*.scorer"):
        with path.open("rb") as file:
            check_kenlm(path.read_bytes(), read_layout(file, path.name), path.name)


@pytest.mark.parametrize("kind", TRIES)
def test_no_pointer_that_leads_nowhere_passes_the_check(kind: int, tmp_path: Path) -> None:
    path = written(tmp_path, kind)
    sound = path.read_bytes()
    with path.open("rb") as file:
        layout = read_layout(file, "lm")
    places = [layout.unigrams + 8 + 16 * word for word in (0, 7, layout.counts[0])]
    places += [level.high_offset + 8 * at for level in layout.levels if level.high_count for at in (0, level.high_count - 1)]
    for place in places:
        content = bytearray(sound)
        struct.pack_into("<Q", content, place, 2**40)
        with pytest.raises(LanguageModelError, match="lm: damaged: its n-grams lead nowhere"):
            check_kenlm(bytes(content), layout, "lm")
    for level in layout.levels[:-1]:
        content = bytearray(sound)
        last = (level.word_bits + level.weight_bits + level.entries * level.entry_bits) // 8
        content[level.offset + last - 64 : level.offset + last] = b"\xff" * 64
        with pytest.raises(LanguageModelError, match="lm: damaged: its n-grams lead nowhere"):
            check_kenlm(bytes(content), layout, "lm")


@pytest.mark.parametrize("kind", HASH_TABLES)
def test_no_full_hash_table_and_no_word_without_unigram_passes_the_check(kind: int, tmp_path: Path) -> None:
    path = written(tmp_path, kind)
    sound = path.read_bytes()
    with path.open("rb") as file:
        layout = read_layout(file, "lm")
    for table in layout.tables:
        content = bytearray(sound)
        for bucket in range(table.buckets):
            content[table.offset + bucket * table.entry_bytes] |= 1
        with pytest.raises(LanguageModelError, match="lm: damaged"):
            check_kenlm(bytes(content), layout, "lm")
    content, vocabulary = bytearray(sound), layout.tables[0]
    filled = next(at for at in range(vocabulary.buckets) if any(sound[vocabulary.offset + 12 * at :][:8]))
    struct.pack_into("<I", content, vocabulary.offset + 12 * filled + 8, layout.counts[0] + 1)
    with pytest.raises(LanguageModelError, match="lm: damaged"):
        check_kenlm(bytes(content), layout, "lm")


@needs_package
def test_what_the_package_refuses_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lm"
    content = kenlm_file(random_model(3, 3), 0, words=True)
    path.write_bytes(content.replace(b"<unk>\0", b"<UNK>\0"))
    with pytest.raises(LanguageModelError, match=r"lm: cannot be read: .*words are in the wrong place"):
        KenlmPackage(path)


@needs_package
def test_a_probability_that_is_none_is_reported(tmp_path: Path) -> None:
    path = written(tmp_path, 2, 2)
    content = bytearray(path.read_bytes())
    with path.open("rb") as file:
        unigrams = read_layout(file, "lm").unigrams
    struct.pack_into("<f", content, unigrams, float("nan"))
    path.write_bytes(content)
    found = KenlmPackage(path)
    with pytest.raises(LanguageModelError, match="lm: damaged: a probability that is none"):
        found.advance(found.empty, found.unknown)
