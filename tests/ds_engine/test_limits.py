from __future__ import annotations

import math
from dataclasses import fields

import pytest

from ds_engine.errors import InputError
from ds_engine.limits import Limits


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_every_limit_must_be_positive_and_finite_and_is_named(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"limit {name} must be"):
        Limits(**{name: value})  # type: ignore[arg-type]


def test_the_defaults_stand() -> None:
    assert Limits().utterances == 32
