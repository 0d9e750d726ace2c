"""Becoming the server: options and the household's files in, `ds-plugin serve wyoming` out, in this very process.

A file that cannot be used is left out and named in the log: one typing error must not silence the house.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ds_app.options import HOME_ASSISTANT, Options, OptionsError, Sources, configuration, environment
from ds_app.share import MODELS, beside_home_assistant, found, prepare
from ds_engine.errors import BiasError

CHECK_SECONDS = 300.0  # that reading the household's files may take, compiling their grammars included
BAD_OPTIONS = 2  # exit code

Check = Callable[[Sources], str]  # what is wrong with files, or ""
Execute = Callable[[str, list[str], dict[str, str]], object]  # os.execve, which does not return


@dataclass(frozen=True, slots=True)
class Places:
    """Where things lie."""

    root: Path = Path("/")

    @property
    def state(self) -> Path:
        """What outlives a restart; the Supervisor keeps it."""
        return self.root / "data"

    @property
    def share(self) -> Path:
        """What people see in Home Assistant's share folder."""
        return self.root / "share" / "ds-plugin"

    @property
    def custom_sentences(self) -> Path:
        """Home Assistant's own sentences, as their owner writes them; all that the app reads of its configuration."""
        return self.root / "homeassistant" / "custom_sentences"

    @property
    def config(self) -> Path:
        """What we write for ds-plugin."""
        return self.root / "run" / "ds-plugin.toml"


def main(arguments: Sequence[str] = (), execute: Execute = os.execve) -> int:
    """Replaces this process by the server; returns an exit code only where that cannot be."""
    parser = argparse.ArgumentParser(prog="serve")
    parser.add_argument("--root", type=Path, default=Path("/"), help="the folder in which /data, /share and /run lie")
    places = Places(parser.parse_args(arguments).root)
    try:
        variables = prepared(places, os.environ)
    except OptionsError as error:
        _say(str(error))
        return BAD_OPTIONS
    execute(sys.executable, [*_PRODUCT, "serve", "wyoming"], variables)
    return 0


def prepared(places: Places, before: Mapping[str, str]) -> dict[str, str]:
    """Writes the configuration, and returns the environment of the server. Raises OptionsError."""
    options = Options.read(places.state / "options.json")
    try:
        prepare(places.share)
    except OSError as error:
        _say(f"the share folder cannot be used: {error}")
    variables = environment(options, before, places.config, places.state)
    lying = found(places.share)
    if HOME_ASSISTANT in variables:
        lying = beside_home_assistant(lying, places.custom_sentences)
    sources = _with_words(lying, options.words, places.state / "words.txt")
    models = places.share / MODELS

    def check(some: Sources) -> str:
        _write(places.config, configuration(options, models, some))
        return _refreshed(variables)

    _write(places.config, configuration(options, models, usable(sources, check)))
    return variables


def usable(sources: Sources, check: Check) -> Sources:
    """Those files that can be used: all, or else each that can be used alone; the others are named in the log.

    Custom sentences are not tried: ds-plugin leaves out single files of them by itself.
    """
    if not (sources.vocabulary or sources.grammars) or not check(sources):
        return sources
    vocabulary = tuple(path for path in sources.vocabulary if _alone(path, check(Sources(vocabulary=(path,)))))
    grammars = tuple(path for path in sources.grammars if _alone(path, check(Sources(grammars=(path,)))))
    return Sources(vocabulary, grammars, sources.custom_sentences)


def _alone(path: Path, fault: str) -> bool:
    if fault:
        _say(f"{path} is left out until the app is restarted: {fault}")
    return not fault


def _with_words(sources: Sources, words: Sequence[str], file: Path) -> Sources:
    """The words of the options as a vocabulary file of their own; one that is none is named in the log, and the others stay."""
    lines = [line for line in (" ".join(word.split()) for word in words) if line and _sound(line, file)]
    if not lines:
        return sources
    _write(file, "".join(f"{line}\n" for line in lines))
    return Sources((file, *sources.vocabulary), sources.grammars, sources.custom_sentences)


def _sound(line: str, file: Path) -> bool:
    from ds_plugin.vocabulary.files import read_vocabulary  # takes a moment, and most people have no words here

    _write(file, line)
    try:
        faults = read_vocabulary(file).faults
    except BiasError as error:
        faults = (str(error),)
    for fault in faults:
        _say(f"{line!r:.60} among the words is left out: {fault.removeprefix(f'{file}, line 1: ')}")
    return not faults


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except (OSError, UnicodeEncodeError) as error:
        raise OptionsError(f"{path} cannot be written: {error}") from error


def _refreshed(variables: Mapping[str, str]) -> str:
    """Lets ds-plugin read all files, and keep what it compiles. Returns its complaint, or ""."""
    command = [*_PRODUCT, "vocabulary", "refresh"]
    try:
        done = subprocess.run(command, env=dict(variables), capture_output=True, timeout=CHECK_SECONDS, check=False)  # noqa: S603 - ours
    except subprocess.TimeoutExpired:
        return f"reading it takes longer than {CHECK_SECONDS:g} s"
    complaint = done.stderr.decode(errors="replace").strip().rpartition("\n")[2].removeprefix("Error: ")
    return (complaint or f"exit code {done.returncode}") if done.returncode else ""


def _say(text: str) -> None:
    sys.stderr.write(f"WARNING ds_app: {text}\n")
    sys.stderr.flush()


_PRODUCT = (sys.executable, "-m", "ds_plugin")
