"""Rhasspy's sentences.ini: a profile's files, or the texts that Rhasspy's train message carries, in; a checked grammar out.

    entries      ini_sections    lines of the files by intent: sentences, rules
    definitions  ini_names       what the sentences need, parsed (ini_parser) and found: rules, slots (ini_files)
    sayable      ini_spoken      the same without what the acoustic model's alphabet cannot write
    graphs       ini_graph       word graphs, with converters (ini_converters) applied to what they write

docs/reference/grammars.md says what of Rhasspy's template language is supported, and what is done otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ds_engine.errors import GrammarError
from ds_engine.grammar.builder import grammar
from ds_plugin.grammars.ini_files import ini_texts, profile_folder, slots_of_folder, slots_of_mapping
from ds_plugin.grammars.ini_graph import Graphs
from ds_plugin.grammars.ini_names import FindSlot, Names
from ds_plugin.grammars.ini_sections import entries
from ds_plugin.grammars.ini_spoken import Voice, sayable
from ds_plugin.grammars.ini_template import Problems
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.spoken import Reading


def load_ini(path: Path, reader: Callable[[str], Reading], language: str) -> Loaded:
    """The grammar of a Rhasspy profile: its sentences.ini (`path`, or below that folder), intents/*.ini and slots/ beside it.

    `reader` says how a written text is spoken, `language` is that of the numbers. The grammar is named after the file or folder.
    Raises GrammarError for files that cannot be read and for what `of_sentences` raises it for.
    """
    return _loaded(path.stem, ini_texts(path), slots_of_folder(profile_folder(path)), Voice(reader, language))


def of_sentences(
    name: str, sections: Mapping[str, str], slots: Mapping[str, Sequence[str]], reader: Callable[[str], Reading], language: str
) -> Loaded:
    """The grammar of texts in memory: `sections` by file as in `intents/lights.ini`, `slots` by name as in `$color`.

    Raises GrammarError, which names file, line and template, for an ini that is broken, a template with brackets that do not match
    or with a limit exceeded, a rule, slot or converter that is not there, rules that lead in a circle, a converter on a text that it does
    not take, and where nothing can be said.
    """
    return _loaded(name, sections, slots_of_mapping(slots), Voice(reader, language))


def _loaded(name: str, texts: Mapping[str, str], find_slot: FindSlot, voice: Voice) -> Loaded:
    names, problems = Names(), Problems()
    for file, text in texts.items():
        names.add(entries(file, text), problems)
    if not names.sentences:
        raise GrammarError(f"{name}: no sentences in {', '.join(texts) or 'no files'}")
    definitions = sayable(names.definitions(find_slot), voice, problems)
    intents = {intent: f"[{intent}]" for intent in names.sentences if f"[{intent}]" in definitions}
    if not intents:
        raise GrammarError(f"{name}: no sentence can be said; {problems.told()[0]}")
    graphs = Graphs(definitions, voice, problems)
    graphs.build(intents.values())
    return Loaded(grammar(name, intents, graphs.graphs, graphs.lists), problems.told())
