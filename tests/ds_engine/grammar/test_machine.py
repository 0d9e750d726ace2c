from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Barrier

import pytest

from ds_engine.errors import GrammarError
from ds_engine.grammar.builder import GraphBuilder, grammar
from ds_engine.grammar.graph import FINAL, START, Begin, Call, End, Grammar, Skip, Spoken, Wildcard
from ds_engine.grammar.machine import ListKey, Machine, State
from tests.ds_engine.grammar.graphs import chain, choice, household, names, one, words


def reached(machine: Machine, said: str) -> State:
    state = machine.start
    for word in said.split():
        step = machine.follow(state, word)
        assert step is not None
        state = step[0]
    return state


def gains(machine: Machine, said: str) -> list[float | None]:
    """What each word gains, and the end."""
    state, found = machine.start, []
    for word in said.split():
        step = machine.follow(state, word)
        assert step is not None
        state = step[0]
        found.append(step[1])
    return [*found, state.final]


def exploding(free: int) -> Grammar:
    """`a` stands `free` words before the end, which nobody knows before: 2 ** free states."""
    builder = GraphBuilder()
    loop, node = builder.node(), builder.node()
    builder.add(START, Skip(), loop)
    for word in "ab":
        builder.words(loop, word, loop)
    builder.words(loop, "a", node)
    for _ in range(free):
        following = builder.node()
        for word in "ab":
            builder.words(node, word, following)
        node = following
    builder.add(node, Skip(), FINAL)
    return one(builder.build())


def test_a_state_tells_what_may_follow() -> None:
    machine = Machine([one(choice(words("turn on"), [*words("turn"), Wildcard()], words("stop")))])
    assert (machine.start.words, machine.start.wildcard, machine.start.final) == (("stop", "turn"), False, None)
    turned = reached(machine, "turn")
    assert (turned.words, turned.wildcard, turned.final) == (("on",), True, None)
    assert reached(machine, "turn on").final == 0.0
    assert reached(machine, "turn on").wildcard
    assert reached(machine, "stop").words == ()


def test_what_may_not_follow_leads_nowhere() -> None:
    machine = Machine([one(names("turn on"))])
    for word in ("on", "", "Turn", "turn on", "\ud800"):
        assert machine.follow(machine.start, word) is None
    assert machine.follow(reached(machine, "turn on"), "turn") is None


def test_no_grammars_say_nothing() -> None:
    machine = Machine([])
    assert (machine.start.words, machine.start.lists, machine.start.wildcard, machine.start.final) == ((), (), False, None)
    assert machine.follow(machine.start, "on") is None


def test_the_first_words_of_a_list_are_not_spelled_out() -> None:
    made = one(choice([*words("on"), Call("name")], words("on lamp now")), lists=["name"], name=names("lamp", "big fan", "bed lamp"))
    machine = Machine([made])
    state = reached(machine, "on")
    assert (state.words, state.lists) == ((), (ListKey(0, "name"),))
    assert machine.first_words(state.lists[0]) == ("bed", "big", "lamp")
    assert reached(machine, "on big").words == ("fan",)
    assert reached(machine, "on lamp").words == ("now",)


def test_the_first_words_of_a_list_are_those_of_the_graphs_with_which_it_begins() -> None:
    name = choice([Skip("x"), Call("room"), *words("lamp")], [Call("polite"), *words("fan")])
    machine = Machine([one(chain(Call("name")), lists=["name"], name=name, room=names("bed room"), polite=choice([], words("the")))])
    assert machine.start.words == ()
    assert machine.first_words(machine.start.lists[0]) == ("bed", "fan", "the")


def test_lists_are_told_apart_by_their_grammar() -> None:
    first = grammar("same", {"I": "it"}, {"it": chain(Call("list")), "list": names("a")}, ["list"])
    second = grammar("same", {"I": "it"}, {"it": chain(Call("list")), "list": names("b")}, ["list"])
    machine = Machine([first, second])
    assert [machine.first_words(key) for key in machine.start.lists] == [("a",), ("b",)]
    assert machine.start.lists == (ListKey(0, "list"), ListKey(1, "list"))


def test_a_list_that_may_be_left_out_begins_beside_what_follows_it() -> None:
    machine = Machine([one(chain(Call("name"), *words("now")), lists=["name"], name=choice(words("lamp"), []))])
    assert (machine.start.words, len(machine.start.lists)) == (("now",), 1)


def test_a_list_with_which_only_another_begins_is_not_told_apart() -> None:
    made = one(choice([Call("name")], words("stop")), lists=["name", "area"], name=chain(Call("area"), *words("lamp")), area=names("bed"))
    machine = Machine([made])
    assert (machine.start.words, machine.start.lists) == (("stop",), (ListKey(0, "name"),))
    assert [item.listed for item in machine.start.items] == [False, True, True]
    assert reached(machine, "bed").words == ("lamp",)
    beside = one(choice([Call("name")], [Call("area")]), lists=["name", "area"], name=made.graphs["name"], area=made.graphs["area"])
    assert [key.name for key in Machine([beside]).start.lists] == ["area", "name"]


def test_a_list_that_fifty_templates_call_is_one_item() -> None:
    templates = [[*words("turn"), Call("name"), *words(f"end{number}")] for number in range(50)]
    machine = Machine([one(choice(*templates), lists=["name"], name=names("bed lamp", "bed fan"))])
    assert [len(item.returns.members) for item in reached(machine, "turn").items if item.listed] == [50]
    assert len({item.returns for item in reached(machine, "turn bed").items}) == 1
    assert len(reached(machine, "turn bed lamp").words) == 50
    assert reached(machine, "turn bed lamp") is reached(machine, "turn bed fan")


def test_the_same_place_is_the_same_state() -> None:
    machine = Machine([one(choice(words("turn on now"), words("switch on now")))])
    builder = GraphBuilder()
    builder.words(START, "very", START)
    builder.words(START, "good", FINAL)
    assert reached(Machine([one(names("a b"))]), "a") is not reached(Machine([one(names("a b"))]), "a")
    assert reached(machine, "turn") is reached(machine, "turn")
    machine = Machine([one(builder.build())])
    assert reached(machine, "very very very") is reached(machine, "very")


def test_a_gain_is_the_difference_to_the_best_way_so_far() -> None:
    machine = Machine([one(choice(words("a b c"), words("a d c"), weights=[1.0, 3.0]))])
    assert gains(machine, "a d c") == [3.0, 0.0, 0.0, 0.0]
    assert gains(machine, "a b c") == [3.0, -2.0, 0.0, 0.0]


def test_weights_of_silence_and_of_called_graphs_count() -> None:
    builder = GraphBuilder()
    node = builder.node()
    builder.add(START, Call("list"), node, 0.5)
    builder.add(node, Skip(), FINAL, -0.25)
    machine = Machine([one(builder.build(), list=choice(words("a"), words("a"), words("b"), weights=[0.125, 1.0, -7.0]))])
    assert gains(machine, "a") == [1.25, 0.0]
    assert gains(machine, "b") == [-6.75, 0.0]


def test_small_weights_add_up_without_drifting() -> None:
    builder = GraphBuilder()
    builder.add(START, Spoken("very"), START, 0.1)
    builder.add(START, Spoken("good"), FINAL, -0.3)
    machine = Machine([one(builder.build())])
    assert sum(filter(None, gains(machine, "very " * 3000 + "good"))) == pytest.approx(299.7, abs=1e-6)
    assert len({id(reached(machine, "very " * count)) for count in range(1, 30)}) == 1


def test_equal_words_with_different_weights_stay_finite_and_right() -> None:
    builder = GraphBuilder()
    first, second = builder.node(), builder.node()
    for node, weight, last in ((first, 0.5, "x"), (second, 0.25, "y")):
        builder.add(START, Skip(), node)
        builder.add(node, Spoken("a"), node, weight)
        builder.words(node, last, FINAL)
    machine = Machine([one(builder.build())], remembered=500)
    assert sum(filter(None, gains(machine, "a " * 1000 + "x"))) == pytest.approx(500.0)
    assert sum(filter(None, gains(machine, "a " * 1000 + "y"))) == pytest.approx(250.0)


def test_what_was_forgotten_is_made_again_and_right() -> None:
    forgetful, other = Machine([exploding(9)], remembered=300), Machine([exploding(9)])
    random = Random(1)  # noqa: S311
    small, large = forgetful.start, other.start
    seen = set()
    for _ in range(3000):
        word = random.choice("ab")
        small, large = forgetful.follow(small, word)[0], other.follow(large, word)[0]  # type: ignore[index]
        assert (small.words, small.final) == (large.words, large.final)
        seen.add(small)
    assert len(seen) > len(set(map(id, other._memory.states.values())))
    assert forgetful._memory.size < 1000


def test_a_machine_remembers_no_more_than_it_should() -> None:
    machine = Machine([exploding(30)], remembered=20_000)
    random = Random(1)  # noqa: S311
    state = machine.start
    for _ in range(4000):
        state = machine.follow(state, random.choice("ab"))[0]  # type: ignore[index]
        assert machine._memory.size < 21_000


def test_graphs_that_call_each_other_in_many_ways_do_not_explode() -> None:
    """Each graph calls the next in two places that only the future tells apart: 2 ** 40 stacks."""
    graphs = {}
    for depth in range(40):
        builder = GraphBuilder()
        first, second = builder.node(), builder.node()
        called: Call | Spoken = Call(str(depth + 1)) if depth < 39 else Spoken("a")
        builder.add(START, called, first)
        builder.add(START, called, second)
        builder.words(first, "a", second)
        builder.words(second, "b", FINAL)
        builder.words(second, "a", START)
        graphs[str(depth)] = builder.build()
    machine = Machine([grammar("deep", {"Intent": "0"}, graphs)])
    state = machine.start
    random = Random(2)  # noqa: S311
    for _ in range(40):
        step = machine.follow(state, random.choice(state.words))
        assert step is not None
        state = step[0]
    assert machine._memory.size < 100_000


def test_a_long_silence_needs_no_deep_recursion() -> None:
    assert Machine([one(chain(*[Skip()] * 20_000, *words("a")))]).start.words == ("a",)


def sentences(machine: Machine, seed: int) -> list[tuple[list[str], float | None, tuple[str, ...]]]:
    """What somebody finds who walks at random."""
    random = Random(seed)  # noqa: S311
    found = []
    for _ in range(40):
        state = machine.start
        said: list[str] = []
        while len(said) < 12:
            follows = [*state.words, *(word for key in state.lists for word in machine.first_words(key))]
            if not follows:
                break
            said.append(random.choice(follows))
            step = machine.follow(state, said[-1])
            assert step is not None
            state = step[0]
        found.append((said, state.final, state.words))
    return found


def test_any_number_of_threads_may_walk_a_machine() -> None:
    made = [household(30, name=names("bed lamp", "bed fan", "hall"), area=names("bed room", "hall")), exploding(6)]
    expected = [sentences(Machine(made), seed % 3) for seed in range(8)]
    for remembered in (200, 1_000_000):
        machine, together = Machine(made, remembered), Barrier(8)

        def walk(seed: int, machine: Machine = machine, together: Barrier = together) -> object:
            together.wait()
            return sentences(machine, seed % 3)

        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(walk, range(8))) == expected


def test_an_unsound_grammar_is_refused_by_name() -> None:
    with pytest.raises(GrammarError, match="grammar 'home': graph 'it': 1 slots that begin are not ended"):
        Machine([Grammar("home", {"Intent": "it"}, {"it": chain(Begin("x"), *words("a"))})])


def test_a_state_is_printed_in_short() -> None:
    machine = Machine([household(50, name=names("lamp", "fan"))])
    assert len(repr(reached(machine, "command7"))) < 200


def test_slots_say_nothing() -> None:
    machine = Machine([one(chain(Begin("x"), *words("a"), End("A")))])
    assert machine.start.words == ("a",)
    assert reached(machine, "a").final == 0.0
