"""What was compiled is kept on disk: the same comes back, nothing is compiled twice, and nothing on disk can do harm."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ds_engine.errors import GrammarError
from ds_plugin.grammars.cache import checksum
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.grammars.remembered import frame_of, loaded_of
from ds_plugin.grammars.templates import filled, of_templates
from tests.ds_plugin.grammars.template_helpers import LetterReader, said

TEMPLATES: dict[str, Any] = {
    "language": "en",
    "intents": {
        "Do": {
            "data": [
                {"sentences": ["see <place> [now]", "dim {name} to {percent}", "call {someone}", "ξ"], "slots": {"domain": "light"}},
                {"sentences": ["stop {name}"], "requires_context": {"domain": "cover"}},
            ]
        }
    },
    "lists": {"percent": {"range": {"from": 1, "to": 3}}, "name": {"values": ["lamp"]}, "anything": {"wildcard": True}},
    "expansion_rules": {"place": "(den|hall) [{anything}]"},
    "skip_words": ["please"],
}
LISTS: dict[str, Any] = {"name": ["Fan", {"in": "blind", "context": {"domain": "cover"}}], "someone": ["Zoe"]}


class Telling(LetterReader):
    """A reader that remembers what it was asked, of any key."""

    def __init__(self, key: str = "letters") -> None:
        super().__init__()
        self.key = key
        self.texts: list[str] = []

    def __call__(self, text: str) -> Any:
        self.texts.append(text)
        return super().__call__(text)

    @property
    def compiled(self) -> int:
        """How often templates were compiled."""
        return self.texts.count("stop")


def kept_frame(folder: Path | None, reader: Telling, name: str = "home", language: str = "en", **changes: Any) -> Loaded:
    """The grammar of the templates with the lists."""
    return filled(frame_of(name, TEMPLATES | changes, reader, language, cache=folder), LISTS, reader)


def same(one: Loaded, other: Loaded) -> bool:
    """Whether two grammars are alike in all that they are."""
    graphs = [{name: graph.arcs for name, graph in loaded.grammar.graphs.items()} for loaded in (one, other)]
    facts = [(each.problems, each.unused, each.grammar.name, each.grammar.intents, each.grammar.lists) for each in (one, other)]
    return graphs[0] == graphs[1] and facts[0] == facts[1]


def test_what_comes_from_disk_is_what_was_compiled(tmp_path: Path) -> None:
    reader = Telling()
    plain, cold, warm = (kept_frame(folder, reader) for folder in (None, tmp_path, tmp_path))
    assert same(plain, cold)
    assert same(cold, warm)
    assert reader.compiled == 2
    assert {"please call zoe", "stop blind", "dim fan to two percent"} & said(warm) == {"please call zoe", "stop blind"}


def test_a_frame_does_not_hold_the_households_lists(tmp_path: Path) -> None:
    reader = Telling()
    frame = frame_of("home", TEMPLATES, reader, "en", cache=tmp_path)
    filled(frame, LISTS, reader)
    again = frame_of("home", TEMPLATES, reader, "en", cache=tmp_path)
    assert again.lists == frame.lists
    assert "call zoe" not in said(filled(again, {}, reader))
    assert "stop lamp" in said(filled(again, {}, reader))
    assert not any(b"zoe" in file.read_bytes().lower() for file in tmp_path.iterdir())


@pytest.mark.parametrize(
    "other",
    [
        {"name": "other"},
        {"language": "en-GB"},
        {"reader": Telling("others")},
        {"skip_words": ["kindly"]},
        {"lists": {}},
        {"expansion_rules": {"place": "den"}},
    ],
    ids=lambda other: next(iter(other)),
)
def test_whatever_changes_the_frame_is_another_one(other: dict[str, Any], tmp_path: Path) -> None:
    kept_frame(tmp_path, Telling())
    reader = Telling()
    kept_frame(tmp_path, **{"reader": reader, **other})
    assert other.get("reader", reader).compiled == 1
    assert len(list(tmp_path.iterdir())) == 2


def signed(content: bytes) -> bytes:
    return checksum(content) + b"\n" + content


def changed(change: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    """A file whose check sum fits and whose frame is another."""
    return lambda file: signed(json.dumps({"frame": change(json.loads(file.partition(b"\n")[2])["frame"])}).encode())


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "half": lambda file: file[: len(file) // 2],
    "another byte": lambda file: file[:-3] + b"\0" + file[-2:],
    "no check sum": lambda file: file.partition(b"\n")[2],
    "no JSON": lambda _: signed(b"{"),
    "deep": lambda _: signed(b"[" * 100_000),
    "null": lambda _: signed(b"null"),
    "a number": lambda _: signed(b"5"),
    "a list": lambda _: signed(b"[]"),
    "nothing": lambda _: signed(b"{}"),
    "no sentences": changed(lambda stored: {name: value for name, value in stored.items() if name != "sentences"}),
    "no graphs": changed(lambda stored: {**stored, "graphs": 5}),
    "a label that is none": changed(lambda stored: {**stored, "labels": [[0.0, "Sung", "la"]]}),
    "a rule that is none": changed(lambda stored: {**stored, "rules": {"place": ["(den", "here"]}}),
    "a list of another kind": changed(lambda stored: {**stored, "lists": {"name": ["MoodList", []]}}),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_what_is_broken_on_disk_is_compiled_anew_and_mended(broken: Callable[[bytes], bytes], tmp_path: Path) -> None:
    first = kept_frame(tmp_path, Telling())
    [file] = tmp_path.iterdir()
    sound = file.read_bytes()
    file.write_bytes(broken(sound))
    reader = Telling()
    assert same(kept_frame(tmp_path, reader), first)
    assert reader.compiled == 1
    assert file.read_bytes() == sound


def test_a_folder_that_cannot_be_used_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    reader = Telling()
    assert same(kept_frame(tmp_path / "file", reader), kept_frame(None, reader))
    assert (tmp_path / "file").read_text() == "mine"


def test_templates_that_cannot_be_are_not_kept(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(GrammarError, match="turn \\(on"):
            frame_of("home", {"intents": {"Do": {"data": [{"sentences": ["turn (on"]}]}}}, LetterReader(), "en", cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_grammar_is_compiled_once_for_equal_parts(tmp_path: Path) -> None:
    reader, made = LetterReader(), list[Loaded]()

    def compiled() -> Loaded:
        made.append(of_templates("home", TEMPLATES, reader, "en"))
        return made[-1]

    several: list[list[str | bytes]] = [["a", b"b"], ["a", b"b"], ["ab", b""], ["a", "b"]]
    found = [loaded_of(parts, reader, "en", compiled, cache=tmp_path) for parts in several]
    assert len(made) == 2
    assert all(same(each, made[0]) for each in found)
