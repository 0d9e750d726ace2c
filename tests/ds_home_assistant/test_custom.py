"""The household's own sentence files beside Home Assistant's sentences."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ds_engine.grammar.matching import match
from ds_home_assistant.custom import Custom, read_custom, stamp_of
from ds_home_assistant.home import home_of
from ds_home_assistant.intents import templates
from ds_home_assistant.sentences import household_of
from ds_plugin.grammars.templates import of_templates, with_lists
from ds_plugin.vocabulary.source import Sentences
from tests.ds_home_assistant.houses import Thing, area, house
from tests.ds_plugin.vocabulary.households import ENGLISH

PARTY = """language: en
intents:
  Party:
    data:
      - sentences: ['party mode <in> [<the>] {area}', 'glitter (on|at) {name}', 'party on']
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def intents(custom: Custom, tag: str = "en") -> list[str]:
    found: Any = custom.templates(tag, templates(tag))
    return [] if found is None else list(found["intents"])


def test_custom_sentences_use_the_households_names_and_the_builtin_rules(tmp_path: Path) -> None:
    write(tmp_path / "en" / "party.yaml", PARTY)
    home = home_of(house([Thing("light.grandma", "Grandma's Lamp")], areas=[area("k", "Kitchen")]))
    [sentences] = _custom(household_of(home, ["en-GB"], read_custom([tmp_path])).sentences)
    loaded = with_lists(of_templates("custom", sentences.templates, ENGLISH, "en"), sentences.lists, ENGLISH)
    found = {text: match([loaded.grammar], text.split()) for text in ("party on", "glitter on grandma's lamp", "turn on grandma's lamp")}
    assert {text: each and (each.intent, dict(each.slots)) for text, each in found.items()} == {
        "party on": ("Party", {}),
        "glitter on grandma's lamp": ("Party", {"name": "Grandma's Lamp"}),
        "turn on grandma's lamp": None,
    }
    assert match([loaded.grammar], ["party", "mode", "in", "the", "kitchen"]) is not None
    assert sentences.language == "en-GB"


@pytest.mark.parametrize(
    ("file", "text", "english", "german"),
    [
        ("en/party.yaml", PARTY, True, False),
        ("party.yaml", PARTY, True, False),
        ("party.yaml", PARTY.replace("language: en\n", ""), True, True),
        ("de/party.yaml", PARTY.replace("language: en\n", ""), False, True),
        ("de/deep/party.yaml", PARTY.replace("language: en\n", ""), False, True),
        ("de/party.yaml", PARTY, True, False),
    ],
)
def test_a_file_is_of_the_language_that_it_says_or_that_its_folder_is_called(
    tmp_path: Path, file: str, text: str, *, english: bool, german: bool
) -> None:
    write(tmp_path / file, text)
    custom = read_custom([tmp_path])
    assert (intents(custom) == ["Party"], intents(custom, "de") == ["Party"]) == (english, german)


def test_several_files_are_one_and_the_same_intent_may_stand_in_two(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", PARTY)
    write(tmp_path / "b.yaml", PARTY.replace("party on", "more party").replace("Party:", "Disco:"))
    assert intents(read_custom([tmp_path])) == ["Party", "Disco"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("intents: [", "is not YAML"),
        ("intents: []", "intents must be a mapping"),
        ("- party", "must be a mapping"),
        ("", "must be a mapping"),
        ("language: xx\nintents: {}", "language 'xx' is none of Home Assistant's"),
        ("language: 5\nintents: {}", "5"),
        ("intents:\n  Party:\n    data:\n      - sentences: ['party (on']\n", "party (on"),
        (PARTY.replace("'party on'", "7"), "7"),
        ("intents: {Party: {data: {}}}", "must be a list"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_the_others_stay(tmp_path: Path, text: str, message: str) -> None:
    broken = write(tmp_path / "b.yaml", text)
    write(tmp_path / "a.yaml", PARTY)
    custom = read_custom([tmp_path])
    [fault] = custom.faults
    assert str(broken) in fault
    assert message in fault
    assert intents(custom) == ["Party"]


def test_a_file_that_does_not_go_together_with_those_before_is_left_out(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", PARTY + "lists:\n  colour:\n    values: [red]\n")
    write(tmp_path / "b.yaml", "lists:\n  colour:\n    values: [blue]\n  other:\n    wildcard: true\nexpansion_rules: {thing: a}\n")
    write(tmp_path / "c.yaml", "intents: {}\nlists:\n  colour: {range: {from: 1, to: 2}}\n")
    custom = read_custom([tmp_path])
    assert custom.faults == ()
    assert intents(custom) == ["Party"]


def test_what_is_not_there_is_a_fault_and_what_is_empty_is_none(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    custom = read_custom([tmp_path / "gone", tmp_path / "empty"])
    assert custom == Custom((), (f"{tmp_path / 'gone'}: no such file or folder",))
    assert intents(custom) == []


def test_a_stamp_changes_with_files(tmp_path: Path) -> None:
    stamps = [stamp_of([tmp_path])]
    file = write(tmp_path / "a.yaml", PARTY)
    stamps.append(stamp_of([tmp_path]))
    os.utime(file, ns=(1, 1))
    stamps.append(stamp_of([tmp_path]))
    file.unlink()
    assert len(set(stamps)) == 3
    assert stamp_of([tmp_path]) == stamps[0] == ()


def _custom(sentences: tuple[Sentences, ...]) -> list[Sentences]:
    return [each for each in sentences if each.name.startswith("custom")]
