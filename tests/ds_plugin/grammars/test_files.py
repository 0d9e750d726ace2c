"""A path in, a grammar out: by its kind, with lines in messages, and from the cache when nothing changed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ds_engine.errors import GrammarError
from ds_plugin.grammars.cache import MAX_FILES, MAX_SECONDS, checksum, keep, kept, key_of
from ds_plugin.grammars.files import load_grammar
from ds_plugin.grammars.templates import with_lists
from tests.ds_plugin.grammars.template_helpers import LetterReader, heard, said

LIGHTS = """\
language: en
intents:
  Light:
    data:
      - sentences:
          - "turn (on|off) [the] <lamp> in {area}['s room]"
          - "dim {lamp:name} to {percent}[%]"
          - "call {someone}"
          - "see {nobody}"
        requires_context:
          domain: light
        slots:
          domain: light
lists:
  area:
    values: [den, "Hall Way"]
  lamp:
    values:
      - in: "big (lamp|light)"
        out: lamp.big
        context: {domain: light}
      - in: fan
        context: {domain: fan}
      - ξ
  percent:
    range: {from: 0, to: 100, step: 10, multiplier: -1}
  someone:
    wildcard: true
expansion_rules:
  lamp: "(small|large|tiny|other) [lamp|light]"
skip_words: [please]
"""

INI = """\
[Light]
turn (on | off){state} the <room> light
room = (den | hall){room}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lights.yaml"
    path.write_text(LIGHTS)
    return path


def test_a_yaml_file_is_a_grammar_of_its_name(file: Path) -> None:
    loaded = load_grammar(file, LetterReader(), "en")
    assert loaded.grammar.name == "lights"
    found = heard(loaded, "please dim big light to twenty percent")
    assert (found.intent, found.sentence) == ("Light", "please dim big light to 20%")
    assert found.slots == {"domain": "light", "name": "lamp.big", "percent": "-20"}
    assert loaded.problems == (
        f"{file}, line 24: the list lamp: 'ξ' is left out, the model cannot write 'ξ'",
        "the list {nobody} is not given: 1 templates are left out",
    )


def test_json_is_as_good_as_yaml(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"intents": {"Go": {"data": [{"sentences": ["go", "ξ"]}]}}}, indent=1))
    loaded = load_grammar(path, LetterReader(), "en")
    assert said(loaded) == {"go"}
    assert loaded.problems[0] == f"{path}, line 8: template 'ξ': 'ξ' is left out, the model cannot write 'ξ'"


def test_a_folder_is_merged(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "1.yaml").write_text('intents: {Go: {data: [{sentences: ["go <to> {place}"]}]}}\nlists: {place: {values: [den]}}')
    (tmp_path / "en" / "2.yml").write_text('intents: {Go: {data: [{sentences: ["run"]}]}}\nlists: {place: {values: [hall]}}')
    (tmp_path / "en" / "3.json").write_text('{"expansion_rules": {"to": "to [the]"}}')
    loaded = load_grammar(tmp_path / "en", LetterReader(), "en")
    assert loaded.grammar.name == "en"
    assert said(loaded) == {"run", *(f"go to {the}{place}" for the in ("", "the ") for place in ("den", "hall"))}


def test_an_error_names_file_line_and_template(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text('intents:\n  Go:\n    data:\n      - sentences:\n          - go\n          - "turn (on"\n')
    with pytest.raises(GrammarError) as caught:
        load_grammar(path, LetterReader(), "en")
    assert str(caught.value).startswith(f"{path}, line 6: template 'turn (on': Unable to find end of group")


@pytest.mark.parametrize("name", ["a.txt", "a", "a.yaml.bak", "missing.yaml", "missing"])
def test_a_path_that_is_no_grammar_is_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(GrammarError) as caught:
        load_grammar(tmp_path / name, LetterReader(), "en")
    assert str(caught.value).startswith(str(tmp_path / name))


@pytest.mark.parametrize("text", ["", "[]", "5", "intents: {}", "x: y", "\x00", "{", "intents: {Go: {data: [{sentences: []}]}}"])
def test_a_file_of_nothing_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(GrammarError):
        load_grammar(path, LetterReader(), "en")


def test_rhasspys_sentences_are_loaded_by_their_own_front_end(tmp_path: Path) -> None:
    (tmp_path / "sentences.ini").write_text(INI)
    for path in (tmp_path / "sentences.ini", tmp_path):
        loaded = load_grammar(path, LetterReader(), "en", cache=tmp_path / "cache")
        again = load_grammar(path, LetterReader(), "en", cache=tmp_path / "cache")
        for found in (loaded, again):
            assert heard(found, "turn on the hall light").slots == {"state": "on", "room": "hall"}
        assert (again.problems, again.grammar.lists, again.grammar.name) == (loaded.problems, loaded.grammar.lists, loaded.grammar.name)


def test_what_was_compiled_is_kept_and_the_same_again(file: Path, tmp_path: Path) -> None:
    folder, reader = tmp_path / "cache" / "grammars", LetterReader()
    first = load_grammar(file, LetterReader(), "en", cache=folder)
    assert len(list(folder.iterdir())) == 1
    again = load_grammar(file, reader, "en", cache=folder)
    assert said(again) == said(first)
    assert (again.problems, again.unused, again.grammar.lists) == (first.problems, first.unused, first.grammar.lists)
    assert {name: graph.arcs for name, graph in again.grammar.graphs.items()} == {
        name: graph.arcs for name, graph in first.grammar.graphs.items()
    }
    names = {"lamp": ["red lamp"], "nobody": ["me"]}
    assert said(with_lists(again, names, reader)) == said(with_lists(first, names, reader))


def test_a_kept_grammar_is_not_compiled_again(file: Path, tmp_path: Path) -> None:
    readers = [LetterReader(), LetterReader()]
    for reader in readers:
        load_grammar(file, reader, "en", cache=tmp_path / "cache")
    assert readers[1].asked < readers[0].asked, "templates were not read again, only the values of lists"


def test_whatever_goes_into_a_grammar_is_in_its_key(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    other = LetterReader()
    other.key = "other letters"
    renamed = file.with_name("others.yaml")
    renamed.write_text(LIGHTS)
    for path, reader, language in (
        (file, LetterReader(), "en"),
        (file, other, "en"),
        (file, LetterReader(), "en-GB"),
        (renamed, LetterReader(), "en"),
    ):
        load_grammar(path, reader, language, cache=folder)
    file.write_text(LIGHTS.replace("den", "loft"))
    assert "turn on the tiny lamp in loft" in said(load_grammar(file, LetterReader(), "en", cache=folder))
    assert len(list(folder.iterdir())) == 5


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"",
        lambda content: content[:-10],
        lambda content: content[:70] + b"x" + content[71:],
        lambda content: b"\xff" + content,
        lambda content: b"[]",
        lambda content: signed(b"[]"),
        lambda content: signed(b"{}"),
        lambda content: signed(b'{"frame": {}}'),
        lambda content: signed(b'{"frame": {"name": 5}}'),
        lambda content: signed(b'{"name": "x", "intents": {}, "labels": [], "graphs": {}, "lists": [], "problems": []}'),
        lambda content: signed(content.partition(b"\n")[2].replace(b"Spoken", b"Eval")),
        lambda content: signed(content.partition(b"\n")[2].replace(b'"labels":[[', b'"labels":[[null,"Skip",""],[')),
        lambda content: signed(b"[" * 100_000),
        lambda content: signed(b"9" * 10_000),
    ],
)
def test_a_broken_or_foreign_file_in_the_cache_is_replaced(file: Path, tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    folder = tmp_path / "cache"
    first = load_grammar(file, LetterReader(), "en", cache=folder)
    (path,) = folder.iterdir()
    content = path.read_bytes()
    path.write_bytes(spoil(content))
    assert said(load_grammar(file, LetterReader(), "en", cache=folder)) == said(first)
    assert path.read_bytes() == content


def signed(content: bytes) -> bytes:
    return checksum(content) + b"\n" + content


def test_a_cache_that_cannot_be_written_does_no_harm(file: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    assert said(load_grammar(file, LetterReader(), "en", cache=blocked))
    assert blocked.read_text() == "a file where the folder should be"


def test_the_cache_keeps_the_files_that_were_used_last(tmp_path: Path) -> None:
    (tmp_path / "somebody's.txt").touch()
    for number in range(MAX_FILES + 5):
        keep(tmp_path, str(number), {"value": number})
        assert kept(tmp_path, "0") == {"value": 0}
    found = {path.name for path in tmp_path.iterdir()}
    assert len(found) == MAX_FILES + 1
    assert "somebody's.txt" in found
    assert kept(tmp_path, "1") is None
    assert kept(tmp_path, str(MAX_FILES + 4)) == {"value": MAX_FILES + 4}


def test_what_was_never_finished_goes_in_the_end(tmp_path: Path) -> None:
    for name, age in (("old", 2 * MAX_SECONDS), ("new", 0)):
        path = tmp_path / f"{name}.grammar.tmp"
        path.touch()
        os.utime(path, (time.time() - age,) * 2)
    keep(tmp_path, "1", 1)
    assert {path.name for path in tmp_path.iterdir()} == {"new.grammar.tmp", "1.grammar.json"}


def test_keys_differ_wherever_parts_differ() -> None:
    parts: list[list[str | bytes]] = [["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], ["c", "ab"], [b"abc", b"\xff"], ["\ud800"], []]
    assert len({key_of(each) for each in parts}) == len(parts)
