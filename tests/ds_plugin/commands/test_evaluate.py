from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ds_plugin.command_line import LIGHT, run


def manifest(folder: Path, *lines: str) -> str:
    path = folder / "manifest.tsv"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_the_object_has_the_documented_keys_and_right_rates(tmp_path: Path) -> None:
    text = run("transcribe", str(LIGHT)).stdout.strip()
    path = manifest(tmp_path, "file\ttext\tspeaker", f"{LIGHT}\t{text.upper()}!\tann", f"{LIGHT}\t{text} {text}\tbob")
    result = json.loads(run("evaluate", path, "--json").stdout)
    assert list(result) == ["utterances", "wer", "cer", "sentence_accuracy", "rtf", "final_latency_p95", "speakers"]
    assert (result["utterances"], result["speakers"], result["sentence_accuracy"]) == (2, 2, 0.5)
    assert result["wer"] == pytest.approx(1 / 3, abs=1e-4)
    assert 0 < result["rtf"] < 1
    assert 0 < result["final_latency_p95"] < 5


def test_the_readable_form_says_the_same(tmp_path: Path) -> None:
    done = run("evaluate", manifest(tmp_path, "file\ttext", f"{LIGHT}\tturn on the kitchen light"))
    assert "1 utterances, unknown speakers" in done.stdout
    assert "WER" in done.stdout


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    done = run("evaluate", manifest(tmp_path, "file\ttext", f"{LIGHT}\tgood", "only-a-file.wav"))
    assert (done.returncode, "line 3" in done.stderr) == (2, True)


def test_a_missing_recording_is_named(tmp_path: Path) -> None:
    done = run("evaluate", manifest(tmp_path, "file\ttext", "gone.wav\tgood"))
    assert (done.returncode, "gone.wav" in done.stderr) == (2, True)


def test_a_vocabulary_takes_part(tmp_path: Path) -> None:
    (tmp_path / "home.txt").write_text("Kítchen Líght\t6\n")
    path = manifest(tmp_path, "file\ttext", f"{LIGHT}\tturn on the kítchen líght")
    assert json.loads(run("evaluate", path, "--vocabulary", str(tmp_path / "home.txt"), "--json").stdout)["wer"] == 0.0
    assert json.loads(run("evaluate", path, "--json").stdout)["wer"] == 0.4
