"""A frame and the values of its lists become a grammar: lists are filled in, and what nobody can say then is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ds_engine.errors import GrammarError
from ds_engine.grammar.builder import grammar
from ds_engine.grammar.graph import Call, Graph
from ds_plugin.grammars.compact import compacted
from ds_plugin.grammars.frames import Frame, Sentences
from ds_plugin.grammars.lists import ListGraphs
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.grammars.making import MISSING, UNFIT, Built
from ds_plugin.grammars.readings import Read
from ds_plugin.grammars.rules import Rules
from ds_plugin.grammars.walk import Mention

MAX_PROBLEMS = 200  # lines; of what is more, only the number is told


@dataclass(frozen=True, slots=True)
class Closed:
    """A frame's graphs without what its lists leave unsaid."""

    names: Mapping[str, str | None]  # graph that a frame calls -> the one that is called, or None where nothing can be said
    graphs: Mapping[str, Graph]
    intents: Mapping[str, str]
    problems: tuple[str, ...]
    unused: int  # sentences for which no value fits, or is there at all


@dataclass(frozen=True, slots=True)
class Bound:
    """What became of a frame, so that other values need not become all of it again."""

    frame: Frame
    built: Mapping[str, Built]
    closed: Closed


def bind(frame: Frame, reader: Read, before: Bound | None = None) -> Loaded:
    """The grammar of a frame. What `before` has of unchanged lists is taken over.

    Raises GrammarError where nothing can be said, and for lists that are too large or mention each other in a circle.
    """
    lists = ListGraphs(frame.lists, Rules(frame.rules), reader, frame.language, _unchanged(frame, before))
    found = {name: lists.of(word) for name, word in frame.words.items()}
    names = {name: None if built.graph is None else built.name for name, built in found.items()}
    closed = before.closed if before is not None and before.closed.names == names else _closed(frame, names, found)
    problems = _told([*frame.problems, *(problem for built in lists.built.values() for problem in built.problems), *closed.problems])
    if not closed.intents:
        raise GrammarError(f"{frame.name}: no sentence can be said; {problems[0] if problems else 'there are no sentences'}")
    graphs = _wanted(
        closed.intents.values(), {**closed.graphs, **{built.name: built.graph for built in lists.built.values() if built.graph}}
    )
    large = {built.name for built in lists.built.values() if built.large} & set(graphs)
    made = grammar(frame.name, closed.intents, graphs, large)
    return Loaded(made, problems, closed.unused, Bound(frame, lists.built, closed))


def _unchanged(frame: Frame, before: Bound | None) -> dict[str, Built]:
    if before is None:
        return {}
    old, new = before.frame.lists, frame.lists
    changed = {name for name in {*old, *new} if old.get(name) is not new.get(name)}
    return {name: built for name, built in before.built.items() if not built.uses & changed}


def _closed(frame: Frame, names: Mapping[str, str | None], found: Mapping[str, Built]) -> Closed:
    known = dict(names)
    graphs: dict[str, Graph] = {}
    same: dict[tuple[object, ...], str] = {}
    alive: dict[str, Mapping[int, int]] = {}
    for name, graph in frame.graphs.items():
        made = compacted(graph, known.get)
        known[name] = None if made is None else same.setdefault(made.graph.arcs, name)
        if made is not None:
            alive[name] = made.nodes
            if known[name] == name:
                graphs[name] = made.graph
    intents = {intent: called for intent, graph in frame.intents.items() if (called := known[graph]) is not None}
    dead = [sentences for sentences in frame.sentences if sentences.node not in alive.get(sentences.graph, {})]
    return Closed(names, graphs, intents, *_lacks(frame, dead, found))


def _lacks(frame: Frame, dead: Iterable[Sentences], found: Mapping[str, Built]) -> tuple[tuple[str, ...], int]:
    """Why sentences cannot be said: problems, and how many there are for which no value fits."""
    missing: Counter[str] = Counter()
    problems: list[str] = []
    unused = 0
    for sentences in dead:
        lacking = [name for name in _called(frame, sentences) if name in found and found[name].graph is None]
        given = {name for name in lacking if found[name].lack != MISSING}
        unfilled = {piece.list for name in set(lacking) - given for piece in frame.words[name].pieces if isinstance(piece, Mention)}
        absent = {name for name in unfilled if name not in frame.lists}
        missing.update(absent)
        if not absent and (unfilled or any(found[name].lack == UNFIT for name in given)):
            unused += 1
        elif not absent:
            problems.append(f"{sentences.template}: nothing of it can be said")
    counted = [f"the list {{{name}}} is not given: {count} templates are left out" for name, count in sorted(missing.items())]
    return (*counted, *problems), unused


def _called(frame: Frame, sentences: Sentences) -> set[str]:
    """All graphs to which sentences lead."""
    found: set[str] = set()
    waiting = [(sentences.graph, sentences.node)]
    seen = set(waiting)
    while waiting:
        name, node = waiting.pop()
        for arc in frame.graphs[name].arcs[node]:
            steps = [(name, arc.target)]
            if isinstance(arc.label, Call) and arc.label.graph not in found:
                found.add(arc.label.graph)
                steps += [(arc.label.graph, 0)] if arc.label.graph in frame.graphs else []
            for step in steps:
                if step not in seen:
                    seen.add(step)
                    waiting.append(step)
    return found


def _wanted(names: Iterable[str], graphs: Mapping[str, Graph]) -> dict[str, Graph]:
    """The graphs to which these lead."""
    wanted: dict[str, Graph] = {}
    waiting = [*names]
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted[name] = graphs[name]
            waiting += _calls(graphs[name])
    return wanted


def _calls(graph: Graph) -> Iterator[str]:
    return (arc.label.graph for arcs in graph.arcs for arc in arcs if isinstance(arc.label, Call))


def _told(problems: Iterable[str]) -> tuple[str, ...]:
    """The problems, each once, as far as anybody will read them."""
    each = tuple(dict.fromkeys(problems))
    return each if len(each) <= MAX_PROBLEMS else (*each[:MAX_PROBLEMS], f"and {len(each) - MAX_PROBLEMS} more")
