"""Graphs for tests, in as few words as possible."""

from __future__ import annotations

from collections.abc import Sequence

from ds_engine.grammar.builder import GraphBuilder, grammar
from ds_engine.grammar.graph import FINAL, START, Call, Grammar, Graph, Label, Skip, Spoken


def chain(*labels: Label) -> Graph:
    """One path."""
    return choice(labels)


def choice(*paths: Sequence[Label], weights: Sequence[float] = ()) -> Graph:
    """One path or another."""
    builder = GraphBuilder()
    for labels, weight in zip(paths, weights or [0.0] * len(paths), strict=True):
        source = builder.node()
        builder.add(START, Skip(), source, weight)
        for label in labels:
            target = builder.node()
            builder.add(source, label, target)
            source = target
        builder.add(source, Skip(), FINAL)
    return builder.build()


def words(text: str) -> list[Label]:
    """What says a text."""
    return [Spoken(word) for word in text.split()]


def names(*values: str) -> Graph:
    """A list."""
    return choice(*map(words, values))


def one(graph: Graph, *, lists: Sequence[str] = (), **others: Graph) -> Grammar:
    """A grammar of one intent."""
    return grammar("home", {"Intent": "it"}, {"it": graph, **others}, lists)


def household(templates: int, **lists: Graph) -> Grammar:
    """Many templates that call the same lists."""
    texts = [[*words(f"command{number}"), Call(name), *words("please")] for number in range(templates) for name in lists]
    return one(choice(*texts), lists=tuple(lists), **lists)
