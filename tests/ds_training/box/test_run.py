"""The command of an unpacked archive: the real recipe in small, in the foreground, in the background and waited for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from ds_training.box.contents import BoxError
from ds_training.box.place import Place
from ds_training.box.run import detach, is_going, locked, main, outcome, wait
from ds_training.checkpoint import load_network
from tests.ds_training.box.conftest import Packed

RECIPE = """
minutes = 1.5
margin = 20
shards = 1
start_with = 1
patience = 0.4
[synthesis]
size = 4
[training]
device = "cpu"
hours = 0.005
frames = 300
every = 0.002
"""


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """The least that `main` needs: a recipe, and contents that will not be found."""
    (tmp_path / "box.toml").write_text("minutes = 1\n")
    return tmp_path


@pytest.fixture
def place(box: Path) -> Place:
    return Place(box, box / "work")


@pytest.mark.process
def test_an_unpacked_archive_trains_in_the_background_by_its_one_command(packed: Packed, tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(RECIPE)
    environment = {"PATH": "/usr/bin:/bin", "PYTHON": sys.executable, "OUT": str(tmp_path / "out"), "OMP_NUM_THREADS": "1"}
    command = [str(packed.folder / "run"), "--recipe", str(tmp_path / "small.toml"), "--work", str(tmp_path / "work")]
    for last in (["--detach"], ["--wait", "100"]):
        done = subprocess.run([*command, *last], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["best.pt", "box.jsonl", "facts.json", "log.jsonl", "training.txt"]
    assert load_network(tmp_path / "out" / "best.pt").spec.width == 6  # it started from the weights that came along
    facts = json.loads((tmp_path / "out" / "facts.json").read_text())
    assert facts["synthesis"]["shards"] <= 1  # none where other work kept the processors for so long
    assert "synthesis failed" not in (tmp_path / "out" / "box.jsonl").read_text()
    assert facts["training"]["hours"] >= 0.005
    assert facts["machine"]["device"] == "cpu"
    assert set(json.loads((packed.folder / "contents.json").read_text())["without"]) == set(facts["synthesis"]["without"])


def test_a_run_that_fails_says_so_and_delivers_why(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(box), "--out", str(box / "out")]) == 1
    assert "contents.json: not the contents of an archive" in (box / "out" / "box.jsonl").read_text()
    assert "facts.json" in capsys.readouterr().out


def test_results_go_to_where_out_says(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUT", str(box / "elsewhere"))
    main([str(box)])
    assert (box / "elsewhere" / "box.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(["--minutes", "0.1"], "margin"), (["--recipe", "nowhere.toml"], "nowhere.toml"), (["--minutes", "long"], "long")],
)
def test_arguments_that_cannot_be_followed_are_named(
    box: Path, arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(box), *arguments])
    assert ended.value.code == 2
    assert named in capsys.readouterr().err


def test_a_second_run_in_one_folder_is_refused(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with locked(place):
        assert is_going(place)
        for arguments in ([], ["--detach"]):
            with pytest.raises(SystemExit):
                main([str(place.box), *arguments])
            assert "has a run going on" in capsys.readouterr().err
    assert not is_going(place)


def test_who_waits_too_short_is_told_how_far_it_is_and_has_what_there_is(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.training.mkdir(parents=True)
    (place.training / "log.jsonl").write_text('{"cer": 0.75, "seconds": 4}\n')
    place.result.mkdir()
    (place.result / "box.jsonl").write_text("{}\n")
    with locked(place):
        assert main([str(place.box), "--wait", "0.1", "--out", str(place.box / "out")]) == 0
    assert '"cer": 0.75' in capsys.readouterr().out
    assert (place.box / "out" / "box.jsonl").exists()


def test_a_run_that_vanished_without_a_word_has_failed(place: Place) -> None:
    assert not outcome(place)
    place.work.mkdir()
    (place.work / "state.json").write_text('{"succeeded": null}')
    assert not wait(place, 5)
    (place.work / "state.json").write_text('{"succeeded": true}')
    assert wait(place, 5)


def test_a_background_run_that_cannot_begin_is_told(box: Path, place: Place) -> None:
    place.work.mkdir()
    with pytest.raises(BoxError, match=r"ended at once: (?s:.*)nowhere\.toml"):
        detach(place, [str(box), "--recipe", "nowhere.toml"])
