"""Compiled grammars as plain values, for JSON: frames of templates, whose lists are filled in afterwards, and whole grammars.

Labels, which repeat, stand in a table once; a graph is a list of its nodes, and each node a flat list of targets and label numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ds_engine.grammar.builder import grammar
from ds_engine.grammar.graph import Arc, Begin, Call, End, Graph, Label, Set, Skip, Spoken, Wildcard
from ds_plugin.grammars.frames import Frame, Sentences
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.grammars.schema import ListSpec, NumberList, OpenList, Template, TextList, Value, parse
from ds_plugin.grammars.walk import ListWord, Mention

FORMAT = 1  # counts up whenever what is stored, or what it means, changes

_LABELS: dict[str, type[Label]] = {kind.__name__: kind for kind in (Skip, Spoken, Call, Wildcard, Begin, End, Set)}
_SPECS: dict[str, type[ListSpec]] = {kind.__name__: kind for kind in (TextList, NumberList, OpenList)}


def of_loaded(loaded: Loaded) -> dict[str, Any]:
    """A grammar as plain values."""
    if loaded.bound is not None:
        return of_frame(loaded.bound.frame)
    made = loaded.grammar
    return {
        "name": made.name,
        "intents": dict(made.intents),
        "lists": sorted(made.lists),
        "problems": loaded.problems,
        **_of_graphs(made.graphs),
    }


def of_frame(frame: Frame) -> dict[str, Any]:
    """A frame as plain values."""
    return {"frame": _of_frame(frame)}


def frame_in(stored: Mapping[str, Any]) -> Frame | None:
    """The frame of what `of_frame` made, or `of_loaded` of a grammar from templates; None for other grammars.

    Raises whatever broken values lead to, such as KeyError.
    """
    return _frame(stored["frame"]) if "frame" in stored else None


def loaded_in(stored: Mapping[str, Any]) -> Loaded:
    """What `of_loaded` made of any other grammar. Raises whatever broken values lead to, such as KeyError."""
    made = grammar(stored["name"], stored["intents"], _graphs(stored), stored["lists"])
    return Loaded(made, tuple(stored["problems"]))


def _of_frame(frame: Frame) -> dict[str, Any]:
    return {
        "name": frame.name,
        "language": frame.language,
        "intents": dict(frame.intents),
        **_of_graphs(frame.graphs),
        "words": [
            ([piece if isinstance(piece, str) else _fields(piece) for piece in word.pieces], word.filter) for word in frame.words.values()
        ],
        "sentences": [_fields(sentences) for sentences in frame.sentences],
        "lists": {name: _of_spec(spec) for name, spec in frame.lists.items()},
        "rules": {name: (rule.text, rule.place) for name, rule in frame.rules.items()},
        "problems": frame.problems,
    }


def _frame(stored: Mapping[str, Any]) -> Frame:
    pieces = [
        (tuple(piece if isinstance(piece, str) else Mention(*piece) for piece in word), filtered) for word, filtered in stored["words"]
    ]
    words = [ListWord(word, filtered) for word, filtered in pieces]
    return Frame(
        name=stored["name"],
        language=stored["language"],
        intents=stored["intents"],
        graphs=_graphs(stored),
        words={str(word): word for word in words},
        sentences=tuple(Sentences(*sentences) for sentences in stored["sentences"]),
        lists={name: _spec(spec) for name, spec in stored["lists"].items()},
        rules={name: Template(text, place, parse(text, place)) for name, (text, place) in stored["rules"].items()},
        problems=tuple(stored["problems"]),
    )


def _of_spec(spec: ListSpec) -> list[Any]:
    if isinstance(spec, TextList):
        return [TextList.__name__, [_fields(value) for value in spec.values]]
    return [type(spec).__name__, *_fields(spec)]


def _spec(stored: list[Any]) -> ListSpec:
    name, *values = stored
    if _SPECS[name] is TextList:
        return TextList(tuple(Value(*value) for value in values[0]))
    return _SPECS[name](*values)


def _of_graphs(graphs: Mapping[str, Graph]) -> dict[str, Any]:
    numbers: dict[tuple[Label, float], int] = {}
    stored = {
        name: [
            [number for arc in arcs for number in (arc.target, numbers.setdefault((arc.label, arc.weight), len(numbers)))]
            for arcs in graph.arcs
        ]
        for name, graph in graphs.items()
    }
    return {"labels": [(weight, type(label).__name__, *_fields(label)) for label, weight in numbers], "graphs": stored}


def _graphs(stored: Mapping[str, Any]) -> dict[str, Graph]:
    labels = [(_LABELS[name](*values), weight) for weight, name, *values in stored["labels"]]
    return {name: Graph(tuple(tuple(_arcs(arcs, labels)) for arcs in nodes)) for name, nodes in stored["graphs"].items()}


def _arcs(arcs: list[int], labels: list[tuple[Label, float]]) -> list[Arc]:
    return [Arc(target, *labels[label]) for target, label in zip(arcs[::2], arcs[1::2], strict=True)]


def _fields(record: Any) -> tuple[Any, ...]:
    return tuple(getattr(record, field.name) for field in fields(record))
