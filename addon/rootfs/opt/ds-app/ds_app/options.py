"""The app's options in, ds-plugin's configuration out: a TOML text and, for what is secret, the environment.

Values are data all the way: nothing is ever read by a shell.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HOME_ASSISTANT = "DS_PLUGIN_HOME_ASSISTANT_URI"  # the variable that says where it is
HOME_ASSISTANT_URI = "ws://supervisor/core/websocket"  # the Supervisor passes this on to Home Assistant
MAX_OPTIONS_BYTES = 2**20

# Options that are settings: where each belongs, as section and name. Those that are not set are left to ds-plugin's defaults.
SETTINGS: Mapping[str, tuple[str, str]] = {
    "model": ("", "model"),
    "log_level": ("", "log_level"),
    "mode": ("grammar", "mode"),
    "strictness": ("grammar", "strictness"),
    "endpoint": ("wyoming", "endpoint"),
    "digits": ("normalise", "numbers"),
    "fallback_server": ("wyoming_fallback", "uri"),
}
OTHERS = frozenset({"home_assistant_names", "words"})  # options that are more than one setting

_KINDS: Mapping[str, tuple[type, ...]] = {  # of options that are no texts
    "words": (list,),
    "home_assistant_names": (bool,),
    "digits": (bool,),
    "strictness": (int, float),
}


class OptionsError(Exception):
    """The options cannot be understood. The Supervisor has checked them, so somebody has written the file by hand."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Files of the household's that ds-plugin reads."""

    vocabulary: tuple[Path, ...] = ()
    grammars: tuple[Path, ...] = ()
    custom_sentences: tuple[Path, ...] = ()  # beside Home Assistant's names


@dataclass(frozen=True, slots=True)
class Options:
    """The values of the options, by name; absent and empty ones are not among them. Raises OptionsError for kinds that no option has."""

    values: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.values.items():
            if type(value) not in _KINDS.get(name, (str,)):
                raise OptionsError(f"option {name} cannot be {value!r:.60}")
        if not all(isinstance(word, str) for word in self.words):
            raise OptionsError(f"option words must be a list of texts, got {self.words!r:.60}")

    @classmethod
    def read(cls, path: Path) -> Options:
        """Reads the Supervisor's file. What is no option of ours is left out. Raises OptionsError."""
        try:
            with path.open("rb") as file:
                data = file.read(MAX_OPTIONS_BYTES + 1)
            values = json.loads(data[: MAX_OPTIONS_BYTES + 1]) if len(data) <= MAX_OPTIONS_BYTES else None
        except (OSError, ValueError, RecursionError) as error:
            raise OptionsError(f"{path} cannot be read: {error}") from error
        if not isinstance(values, dict):
            raise OptionsError(f"{path}: one JSON object of at most {MAX_OPTIONS_BYTES} bytes is needed")
        known = SETTINGS.keys() | OTHERS
        return cls({name: value for name, value in values.items() if name in known and value not in (None, "")})

    @property
    def words(self) -> list[str]:
        """The household's words that stand in the options themselves."""
        return list(self.values.get("words", []))

    @property
    def names(self) -> bool:
        """Whether Home Assistant is asked for its names."""
        return bool(self.values.get("home_assistant_names", True))


def configuration(options: Options, models: Path, sources: Sources) -> str:
    """ds-plugin's configuration as TOML, without what is secret. Raises OptionsError where a text cannot be written."""
    sections: dict[str, dict[str, Any]] = {"": {"models_folder": str(models), "models": ["*"]}}
    for name, (section, setting) in SETTINGS.items():
        if name in options.values:
            sections.setdefault(section, {})[setting] = options.values[name]
    for setting, paths in (("vocabulary", sources.vocabulary), ("grammars", sources.grammars)):
        if paths:
            sections[""][setting] = [str(path) for path in paths]
    if sources.custom_sentences:
        sections["home_assistant"] = {"custom_sentences": [str(path) for path in sources.custom_sentences]}
    if "fallback_server" in options.values:
        sections["fallback"] = {"enabled": True}
    return "".join(_lines(sections))


def environment(options: Options, before: Mapping[str, str], config: Path, state: Path) -> dict[str, str]:
    """The server's environment. It gets the Supervisor's token only where it is to ask for names, and writes below `state` only."""
    kept = {name: value for name, value in before.items() if name not in {"SUPERVISOR_TOKEN", "HASSIO_TOKEN"}}
    kept |= {f"XDG_{kind}_HOME": str(state / kind.lower()) for kind in ("CACHE", "STATE", "DATA")}
    kept |= {"DS_PLUGIN_CONFIG": str(config), "PYTHONUNBUFFERED": "1"}
    token = before.get("SUPERVISOR_TOKEN", "")
    if token and options.names:
        kept |= {HOME_ASSISTANT: HOME_ASSISTANT_URI, "DS_PLUGIN_HOME_ASSISTANT_TOKEN": token}
    return kept


def _lines(sections: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for section, values in sections.items():
        if section:
            yield f"\n[{section}]\n"
        for name, value in values.items():
            yield f"{name} = {_toml(value)}\n"


def _toml(value: Any) -> str:
    """A value as TOML writes it: JSON's texts are TOML's, but for the one control character that JSON leaves as it is."""
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, float):
        return repr(value)
    text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise OptionsError(f"no text: {value!r:.60}") from error
    return text
