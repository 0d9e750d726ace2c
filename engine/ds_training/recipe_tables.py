"""Tables of a recipe: a table of a TOML file in, a frozen dataclass out, or one line that names what is wrong.

A field's annotation says what it takes: bool, int, float, str, Path, another dataclass (a nested table), `X | None`, `tuple[X, ...]`
(an array of any length), `tuple[X, Y]` (an array of that length) and `Mapping[str, Any]` (a table that somebody else reads).
"""

from __future__ import annotations

import difflib
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

Made = TypeVar("Made")


class RecipeError(ValueError):
    """A recipe that cannot be followed: the message names the key, what was got and what is needed."""


def from_table(kind: type[Made], table: Mapping[str, Any], where: str = "", folder: Path | None = None) -> Made:
    """An instance of the dataclass `kind`; `where` names the table, relative paths start at `folder`. Raises RecipeError."""
    types_of, known = typing.get_type_hints(kind), {field.name: field for field in fields(typing.cast("Any", kind)) if field.init}
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise RecipeError(f"{_path(where, key)} is unknown" + (f"; did you mean {near[0]}?" if near else ""))
    for name, field in known.items():
        if name not in table and field.default is MISSING and field.default_factory is MISSING:
            raise RecipeError(f"{_path(where, name)} is missing")
    values = {key: _value(types_of[key], value, _path(where, key), folder) for key, value in table.items()}
    try:
        return kind(**values)
    except RecipeError:
        raise
    except ValueError as error:  # what the dataclass itself says of its values
        raise RecipeError(f"{where}: {error}" if where else str(error)) from error


def _value(wanted: Any, value: Any, where: str, folder: Path | None) -> Any:
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (typing.Union, types.UnionType):
        [inner] = [argument for argument in arguments if argument is not type(None)]
        return _value(inner, value, where, folder)
    if origin is tuple:
        return _array(arguments, value, where, folder)
    if is_dataclass(wanted) and isinstance(wanted, type):
        return from_table(wanted, _checked(Mapping, value, where, "a table"), where, folder)
    if wanted is Path:
        return (folder or Path()) / Path(_checked((str, Path), value, where, "a path")).expanduser()
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return _float(value)
    return _checked(origin or wanted, value, where, _NAMES.get(origin or wanted, "another kind of value"))


_NAMES: Mapping[Any, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", Mapping: "a table"}


def _array(arguments: tuple[Any, ...], value: Any, where: str, folder: Path | None) -> tuple[Any, ...]:
    items = _checked(list, list(value) if isinstance(value, tuple) else value, where, "an array")
    each = (arguments[0],) * len(items) if arguments[-1] is Ellipsis else arguments
    if len(items) != len(each):
        raise RecipeError(f"{where} needs {len(each)} values, got {len(items)}")
    return tuple(_value(kind, item, f"{where}[{index}]", folder) for index, (kind, item) in enumerate(zip(each, items, strict=True)))


def _checked(kind: Any, value: Any, where: str, needed: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise RecipeError(f"{where} needs {needed}, got {value!r}")
    return value


def _float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:  # beyond all floats: out of any range
        return math.inf if value > 0 else -math.inf


def _path(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key
