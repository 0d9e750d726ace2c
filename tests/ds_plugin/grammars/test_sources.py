"""YAML and JSON of templates: every text knows its line, and nothing broken, huge or clever gets any further."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped,unused-ignore]  # ships no type information
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.errors import GrammarError
from ds_plugin.grammars.places import place_of
from ds_plugin.grammars.sources import MAX_FILE_BYTES, MAX_NESTING, content_of, files_of, merged, parsed

YAML, JSON = Path("a.yaml"), Path("a.json")


def read(text: str | bytes, path: Path = YAML) -> Any:
    return parsed(text.encode() if isinstance(text, str) else text, path)


def test_texts_and_keys_know_their_line() -> None:
    data = read('one:\n  - "two"\n  - three: >\n      four\n      five\n    six: 7\n')
    assert data == {"one": ["two", {"three": "four five\n", "six": 7}]}
    assert [place_of(text, "?") for text in (*data, *data["one"][:1], *data["one"][1], data["one"][1]["three"])] == [
        "a.yaml, line 1",
        "a.yaml, line 2",
        "a.yaml, line 3",
        "a.yaml, line 6",
        "a.yaml, line 3",
    ]


def test_texts_of_json_know_their_line() -> None:
    data = read('{\n "one": ["a\\"b\\n",\n 5,\n "1 x"], "one2":\n\t"{\\u00e9}"}', JSON)
    assert data == {"one": ['a"b\n', 5, "1 x"], "one2": "{é}"}
    assert [place_of(text, "?") for text in (*data, data["one"][0], data["one"][2], data["one2"])] == [
        "a.json, line 2",
        "a.json, line 4",
        "a.json, line 2",
        "a.json, line 4",
        "a.json, line 5",
    ]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc {}\"\\'1", max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(VALUES)
def test_json_is_read_as_python_reads_it(value: Any) -> None:
    for indent in (None, 1):
        assert read(json.dumps(value, indent=indent), JSON) == value


@settings(deadline=None)
@given(VALUES)
def test_yaml_is_read_as_its_own_safe_loader_reads_it(value: Any) -> None:
    text = yaml.safe_dump(value)
    expected = yaml.safe_load(text)
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("a: [b\nc: d", YAML, "a.yaml, line 2: is not YAML: did not find expected ',' or ']'"),
        ("a:\n\t- b", YAML, "a.yaml, line 2: is not YAML"),
        ("a: b\n---\nc: d", YAML, "a.yaml, line 2: is not YAML: but found another document"),
        ("a\0b", YAML, "is not YAML"),
        ("a: b\nc: \xff".encode("latin-1"), YAML, "a.yaml, line 2: is not UTF-8 text"),
        ("a: &x [1]\nb: *x", YAML, "a.yaml, line 2: the alias *x is not allowed here, write it out"),
        ("a: &a [*a]", YAML, "a.yaml, line 1: the alias *a is not allowed here"),
        ("a: b\nc: !!python/object/apply:os.system [ls]", YAML, "a.yaml, line 2: the tag"),
        ("a: b\nc: !include d.yaml", YAML, "a.yaml, line 2: the tag '!include' is not allowed here"),
        ("? [a, b]\n: c", YAML, "a.yaml, line 1: a key must be text"),
        ("[" * 100_000, YAML, f"a.yaml, line 1: nests deeper than {MAX_NESTING} levels"),
        ("- " * 100_000, YAML, f"a.yaml, line 1: nests deeper than {MAX_NESTING} levels"),
        ("a: " + "9" * 10_000, YAML, "a.yaml, line 1: '9999"),
        ("[" * 100_000, JSON, f"a.json: nests deeper than {MAX_NESTING} levels"),
        ("[" * 200 + "]" * 200, JSON, f"a.json: nests deeper than {MAX_NESTING} levels"),
        ('{"a":\n b}', JSON, "a.json, line 2: is not JSON: Expecting value"),
        ("9" * 10_000, JSON, "a.json: cannot be read"),
        ("", JSON, "a.json, line 1: is not JSON"),
    ],
)
def test_a_broken_or_clever_file_is_refused_with_its_line(text: str | bytes, path: Path, message: str) -> None:
    with pytest.raises(GrammarError) as caught:
        read(text, path)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 300


@settings(deadline=None)
@given(st.text("[]{}:-*&!|>\n\t \"'#,?ab1%", max_size=60), st.sampled_from([YAML, JSON]))
def test_any_text_is_a_value_or_a_grammar_error(text: str, path: Path) -> None:
    assert failure(text, path).startswith((str(path), "none"))


def failure(text: str, path: Path) -> str:
    try:
        read(text, path)
    except GrammarError as error:
        return str(error)
    return "none"


def test_an_empty_file_is_nothing() -> None:
    assert read("") is None


def test_a_date_and_a_time_are_text() -> None:
    assert read("a: 2024-01-31\nb: '12:30'") == {"a": "2024-01-31", "b": "12:30"}


def test_files_are_merged_as_home_assistant_merges_them() -> None:
    one = {"language": "en", "intents": {"A": {"data": [1]}}, "lists": {"x": {"values": ["a"]}}, "skip_words": ["p"]}
    two = {"language": "fr", "intents": {"A": {"data": [2]}, "B": {}}, "lists": {"x": {"values": ["b"]}}, "skip_words": ["q"]}
    assert merged([one, two]) == {
        "language": "fr",
        "intents": {"A": {"data": [1, 2]}, "B": {}},
        "lists": {"x": {"values": ["a", "b"]}},
        "skip_words": ["p", "q"],
    }
    assert one["skip_words"] == ["p"]


@pytest.mark.parametrize(("one", "two"), [({"a": []}, {"a": {}}), ({"a": {}}, {"a": 5}), ({"a": 5}, {"a": []}), ({}, []), ({}, None)])
def test_files_that_contradict_each_other_are_refused(one: Any, two: Any) -> None:
    with pytest.raises(GrammarError, match="in one file, and not in another"):
        merged([one, two])


def test_a_file_that_is_too_large_or_not_there_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "a.yaml"
    large.write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    for path, reason in (
        (large, "is larger than"),
        (tmp_path / "b.yaml", "cannot be read: No such file"),
        (tmp_path, "cannot be read: Is a dir"),
    ):
        with pytest.raises(GrammarError, match=reason):
            content_of(path)


def test_a_folder_is_all_of_its_files_in_order(tmp_path: Path) -> None:
    for name in ("b.yaml", "a/z.YML", "c.json", "d.txt", "a.yaml.swp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [str(file.relative_to(tmp_path)) for file in files_of(tmp_path)] == ["a/z.YML", "b.yaml", "c.json"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(GrammarError, match="files of sentence templates are needed, found 0"):
        files_of(tmp_path / "empty")
