from __future__ import annotations

from pathlib import Path

import pytest

from ds_engine.lm.scorer import Scorer
from ds_plugin.models import BUNDLED, DEFAULT_MODEL, ModelStore
from tests.ds_plugin.command_line import run


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "home.arpa"
    done = run("lm", "build", "-", "--output", str(path), stdin="turn on the light\nTürn off 2 lights\n")
    assert done.returncode == 0
    return path


def made(model: Path, *options: str) -> Scorer:
    output = model.with_suffix(".scorer")
    done = run("scorer", "make", "--output", str(output), "--language-model", str(model), *options)
    assert done.returncode == 0, done.stderr
    return Scorer.open(output)


def test_a_scorer_is_for_the_alphabet_of_the_bundle(model: Path) -> None:
    scorer = made(model)
    alphabet = ModelStore((BUNDLED,)).open(DEFAULT_MODEL).manifest.alphabet
    symbols = [symbol for column, symbol in enumerate(alphabet.symbols) if not alphabet.is_silent(column)]
    assert sorted(scorer.words(symbols)) == ["light", "lights", "off", "on", "the", "turn"]
    assert (scorer.alpha, scorer.beta, scorer.bytes_mode) == (0.931289039105002, 1.1834137581510284, False)


def test_alphabet_words_and_weights_can_be_given(model: Path, tmp_path: Path) -> None:
    (tmp_path / "alphabet.txt").write_text("# mine\n \nn\no\nü\nr\nt\nT\n")
    (tmp_path / "words.txt").write_text("on türn\nnot light\n")
    scorer = made(
        model, "--alphabet", str(tmp_path / "alphabet.txt"), "--words", str(tmp_path / "words.txt"), "--alpha", "0.5", "--beta", "-1"
    )
    assert sorted(scorer.words(" noürtT")) == ["not", "on", "türn"]
    assert (scorer.alpha, scorer.beta) == (0.5, -1.0)


def test_words_that_cannot_be_spelled_are_named(model: Path) -> None:
    done = run("scorer", "make", "--output", str(model.with_suffix(".scorer")), "--language-model", str(model))
    assert "left out 2 words that the alphabet cannot spell: 2, türn\n" in done.stderr
    assert ".scorer: 6 words; " in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--alphabet", "gone.txt"], "gone.txt"),
        (["--alphabet", "gone.txt", "--model", "en-small"], "both name an alphabet"),
        (["--words", "gone.txt"], "gone.txt"),
        (["--words", "none.txt"], "none of 1 words can be spelled"),
        (["--model", "gone"], "no model 'gone'"),
        (["--alpha", "nan"], "weights nan"),
        (["--language-model", "none.txt"], "none.txt"),
        (["--output", "missing/x.scorer"], "x.scorer: No such file"),
    ],
)
def test_a_wrong_argument_is_one_line_and_exit_code_2(
    model: Path, options: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(model.parent)
    Path("none.txt").write_text("ß\n")
    done = run("scorer", "make", "--output", "x.scorer", "--language-model", str(model), *options)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert message in done.stderr
    assert not Path("x.scorer").exists()
