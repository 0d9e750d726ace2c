"""Becoming the server: what is written, what is left out, and what is started."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ds_app.options import Sources
from ds_app.serve import BAD_OPTIONS, Places, main, prepared, usable


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path)
    places.state.mkdir()
    options(places, home_assistant_names=False)
    return places


def options(places: Places, **values: Any) -> None:
    (places.state / "options.json").write_text(json.dumps(values))


def config(places: Places) -> dict[str, Any]:
    return tomllib.loads(places.config.read_text(encoding="utf-8"))


def test_the_process_becomes_the_server_with_its_configuration(places: Places, tmp_path: Path) -> None:
    started: list[tuple[str, list[str], dict[str, str]]] = []
    main(["--root", str(tmp_path)], lambda *call: started.append(call))
    [(program, command, variables)] = started
    assert program == sys.executable
    assert command == [sys.executable, "-m", "ds_plugin", "serve", "wyoming"]
    assert variables["DS_PLUGIN_CONFIG"] == str(places.config)
    assert config(places) == {"models_folder": str(places.share / "models"), "models": ["*"]}


def test_options_that_make_no_sense_are_one_line_and_an_exit_code(
    places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options(places, mode=["hybrid"])
    assert main(["--root", str(tmp_path)], lambda *call: pytest.fail("started")) == BAD_OPTIONS
    assert capsys.readouterr().err == "WARNING ds_app: option mode cannot be ['hybrid']\n"


def test_words_of_the_options_become_a_vocabulary(places: Places) -> None:
    options(places, home_assistant_names=False, words=["snorkelwack", "  Grandma's\n lamp ", "TV = t v", ""])
    prepared(places, {})
    [path] = config(places)["vocabulary"]
    assert Path(path).read_text() == "snorkelwack\nGrandma's lamp\nTV = t v\n"


def test_a_word_that_is_none_is_named_and_the_others_stay(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    options(places, home_assistant_names=False, words=["snorkelwack", "TV =", "a\x00b", "x" * 10_000])
    prepared(places, {})
    [path] = config(places)["vocabulary"]
    assert Path(path).read_text() == "snorkelwack\n"
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(" among the words")[0] for line in said[:2]] == ["WARNING ds_app: 'TV ='", r"WARNING ds_app: 'a\x00b'"]
    assert len(said) == 3


def test_words_that_are_all_none_make_no_vocabulary(places: Places) -> None:
    options(places, home_assistant_names=False, words=["TV ="])
    prepared(places, {})
    assert "vocabulary" not in config(places)


def test_no_words_make_no_vocabulary(places: Places) -> None:
    options(places, home_assistant_names=False, words=["", "  "])
    prepared(places, {})
    assert "vocabulary" not in config(places)


def test_a_share_that_cannot_be_written_is_told_and_the_server_starts(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    (places.root / "share").write_text("no folder")
    prepared(places, {})
    assert config(places) == {"models_folder": str(places.share / "models"), "models": ["*"]}
    assert "the share folder cannot be used" in capsys.readouterr().err


def test_files_that_are_sound_are_read_once_and_all_together() -> None:
    asked: list[Sources] = []
    everything = Sources((Path("a.txt"), Path("b.txt")), (Path("c.yaml"),))
    assert usable(everything, lambda some: asked.append(some) or "") == everything  # type: ignore[func-returns-value]
    assert asked == [everything]


def test_without_files_nothing_is_asked() -> None:
    assert usable(Sources(), lambda some: pytest.fail("asked")) == Sources()


def test_files_that_cannot_be_used_are_left_out_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    bad = {Path("b.txt"), Path("d.yaml")}
    given = Sources((Path("a.txt"), Path("b.txt")), (Path("c.yaml"), Path("d.yaml")))
    left = usable(given, lambda some: "line 3 is wrong" if bad & {*some.vocabulary, *some.grammars} else "")
    assert left == Sources((Path("a.txt"),), (Path("c.yaml"),))
    said = capsys.readouterr().err.splitlines()
    assert [line.split()[2] for line in said] == ["b.txt", "d.yaml"]
    assert all("line 3 is wrong" in line for line in said)


@pytest.mark.process
def test_the_product_itself_judges_the_files(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("vocabulary", "sentences"):
        (places.share / folder).mkdir(parents=True)
    (places.share / "vocabulary" / "good.txt").write_text("snorkelwack\n")
    (places.share / "vocabulary" / "bad.txt").write_bytes(b"\xff\xfe\x00")
    (places.share / "sentences" / "bad.yaml").write_text("intents: [\n")
    prepared(places, {})
    assert config(places)["vocabulary"] == [str(places.share / "vocabulary" / "good.txt")]
    assert "grammars" not in config(places)
    said = capsys.readouterr().err
    assert "bad.txt is left out until the app is restarted:" in said
    assert "bad.yaml, line 2" in said


def test_custom_sentences_are_home_assistants_and_those_in_the_share(places: Places) -> None:
    options(places)
    places.custom_sentences.mkdir(parents=True)
    (places.share / "sentences").mkdir(parents=True)
    (places.share / "sentences" / "party.yaml").write_text("intents: [\n")  # for ds-plugin to tell of
    variables = prepared(places, {"SUPERVISOR_TOKEN": "secret"})
    written = config(places)
    assert written["home_assistant"] == {"custom_sentences": [str(places.custom_sentences), str(places.share / "sentences")]}
    assert "grammars" not in written
    assert "secret" not in places.config.read_text()
    assert variables["DS_PLUGIN_HOME_ASSISTANT_TOKEN"] == "secret"
