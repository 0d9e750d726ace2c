"""A path in, a grammar out: sentence templates (.yaml, .yml, .json, or a folder of them), or Rhasspy's sentences (.ini, or a profile)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ds_engine.errors import GrammarError
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.grammars.remembered import KeyedReader, loaded_of
from ds_plugin.grammars.sources import JSON_SUFFIX, YAML_SUFFIXES, content_of, files_of, merged, parsed
from ds_plugin.grammars.templates import of_templates

MAX_BYTES = 32_000_000  # of all files of a grammar
INI_SUFFIX = ".ini"
PROFILE_FILE, INTENTS, SLOTS = "sentences.ini", "intents", "slots"  # of a Rhasspy profile


def load_grammar(path: Path, reader: KeyedReader, language: str, *, cache: Path | None = None) -> Loaded:
    """The grammar of a file or folder, named after it. What was compiled is kept in the folder `cache`, if there is one.

    `language` is a BCP 47 tag. Raises GrammarError for a path that is not there or of another kind, and for what cannot become a grammar;
    it names the file and, where it can, line and template.
    """
    contents = _contents(path)
    if cache is None:
        return _compiled(path, contents, reader, language)
    parts = [str(path), *(part for file, content in contents.items() for part in (str(file), content))]
    return loaded_of(parts, reader, language, lambda: _compiled(path, contents, reader, language), cache=cache)


def _is_ini(path: Path) -> bool:
    return path.suffix.lower() == INI_SUFFIX or (path / PROFILE_FILE).is_file() or any((path / INTENTS).rglob(f"*{INI_SUFFIX}"))


def _profile_files(path: Path) -> list[Path]:
    """All that a profile's grammar is made of: whether it is used is for whoever reads it to say."""
    folder = path if path.is_dir() else path.parent
    main = folder / PROFILE_FILE if path.is_dir() else path
    found = [*sorted((folder / INTENTS).rglob(f"*{INI_SUFFIX}")), *sorted((folder / SLOTS).rglob("*"))]
    return [file for file in (main, *found) if file.is_file() or file == path]


def _contents(path: Path) -> dict[Path, bytes]:
    """All that a grammar is made of."""
    if not path.is_dir() and path.suffix.lower() not in {*YAML_SUFFIXES, JSON_SUFFIX, INI_SUFFIX}:
        raise GrammarError(f"{path}: a grammar is a file {', '.join((*YAML_SUFFIXES, JSON_SUFFIX, INI_SUFFIX))}, or a folder of such")
    contents: dict[Path, bytes] = {}
    for file in _profile_files(path) if _is_ini(path) else files_of(path):
        contents[file] = content_of(file)
        if sum(map(len, contents.values())) > MAX_BYTES:
            raise GrammarError(f"{path}: its files are larger than {MAX_BYTES} bytes together")
    return contents


def _compiled(path: Path, contents: Mapping[Path, bytes], reader: KeyedReader, language: str) -> Loaded:
    if _is_ini(path):
        from ds_plugin.grammars.sentences_ini import load_ini

        return load_ini(path, reader, language)
    data = merged([parsed(content, file) for file, content in contents.items()])
    return of_templates(path.stem, data, reader, language, str(path))
