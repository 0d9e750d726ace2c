"""A Rhasspy profile's files, as they lie in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds_engine.errors import GrammarError
from ds_plugin.grammars.ini_files import MAX_FILE_BYTES
from ds_plugin.grammars.sentences_ini import load_ini
from tests.ds_plugin.grammars.ini_said import everything, read


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    write(tmp_path, "sentences.ini", "[Light]\nstate = (on | off){state}\nturn $home/lamps <state>\n")
    write(tmp_path, "slots/home/lamps", "the lamp:lamp_1\n\n[the] heater:heater_1\n")
    return tmp_path / "sentences.ini"


def write(folder: Path, name: str, text: str | bytes) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())


def said(path: Path) -> set[str]:
    return {each.spoken for each in everything(load_ini(path, read, "en").grammar)}


def refusal(path: Path) -> str:
    with pytest.raises(GrammarError) as caught:
        load_ini(path, read, "en")
    return str(caught.value)


def test_slots_lie_beside_the_sentences(profile: Path) -> None:
    loaded = load_ini(profile, read, "en")

    assert loaded.grammar.name == "sentences"
    assert loaded.problems == ()
    assert ("turn the heater on", "turn the heater_1 on", (("state", "on"),)) in {each[1:] for each in everything(loaded.grammar)}


def test_a_folder_is_its_sentences(profile: Path) -> None:
    assert said(profile.parent) == said(profile)


def test_further_intents_share_rules_with_the_sentences(profile: Path) -> None:
    write(profile.parent, "intents/fan.ini", "[Fan]\nfan <Light.state>\n")
    write(profile.parent, "intents/more/fan.ini", "[Fan]\nfan faster\n[Light]\nlight\n")
    write(profile.parent, "intents/notes.txt", "this is no intent")

    assert {"fan on", "fan off", "fan faster", "light", "turn the lamp on"} <= said(profile)


def test_intents_alone_are_enough_for_a_folder(tmp_path: Path) -> None:
    write(tmp_path, "intents/fan.ini", "[Fan]\nfan\n")

    assert said(tmp_path) == {"fan"}
    assert "sentences.ini: No such file" in refusal(tmp_path / "sentences.ini")


def test_a_folder_without_sentences_is_refused(tmp_path: Path) -> None:
    assert "a Rhasspy profile needs sentences.ini or intents/*.ini, and has neither" in refusal(tmp_path)
    assert "No such file" in refusal(tmp_path / "nowhere" / "sentences.ini")


def test_errors_name_the_file_from_the_profile(profile: Path) -> None:
    write(profile.parent, "intents/fan.ini", "[Fan]\n\nfan (\n")

    assert refusal(profile).startswith("intents/fan.ini, line 3: template 'fan (': column 5:")


def test_errors_in_a_slot_name_its_file(profile: Path) -> None:
    write(profile.parent, "slots/home/lamps", "a\n\n(b\n")

    assert refusal(profile).startswith("slots/home/lamps, line 3: template '(b': column 1:")


def test_a_slot_without_a_file_is_refused(profile: Path) -> None:
    write(profile.parent, "intents/fan.ini", "[Fan]\n$rhasspy/days\n")

    assert "$rhasspy/days stands for nothing: there is no file slots/rhasspy/days" in refusal(profile)


def test_a_slot_program_is_refused_and_never_run(profile: Path) -> None:
    trace = profile.parent / "trace"
    write(profile.parent, "intents/fan.ini", "[Fan]\n$days,en\n")
    write(profile.parent, "slot_programs/days", f"#!/bin/sh\ntouch {trace}\n")
    (profile.parent / "slot_programs/days").chmod(0o755)

    assert "slot_programs/days is a program, which is not run: keep the lines that it writes in slots/days,en" in refusal(profile)
    assert not trace.exists()

    write(profile.parent, "slots/days,en", "monday\n")
    assert "monday" in said(profile)


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/hostname", "home/../../secret", "home\\lamps", "x" * 300, "home", "home/lamps/x", "a\0b"]
)
def test_a_slot_stays_in_its_folder(profile: Path, name: str) -> None:
    write(profile.parent, "secret", "word")
    write(profile.parent, "intents/fan.ini", f"[Fan]\n${name}\n")

    assert "stands for nothing" in refusal(profile)


def test_a_broken_slot_that_nobody_needs_is_not_read(profile: Path) -> None:
    write(profile.parent, "slots/other", b"\xff(")

    assert "turn the lamp on" in said(profile)


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"[I]\nM\xfcsli\n", "not a text in UTF-8"), (b"#" * (MAX_FILE_BYTES + 1), f"larger than {MAX_FILE_BYTES} bytes")],
)
def test_a_file_that_cannot_be_read_is_named(profile: Path, data: bytes, why: str) -> None:
    profile.write_bytes(data)

    assert refusal(profile).startswith(f"{profile}: {why}")


def test_windows_files_are_read(profile: Path) -> None:
    profile.write_bytes(b"\xef\xbb\xbf[I]\r\nr = (a |\r\n  b)\r\n<r> $home/lamps\r\n")
    write(profile.parent, "slots/home/lamps", b"\xef\xbb\xbfc\r\nd\r\n")

    assert said(profile) == {"a c", "a d", "b c", "b d"}
