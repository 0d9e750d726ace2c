"""Home Assistant's sentence templates: the data of a file in, a checked grammar out, whose lists can be exchanged.

records    schema     what the file says, every template parsed
frame      frames     word graphs of all sentences (walk, rules), lists still open
grammar    binding    lists filled in (lists, joined, ranges), the rest left out (compact)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from ds_engine.errors import GrammarError
from ds_plugin.grammars.binding import Bound, bind
from ds_plugin.grammars.frames import Frame, framed
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.grammars.readings import Read
from ds_plugin.grammars.schema import MAX_VALUES, TextList, template_file, value_of


def of_templates(name: str, data: Mapping[str, Any], reader: Read, language: str, where: str = "") -> Loaded:
    """The grammar of `data`, which is what a file of custom sentences or `home_assistant_intents.get_intents` holds.

    `reader` turns written into spoken words; `language` (a BCP 47 tag) is that of numbers. `where` is named in messages for texts that
    do not know their own place (see `ds_plugin.grammars.sources`). Templates that mention a list which is not there are left out until
    `with_lists` brings it. Raises GrammarError, which names the place and the template.
    """
    return bind(framed(name, template_file(data, language, where or name), reader, language), reader)


def with_lists(loaded: Loaded, lists: Mapping[str, Iterable[str | Mapping[str, Any]]], reader: Read) -> Loaded:
    """The grammar with other values for some lists, such as the names of a household; sentences are not compiled again.

    A value is plain text (brackets mean nothing in it), or a mapping with `in`, and perhaps `out` and `context`. Of a list without values
    there is nothing here. Raises GrammarError for a grammar that was not loaded from templates, for values that are no such, for more
    than MAX_VALUES, and where nothing can be said any more.
    """
    if loaded.bound is None:
        raise GrammarError(f"grammar {loaded.grammar.name!r:.60} has no lists that can be exchanged")
    return filled(loaded.bound.frame, lists, reader, loaded.bound)


def filled(frame: Frame, lists: Mapping[str, Iterable[str | Mapping[str, Any]]], reader: Read, before: Bound | None = None) -> Loaded:
    """The grammar of a frame with these values for its lists; `before` is what became of it with others. See `with_lists`."""
    specs = {name: _list(name, values) for name, values in lists.items()}
    kept = {name: old for name, new in specs.items() if (old := frame.lists.get(name)) == new}
    return bind(replace(frame, lists={**frame.lists, **specs, **kept}), reader, before)


def _list(name: str, values: Iterable[str | Mapping[str, Any]]) -> TextList:
    some = list(islice(values, MAX_VALUES + 1))
    if len(some) > MAX_VALUES:
        raise GrammarError(f"the list {name}: has more than {MAX_VALUES} values")
    return TextList(tuple(value_of(value, name, f"the list {name}", templates=False) for value in some))
