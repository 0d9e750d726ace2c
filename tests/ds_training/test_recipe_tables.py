"""Tables of a recipe become dataclasses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ds_training.recipe_tables import RecipeError, from_table


@dataclass(frozen=True, slots=True)
class Inner:
    size: int = 3


@dataclass(frozen=True, slots=True)
class Outer:
    name: str
    rate: float = 0.5
    quick: bool = False
    file: Path | None = None
    files: tuple[Path, ...] = ()
    pair: tuple[float, float] = (0.0, 1.0)
    inner: Inner = field(default_factory=Inner)
    rest: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.rate < 0:
            raise ValueError(f"rate needs 0 or more, got {self.rate}")


def test_a_table_becomes_a_dataclass_with_paths_beside_the_recipe() -> None:
    table = {"name": "x", "rate": 2, "file": "a.tsv", "files": ["/b", "c"], "pair": [1, 2.5], "inner": {"size": 4}, "rest": {"any": [1]}}
    made = from_table(Outer, table, folder=Path("/data"))
    assert made == Outer(
        "x", 2.0, file=Path("/data/a.tsv"), files=(Path("/b"), Path("/data/c")), pair=(1.0, 2.5), inner=Inner(4), rest={"any": [1]}
    )
    assert isinstance(made.rate, float)


def test_a_whole_number_beyond_all_floats_is_infinite_and_left_to_the_dataclass() -> None:
    assert from_table(Outer, {"name": "x", "rate": 10**400}).rate == math.inf
    with pytest.raises(RecipeError, match="rate needs 0 or more"):
        from_table(Outer, {"name": "x", "rate": -(10**400)})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "x.name is missing"),
        ({"name": "n", "rat": 1}, "x.rat is unknown; did you mean rate?"),
        ({"name": "n", "zzz": 1}, "x.zzz is unknown"),
        ({"name": 3}, "x.name needs a text, got 3"),
        ({"name": "n", "rate": "fast"}, "x.rate needs a number, got 'fast'"),
        ({"name": "n", "rate": True}, "x.rate needs a number, got True"),
        ({"name": "n", "quick": 1}, "x.quick needs true or false, got 1"),
        ({"name": "n", "file": 7}, "x.file needs a path, got 7"),
        ({"name": "n", "files": "a"}, "x.files needs an array, got 'a'"),
        ({"name": "n", "files": [1]}, "x.files[0] needs a path, got 1"),
        ({"name": "n", "pair": [1]}, "x.pair needs 2 values, got 1"),
        ({"name": "n", "inner": 1}, "x.inner needs a table, got 1"),
        ({"name": "n", "inner": {"size": 1.5}}, "x.inner.size needs a whole number, got 1.5"),
        ({"name": "n", "inner": {"size": True}}, "x.inner.size needs a whole number, got True"),
        ({"name": "n", "rest": []}, "x.rest needs a table, got []"),
        ({"name": "n", "rate": -1}, "x: rate needs 0 or more, got -1.0"),
    ],
)
def test_what_is_wrong_is_named(table: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        from_table(Outer, table, "x")
    assert str(caught.value) == message
