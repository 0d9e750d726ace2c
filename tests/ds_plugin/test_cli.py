"""The command line as a user meets it: real processes, exit codes, one line for every wrong input."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ds_plugin import __version__
from tests.ds_plugin.command_line import run


def test_help_lists_every_command_and_exits_with_0() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(f"\n  {name} " in done.stdout for name in ("transcribe", "listen", "serve", "models", "evaluate", "benchmark", "plugins"))


def test_the_version_is_the_packages() -> None:
    assert run("--version").stdout.split()[-1] == __version__


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["trancribe", "x.wav"], "trancribe"),
        (["transcribe"], "FILES"),
        (["transcribe", "--format", "doc", "x.wav"], "doc"),
        (["transcribe", "no-such-file.wav"], "no-such-file.wav"),
        (["transcribe", "--model", "no-such-model", "x.wav"], "no-such-model"),
        (["--config", "no-such.toml", "transcribe", "x.wav"], "no-such.toml"),
        (["evaluate", "no-such.tsv"], "no-such.tsv"),
        (["models", "info", "no-such-model"], "no-such-model"),
        (["serve", "morse"], "morse"),
        (["serve", "--morse-code", "1", "wyoming"], "--morse-code"),
    ],
)
def test_a_wrong_argument_ends_in_2_and_one_line_that_names_it(arguments: list[str], named: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert named in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_named_with_its_key(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[limits]\nutterances = 'many'\n")
    done = run("--config", str(config), "models", "list")
    assert (done.returncode, done.stderr.strip()) == (2, "Error: limits.utterances must be int, got 'many'")


def test_the_environment_names_the_configuration_file_too(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("modell = 'x'\n")
    done = run("models", "list", environment={"DS_PLUGIN_CONFIG": str(config)})
    assert done.returncode == 2
    assert "did you mean 'model'?" in done.stderr


def test_an_unknown_log_level_is_refused() -> None:
    assert "log_level" in run("models", "list", environment={"DS_PLUGIN_LOG_LEVEL": "loud"}).stderr


def test_a_fault_of_ours_ends_in_1_and_shows_its_traceback_only_with_debug(tmp_path: Path) -> None:
    folder = faulty_plugin(tmp_path)
    plain = run("faulty", environment={"PYTHONPATH": str(folder)})
    assert (plain.returncode, "Traceback" in plain.stderr, plain.stderr.count("\n")) == (1, False, 1)
    assert "a fault of ours" in plain.stderr
    debug = run("--debug", "faulty", environment={"PYTHONPATH": str(folder)})
    assert (debug.returncode, "Traceback" in debug.stderr) == (1, True)


def test_a_reader_that_goes_away_ends_the_program_without_a_word() -> None:
    process = subprocess.Popen([sys.executable, "-m", "ds_plugin", "plugins"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert not process.stderr.read()
    process.stderr.close()
    process.wait()


def test_shell_completion_knows_the_commands() -> None:
    done = run(environment={"_DS_PLUGIN_COMPLETE": "bash_complete", "COMP_WORDS": "ds-plugin tr", "COMP_CWORD": "1"})
    assert "transcribe" in done.stdout


def faulty_plugin(folder: Path) -> Path:
    """A folder that, on the path, is an installed distribution whose plugin adds a command that raises."""
    (folder / "faulty_plugin.py").write_text(
        "import click\n"
        "from ds_plugin import hookimpl\n"
        "@click.command()\n"
        "def faulty():\n"
        "    raise ZeroDivisionError('oh')\n"
        "@hookimpl\n"
        "def ds_register_command(register):\n"
        "    register(faulty)\n"
    )
    about = folder / "faulty-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[ds_plugin]\nfaulty = faulty_plugin\n")
    return folder
