"""Groups of results: every dimension has everybody once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_training.figures import Edits, Reference, Result
from ds_training.groups import ADULT, HIGH_VOICE, LOW_VOICE, MOST_VALUES, PITCH_NOTE, PITCHES, UNKNOWN, groups_of

NONE = Edits(1, 0, 0, 0)


def result(text: str = "hello", seconds: float = 1.0, pitch: float | None = None, source: str = "a", **labels: str) -> Result:
    return Result(Reference(text, source, "s", labels), "", seconds, NONE, NONE, pitch)


RESULTS = st.builds(
    lambda text, seconds, pitch, source, labels: result(text, seconds, pitch, source, **labels),
    st.text(max_size=20),
    st.floats(0, 100),
    st.none() | st.floats(60, 500),
    st.sampled_from(["", "a", "b"]),
    st.dictionaries(st.sampled_from(["age", "gender", "Akzent"]), st.sampled_from(["", " ", "7", "40", "ü", "teens", "²"])),
)


@given(st.lists(RESULTS, max_size=20))
def test_every_dimension_has_every_utterance_once(results: list[Result]) -> None:
    for name, parts in groups_of(results).items():
        assert sorted(index for indices in parts.values() for index in indices) == list(range(len(results))), name
        assert all(parts.values())


@pytest.mark.parametrize(
    ("seconds", "group"), [(0, "below 2 s"), (1.99, "below 2 s"), (2, "2 to 4 s"), (8, "8 s and more"), (999, "8 s and more")]
)
def test_length_is_told_in_seconds(seconds: float, group: str) -> None:
    assert list(groups_of([result(seconds=seconds)])["length"]) == [group]


@pytest.mark.parametrize(
    ("text", "seconds", "group"), [("abcd", 1, "below 5"), ("abcdefghij", 1, "8 to 12"), ("hello", 0, "16 characters/s and")]
)
def test_speed_is_characters_over_all_seconds_even_where_there_are_none(text: str, seconds: float, group: str) -> None:
    (name,) = groups_of([result(text, seconds)])["speed"]
    assert name.startswith(group)


def test_groups_stand_in_the_order_of_their_bounds_and_what_is_not_known_last() -> None:
    found = groups_of([result(pitch=300), result(pitch=None), result(pitch=200), result(pitch=100)])
    assert list(found["pitch"]) == [*PITCHES, UNKNOWN]
    assert list(groups_of([result(seconds=9), result(seconds=3)])["length"]) == ["2 to 4 s", "8 s and more"]


def test_voices_at_the_bounds_are_in_the_higher_group() -> None:
    assert list(groups_of([result(pitch=LOW_VOICE), result(pitch=HIGH_VOICE)])["pitch"]) == list(PITCHES[1:])


def test_a_group_of_pitch_says_in_its_name_whom_it_stands_for() -> None:
    assert "children, some women" in PITCHES[-1]
    assert "It is a hint" in PITCH_NOTE


def test_pitch_is_left_out_where_nobodys_is_known() -> None:
    assert "pitch" not in groups_of([result()])


def test_years_become_children_and_adults_and_other_ages_stay() -> None:
    found = groups_of([result(age=age) for age in (str(ADULT - 1), str(ADULT), "fourties", "")])["label age"]
    assert found == {"adults (from 16 on)": [1], "children (below 16)": [0], "fourties": [2], UNKNOWN: [3]}


def test_a_label_that_only_some_have_is_not_known_of_the_others() -> None:
    found = groups_of([result(gender="f"), result(), result(gender="m", source="b")])
    assert found["label gender"] == {"f": [0], "m": [2], UNKNOWN: [1]}
    assert found["source"] == {"a": [0, 1], "b": [2]}


def test_a_label_with_a_value_for_nearly_everybody_is_left_out() -> None:
    few, many = ([result(identifier=str(number)) for number in range(count)] for count in (MOST_VALUES, MOST_VALUES + 1))
    assert "label identifier" in groups_of(few)
    assert "label identifier" not in groups_of(many)


def test_a_label_named_like_a_dimension_takes_nobodys_place() -> None:
    found = groups_of([result(source="a", length="long")])
    assert list(found["length"]) == ["below 2 s"]
    assert list(found["label length"]) == ["long"]
