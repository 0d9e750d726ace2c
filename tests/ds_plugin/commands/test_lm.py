from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.ds_plugin.command_line import run

TEN = """Turn on the kitchen light.
Turn off the kitchen light.
Turn on Grandma's lamp!
Turn off Grandma's lamp!
Set a timer for ten minutes.
Set a timer for twenty minutes.
What time is it?
What is the weather tomorrow?
Open the garage door.
Stop.
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home.txt").write_text(TEN)
    return tmp_path


def facts(path: Path) -> dict[str, Any]:
    return dict(json.loads(run("lm", "info", str(path), "--json").stdout))


def scored(path: Path, text: str, *options: str) -> dict[str, Any]:
    return dict(json.loads(run("lm", "score", str(path), *options, "--json", stdin=text).stdout))


@pytest.mark.parametrize("name", ["home.ngram", "home.arpa"])
def test_ten_sentences_make_a_model_that_knows_them(home: Path, name: str) -> None:
    done = run("lm", "build", str(home / "home.txt"), "--output", str(home / name))
    assert (done.returncode, done.stdout) == (0, "")
    assert f"{name}: 28 words, " in done.stderr
    assert (facts(home / name)["order"], facts(home / name)["format"]) == (3, name.removeprefix("home."))
    result = scored(home / name, "Turn on Grandma's lamp!\nturn on the gramophone\n")
    assert result["unknown"] == 1
    [known, unknown] = result["sentences"]
    assert [word["word"] for word in known["words"]] == ["turn", "on", "grandma's", "lamp", "</s>"]
    assert known["log10"] == pytest.approx(sum(word["log10"] for word in known["words"]))
    assert unknown["words"][3] == {"word": "gramophone", "log10": unknown["words"][3]["log10"], "unknown": True}


def test_the_readable_forms_say_the_same(home: Path) -> None:
    model = home / "home.ngram"
    run("lm", "build", str(home / "home.txt"), "--output", str(model))
    assert "format: ngram\norder: 3\nngrams: [28, " in run("lm", "info", str(model)).stdout
    (home / "heard.txt").write_text("stop the gramophone\n")
    lines = run("lm", "score", str(model), str(home / "heard.txt")).stdout.splitlines()
    assert lines[0].startswith("stop -")
    assert "gramophone (unknown) -" in lines[0]
    assert lines[1].startswith("perplexity ")
    assert lines[2] == "4 tokens, sentence ends included; 1 unknown"


def test_a_vocabulary_can_be_given_or_chosen(home: Path) -> None:
    (home / "words.txt").write_text("Turn on\noff never\n")
    for options, words in ((["--vocabulary", str(home / "words.txt")], 4), (["--top", "2"], 2), (["--min-count", "4"], 2)):
        run("lm", "build", str(home / "home.txt"), "--output", str(home / "home.arpa"), *options)
        assert facts(home / "home.arpa")["ngrams"][0] == words + 3


def test_capital_letters_can_be_kept(home: Path) -> None:
    run("lm", "build", str(home / "home.txt"), "--keep-case", "--output", str(home / "home.arpa"))
    assert scored(home / "home.arpa", "Turn\n", "--keep-case")["unknown"] == 0
    assert scored(home / "home.arpa", "Turn\n")["unknown"] == 1


def test_pruning_makes_a_model_smaller(home: Path) -> None:
    sizes = []
    for options in ([], ["--prune", "0 0 1"], ["--entropy", "0.01"], ["--order", "2"], ["--bits", "16"]):
        run("lm", "build", str(home / "home.txt"), "--output", str(home / "home.ngram"), *options)
        sizes.append(facts(home / "home.ngram")["bytes"])
    assert all(size < sizes[0] for size in sizes[1:])


def test_a_base_model_lends_its_words(home: Path) -> None:
    (home / "base.txt").write_text("the weather is fine\nplay the gramophone\n")
    run("lm", "build", str(home / "base.txt"), "--output", str(home / "base.arpa"))
    build = ["lm", "build", str(home / "home.txt"), "--base", str(home / "base.arpa"), "--output"]
    assert run(*build, str(home / "half.ngram")).returncode == 0
    assert run(*build, str(home / "tenth.ngram"), "--base-weight", "0.1").returncode == 0
    text = "play the gramophone\n"
    half, tenth = (scored(home / name, text) for name in ("half.ngram", "tenth.ngram"))
    assert half["unknown"] == 0
    assert half["perplexity"] < tenth["perplexity"]


def test_weights_stand_before_the_lines(home: Path) -> None:
    done = run("lm", "build", "--weighted", "-", "--output", str(home / "answers.ngram"), stdin="2.5\tyes\n0.1\tno\n")
    assert done.returncode == 0
    assert scored(home / "answers.ngram", "yes\n")["perplexity"] < scored(home / "answers.ngram", "no\n")["perplexity"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--output", "x.bin"], "must end in .arpa or .ngram"),
        (["--output", "x.arpa", "--bits", "16"], "not values of 16 bits"),
        (["--output", "missing/x.ngram"], "x.ngram: No such file"),
        (["--output", "x.ngram", "--prune", "1 1"], "must begin with 0"),
        (["--output", "x.ngram", "--prune", "many"], "--prune needs numbers"),
        (["--output", "x.ngram", "--weighted"], "home.txt, line 1: a weight"),
        (["--output", "x.ngram", "--base-weight", "0.1"], "--base-weight needs --base"),
        (["--output", "x.ngram", "--base", "home.txt"], "not an ARPA file"),
        (["--output", "x.ngram", "--base", "gone.arpa"], "gone.arpa: cannot be read"),
        (["--output", "x.ngram", "--base", "gone"], "no model 'gone'"),
        (["--output", "x.ngram", "--vocabulary", "home.txt", "--top", "3"], "either given or chosen"),
        (["gone.txt", "--output", "x.ngram"], "gone.txt: No such file"),
        (["/dev/null", "--output", "x.ngram"], None),
    ],
)
def test_a_wrong_argument_is_one_line_and_exit_code_2(
    home: Path, options: list[str], message: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    done = run("lm", "build", "home.txt", *options)
    assert done.returncode == (2 if message else 0)
    assert message is None or message in done.stderr
    assert message is None or done.stderr.count("\n") == 1
    assert bool(message) != Path("x.ngram").exists()


def test_text_without_words_is_refused(home: Path) -> None:
    done = run("lm", "build", "-", "--output", str(home / "x.ngram"), stdin="...\n")
    assert (done.returncode, "no sentence" in done.stderr) == (2, True)
    run("lm", "build", str(home / "home.txt"), "--output", str(home / "home.ngram"))
    done = run("lm", "score", str(home / "home.ngram"), stdin="")
    assert (done.returncode, done.stderr) == (2, "Error: -: no words to score\n")


def test_what_is_no_model_is_refused(home: Path) -> None:
    for command in ("info", "score"):
        done = run("lm", command, str(home / "home.txt"))
        assert (done.returncode, "home.txt" in done.stderr) == (2, True)
