"""Stages that are run once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ds_training.recipe_tables import RecipeError
from ds_training.stages import HASHED_BYTES, Stage, Work


@dataclass(frozen=True, slots=True)
class Options:
    size: int


class Kitchen:
    """A recipe of two stages that counts how often each is run."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ran, self.said = folder, list[str](), list[str]()
        self.source, self.dough, self.bread = folder / "flour", folder / "work" / "dough", folder / "work" / "bread"
        self.source.write_text("wheat")
        self.dough.parent.mkdir()

    def stages(self, size: int = 1) -> list[Stage]:
        return [
            Stage("knead", lambda: self._make("knead", self.source, self.dough), Options(size), (self.source,), (self.dough,)),
            Stage("bake", lambda: self._make("bake", self.dough, self.bread), None, (self.dough,), (self.bread,)),
        ]

    def _make(self, name: str, source: Path, out: Path) -> Mapping[str, Any]:
        self.ran.append(name)
        out.write_text(f"{name}ed {source.read_text()}")
        return {"letters": len(out.read_text())}

    def cook(self, size: int = 1, again: str | None = None) -> dict[str, Mapping[str, Any]]:
        self.ran.clear()
        return Work(self.folder / "work").run(self.stages(size), self.said.append, again=again)


@pytest.fixture
def kitchen(tmp_path: Path) -> Kitchen:
    return Kitchen(tmp_path)


def test_all_stages_run_in_order_and_give_their_figures(kitchen: Kitchen) -> None:
    assert kitchen.cook() == {"knead": {"letters": 13}, "bake": {"letters": 20}}
    assert kitchen.ran == ["knead", "bake"]


def test_what_is_done_is_not_done_again_and_its_figures_are_kept(kitchen: Kitchen) -> None:
    first = kitchen.cook()
    assert kitchen.cook() == first
    assert not kitchen.ran


def test_a_changed_setting_runs_its_stage_and_what_follows(kitchen: Kitchen) -> None:
    kitchen.cook()
    kitchen.cook(size=2)
    assert kitchen.ran == ["knead", "bake"]


def test_a_changed_input_runs_all_that_follows(kitchen: Kitchen) -> None:
    kitchen.cook()
    kitchen.source.write_text("rye")
    kitchen.cook()
    assert kitchen.ran == ["knead", "bake"]


def test_a_missing_output_is_made_again(kitchen: Kitchen) -> None:
    kitchen.cook()
    kitchen.bread.unlink()
    kitchen.cook()
    assert kitchen.ran == ["bake"]


def test_a_stage_can_be_asked_for_again(kitchen: Kitchen) -> None:
    kitchen.cook()
    kitchen.cook(again="bake")
    assert kitchen.ran == ["bake"]
    kitchen.cook(again="knead")
    assert kitchen.ran == ["knead", "bake"]
    with pytest.raises(RecipeError, match="there is no stage 'fry'; there are knead, bake"):
        kitchen.cook(again="fry")


def test_a_stage_that_failed_is_not_done(kitchen: Kitchen) -> None:
    kitchen.cook()
    kitchen.source.unlink()
    with pytest.raises(RecipeError, match=r"stage knead needs .*flour"):
        kitchen.cook()
    kitchen.source.write_text("wheat")

    def fail() -> Mapping[str, Any]:
        raise OSError("no heat")

    work, stage = Work(kitchen.folder / "work"), kitchen.stages()[0]
    with pytest.raises(OSError, match="no heat"):
        work.run([Stage("knead", fail, Options(9), stage.inputs, stage.outputs)], kitchen.said.append)
    assert work.done(stage) is None


def test_a_stage_without_its_output_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"stage idle made no .*nothing"):
        Work(tmp_path).run([Stage("idle", dict, outputs=(tmp_path / "nothing",))], print)


def test_a_broken_record_means_not_done(kitchen: Kitchen) -> None:
    kitchen.cook()
    (kitchen.folder / "work/stages/bake.json").write_text('{"fingerprint": ')
    kitchen.cook()
    assert kitchen.ran == ["bake"]


def test_a_large_file_is_told_by_its_time(kitchen: Kitchen) -> None:
    kitchen.source.write_text("w" * (HASHED_BYTES + 1))
    kitchen.cook()
    os.utime(kitchen.source, ns=(1, 1))
    kitchen.cook()
    assert kitchen.ran[0] == "knead"


def test_a_folder_counts_with_all_it_holds(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    stage, work = Stage("look", dict, inputs=(folder,)), Work(tmp_path / "work")
    work.run([stage], print)
    assert work.done(stage)
    (folder / "deep" / "new").write_text("x")
    assert work.done(stage) is None
