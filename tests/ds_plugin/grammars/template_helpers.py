"""A reader that knows letters and two symbols, and all that a grammar says, written out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from ds_engine.grammar.graph import FINAL, START, Call, Grammar, Spoken, Wildcard
from ds_engine.grammar.matching import match
from ds_engine.transcript import Match
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.grammars.templates import of_templates
from ds_plugin.spoken import Reading

SYMBOLS = {"%": " percent ", "°": " degrees "}
WILD = "*"  # what a wildcard says


class LetterReader:
    """Lower case; punctuation parts words; digits and Greek cannot be written."""

    key = "letters"

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, text: str) -> Reading:
        self.asked += 1
        lost = dict.fromkeys(character for character in text if self._is_lost(character))
        kept = "".join(SYMBOLS.get(c, c if c.isalpha() or c == "'" else " ") for c in text.lower() if c not in lost)
        return Reading(" ".join(kept.split()), (), "".join(lost))

    def _is_lost(self, character: str) -> bool:
        picture = unicodedata.category(character) == "So" and character not in SYMBOLS
        return character.isdigit() or picture or "GREEK" in unicodedata.name(character, "")


def of(*sentences: str, lists: Mapping[str, Any] | None = None, **more: Any) -> Loaded:
    """The grammar of one intent. Keys of a block go to the block, others to the file."""
    block = {key: more.pop(key) for key in ("slots", "requires_context", "excludes_context") if key in more}
    data: dict[str, Any] = {
        "language": "en",
        "intents": {"Do": {"data": [{"sentences": [*sentences], **block}]}},
        "lists": lists or {},
        **more,
    }
    return of_templates("test", data, LetterReader(), "en", "test.yaml")


def values(*given: Any) -> dict[str, Any]:
    """A list of a file."""
    return {"values": [*given]}


def said(loaded: Loaded) -> set[str]:
    """Every sentence of a grammar; a wildcard says WILD."""
    return {sentence for graph in loaded.grammar.intents.values() for sentence in _said(loaded.grammar, graph)}


def heard(loaded: Loaded, sentence: str) -> Match:
    """What a sentence is, which the grammar must know."""
    found = match([loaded.grammar], sentence.split())
    assert found is not None, sentence
    return found


def is_said(loaded: Loaded, sentence: str) -> bool:
    """Whether the grammar knows a sentence."""
    return match([loaded.grammar], sentence.split()) is not None


def paths(grammar: Grammar, graph: str) -> int:
    """How many paths a graph has, those of the graphs that it calls included."""
    counts: dict[int, int] = {FINAL: 1}

    def count(node: int) -> int:
        if node not in counts:
            counts[node] = sum(
                (paths(grammar, arc.label.graph) if isinstance(arc.label, Call) else 1) * count(arc.target)
                for arc in grammar.graphs[graph].arcs[node]
            )
        return counts[node]

    return count(START)


def _said(grammar: Grammar, graph: str, node: int = START) -> Iterator[str]:
    if node == FINAL:
        yield ""
    for arc in grammar.graphs[graph].arcs[node]:
        match arc.label:
            case Call(called):
                first = list(_said(grammar, called))
            case Spoken(word):
                first = [word]
            case Wildcard():
                first = [WILD]
            case _:
                first = [""]
        for rest in _said(grammar, graph, arc.target):
            for begin in first:
                yield " ".join(filter(None, (begin, rest)))
