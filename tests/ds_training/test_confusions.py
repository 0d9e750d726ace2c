"""Which characters, words and phones are mistaken for which."""

# ruff: noqa: RUF001  # phonetic letters look like others

from __future__ import annotations

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_training.confusions import PLACES, Confusion, Confusions, Loss, Place, of_characters, of_words, places

TEXT = st.text(alphabet="abc é", max_size=12).map(lambda text: " ".join(text.split()))
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=6)


def sides(pairs: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [one for one, _ in pairs], [other for _, other in pairs]


@given(PAIRS)
def test_counts_add_up_to_the_edits_and_shares_to_one(pairs: list[tuple[str, str]]) -> None:
    said, found = sides(pairs)
    confusions = of_characters(said, found, 10_000)
    kinds = [sum(each.count for each in kind) for kind in (confusions.substitutions, confusions.deletions, confusions.insertions)]
    output = jiwer.process_characters(said, found) if said else None
    assert kinds == ([output.substitutions, output.deletions, output.insertions] if output else [0, 0, 0])
    assert sum(kinds) == confusions.errors
    shares = [each.share for kind in (confusions.substitutions, confusions.deletions, confusions.insertions) for each in kind]
    assert sum(shares) == pytest.approx(1 if confusions.errors else 0)
    assert sum(loss.lost for loss in confusions.losses) == kinds[0] + kinds[1]


def test_words_are_told_with_counts_and_shares() -> None:
    confusions = of_words(["turn on the light", "turn the light", "the"], ["turn of the", "turn of light so", "the"], 5)
    assert confusions.substitutions == (Confusion("on", "of", 1, 0.25), Confusion("the", "of", 1, 0.25))
    assert confusions.deletions == (Confusion("light", "", 1, 0.25),)
    assert confusions.insertions == (Confusion("", "so", 1, 0.25),)
    assert confusions.losses == (Loss("light", 2, 1), Loss("on", 1, 1), Loss("the", 3, 1))
    assert [loss.rate for loss in confusions.losses] == [0.5, 1.0, pytest.approx(1 / 3)]


def test_the_most_frequent_come_first_and_only_so_many() -> None:
    confusions = of_characters(["aab", "aabb", "c"], ["xxb", "xxyb", "z"], 1)
    assert confusions.substitutions == (Confusion("a", "x", 4, 4 / 6),)
    assert confusions.losses == (Loss("a", 4, 4),)
    assert confusions.errors == 6
    assert of_characters(["a"], ["b"], 0).substitutions == ()


def test_phones_are_words_between_spaces() -> None:
    confusions = of_words(["ð ə l aɪ t"], ["d ə l t"], 3)
    assert confusions.substitutions == (Confusion("ð", "d", 1, 0.5),)
    assert confusions.deletions == (Confusion("aɪ", "", 1, 0.5),)


def test_nothing_wrong_and_nothing_at_all_are_no_confusions() -> None:
    assert of_words(["a b"], ["a b"], 5) == of_words([], [], 5) == of_characters([], [], 5) == Confusions(0, (), (), (), ())


def test_places_tell_beginnings_middles_ends_short_words_and_spaces_apart() -> None:
    found = places(["abcd a ef"], ["xbc yf"])
    assert found == {
        "beginning": Place(2, 2),  # a -> x, e is lost or replaced
        "middle": Place(2, 0),
        "end": Place(2, 1),  # d
        "word of one": Place(1, 1),
        "between words": Place(2, 1),
    }
    assert [place.rate for place in found.values()] == [1.0, 0.0, 0.5, 1.0, 0.5]


@given(PAIRS)
def test_places_have_every_character_that_was_said(pairs: list[tuple[str, str]]) -> None:
    said, found = sides(pairs)
    counted = places(said, found)
    assert tuple(counted) == PLACES
    assert sum(place.said for place in counted.values()) == sum(map(len, said))
    assert all(0 <= place.lost <= place.said for place in counted.values())
    assert places(said, said)["middle"].lost == 0
