"""The vocabulary as its commands tell of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ds_plugin import cli


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs `ds-plugin` in this process, with a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(*arguments: str, **environment: str) -> Done:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["ds-plugin", *arguments])
            for name, value in environment.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                cli.main()
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, *capfd.readouterr())

    return run


TEMPLATES = """
language: en
intents:
  LightOn:
    data:
      - sentences: ["turn on [the] {name} light"]
lists:
  name:
    values: ["kitchen", "Zoë's"]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home.txt"
    path.write_text("Zoë's TV\t3\nTV = t v\nKitchen 2\n")
    return path


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    path = tmp_path / "home.yaml"
    path.write_text(TEMPLATES)
    return path


def test_show_prints_what_the_next_utterance_is_biased_by(home: Path, templates: Path, run: Run) -> None:
    arguments = ("--vocabulary", str(home), "--hot-word", "Living Room:5", "--grammar", str(templates), "--grammar-mode", "closed")
    facts = json.loads(run("vocabulary", "show", "--json", *arguments).stdout)
    assert facts["phrases"] == [
        {"text": "zoë's tv", "boost": 3.0, "from": "files"},
        {"text": "kitchen two", "boost": 2.0, "from": "files"},
        {"text": "living room", "boost": 5.0, "from": "hot words"},
    ]
    assert {(said["word"], said["spoken"]) for said in facts["pronunciations"]} == {("tv", "t v"), ("zoë's", "zoe's")}
    [grammar] = facts["grammars"]
    assert (grammar["name"], grammar["from"], grammar["intents"], grammar["problems"]) == ("home", str(templates), ["LightOn"], [])
    assert grammar["words"] >= 6
    assert (facts["mode"], facts["strictness"]) == ("closed", 0.3)
    shown = run("vocabulary", "show", *arguments).stdout.splitlines()
    assert shown[:3] == ["zoë's tv  +3  (files)", "kitchen two  +2  (files)", "living room  +5  (hot words)"]
    assert "tv = t v" in shown
    assert shown[-2:] == ["  LightOn", "grammar mode closed, strictness 0.3"]


def test_show_without_anything_says_so(run: Run) -> None:
    done = run("vocabulary", "show")
    assert (done.returncode, done.stdout, done.stderr) == (0, "no phrases, pronunciations or grammars\n", "")


def test_settings_name_the_vocabulary_and_the_command_line_replaces_it(home: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "other.txt").write_text("hall\n")
    environment = {"DS_PLUGIN_VOCABULARY": str(home), "DS_PLUGIN_HOT_WORDS": "stop:4, living room:-1.5"}
    first = run("vocabulary", "show", **environment).stdout.splitlines()
    assert {"zoë's tv  +3  (files)", "stop  +4  (hot words)", "living room  -1.5  (hot words)"} <= set(first)
    second = run("vocabulary", "show", "--vocabulary", str(tmp_path / "other.txt"), **environment).stdout.splitlines()
    assert second == ["hall  +2  (files)", "stop  +4  (hot words)", "living room  -1.5  (hot words)"]


def test_check_tells_what_is_heard_otherwise_and_is_content(home: Path, templates: Path, run: Run) -> None:
    done = run("vocabulary", "check", str(home), str(templates))
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        f'{home}, line 1: "Zoë\'s TV" is heard as "zoe\'s tv" (ë as e)',
        f"{home}, line 3: 'Kitchen 2' is heard as 'kitchen two' (2 as two)",
    ]
    assert done.stderr == "3 phrases, 1 grammar: all can be used\n"


def test_check_ends_with_2_where_something_cannot_be_used(home: Path, tmp_path: Path, run: Run) -> None:
    home.write_text("🛋\nlamp\tmuch\nhall\n")
    (tmp_path / "bad.yaml").write_text("a: b: c")
    done = run("vocabulary", "check", str(home), str(tmp_path / "bad.yaml"), str(tmp_path / "gone.txt"))
    assert done.returncode == 2
    assert [line.partition(":")[0].removeprefix(f"{tmp_path}/") for line in done.stdout.splitlines()] == [
        "home.txt, line 2", "gone.txt", "home.txt, line 1", "bad.yaml, line 1",
    ]  # fmt: skip
    assert done.stderr == "Error: 2 phrases, 0 grammars; 4 faults\n"


def test_check_without_files_checks_the_configured_ones(home: Path, run: Run) -> None:
    home.write_text("🛋\n")
    assert run("vocabulary", "check", DS_PLUGIN_VOCABULARY=str(home)).returncode == 2
    assert run("vocabulary", "check").stderr == "0 phrases, 0 grammars: all can be used\n"


def test_refresh_reads_everything_and_keeps_grammars(home: Path, templates: Path, tmp_path: Path, run: Run) -> None:
    arguments = ("vocabulary", "refresh", "--vocabulary", str(home), "--grammar", str(templates))
    first = run(*arguments)
    assert first.returncode == 0
    assert first.stdout.splitlines()[0] == f"{home}: 3 phrases"
    assert first.stdout.splitlines()[1].startswith(f"{templates}: 1 intent, ")
    assert "read in " in first.stderr
    kept = list((tmp_path / "cache").rglob("*.json"))
    assert len(kept) == 1
    assert run(*arguments).stdout == first.stdout
    assert list((tmp_path / "cache").rglob("*.json")) == kept


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--vocabulary", "gone.txt"), "gone.txt: No such file or directory"),
        (("--grammar", "gone.yaml"), "gone.yaml"),
        (("--grammar", "home.txt"), "home.txt"),
        (("--hot-word", "lamp"), "a hot word needs a boost, as in lamp:5, got 'lamp'"),
        (("--hot-word", "lamp:nan"), "a boost is a number of nats within +-20, got 'nan'"),
        (("--hot-word", "🛋:5"), "hot word: '🛋': nothing of it can be said"),
        (("--hot-word", "a:1", "--hot-word", "A:2"), "hot word 'a' is there already"),
        (("--grammar-mode", "ajar"), "'ajar' is not one of"),
    ],
)
def test_a_source_that_cannot_be_used_is_named(arguments: tuple[str, ...], message: str, run: Run) -> None:
    for command in (("vocabulary", "show"), ("transcribe", "gone.wav")):
        done = run(*command, *arguments)
        assert (done.returncode, message in done.stderr, done.stdout) == (2, True, "")


def test_names_may_come_through_a_pipe() -> None:
    command = f"exec {sys.executable} -m ds_plugin vocabulary show --vocabulary <(printf 'lamp\\t4\\n')"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("lamp  +4  (files)\n", "")
