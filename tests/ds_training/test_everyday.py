"""Short everyday sentences."""

# ruff: noqa: S311, SIM905  # draws that anybody can repeat; tables of words

from __future__ import annotations

import random

from ds_training.everyday import everyday
from ds_training.text import LETTERS


def draw(count: int) -> list[str]:
    rng = random.Random(1)
    return [everyday(["weather", "o'clock"], rng) for _ in range(count)]


def test_they_are_spelled_with_the_alphabet_and_many() -> None:
    lines = draw(1000)
    assert set("".join(lines)) <= set(LETTERS)
    assert all(line == " ".join(line.split()) and line for line in lines)
    assert len(set(lines)) > 900


def test_digits_and_spelled_words_are_among_them() -> None:
    lines = draw(1000)
    assert sum(set(line.split()) <= set("oh zero one two three four five six seven eight nine".split()) for line in lines) > 100
    assert "w e a t h e r" in " ".join(lines)
    assert "o c l o c k" in " ".join(lines)
