"""Phones as targets of training."""

# ruff: noqa: RUF001  # phonetic letters look like others

from __future__ import annotations

import shutil

import pytest

from ds_training.phones import PHONES, encode_phones, pronounce


def test_phones_are_numbered_from_one_and_unknown_ones_left_out() -> None:
    assert encode_phones("t n x ɪ") == [1, 2, 3]
    assert encode_phones("") == []
    assert len(set(PHONES)) == len(PHONES)


def test_stress_and_separators_are_removed() -> None:
    assert pronounce(["skip", "how you"], lambda _: " s_k_ˈɪ_p\nh_ˌaʊ j_uː\n") == ["s k ɪ p", "h aʊ j uː"]


def test_stress_stays_where_it_is_wanted() -> None:
    assert pronounce(["skip"], lambda _: " s_k_ˈɪ_p\n", stress=True) == ["s k ˈɪ p"]


def test_an_answer_that_is_not_line_by_line_is_refused() -> None:
    with pytest.raises(ValueError, match="each of 2 texts, got 1"):
        pronounce(["skip", "how you"], lambda _: "s_k_ˈɪ_p\n")


@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")
def test_espeak_answers_line_by_line_in_phones_of_the_table() -> None:
    answers = pronounce(["turn on grandma's lamp", "what's the temperature", "a"])
    assert len(answers) == 3
    assert all(encode_phones(answer) and len(encode_phones(answer)) == len(answer.split()) for answer in answers)
