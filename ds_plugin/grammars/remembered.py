"""Compiled grammars kept on disk: what a grammar is made of in, the grammar out, compiled only where it is not kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ds_engine.errors import SpeechError
from ds_plugin import __version__
from ds_plugin.grammars.binding import bind
from ds_plugin.grammars.cache import keep, kept, key_of
from ds_plugin.grammars.frames import Frame, framed
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.grammars.schema import template_file
from ds_plugin.grammars.stored import FORMAT, frame_in, loaded_in, of_frame, of_loaded
from ds_plugin.spoken import Reading

T = TypeVar("T")


class KeyedReader(Protocol):
    """Turns written into spoken words, as `ds_plugin.spoken.Reader` does."""

    @property
    def key(self) -> str:
        """The same for readers that read alike."""
        ...

    def __call__(self, text: str) -> Reading:
        """How a text is said."""
        ...


def loaded_of(parts: Iterable[str | bytes], reader: KeyedReader, language: str, compiled: Callable[[], Loaded], *, cache: Path) -> Loaded:
    """The grammar that `compiled` makes; `parts` are all that it is made of. Raises as `compiled` does."""

    def restored(stored: Any) -> Loaded:
        frame = frame_in(stored)
        return loaded_in(stored) if frame is None else bind(frame, reader)

    return _remembered(_key(parts, reader, language), compiled, of_loaded, restored, cache)


def frame_of(name: str, templates: Mapping[str, Any], reader: KeyedReader, language: str, *, cache: Path | None = None) -> Frame:
    """The frame of templates that are in no file, whose lists `ds_plugin.grammars.templates.filled` fills. Raises GrammarError."""

    def compiled() -> Frame:
        return framed(name, template_file(templates, language, name), reader, language)

    if cache is None:
        return compiled()
    parts = (name, json.dumps(templates, default=str))
    return _remembered(_key(parts, reader, language), compiled, of_frame, frame_in, cache)


def _remembered(
    key: str, compiled: Callable[[], T], stored: Callable[[T], dict[str, Any]], restored: Callable[[Any], T | None], cache: Path
) -> T:
    with suppress(SpeechError, LookupError, TypeError, ValueError, AttributeError, RecursionError):  # what was kept is no good
        if (found := kept(cache, key)) is not None and (known := restored(found)) is not None:
            return known
    made = compiled()
    keep(cache, key, stored(made))
    return made


def _key(parts: Iterable[str | bytes], reader: KeyedReader, language: str) -> str:
    return key_of([str(FORMAT), __version__, version("hassil"), reader.key, language, *parts])
