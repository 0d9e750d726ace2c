"""Pictures of logs."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from ds_training.plot import LogError, main, plot, read_curve

OLD = {"step": 1256, "hours": 20.01, "seconds": 267, "loss": 1.9762, "cer": 0.3833, "wer": 0.7504}  # as logs up to 0.2
SKIPPED = {"step": 7, "hours": 0.1, "skipped": 1, "epoch": 0, "batch": 3, "utterances": ["s: grüß"], "and_more": 0}


def log(folder: Path, *entries: object) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "log.jsonl"
    path.write_text("".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries), "utf-8")
    return path


def size_of_png(path: Path) -> tuple[int, int]:
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])


def test_runs_are_drawn_into_one_picture(tmp_path: Path) -> None:
    one = log(tmp_path / "one", OLD, SKIPPED, {**OLD, "hours": 40, "loss": None, "learning_rate": 0.1})
    other = log(tmp_path / "other", OLD).parent  # a folder will do
    plot([one, other], tmp_path / "both.png")
    assert size_of_png(tmp_path / "both.png") == (1170, 975)


def test_a_log_is_read_as_its_evaluations(tmp_path: Path) -> None:
    curve = read_curve(log(tmp_path / "one", OLD, SKIPPED, {**OLD, "hours": 40, "loss": None}), "one")
    assert (curve.hours, curve.cer, curve.wer) == ((20.01, 40), (0.3833, 0.3833), (0.7504, 0.7504))
    assert curve.loss[0] == 1.9762
    assert math.isnan(curve.loss[1])


def test_many_runs_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    logs = []
    for number in range(12):
        (tmp_path / str(number)).mkdir()
        logs.append(log(tmp_path / str(number) / "run", {**OLD, "hours": number}))
    plot(logs, tmp_path / "many.png")
    assert size_of_png(tmp_path / "many.png") == (1170, 975)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "at least one evaluation, got 0 lines"),
        (json.dumps(SKIPPED), "at least one evaluation, got 1 lines"),
        ("{", "line 1 needs an object"),
        ("3", "line 1 needs an object"),
        (json.dumps(OLD) + "\n" + json.dumps({**OLD, "wer": "x"}), "line 2 needs an object"),
        (json.dumps({"cer": 0.5}), "line 1 needs an object with hours"),
    ],
)
def test_what_is_no_log_is_refused_by_line(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "log.jsonl").write_text(content)
    with pytest.raises(LogError, match=said):
        plot([tmp_path], tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()


def test_a_missing_log_and_none_at_all_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="cannot be read"):
        plot([tmp_path], tmp_path / "out.png")
    with pytest.raises(LogError, match="at least one log"):
        plot([], tmp_path / "out.png")


def test_the_command_tells_an_error_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one, nowhere = log(tmp_path / "one", OLD), tmp_path / "no" / "such.png"
    for words in ([one, nowhere], [tmp_path, tmp_path / "out.png"]):
        monkeypatch.setattr(sys, "argv", ["plot", *map(str, words)])
        with pytest.raises(SystemExit, match="2"):
            main()
        assert "plot: error: " in capsys.readouterr().err.splitlines()[-1]


def test_the_command_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["plot", str(log(tmp_path / "one", OLD)), str(tmp_path / "out.png")])
    main()
    assert (tmp_path / "out.png").exists()
    assert "matplotlib.pyplot" not in sys.modules  # nothing global
