"""Sentences for synthesisers."""

# ruff: noqa: S311  # draws that anybody can repeat

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from ds_training.sentences import device_name, excerpt, read_lines, sentences
from ds_training.text import LETTERS


@pytest.fixture
def books(tmp_path: Path) -> list[Path]:
    requests = tmp_path / "requests.txt"
    requests.write_text("What's the weather in Zürich?\n\nplay the 3rd song\n", "utf-8")
    novel = tmp_path / "novel.txt"
    novel.write_text("N-1|It was the best of times, it was the worst of times, it was the age of wisdom\n", "utf-8")
    return [requests, novel]


def test_lines_are_made_plain_and_ids_and_empty_lines_dropped(books: list[Path]) -> None:
    assert read_lines(books[0]) == ["what's the weather in zurich", "play the three rd song"]
    assert read_lines(books[1])[0].startswith("it was the best")


def test_an_excerpt_is_a_run_of_words_of_its_line() -> None:
    line = " ".join(f"w{index}" for index in range(40))
    for seed in range(20):
        part = excerpt(line, random.Random(seed), longest=5)
        assert part in line
        assert 3 <= len(part.split()) <= 5
    assert excerpt("short line", random.Random(1)) == "short line"


def test_every_sentence_is_spelled_with_the_alphabet_alone(books: list[Path]) -> None:
    pytest.importorskip("hassil")
    pytest.importorskip("home_assistant_intents")
    spoken = list(itertools.islice(sentences(books, random.Random(1)), 500))
    assert set("".join(spoken)) <= set(LETTERS)
    assert all(line == " ".join(line.split()) for line in spoken)
    assert len(set(spoken)) > 250


def test_the_same_seed_gives_the_same_sentences(books: list[Path]) -> None:
    pytest.importorskip("hassil")
    pytest.importorskip("home_assistant_intents")
    first, second = (list(itertools.islice(sentences(books, random.Random(7)), 30)) for _ in range(2))
    assert first == second


def test_device_names_are_plain_and_various() -> None:
    rng = random.Random(3)
    names = {device_name(rng) for _ in range(200)}
    assert len(names) > 150
    assert set("".join(names)) <= set(LETTERS)
