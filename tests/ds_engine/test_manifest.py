from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.alphabet import BoundaryRule
from ds_engine.errors import BundleError
from ds_engine.manifest import MAX_FILE_BYTES, MAX_MANIFEST_BYTES, Manifest, Section
from tests.ds_engine import bundles

Json = dict[str, Any]
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**400), 10**400) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def right() -> Json:
    return bundles.manifest({"model.onnx": b"model"})


def paths(tree: Json, start: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for key, value in tree.items():
        found.append((*start, key))
        if isinstance(value, dict):
            found += paths(value, (*start, key))
    return found


def parent(tree: Json, path: tuple[str, ...]) -> Json:
    for key in path[:-1]:
        tree = tree[key]
    return tree


def parse(tree: Json) -> Manifest:
    return Manifest.parse(json.dumps(tree).encode())


PATHS = st.sampled_from(paths(right()))


def test_a_right_manifest_is_read_whole() -> None:
    manifest = parse(right())
    assert (manifest.name, manifest.version, manifest.language, manifest.family) == ("toy", "1", "en", "native")
    assert manifest.alphabet.symbols == bundles.SYMBOLS
    assert manifest.alphabet.boundary.rule is BoundaryRule.SEPARATOR
    assert manifest.files["model.onnx"].size == 5
    assert manifest.acoustic.section("features").path == "acoustic.features."


@settings(max_examples=150, deadline=None)
@given(path=PATHS, value=values)
def test_any_value_anywhere_is_read_or_refused_with_a_bundle_error(path: tuple[str, ...], value: Any) -> None:
    tree = right()
    parent(tree, path)[path[-1]] = value
    try:
        parse(tree)
    except BundleError as error:
        assert str(error)  # noqa: PT017 - most values are refused, some pass


@pytest.mark.parametrize("path", [path for path in paths(right()) if path[0] not in {"acoustic", "calibration"} or len(path) == 1])
def test_a_missing_key_is_named(path: tuple[str, ...]) -> None:
    tree = right()
    del parent(tree, path)[path[-1]]
    if path in {("files", "model.onnx"), ("alphabet", "boundary", "symbol")}:
        return
    with pytest.raises(BundleError, match=path[-1]):
        parse(tree)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | values.map(lambda value: json.dumps(value).encode()))
def test_arbitrary_bytes_are_refused_with_a_bundle_error(data: bytes) -> None:
    with pytest.raises(BundleError):
        Manifest.parse(data)


@settings(max_examples=150, deadline=None)
@given(tree=st.dictionaries(st.just("key"), values), kind=st.sampled_from([int, float, str, bool, list, dict]))
def test_a_section_gives_the_kind_asked_for_or_a_bundle_error(tree: Json, kind: type) -> None:
    section = Section(tree, "here.")
    readers: list[Callable[[], Any]] = [
        lambda: section.get("key", kind),
        lambda: section.positive("key"),
        lambda: section.section("key"),
        lambda: section.strings("key"),
        lambda: section.integers("key"),
    ]
    for reader in readers:
        try:
            reader()
        except BundleError as error:
            assert "here.key" in str(error)  # noqa: PT017 - most values pass


def test_an_integer_passes_as_float_and_a_boolean_never_as_integer() -> None:
    assert Section({"a": 2}).get("a", float) == 2.0
    assert Section({}).get("a", bool, False) is False
    with pytest.raises(BundleError, match="a must be int"):
        Section({"a": True}).get("a", int)
    with pytest.raises(BundleError, match="a must be float"):
        Section({"a": 10**400}).get("a", float)


@pytest.mark.parametrize("depth", [100_000])
def test_bottomless_json_is_refused(depth: int) -> None:
    with pytest.raises(BundleError, match="not JSON"):
        Manifest.parse(b"[" * depth)


def test_an_endless_manifest_is_refused_unread() -> None:
    with pytest.raises(BundleError, match="at most"):
        Manifest.parse(b" " * (MAX_MANIFEST_BYTES + 1))


@pytest.mark.parametrize("name", ["", ".", "..", "../model.onnx", "a/b", "a\\b", "a\0b", "\ud800", "a\nb"])
def test_a_file_must_have_a_plain_name(name: str) -> None:
    tree = right()
    tree["files"][name] = tree["files"]["model.onnx"]
    with pytest.raises(BundleError, match="not a plain file name"):
        parse(tree)


@pytest.mark.parametrize("size", [-1, MAX_FILE_BYTES + 1, 10**30])
def test_a_file_must_have_a_possible_size(size: int) -> None:
    tree = right()
    tree["files"]["model.onnx"]["bytes"] = size
    with pytest.raises(BundleError, match=r"files\.model\.onnx\.bytes must lie in"):
        parse(tree)


@pytest.mark.parametrize(("key", "value", "told"), [("format", 2, "format must be 1, got 2"), ("rule", "odd", "rule is unknown: 'odd'")])
def test_an_unknown_format_or_boundary_rule_is_refused(key: str, value: Any, told: str) -> None:
    tree = right()
    (tree if key == "format" else tree["alphabet"]["boundary"])[key] = value
    with pytest.raises(BundleError, match=told):
        parse(tree)
