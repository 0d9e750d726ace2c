from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Mapping

import pytest

from ds_engine.errors import GrammarError
from ds_engine.grammar.builder import GraphBuilder, grammar
from ds_engine.grammar.graph import FINAL, START, Arc, Begin, Call, End, Graph, Label, Set, Skip, Spoken, Wildcard
from ds_engine.grammar.machine import Machine
from ds_engine.grammar.matching import match
from ds_engine.grammar.network import MAX_ARCS, MAX_DEPTH, MAX_NODES
from ds_engine.grammar.soundness import MAX_WEIGHT
from tests.ds_engine.grammar.graphs import chain, choice, names, words


def refused(graphs: Mapping[str, Graph], intents: Mapping[str, str] | None = None, lists: tuple[str, ...] = ()) -> str:
    """Why a grammar is refused."""
    with pytest.raises(GrammarError) as refusal:
        grammar("home", {"Intent": "it"} if intents is None else intents, graphs, lists)
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).startswith("grammar 'home': ")
    return str(refusal.value).removeprefix("grammar 'home': ")


def arc(label: Label, target: int = FINAL, weight: float = 0.0) -> Graph:
    return Graph(((Arc(target, label, weight),), ()))


def test_a_graph_has_its_first_and_its_last_node_from_the_beginning() -> None:
    builder = GraphBuilder()
    assert builder.build().arcs == ((), ())
    assert builder.node() == 2


def test_the_words_of_a_text_follow_each_other() -> None:
    builder = GraphBuilder()
    builder.words(START, " turn  the light\ton ", FINAL)
    made = grammar("home", {"Intent": "it"}, {"it": builder.build()})
    assert match([made], ["turn", "the", "light", "on"])


def test_a_text_without_words_says_nothing() -> None:
    builder = GraphBuilder()
    builder.words(START, " ", FINAL)
    assert builder.build().arcs[START] == (Arc(FINAL, Skip()),)


def test_what_was_built_does_not_change_with_the_builder() -> None:
    builder = GraphBuilder()
    before = builder.build()
    builder.words(START, "on", FINAL)
    assert before.arcs == ((), ())


def test_an_arc_leaves_a_node_that_is_there() -> None:
    for source in (2, -1):
        with pytest.raises(GrammarError, match=f"an arc leaves node {source}, and there are 2"):
            GraphBuilder().add(source, Skip(), FINAL)


def test_a_grammar_does_not_change_with_what_it_was_made_of() -> None:
    graphs = {"it": names("on")}
    intents = {"Intent": "it"}
    made = grammar("home", intents, graphs)
    graphs.clear()
    intents.clear()
    assert made.graphs
    assert made.intents


def test_a_grammar_may_be_stored() -> None:
    made = grammar("home", {"Intent": "it"}, {"it": chain(*words("on"), Call("list")), "list": names("lamp", "fan")}, ["list"])
    again = pickle.loads(pickle.dumps(made))  # noqa: S301 - our own
    assert match([again], ["on", "fan"]) == match([made], ["on", "fan"])
    assert again.lists == made.lists


@pytest.mark.parametrize(
    ("graph", "told"),
    [
        (Graph(()), "graph 'it': a graph has at least the nodes 0 and 1, and this one has 0 in all"),
        (Graph(((),)), "graph 'it': a graph has at least the nodes 0 and 1, and this one has 1 in all"),
        (Graph(((Arc(FINAL, Skip()),), (Arc(START, Skip()),))), "graph 'it': an arc leaves the final node, to node 0"),
        (arc(Spoken("on"), 2), "graph 'it': an arc of node 0 leads to node 2, and there are 2"),
        (arc(Spoken("on"), -1), "graph 'it': an arc of node 0 leads to node -1, and there are 2"),
        (arc(Spoken("")), "graph 'it': an arc of node 0 says '', and one word is needed"),
        (arc(Spoken("turn on")), "graph 'it': an arc of node 0 says 'turn on', and one word is needed"),
        (arc(Spoken(" on")), "graph 'it': an arc of node 0 says ' on', and one word is needed"),
        (arc(Spoken(None)), "graph 'it': an arc of node 0 has a label whose word is no text: Spoken(word=None, written=None)"),  # type: ignore[arg-type]
        (arc(Skip(None)), "graph 'it': an arc of node 0 has a label whose written is no text: Skip(written=None)"),  # type: ignore[arg-type]
        (arc(Call(["list"])), "graph 'it': an arc of node 0 has a label whose graph is no text: Call(graph=['list'])"),  # type: ignore[arg-type]
        (arc("on"), "graph 'it': an arc of node 0 has an unknown label: 'on'"),  # type: ignore[arg-type]
        (arc(Set(" ", "x")), "graph 'it': an arc of node 0 has a slot without a name"),
        (arc(Spoken("on"), FINAL, math.nan), "graph 'it': an arc of node 0 weighs nan, and a weight must lie within +-1000.0 nats"),
        (arc(Spoken("on"), FINAL, -math.inf), "graph 'it': an arc of node 0 weighs -inf, and a weight must lie within +-1000.0 nats"),
        (arc(Spoken("on"), FINAL, 1e4), "graph 'it': an arc of node 0 weighs 10000.0, and a weight must lie within +-1000.0 nats"),
        (arc(Spoken("on"), FINAL, "1"), "graph 'it': an arc of node 0 weighs '1', and a weight must lie within +-1000.0 nats"),  # type: ignore[arg-type]
        (chain(*words("on"), End()), "graph 'it': a slot ends at node 3 that has not begun"),
        (chain(Begin("x"), *words("on")), "graph 'it': 1 slots that begin are not ended"),
        (choice([Begin("x"), *words("on"), End()], [Begin("x")]), "graph 'it': node 1 lies inside 1 slots on one path and 0 on another"),
    ],
)
def test_a_broken_graph_is_refused_with_the_place_of_the_fault(graph: Graph, told: str) -> None:
    assert refused({"it": graph}) == told


def test_what_is_no_graph_is_refused() -> None:
    assert refused({"it": "on"}) == "graph 'it' is no Graph but 'on'"  # type: ignore[dict-item]


def test_the_greatest_weight_is_allowed() -> None:
    grammar("home", {"Intent": "it"}, {"it": choice(words("on"), words("off"), weights=[MAX_WEIGHT, -MAX_WEIGHT])})


def test_names_must_be_there() -> None:
    assert refused({"it": chain(Call("list"))}) == "graph 'it' calls graph 'list', which is not there"
    assert refused({"that": names("on")}) == "intent 'Intent' needs graph 'it', which is not there"
    assert refused({"it": names("on")}, lists=("list",)) == "the lists name graph 'list', which is not there"


def test_a_circle_of_calls_is_named() -> None:
    graphs = {"it": chain(Call("a"), *words("on")), "a": chain(*words("x"), Call("b")), "b": choice(words("y"), [Call("a")])}
    told = refused(graphs).removeprefix("graphs call each other in a circle: ")
    assert told in ("'a' -> 'b' -> 'a'", "'b' -> 'a' -> 'b'")
    assert refused({"it": chain(Call("it"))}) == "graphs call each other in a circle: 'it' -> 'it'"


def test_calls_may_lie_in_each_other_only_so_deep() -> None:
    graphs = {f"{number}": chain(Call(f"{number + 1}")) for number in range(MAX_DEPTH)}
    graphs[f"{MAX_DEPTH}"] = names("on")
    made = grammar("home", {"Intent": "1"}, {name: graph for name, graph in graphs.items() if name != "0"})
    assert match([made], ["on"])
    assert refused(graphs, {"Intent": "0"}) == "graph '0': calls lie 101 deep in each other, and 100 is the limit"


def test_a_path_that_says_nothing_must_not_lead_back() -> None:
    builder = GraphBuilder()
    first, second = builder.node(), builder.node()
    builder.add(START, Spoken("on"), first)
    builder.add(first, Set("x", "y"), second)
    builder.add(second, Call("polite"), first)
    builder.add(first, Skip(), FINAL)
    told = "from node {} a path on which nothing is said leads back to it"
    polite = choice([], words("please"))
    assert refused({"it": builder.build(), "polite": polite}) in [f"graph 'it': {told.format(node)}" for node in (first, second)]
    assert grammar("home", {"Intent": "it"}, {"it": builder.build(), "polite": names("please")})
    assert refused({"it": names("on"), "unused": Graph(((Arc(START, Skip()),), ()))}) == f"graph 'unused': {told.format(START)}"


def test_words_may_lead_back() -> None:
    builder = GraphBuilder()
    builder.words(START, "very", START)
    builder.words(START, "good", FINAL)
    assert match([grammar("home", {"Intent": "it"}, {"it": builder.build()})], ["very"] * 30 + ["good"])


def test_a_grammar_that_can_say_nothing_is_refused_with_the_reason() -> None:
    nothing = Graph(((), ()))
    silence = chain(Skip())
    assert refused({"it": names("on")}, {}) == "it has no intents, so nothing can be said"
    assert refused({"it": nothing}) == "intent 'Intent' can say nothing: graph 'it' has no path to its final node 1"
    assert refused({"it": silence}) == "intent 'Intent' can say nothing: graph 'it' says no word on any path"
    needed = {"it": chain(*words("on"), Call("area")), "area": chain(Call("floor"), *words("left")), "floor": nothing}
    assert refused(needed) == "intent 'Intent' can say nothing: graph 'floor' has no path to its final node 1"
    assert refused({"it": chain(Call("a")), "a": silence}) == "intent 'Intent' can say nothing: graph 'a' says no word on any path"
    both = {"it": names("on"), "that": nothing}
    assert refused(both, {"One": "it", "Two": "that"}).startswith("intent 'Two' can say nothing: graph 'that' has no path")
    loop = Graph(((Arc(2, Spoken("on")),), (), (Arc(2, Spoken("and")),)))
    assert refused({"it": loop}) == "intent 'Intent' can say nothing: graph 'it' has no path to its final node 1"


def test_an_empty_list_only_closes_the_ways_that_need_it() -> None:
    made = grammar("home", {"Intent": "it"}, {"it": choice(words("on"), [*words("at"), Call("list")]), "list": Graph(((), ()))}, ["list"])
    assert Machine([made]).start.words == ("on",)


def a_million(do: Callable[[], object]) -> None:
    for _ in range(1_000_000):
        do()


def test_a_million_names_are_refused_before_they_are_all_there() -> None:
    word = Spoken("name")
    builder = GraphBuilder()
    with pytest.raises(GrammarError, match=f"a grammar has at most {MAX_ARCS} arcs, and one graph alone has more"):
        a_million(lambda: builder.add(START, word, FINAL))


def test_a_million_nodes_are_refused_before_they_are_all_there() -> None:
    with pytest.raises(GrammarError, match=f"a grammar has at most {MAX_NODES} nodes, and one graph alone has more"):
        a_million(GraphBuilder().node)


def test_graphs_are_counted_together_and_before_they_are_looked_at() -> None:
    half = Graph(((Arc(77, Skip()),) * (MAX_ARCS // 2 + 1), ()))
    assert refused({"it": half, "that": half}).startswith(f"a grammar has at most {MAX_NODES} nodes and {MAX_ARCS} arcs, and this one has")


def test_a_wildcard_may_stand_beside_other_arcs() -> None:
    builder = GraphBuilder()
    builder.add(START, Wildcard(), FINAL)
    builder.words(START, "on", FINAL)
    assert match([grammar("home", {"Intent": "it"}, {"it": builder.build()})], ["anything", "else"])
