"""The recipe of the box, and how its tables become options."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from ds_training.box.contents import BoxError
from ds_training.box.recipe import Recipe, options, read_recipe
from tests.project import ROOT

BOX = ROOT / "engine" / "ds_training" / "box"


@pytest.mark.parametrize("name", ["box.toml", "rehearsal.toml"])
def test_the_recipes_that_come_along_can_be_followed(name: str) -> None:
    assert read_recipe(BOX / name).training["half"] is True


def test_processes_change_at_their_minutes() -> None:
    recipe = Recipe(processes=((0.0, 15), (2.5, 8), (10.0, 0)))
    assert [recipe.processes_at(minute) for minute in (0, 2.4, 2.5, 9, 10, 999)] == [15, 15, 8, 8, 0, 0]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("minutes = 0.2", "margin"),
        ("minutes = -3", "margin"),
        ("minutes = 'long'", "minutes needs a number"),
        ("minuets = 3", "minuets is unknown; did you mean minutes"),
        ("processes = []", "processes"),
        ("processes = [[1, 4]]", "rising from 0"),
        ("processes = [[0, 4], [9, 2], [3, 1]]", "rising from 0"),
        ("processes = [[0, -1]]", "processes"),
        ("processes = [[0]]", "needs 2 values"),
        ("start_with = -1", "negative"),
        ("[synthesis]\nwithout = ['x']", "leave without to the box"),
        ("[synthesis]\ncommand = 0.5", "did you mean commands"),
        ("[training]\nframs = 3", "frams"),
        ("[training]\nframes = 'many'", "frames"),
        ("[training", "box.toml"),
    ],
)
def test_what_cannot_be_followed_is_named_with_its_file(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "box.toml").write_text(text)
    with pytest.raises(BoxError, match=rf"(?s)box\.toml.*{named}|{named}"):
        read_recipe(tmp_path / "box.toml")


def test_a_recipe_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BoxError, match=r"box\.toml"):
        read_recipe(tmp_path / "box.toml")


def test_settings_become_options() -> None:
    table = {"learning_rate": 2e-3, "half": True, "norm_frozen": False, "strength": [0.2, 0.8], "size": "deep", "workers": 0}
    assert options(table) == "--learning-rate 0.002 --half --strength 0.2 0.8 --size deep --workers 0".split()  # noqa: SIM905  # a command line
