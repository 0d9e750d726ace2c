"""The oracle: small random grammars, and every path through them, by recursion over the definition and nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from ds_engine.errors import GrammarError
from ds_engine.grammar.builder import GraphBuilder, grammar
from ds_engine.grammar.graph import FINAL, START, Arc, Begin, Call, End, Grammar, Graph, Label, Set, Skip, Spoken, Wildcard

VOCABULARY = ("a", "b")
STRANGE = "x"  # a word of no grammar
MAX_PATHS = 3_000  # of one node; a grammar with more is too large to enumerate


@dataclass(frozen=True, slots=True)
class Path:
    """One way through a graph."""

    words: tuple[str, ...] = ()
    weight: float = 0.0
    wild: int = 0  # words under wildcards
    order: tuple[int, ...] = ()  # ascending in the order in which equally good paths are preferred
    labels: tuple[Label | str, ...] = ()  # a word under a wildcard is a str

    def __add__(self, other: Path) -> Path:
        parts = (self.words + other.words, self.weight + other.weight, self.wild + other.wild)
        return Path(*parts, self.order + other.order, self.labels + other.labels)


class TooManyError(Exception):
    pass


class Enumeration:
    """All paths of some graphs."""

    def __init__(self, graphs: Mapping[str, Graph]) -> None:
        self._graphs = graphs
        self._known: dict[tuple[str, int, int], list[Path]] = {}

    def paths(self, graph: str, longest: int, node: int = START) -> list[Path]:
        """All paths of at most `longest` words from a node of a graph to its end."""
        key = graph, longest, node
        if key not in self._known:
            found = [Path()] if node == FINAL else []
            for position, arc in enumerate(self._graphs[graph].arcs[node]):
                for step in self._steps(position, arc, longest):
                    found += [step + rest for rest in self.paths(graph, longest - len(step.words), arc.target)]
                    if len(found) > MAX_PATHS:
                        raise TooManyError
            self._known[key] = found
        return self._known[key]

    def _steps(self, position: int, arc: Arc, longest: int) -> Iterator[Path]:
        match arc.label:
            case Call(called):
                for inner in self.paths(called, longest):
                    yield Path((), arc.weight, 0, (position, -len(inner.words))) + inner
            case Wildcard():
                for length in range(1, longest + 1):
                    for said in itertools.product((*VOCABULARY, STRANGE), repeat=length):
                        yield Path(said, arc.weight, length, (position, -length), said)
            case Spoken(word):
                yield from [Path((word,), arc.weight, 0, (position,), (arc.label,))] * (longest > 0)
            case _:
                yield Path((), arc.weight, 0, (position,), (arc.label,))


def random_grammars(seed: int, *, weighted: bool) -> list[Grammar]:
    """One to three grammars; none where the dice made broken ones."""
    random = Random(seed)  # noqa: S311
    made = [random_grammar(random, str(place), weighted=weighted) for place in range(random.choice([1, 1, 2, 3]))]
    return [grammar for grammar in made if grammar]


def random_grammar(random: Random, name: str, *, weighted: bool) -> Grammar | None:
    """A grammar of a few graphs, each of which may call those after it; None where the dice made a broken one."""
    names = ["first", "second", "third", "fourth"][: random.randint(1, 4)]
    graphs = {graph: _random_graph(random, names[place + 1 :], weighted=weighted) for place, graph in enumerate(names)}
    intents = {"One": "first"} | ({"Two": names[1]} if len(names) > 1 and random.random() < 0.4 else {})
    try:
        return grammar(name, intents, graphs, [graph for graph in names if random.random() < 0.3])
    except GrammarError:
        return None


def _random_graph(random: Random, callees: list[str], *, weighted: bool) -> Graph:
    builder = GraphBuilder()
    nodes = [START, *(builder.node() for _ in range(random.randint(0, 3)))]
    for _ in range(random.randint(1, 6)):
        source, target = random.choice(nodes), random.choice([*nodes[1:], FINAL, FINAL])
        weight = random.choice([0.0, 0.5, -1.25, 2.0]) if weighted else 0.0
        if random.random() < 0.15:
            _add_slot(random, builder, source, target, _random_label(random, callees), weight)
        else:
            builder.add(source, _random_label(random, callees), target, weight)
    return builder.build()


def _add_slot(random: Random, builder: GraphBuilder, source: int, target: int, label: Label, weight: float) -> None:
    first, second = builder.node(), builder.node()
    builder.add(source, Begin(random.choice("st")), first, weight)
    builder.add(first, label, second)
    builder.add(second, End(random.choice([None, "value"])), target)


def _random_label(random: Random, callees: list[str]) -> Label:
    kind = random.random()
    if callees and kind < 0.3:
        return Call(random.choice(callees))
    if kind < 0.4:
        return random.choice((Skip(), Skip("written down"))) if random.random() < 0.6 else Set("s", "set")
    if kind < 0.47:
        return Wildcard()
    return Spoken(random.choice(VOCABULARY), random.choice([None, None, "", "C", "two parts"]))
