"""What a run tells of itself while it goes on."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

pytest.importorskip("torch")

from rich.console import Console

from ds_training.progress import Display, write_line


def shown(*, terminal: bool, losses: tuple[float | None, ...]) -> str:
    out = io.StringIO()
    with Display(100.0, Console(file=out, force_terminal=terminal, width=120)) as display:
        for loss in losses:
            display.step(25.0, 20.0, loss, 0.0812, float("inf") if loss is None else 0.4321)
    return out.getvalue()


def test_on_a_terminal_a_bar_tells_hours_loss_rate_and_errors() -> None:
    found = shown(terminal=True, losses=(2.0, 4.0, None, 2.0))
    assert "20.0 of 100 h  loss 2.039  0.081 h/s  CER 0.4321" in found
    assert "25 %" in found


def test_before_anything_is_known_it_says_so() -> None:
    assert "loss -  0.081 h/s  CER -" in shown(terminal=True, losses=(None,))


def test_elsewhere_nothing_is_drawn() -> None:
    assert shown(terminal=False, losses=(2.0,)) == ""


def test_lines_are_appended_and_printed_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("eins", "größer"):
        write_line(tmp_path / "log.jsonl", {"name": name, "loss": None})
    expected = '{"name": "eins", "loss": null}\n{"name": "größer", "loss": null}\n'
    assert (tmp_path / "log.jsonl").read_text("utf-8") == expected == capsys.readouterr().out
