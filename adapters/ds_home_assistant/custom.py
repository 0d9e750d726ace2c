"""The household's own sentences: files as in Home Assistant's `custom_sentences` in, their templates by language out.

Home Assistant tells nobody of these over its WebSocket API, so that the files themselves are named in the settings: its folder, or a
copy of it. A file is of the language that it says, or of the folder that it lies in (`en/lights.yaml`), or of any. As in Home Assistant
it may use the lists and rules of the built-in sentences, and the household's names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ds_engine.errors import GrammarError
from ds_home_assistant.intents import intents_language
from ds_plugin.grammars.schema import template_file
from ds_plugin.grammars.sources import content_of, files_of, merged, parsed
from ds_plugin.vocabulary import stamps
from ds_plugin.vocabulary.stamps import Stamp

MAX_FAULTS = 20  # files that are told of

_SHARED = ("lists", "expansion_rules", "skip_words", "settings")  # what custom sentences have of the built-in ones


@dataclass(frozen=True, slots=True)
class Custom:
    """What files hold."""

    files: tuple[tuple[str, Mapping[str, Any]], ...] = ()  # the language's tag among Home Assistant's, or "" for any; its data
    faults: tuple[str, ...] = ()  # a line for each file that cannot be used, which names it

    def templates(self, tag: str, builtin: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """All sentences of a language, with the lists and rules of the built-in ones; None where there are none."""
        own = [data for language, data in self.files if language in {"", tag}]
        if not own:
            return None
        shared = {key: builtin[key] for key in _SHARED if key in builtin}
        return {**merged([shared, *({key: value for key, value in data.items() if key != "language"} for data in own)]), "language": tag}


def stamp_of(paths: Iterable[Path]) -> Stamp:
    """Another one whenever a file has changed, come or gone."""
    return stamps.stamp_of(file for path in paths for file in _files(path))


def read_custom(paths: Iterable[Path]) -> Custom:
    """Reads all files. One that cannot be used, or does not go together with those before, is a fault, and no more."""
    files: list[tuple[str, Mapping[str, Any]]] = []
    faults: list[str] = []
    for path in paths:
        if not path.exists():
            faults.append(f"{path}: no such file or folder")
        for file in _files(path):
            try:
                language, data = _read(file)
                merged([each for known, each in files if language in {known, ""} or not known] + [data])
                files.append((language, data))
            except GrammarError as error:
                faults.append(str(error))
    return Custom(tuple(files), tuple(faults[:MAX_FAULTS]))


def _files(path: Path) -> list[Path]:
    """Those that there are; an empty folder is no fault: sentences may come later."""
    try:
        return files_of(path) if path.exists() else []
    except (GrammarError, OSError):
        return []


def _read(file: Path) -> tuple[str, Mapping[str, Any]]:
    data = parsed(content_of(file), file)
    template_file(data, "en", str(file))  # whatever its language is: that of numbers
    return next(_languages(data.get("language"), file), ""), data


def _languages(said: Any, file: Path) -> Iterator[str]:
    """What may be its language, the likeliest first."""
    if said is not None:
        tag = intents_language(said) if isinstance(said, str) else None
        if tag is None:
            raise GrammarError(f"{file}: language {said!r:.40} is none of Home Assistant's")
        yield tag
    for folder in file.parents[:2]:
        if (tag := intents_language(folder.name)) is not None and folder.name.lower() == tag.lower():
            yield tag
