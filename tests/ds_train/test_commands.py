"""The commands `train` and `export`, on a language of three tones."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ds_engine.bundle import Bundle
from ds_engine.errors import InputError
from ds_plugin.cli import cli
from ds_plugin.config import ConfigError
from tests.ds_training import toy

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs the extra train")


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], env={"DS_PLUGIN_CONFIG": None})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a toy recipe that was followed; `work/bundle` came of it."""
    folder = tmp_path_factory.mktemp("toy")
    recipe = toy.write(folder)
    result = invoke("train", "run", recipe, "--work", folder / "work")
    assert result.exit_code == 0, result.output
    (folder / "figures.json").write_text(result.stdout.splitlines()[-1])
    return folder


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="needs an environment without the extra train")
def test_without_the_extra_it_is_named(tmp_path: Path) -> None:
    result = invoke("train", "run", tmp_path / "recipe.toml", "--work", tmp_path)
    assert isinstance(result.exception, ConfigError)
    assert "pip install 'ds-plugin[train]'" in str(result.exception)


def test_help_needs_no_extra() -> None:
    result = invoke("train", "--help")
    assert result.exit_code == 0
    assert all(name in result.output for name in ("run", "fine-tune", "import", "check", "plot"))


@needs_torch
def test_a_recipe_is_followed_and_its_figures_are_printed(trained: Path) -> None:
    figures = json.loads((trained / "figures.json").read_text())
    assert figures["train"]["ended"] == "hours"
    assert figures["evaluate"]["wer"] < 0.1
    assert Bundle.open(trained / "work/bundle").manifest.name == "tones"


@needs_torch
def test_the_stages_and_what_is_done_can_be_listed(trained: Path, tmp_path: Path) -> None:
    done = invoke("train", "run", trained / "recipe.toml", "--work", trained / "work", "--list")
    assert {line.split("\t")[1] for line in done.output.splitlines()} == {"done"}
    not_yet = invoke("train", "run", trained / "recipe.toml", "--work", tmp_path / "new", "--list")
    assert "train\tto do" in not_yet.output
    assert not (tmp_path / "new").exists()


@needs_torch
def test_a_bundle_is_fine_tuned_to_somebody_and_keeps_its_language_model(trained: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    toy.recordings(mine, 90, 7)
    result = invoke(
        "train", "fine-tune", mine / "list.tsv", tmp_path / "tuned", "--model", trained / "work/bundle", "--passes", "2", "--blend", ".5"
    )
    assert result.exit_code == 0, result.output
    old, new = Bundle.open(trained / "work/bundle"), Bundle.open(tmp_path / "tuned")
    assert (new.manifest.name, new.manifest.license) == ("tuned", "CC0-1.0")
    assert new.read("lm.ngram") == old.read("lm.ngram")
    assert new.manifest.calibration == old.manifest.calibration
    assert new.read("model.onnx") != old.read("model.onnx")
    parts = [(tmp_path / "tuned.work" / name).read_text().splitlines()[1:] for name in ("train.tsv", "development.tsv")]
    assert [len(part) for part in parts] == [81, 9]


@needs_torch
def test_curves_are_drawn(trained: Path, tmp_path: Path) -> None:
    assert invoke("train", "plot", trained / "work/run/log.jsonl", tmp_path / "curves.png").exit_code == 0
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


@needs_torch
def test_a_checkpoint_is_exported(trained: Path, tmp_path: Path) -> None:
    card, notice = tmp_path / "card.md", trained / "NOTICE.txt"
    card.write_text("# tones\n")
    named = ("--name", "other", "--description", "Tones again", "--card", card, "--license-file", notice, "--language", "x-tones")
    result = invoke("export", trained / "work/network.pt", tmp_path / "out", *named, "--weights", "int8")
    assert result.exit_code == 0, result.output
    assert Bundle.open(tmp_path / "out").manifest.name == "other"


@needs_torch
def test_a_published_corpus_becomes_a_manifest(tmp_path: Path) -> None:
    toy.recordings(tmp_path / "corpus/wavs", 3, 1)
    (tmp_path / "corpus/metadata.csv").write_text("".join(f"{index}|A b.|a b\n" for index in range(3)))
    result = invoke("train", "import", "ljspeech", tmp_path / "corpus", tmp_path / "list.tsv", "--speaker", "me")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "list.tsv").read_text().count("\tme") == 3
    assert "3 recordings, 1 named speakers" in result.stderr


@needs_torch
def test_characters_that_would_be_lost_are_told(tmp_path: Path) -> None:
    (tmp_path / "list.tsv").write_text("file\ttext\na.wav\tA ü 日\n")
    result = invoke("train", "check", tmp_path / "list.tsv")
    assert "'日'\t1\tcannot be written" in result.output
    assert "'ü'\t1\n" in result.output


@needs_torch
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "none.toml", "--work", "w"), "none.toml"),
        (("fine-tune", "none.tsv", "out", "--model", "nobody"), "no model 'nobody'"),
        (("fine-tune", "none.tsv", "out"), "none.tsv"),
        (("import", "deepspeech", "none", "out.tsv"), "none"),
        (("import", "deepspeech", "none", "out.tsv", "--speaker", "me"), "needs options among parts, got speaker"),
        (("check", "none.tsv"), "none.tsv"),
        (("plot", "none.jsonl", "out.png"), "none.jsonl"),
    ],
)
def test_what_cannot_be_used_is_named(arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke("train", *arguments)
    assert isinstance(result.exception, InputError | ConfigError) or "no model" in str(result.exception)
    assert message in str(result.exception)
    assert not list(tmp_path.glob("out*"))
