"""Everything that a small grammar says, by walking each of its paths: slow, simple, and independent of the search and of matching."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ds_engine.grammar.graph import FINAL, START, Begin, Call, End, Grammar, Label, Skip, Spoken
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.grammars.sentences_ini import of_sentences
from ds_plugin.spoken import Reading

Slots = tuple[tuple[str, str], ...]


class Said(NamedTuple):
    intent: str
    spoken: str
    written: str
    slots: Slots  # in the order of their ends


def read(text: str) -> Reading:
    """Says what is written in a-z and apostrophes; é is read as e, punctuation is not said, anything else is lost."""
    plain = "".join(character for character in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(character))
    spoken = re.sub(r"[^a-z' ]", "", plain)
    return Reading(spoken, lost="".join(sorted(set(re.sub(r"[a-z' .,?;-]", "", plain)))))


def load(ini: str, slots: Mapping[str, Sequence[str]] | None = None, language: str = "en") -> Loaded:
    return of_sentences("test", {"sentences.ini": ini}, slots or {}, read, language)


def everything(grammar: Grammar) -> set[Said]:
    return {
        Said(intent, " ".join(spoken), written, slots)
        for intent, graph in grammar.intents.items()
        for spoken, written, slots in map(_meaning, _paths(grammar, graph))
    }


def sentences(ini: str, slots: Mapping[str, Sequence[str]] | None = None) -> dict[str, tuple[str, dict[str, str]]]:
    """What one says with a single intent: spoken -> written, slots."""
    return {said.spoken: (said.written, dict(said.slots)) for said in everything(load(ini, slots).grammar)}


def _paths(grammar: Grammar, graph: str, node: int = START) -> Iterator[tuple[Label, ...]]:
    if node == FINAL:
        yield ()
        return
    for arc in grammar.graphs[graph].arcs[node]:
        inside = _paths(grammar, arc.label.graph) if isinstance(arc.label, Call) else [(arc.label,)]
        for labels in inside:
            for rest in _paths(grammar, graph, arc.target):
                yield labels + rest


def _meaning(labels: Sequence[Label]) -> tuple[list[str], str, Slots]:
    spoken: list[str] = []
    written: list[str] = []
    open_slots: list[tuple[str, int]] = []
    slots: list[tuple[str, str]] = []
    for label in labels:
        match label:
            case Spoken(word, text):
                spoken.append(word)
                written += (word if text is None else text).split()
            case Skip(text):
                written += text.split()
            case Begin(slot):
                open_slots.append((slot, len(written)))
            case End(value):
                slot, start = open_slots.pop()
                slots.append((slot, " ".join(written[start:]) if value is None else value))
            case _:
                raise AssertionError(label)
    assert not open_slots
    return spoken, " ".join(written), tuple(slots)
