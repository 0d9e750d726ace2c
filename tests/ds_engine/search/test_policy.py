from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_engine.errors import InputError
from ds_engine.search.policy import MAX_ALTERNATIVES, MAX_BEAM, SearchPolicy

RANGES: dict[str, tuple[float, float]] = {
    "alpha": (0.0, 10.0),
    "beta": (-20.0, 20.0),
    "beam": (1, MAX_BEAM),
    "threshold": (0.0, 700.0),
    "blank_penalty": (-10.0, 10.0),
    "skip": (0.5, 2.0),
    "unknown": (-1.0, 10.0),
    "alternatives": (1, MAX_ALTERNATIVES),
}
SWITCHES = ("recombine", "look_ahead", "sentence_end")
WHOLE = ("beam", "alternatives")
each_range = pytest.mark.parametrize("name", RANGES)


def test_every_setting_is_either_a_number_with_a_range_or_a_switch() -> None:
    assert {field.name for field in fields(SearchPolicy)} == {*RANGES, *SWITCHES}


@each_range
def test_both_ends_of_a_range_belong_to_it(name: str) -> None:
    for end in RANGES[name]:
        assert getattr(SearchPolicy.of({name: end}), name) == end


@each_range
def test_what_lies_outside_a_range_is_refused_by_name(name: str) -> None:
    low, high = RANGES[name]
    step = 1 if name in WHOLE else 1e-9
    for value in (low - step, high + step):
        with pytest.raises(InputError, match=rf"search: {name} must lie in .*, got"):
            SearchPolicy.of({name: value})


@each_range
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused_even_without_of(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=name):
        SearchPolicy(**{name: value})


@each_range
@pytest.mark.parametrize("value", [10**400, -(10**400)], ids=["huge", "hugely negative"])
def test_an_integer_that_no_float_can_hold_is_out_of_range(name: str, value: int) -> None:
    """TOML allows integers of any length."""
    with pytest.raises(InputError, match=f"search: {name} must lie in") as raised:
        SearchPolicy.of({name: value})
    assert len(str(raised.value)) < 100


@pytest.mark.parametrize("name", ["", "Alpha", "beam_width", "__post_init__", "of", "x" * 1000])
def test_an_unknown_name_is_refused_with_those_that_are_known(name: str) -> None:
    with pytest.raises(InputError, match="is unknown; known are alpha, beta, beam, threshold, blank_penalty") as raised:
        SearchPolicy.of({name: 1})
    assert len(str(raised.value)) < 250


@pytest.mark.parametrize("name", [*RANGES, *SWITCHES])
@pytest.mark.parametrize("value", ["1", None, [1], {"value": 1}, 1 + 0j, "x" * 1000])
def test_what_is_no_number_and_no_switch_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"search: {name} must be (float|int|bool), got") as raised:
        SearchPolicy.of({name: value})
    assert len(str(raised.value)) < 100


@each_range
@pytest.mark.parametrize("value", [True, False])
def test_a_switch_is_no_number(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=name):
        SearchPolicy.of({name: value})


@pytest.mark.parametrize("name", SWITCHES)
@pytest.mark.parametrize("value", [0, 1, 1.0, "true"])
def test_a_number_is_no_switch(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"search: {name} must be bool"):
        SearchPolicy.of({name: value})


@pytest.mark.parametrize("name", WHOLE)
def test_a_number_of_hypotheses_is_whole_even_where_a_float_would_be(name: str) -> None:
    with pytest.raises(InputError, match=f"search: {name} must be int, got 2.0"):
        SearchPolicy.of({name: 2.0})


def test_a_whole_number_stands_for_a_float() -> None:
    policy = SearchPolicy.of({"alpha": 1})
    assert policy == SearchPolicy(alpha=1.0)
    assert type(policy.alpha) is float


@given(st.lists(st.dictionaries(st.sampled_from(["alpha", "beta", "threshold"]), st.floats(0, 10)), max_size=4))
def test_a_later_layer_overrides_an_earlier_one(layers: list[dict[str, float]]) -> None:
    merged: dict[str, float] = {}
    for layer in layers:
        merged |= layer
    assert SearchPolicy.of(*layers) == SearchPolicy(**merged)  # type: ignore[arg-type] # only floats are drawn


def test_a_later_layer_does_not_excuse_an_earlier_one_of_the_wrong_kind() -> None:
    with pytest.raises(InputError, match="beam"):
        SearchPolicy.of({"beam": "many"}, {"beam": 8})


def test_a_value_out_of_range_may_be_overridden() -> None:
    assert SearchPolicy.of({"beam": 0}, {"beam": 8}).beam == 8


def test_layers_are_left_as_they_are() -> None:
    layer = {"alpha": 1}
    SearchPolicy.of(layer, {"alpha": 2})
    assert layer == {"alpha": 1}
    assert type(layer["alpha"]) is int
