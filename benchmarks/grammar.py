"""Home Assistant's sentences as a grammar: compiled cold and from the cache, a name changed, sentences followed. Prints what it takes.

python benchmarks/grammar.py [--language en] [--entities 200] [--every]

`--every` compiles the sentences of every language that Home Assistant has, without a household. Needs the package home-assistant-intents.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from home_assistant_intents import get_intents, get_languages

from ds_engine.alphabet import Alphabet
from ds_engine.errors import GrammarError
from ds_engine.grammar.graph import FINAL, START, Call, Grammar, Spoken, Wildcard
from ds_engine.grammar.machine import Machine
from ds_plugin.grammars.files import load_grammar
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.grammars.templates import of_templates, with_lists
from ds_plugin.spoken import Reader

LETTERS = "abcdefghijklmnopqrstuvwxyz'"
DOMAINS = ("light", "switch", "fan", "cover", "lock", "climate", "media_player", "sensor", "vacuum", "scene", "script", "todo")
SYLLABLES = ("ba", "do", "fi", "ka", "lu", "mo", "ne", "pi", "ru", "sa", "ti", "zo")
ROUNDS = 9
SENTENCES = 200
WILD = "something"
T = TypeVar("T")


def names(count: int, seed: int) -> list[str]:
    """Invented names of two words."""
    rng = random.Random(seed)  # noqa: S311
    return [" ".join("".join(rng.choices(SYLLABLES, k=rng.randint(2, 4))) for _ in range(2)) for _ in range(count)]


def household(entities: int) -> dict[str, list[Any]]:
    """Names with the contexts that Home Assistant gives them, and rooms for them."""
    found = [{"in": name, "context": {"domain": DOMAINS[number % len(DOMAINS)]}} for number, name in enumerate(names(entities, 1))]
    return {"name": found, "area": names(max(1, entities // 10), 2), "floor": ["qarta", "zema", "lofa"]}


def count(grammar: Grammar) -> int:
    """How many paths there are, a wildcard counted as one word."""

    @cache
    def paths(graph: str, node: int = START) -> int:
        arcs = grammar.graphs[graph].arcs[node]
        return (node == FINAL) + sum(
            (paths(arc.label.graph) if isinstance(arc.label, Call) else 1) * paths(graph, arc.target) for arc in arcs
        )

    return sum(map(paths, grammar.intents.values()))


def sentence(grammar: Grammar, rng: random.Random) -> list[str]:
    """The words of one random path."""

    def said(graph: str) -> Iterator[str]:
        node = START
        while node != FINAL:
            arc = rng.choice(grammar.graphs[graph].arcs[node])
            match arc.label:
                case Call(called):
                    yield from said(called)
                case Spoken(word):
                    yield word
                case Wildcard():
                    yield WILD
            node = arc.target

    return list(said(rng.choice(list(grammar.intents.values()))))


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds, and what came out."""
    began = time.perf_counter()
    made = work()
    return time.perf_counter() - began, made


def memory() -> float:
    """The most megabytes that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def compile_and_load(path: Path, reader: Reader, language: str) -> Loaded:
    """Measures both."""
    folder, before = path.parent / "cache", memory()
    cold, loaded = timed(lambda: load_grammar(path, reader, language, cache=folder))
    print(f"compiled in {cold:.2f} s with {memory() - before:.0f} MB more ({memory():.0f} MB in all)")
    cached = [timed(lambda: load_grammar(path, Reader(ALPHABET, language), language, cache=folder))[0] for _ in range(3)]
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"loaded from the cache in {min(cached):.2f} s ({size / 1e6:.1f} MB on disk)")
    return loaded


def describe(loaded: Loaded) -> None:
    """Prints sizes."""
    grammar = loaded.grammar
    nodes = sum(len(graph.arcs) for graph in grammar.graphs.values())
    arcs = sum(sum(map(len, graph.arcs)) for graph in grammar.graphs.values())
    templates = len(loaded.bound.frame.sentences) if loaded.bound else 0
    print(
        f"{templates} templates, {loaded.unused} for what nobody here has, {len(loaded.problems)} problems; {count(grammar):.3e} sentences"
    )
    print(f"{len(grammar.graphs)} graphs, {len(grammar.lists)} of them long lists, {nodes:,} nodes, {arcs:,} arcs")


def change_names(loaded: Loaded, entities: int, reader: Reader) -> Loaded:
    """Measures until the first state of the search knows another name."""
    taken = []
    for number in range(ROUNDS):
        lists = household(entities)
        lists["name"][0] = {"in": f"novel name {SYLLABLES[number]}", "context": {"domain": "light"}}
        swap, loaded = timed(lambda lists=lists, loaded=loaded: with_lists(loaded, {"name": lists["name"]}, reader))  # type: ignore[misc]
        start, _ = timed(lambda loaded=loaded: Machine([loaded.grammar]).start)  # type: ignore[misc]
        taken.append((swap + start, swap, start))
    total, swap, start = (1000 * statistics.median(column) for column in zip(*taken, strict=True))
    worst = 1000 * max(taken)[0]
    print(f"a changed name: {total:.0f} ms until it can be said ({swap:.0f} exchanged, {start:.0f} first state), at worst {worst:.0f} ms")
    return loaded


def follow(grammar: Grammar) -> None:
    """Measures walking, first through states that nobody has seen, then again."""
    rng = random.Random(1)  # noqa: S311
    sentences = [words for words in (sentence(grammar, rng) for _ in range(SENTENCES)) if words]
    machine = Machine([grammar])
    for when in ("first", "again"):
        times = [taken for words in sentences for taken in steps(machine, words)]
        print(f"a word, {when}: mean {1e6 * statistics.mean(times):.1f} us, worst {1e3 * max(times):.2f} ms, over {len(times)} words")


def steps(machine: Machine, words: list[str]) -> Iterator[float]:
    """Seconds for each word."""
    state = machine.start
    for word in words:
        taken, step = timed(lambda state=state, word=word: machine.follow(state, word))  # type: ignore[misc]
        yield taken
        if step is None:  # inside a wildcard
            return
        state = step[0]


def every_language() -> None:
    """Compiles the sentences of each language as they come; letters are what its own templates are written in."""
    for language in get_languages():
        data = get_intents(language)
        if not data or not data.get("intents"):
            continue
        letters = dict.fromkeys(c for c in json.dumps(data, ensure_ascii=False).lower() if c.isalpha() or c == "'")
        reader = Reader(Alphabet(("<blank>", " ", *letters)), language)
        try:
            taken, loaded = timed(lambda: of_templates("home", data, reader, language))  # noqa: B023 - called at once
        except GrammarError as error:
            print(f"{language:8} {error}")
            continue
        frame = loaded.bound.frame if loaded.bound else None
        print(f"{language:8} {taken:5.2f} s, {len(frame.sentences) if frame else 0:5} templates, {len(loaded.problems):3} problems")


ALPHABET = Alphabet(("<blank>", " ", *LETTERS))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", default="en")
    parser.add_argument("--entities", type=int, default=200)
    parser.add_argument("--every", action="store_true")
    options = parser.parse_args()
    if options.every:
        every_language()
        return
    data = get_intents(options.language) or {}
    data["lists"] |= {name: {"values": values} for name, values in household(options.entities).items()}
    reader = Reader(ALPHABET, options.language)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "home.json"
        path.write_text(json.dumps(data, indent=1))
        loaded = compile_and_load(path, reader, options.language)
    describe(loaded)
    follow(change_names(loaded, options.entities, reader).grammar)


if __name__ == "__main__":
    main()
