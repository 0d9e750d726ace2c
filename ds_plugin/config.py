"""Configuration: named options with values from the command line, `_FILE` variables, the environment and a TOML file.

Earlier sources win. An option `uri` of section `wyoming` is `--uri` on the command line, `DS_PLUGIN_WYOMING_URI` in the
environment, `DS_PLUGIN_WYOMING_URI_FILE` for a file that holds the value (secrets), and `uri` under `[wyoming]` in TOML. Every
error names the key as the user wrote it. An empty variable counts as unset.
"""

from __future__ import annotations

import difflib
import logging
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ds_engine.errors import InputError

PREFIX = "DS_PLUGIN_"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"  # the file itself; no setting
MAX_CONFIG_BYTES = 2**20
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}

_log = logging.getLogger(__name__)

Values = Mapping[str, Any]
Kind = type[str] | type[int] | type[float] | type[bool] | type[list[str]]


class ConfigError(InputError):
    """A setting that does not exist or cannot have this value."""

    code = "bad-config"


@dataclass(frozen=True, slots=True)
class Option:
    """One setting. A list is given as TOML array, or as comma-separated words elsewhere."""

    name: str
    kind: Kind
    default: Any
    help: str


@dataclass(frozen=True, slots=True)
class Schema:
    """All options by section; the section "" holds those at the top."""

    sections: Mapping[str, tuple[Option, ...]]
    partial: bool = False  # there are more sections than these: unknown names are nobody's fault

    def load(
        self,
        path: Path | None = None,
        environment: Mapping[str, str] | None = None,
        arguments: Mapping[tuple[str, str], Any] | None = None,
    ) -> Settings:
        """Reads all sources. Raises ConfigError that names the key and the source at fault."""
        toml = _read_toml(path) if path else {}
        values: dict[tuple[str, str], Any] = {}
        environment = environment or {}
        if not self.partial:
            self._reject_unknown(toml, str(path))
            self._report_unknown(environment)
        for section, option in self._all():
            given = _from_arguments(section, option, arguments or {}) or _from_environment(section, option, environment)
            values[section, option.name] = given[0] if given else _from_toml(section, option, toml)
        return Settings(values)

    def _all(self) -> Iterable[tuple[str, Option]]:
        return ((section, option) for section, options in self.sections.items() for option in options)

    def _reject_unknown(self, toml: Mapping[str, Any], source: str) -> None:
        known = {_key(section, option.name) for section, option in self._all()}
        for name, value in toml.items():
            inside = isinstance(value, dict) and name in self.sections
            for key in [f"{name}.{inner}" for inner in value] if inside else [name]:
                if key not in known:
                    raise ConfigError(f"{source}: unknown setting {key!r}{_hint(key, known)}")

    def _report_unknown(self, environment: Mapping[str, str]) -> None:
        known = {CONFIG_VARIABLE}.union(*(variables(section, options) for section, options in self.sections.items()))
        for name in environment:
            if name.startswith(PREFIX) and name not in known:
                _log.warning("unknown environment variable %s%s", name, _hint(name, known))


@dataclass(frozen=True, slots=True)
class Settings:
    """Every option's value."""

    values: Mapping[tuple[str, str], Any]

    def get(self, name: str, section: str = "") -> Any:
        """The value of one option."""
        return self.values[section, name]

    def section(self, section: str) -> Values:
        """The values of one section by option name."""
        return {name: value for (where, name), value in self.values.items() if where == section}


def variables(section: str, options: Iterable[Option]) -> list[str]:
    """The environment variables of a section, those for files that hold a value among them."""
    return [_variable(section, option) + suffix for option in options for suffix in ("", "_FILE")]


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CONFIG_BYTES + 1)
        if len(data) > MAX_CONFIG_BYTES:
            raise ConfigError(f"{path}: longer than {MAX_CONFIG_BYTES} bytes")
        return tomllib.loads(data.decode())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except ValueError as error:  # tomllib.TOMLDecodeError and UnicodeDecodeError
        raise ConfigError(f"{path}: {error}") from error


def _from_arguments(section: str, option: Option, arguments: Mapping[tuple[str, str], Any]) -> tuple[Any] | None:
    value = arguments.get((section, option.name))
    return None if value is None else (_convert(value, option, "--" + option.name.replace("_", "-")),)


def _from_environment(section: str, option: Option, environment: Mapping[str, str]) -> tuple[Any] | None:
    variable = _variable(section, option)
    if path := environment.get(f"{variable}_FILE"):
        try:
            return (_convert(Path(path).read_text().strip(), option, f"{variable}_FILE"),)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{variable}_FILE: cannot read {path}: {error}") from error
    value = environment.get(variable)
    return (_convert(value, option, variable),) if value else None


def _from_toml(section: str, option: Option, toml: Mapping[str, Any]) -> Any:
    values = toml.get(section, {}) if section else toml
    if not isinstance(values, dict):
        raise ConfigError(f"{section}: must be a table, got {values!r:.60}")
    return _convert(values[option.name], option, _key(section, option.name)) if option.name in values else option.default


def _convert(value: Any, option: Option, key: str) -> Any:
    """Strings are parsed, numbers widen to float; anything else must be of the kind already."""
    kind = option.kind
    try:
        if isinstance(value, str) and kind is not str:
            return _parse(value, kind)
        if kind is float and type(value) is int:
            return float(value)
        if kind == list[str] and isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return list(value)
        if type(value) is kind:
            return value
    except (ValueError, OverflowError):
        pass
    name = "a list of strings" if kind == list[str] else kind.__name__
    raise ConfigError(f"{key} must be {name}, got {value!r:.60}")


def _parse(value: str, kind: Kind) -> Any:
    if kind is bool:
        lowered = value.strip().lower()
        if lowered not in _TRUE | _FALSE:
            raise ValueError(value)
        return lowered in _TRUE
    if kind == list[str]:
        return [item.strip() for item in value.split(",") if item.strip()]
    return kind(value)


def _key(section: str, name: str) -> str:
    return f"{section}.{name}" if section else name


def _variable(section: str, option: Option) -> str:
    return PREFIX + _key(section, option.name).replace(".", "_").upper()


def _hint(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""
