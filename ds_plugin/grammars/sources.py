"""Files of sentence templates: YAML or JSON in, plain values out, whose texts and keys know the line where they stand.

Nothing is executed, and nothing grows while it is read: tags of one's own and aliases (which a few lines can multiply into
gigabytes) are refused, and so is what nests deeper than any template file does.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped,unused-ignore]  # ships no type information

from ds_engine.errors import GrammarError
from ds_plugin.grammars.places import Placed, place_of

MAX_FILE_BYTES = 8_000_000  # of one file; Home Assistant's largest language has 0.4 million
MAX_FILES = 1000  # in a folder
MAX_NESTING = 100  # of mappings and lists; the C parser's recursion overflows the stack where there is no such limit
YAML_SUFFIXES, JSON_SUFFIX = (".yaml", ".yml"), ".json"

_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXTS = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:merge", "tag:yaml.org,2002:value"}
_OTHERS = {f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null")}


def files_of(path: Path) -> list[Path]:
    """The file itself, or a folder's template files at any depth, in the order of their names.

    Raises GrammarError for a folder without any, and one with more than MAX_FILES.
    """
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in {*YAML_SUFFIXES, JSON_SUFFIX} and file.is_file())
    if not 0 < len(found) <= MAX_FILES:
        raise GrammarError(f"{path}: 1 to {MAX_FILES} files of sentence templates are needed, found {len(found)}")
    return found


def content_of(path: Path) -> bytes:
    """What a file holds. Raises GrammarError for one that cannot be read or is larger than MAX_FILE_BYTES."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise GrammarError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > MAX_FILE_BYTES:
        raise GrammarError(f"{path}: is larger than {MAX_FILE_BYTES} bytes")
    return content


def parsed(content: bytes, path: Path) -> Any:
    """The value that a file's content stands for. Raises GrammarError, which names the file and, where it can, the line."""
    try:
        text = content.decode("utf-8-sig")
        return _json(text, str(path)) if path.suffix.lower() == JSON_SUFFIX else _yaml(text, str(path))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise GrammarError(f"{path}, line {line}: is not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise GrammarError(f"{path}, line {error.lineno}: is not JSON: {error.msg}") from error
    except yaml.YAMLError as error:
        raise GrammarError(_yaml_fault(error, path)) from error
    except ValueError as error:  # such as a number of ten thousand digits
        raise GrammarError(f"{path}: cannot be read: {error}") from error
    except RecursionError as error:
        raise GrammarError(f"{path}: nests deeper than {MAX_NESTING} levels") from error


def merged(values: list[Any]) -> Any:
    """Several files' values as one, as Home Assistant merges them: mappings and lists grow, the last of other values wins.

    Raises GrammarError, which names the place, where one is a mapping or a list and the other is not.
    """
    first, *others = values
    for other in others:
        first = _merged(first, other, "the whole file")
    return first


def _merged(one: Any, other: Any, what: str) -> Any:
    for kind, name in ((dict, "a mapping"), (list, "a list")):
        if isinstance(one, kind) != isinstance(other, kind):
            raise GrammarError(f"{place_of(what, what)}: {what} is {name} in one file, and not in another")
    if isinstance(one, list):
        return one + other
    if not isinstance(one, dict):
        return other
    return {**one, **{key: _merged(one[key], value, key) if key in one else value for key, value in other.items()}}


def _yaml(text: str, name: str) -> Any:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        line = event.start_mark.line + 1
        if depth > MAX_NESTING:
            raise GrammarError(f"{name}, line {line}: nests deeper than {MAX_NESTING} levels")
        if isinstance(event, yaml.AliasEvent):
            raise GrammarError(f"{name}, line {line}: the alias *{event.anchor} is not allowed here, write it out")
    return _value(yaml.compose(text, Loader=_LOADER), name)


def _value(node: Any, name: str) -> Any:
    if node is None:
        return None
    place = f"{name}, line {node.start_mark.line + 1}"
    if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
        return {_key(key, name): _value(value, name) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
        return [_value(item, name) for item in node.value]
    if node.tag in _TEXTS:
        return Placed(node.value, place)
    if node.tag not in _OTHERS:
        raise GrammarError(f"{place}: the tag {node.tag!r:.60} is not allowed here")
    try:
        return yaml.safe_load(node.value)
    except ValueError as error:  # such as a number of ten thousand digits
        raise GrammarError(f"{place}: {node.value!r:.40} cannot be read: {error}") from error


def _key(node: Any, name: str) -> Placed:
    if not isinstance(node, yaml.ScalarNode):
        raise GrammarError(f"{name}, line {node.start_mark.line + 1}: a key must be text")
    return Placed(node.value, f"{name}, line {node.start_mark.line + 1}")


def _yaml_fault(error: yaml.YAMLError, path: Path) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = f", line {mark.line + 1}" if mark is not None else ""
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or type(error).__name__
    return f"{path}{line}: is not YAML: {reason}"


def _json(text: str, name: str) -> Any:
    """Read twice: as it is, so that faults are told of where they are, and with the line of each text written into it."""
    json.loads(text)
    lines = [found.start() for found in re.finditer("\n", text)]
    numbered = _JSON_TEXT.sub(lambda found: f'"{bisect_right(lines, found.start()) + 1} {found[0][1:]}', text)
    return _unnumbered(json.loads(numbered), name)


def _unnumbered(value: Any, name: str, depth: int = 0) -> Any:
    if depth > MAX_NESTING:
        raise GrammarError(f"{name}: nests deeper than {MAX_NESTING} levels")
    if isinstance(value, dict):
        return {_unnumbered(key, name, depth): _unnumbered(item, name, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_unnumbered(item, name, depth + 1) for item in value]
    if isinstance(value, str):
        line, _, text = value.partition(" ")
        return Placed(text, f"{name}, line {line}")
    return value
