"""Evaluation from files to a report: what the trainer calls, and the command line."""

# without torch the whole module is skipped

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from ds_engine.features import LogMel, LogMelSpec
from ds_training.checkpoint import load_network
from ds_training.corpus import CorpusError, Utterance, load, read_manifest, write_shard
from ds_training.evaluate import Evaluation, evaluate, main, measure
from ds_training.material import Material
from tests.ds_engine.bundles import EN_SMALL

MEL = LogMel(LogMelSpec())
NETWORK = EN_SMALL / "model.onnx"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of the samples that come with the project, each said by somebody else, and a shard of the same."""
    path = tmp_path_factory.mktemp("speech")
    samples = sorted((EN_SMALL.parents[1] / "samples").glob("*.wav"))
    rows = [f"{file}\t{file.stem.replace('_', ' ')}\ts{index}\t{7 + 30 * index}" for index, file in enumerate(samples)]
    (path / "test.tsv").write_text("\n".join(["file\ttext\tspeaker\tage", *rows]) + "\n", "utf-8")
    write_shard(path / "same.npz", list(load(read_manifest(path / "test.tsv"), MEL)))
    return path


def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *options: object) -> tuple[list[str], dict[str, Any]]:
    """The lines before the JSON object of a command, and the object."""
    monkeypatch.setattr(sys, "argv", ["evaluate", *map(str, options)])
    main()
    *lines, last = capsys.readouterr().out.splitlines()
    return lines, json.loads(last)


def test_measure_gives_figures_and_texts(folder: Path) -> None:
    utterances = list(load(read_manifest(folder / "test.tsv"), MEL))
    figures, found = measure(load_network(NETWORK), utterances, MEL)
    assert (figures.utterances, figures.speakers, len(found)) == (3, 3, 3)
    assert figures.hours == round(sum(len(each.log_power) for each in utterances) / 360_000, 3)
    silent, _ = measure(load_network(NETWORK), utterances, MEL, lambda _: "")
    assert (silent.cer, silent.wer, silent.words.deletions) == (1, 1, silent.words.reference)


def test_measuring_nothing_is_an_error() -> None:
    with pytest.raises(CorpusError, match="at least one"):
        measure(load_network(NETWORK), [], MEL)


def test_an_utterance_of_one_frame_is_measured() -> None:
    figures, _ = measure(load_network(NETWORK), [Utterance(np.zeros((1, 80), np.float16), "a")], MEL)
    assert (figures.utterances, figures.speakers, figures.wer_interval) == (1, 1, None)


def test_the_network_and_its_bundle_come_to_the_same_figures(folder: Path) -> None:
    material = Material(folder / "test.tsv")
    network, bundle = (evaluate(Evaluation(model, material, greedy=model is EN_SMALL)) for model in (NETWORK, EN_SMALL))
    assert network.overall == bundle.overall
    assert network.groups == bundle.groups
    assert "label age" in bundle.groups
    assert "pitch" in bundle.groups


def test_a_search_is_told_apart_from_none_by_a_comparison(folder: Path) -> None:
    report = evaluate(Evaluation(NETWORK, Material(folder / "test.tsv"), against=EN_SMALL))
    assert report.overall.difference
    assert report.overall.difference.wer.value > 0
    assert (report.model, report.against.split(", ")[-1]) == ("en-small/model.onnx", "kernel")


def test_the_command_prints_one_object_and_nothing_that_was_said(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, figures = told(capsys, monkeypatch, NETWORK, "--shard", folder / "same.npz")
    assert lines == []
    assert {"utterances", "speakers", "hours", "cer", "wer"} <= figures.keys()
    assert (figures["utterances"], figures["speakers"]) == (3, 3)
    assert "kitchen" not in json.dumps(figures)


def test_the_command_shows_and_writes_what_is_asked_for(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = ("--output", tmp_path / "all.tsv", "--markdown", tmp_path / "report.md")
    noise = ("--noise", 20, 5, "--noise-kind", "coloured")
    lines, figures = told(capsys, monkeypatch, NETWORK, "--manifest", folder / "test.tsv", "--show", 1, "--confusions", 1, *noise, *outputs)
    assert [line.split()[0] for line in lines] == ["best", "median", "worst"]
    assert [each["ratio"] for each in figures["noise"]] == [20, 5]
    assert len(figures["confusions"]["characters"]["losses"]) == 1
    assert len((tmp_path / "all.tsv").read_text("utf-8").splitlines()) == 4
    assert "| coloured, 5 dB |" in (tmp_path / "report.md").read_text("utf-8")


def test_a_folder_that_is_not_there_is_refused_before_anything_is_heard(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit):
        told(capsys, monkeypatch, NETWORK, "--output", tmp_path / "none" / "all.tsv")
    assert "no such folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Evaluation(EN_SMALL, Material(), search=EN_SMALL), "bundle brings its own"),
        (Evaluation(NETWORK, Material(), greedy=True), "greedy is for a bundle"),
        (Evaluation(NETWORK, Material(), phones=True), "phones need"),
        (Evaluation(NETWORK, Material(), noise=(5.0,), noise_kind="rain"), "babble or coloured, got 'rain'"),
        (Evaluation(NETWORK, Material()), "at least one utterance"),
    ],
)
def test_what_nothing_would_heed_is_refused(wanted: Evaluation, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        evaluate(wanted)
