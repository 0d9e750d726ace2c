from __future__ import annotations

import gc
import weakref

from ds_engine.grammar.builder import GraphBuilder, grammar
from ds_engine.grammar.graph import FINAL, START, Call, Grammar, Graph, Skip
from ds_engine.grammar.machine import Machine
from ds_engine.grammar.network import network
from ds_engine.grammar.reach import Nature
from ds_engine.grammar.tables import MAX_REMEMBERED, MAX_VARIANTS, Tables, tables
from tests.ds_engine.grammar.graphs import chain, choice, household, names, one, words


def of_all(made: Machine) -> dict[str, Tables]:
    return {unit.name: unit.tables for unit in made.units}


def test_a_changed_list_leaves_the_tables_of_all_other_graphs() -> None:
    before = household(50, name=names("lamp"), area=names("hall"))
    after = grammar(before.name, before.intents, {**before.graphs, "name": names("lamp", "fan")}, before.lists)
    old, new = of_all(Machine([before])), of_all(Machine([after]))
    assert {name for name in old if old[name] is not new[name]} == {"name"}


def test_only_what_calls_a_list_is_made_again_when_it_becomes_empty() -> None:
    before = one(choice(words("on"), [Call("name")], [Call("area")]), name=names("lamp"), area=chain(Call("floor")), floor=names("one"))
    after = grammar(before.name, before.intents, {**before.graphs, "floor": Graph(((), ()))})
    old, new = of_all(Machine([before])), of_all(Machine([after]))
    assert {name for name in old if old[name] is not new[name]} == {"floor", "area", "it"}


def test_two_grammars_share_the_tables_of_a_list() -> None:
    shared = names("lamp")
    both = Machine([one(chain(*words("on"), Call("list")), list=shared), one(chain(*words("off"), Call("list")), list=shared)])
    assert len({id(unit.tables) for unit in both.units if unit.name == "list"}) == 1


def test_a_graph_is_not_kept_by_its_tables() -> None:
    made = one(chain(*words("on"), Call("list")), list=names("lamp"))
    Machine([made])
    kept: list[weakref.ref[Grammar] | weakref.ref[Graph]] = [weakref.ref(made), *map(weakref.ref, made.graphs.values())]
    del made
    gc.collect()
    assert [reference() for reference in kept] == [None] * 3


def test_a_graph_is_looked_at_once() -> None:
    made = one(names("on"))
    assert network(made) is network(made)
    assert tables(made.graphs["it"], {}) is tables(made.graphs["it"], {})


def test_variants_of_a_graph_do_not_pile_up() -> None:
    graph = chain(Call("list"), *words("on"))
    made = [weakref.ref(tables(graph, {"list": Nature(empty=weight)})) for weight in range(3 * MAX_VARIANTS)]
    gc.collect()
    assert 0 < sum(reference() is not None for reference in made) <= MAX_VARIANTS


def test_what_is_reached_in_silence_is_not_remembered_without_end() -> None:
    builder = GraphBuilder()
    node = START
    for number in range(1000):
        following = builder.node()
        builder.words(node, f"word{number}", following)
        builder.add(node, Skip(), following)
        node = following
    builder.words(node, "end", FINAL)
    made = tables(builder.build(), {})
    for passed, place in enumerate([START, *range(2, 1001)]):
        assert len(made.ways(place).spots) == 1001 - passed
        assert sum(len(ways.spots) for ways in made._ways.values()) <= MAX_REMEMBERED
