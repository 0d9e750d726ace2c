from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_engine.errors import LanguageModelError
from ds_engine.lm.kenlm_trie import KenlmTrie
from ds_engine.lm.kenlm_vocabulary import hash_word, hash_words, spelling, stored_words
from tests.ds_engine.lm.kenlm_files import HASH_TABLES, TRIES, kenlm_file, random_model

WORDS = st.text(st.characters(), max_size=40)  # with halves of surrogate pairs


@pytest.mark.parametrize(
    ("word", "expected"),  # as they stand in coqui-english-yesno.scorer
    [("<s>", 0x00758639BD217E70), ("</s>", 0x6BE0737DF1F76C0A), ("yes", 0x3891A755FC6C72ED), ("no", 0xB433D9259B32A5FC)],
)
def test_hashes_are_those_of_kenlm(word: str, expected: int) -> None:
    assert hash_word(word.encode()) == expected


@given(st.lists(WORDS, max_size=8))
def test_many_words_hash_as_each_alone(words: list[str]) -> None:
    assert hash_words(words).tolist() == [hash_word(spelling(word)) for word in words]


@pytest.mark.parametrize("kind", [*TRIES, *HASH_TABLES])
def test_the_words_that_a_file_holds_stand_in_its_own_order(kind: int, tmp_path: Path) -> None:
    model, path = random_model(1, 3), tmp_path / "lm"
    path.write_bytes(kenlm_file(model, kind))
    assert stored_words(path) == ()
    path.write_bytes(kenlm_file(model, kind, words=True))
    words = stored_words(path)
    assert sorted(words) == sorted(model.words)
    if kind in TRIES:
        trie = KenlmTrie.open(path)
        assert [trie.index(word) for word in words] == list(range(len(words)))


@pytest.mark.parametrize("damage", [b"", b"more", b"\xff\0"])
def test_damaged_words_are_refused(damage: bytes, tmp_path: Path) -> None:
    path = tmp_path / "lm"
    path.write_bytes(kenlm_file(random_model(1, 3), 2, words=True)[: -1 if not damage else None] + damage)
    with pytest.raises(LanguageModelError, match="lm: its words are"):
        stored_words(path)
