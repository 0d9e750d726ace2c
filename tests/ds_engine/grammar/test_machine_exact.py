"""The machine against the enumeration of all paths of random grammars."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import pytest

from ds_engine.grammar.graph import Grammar
from ds_engine.grammar.machine import Machine, State
from tests.ds_engine.grammar.enumeration import STRANGE, VOCABULARY, Enumeration, TooManyError, random_grammars

LONGEST = 4  # words
EVERY_WORD = (*VOCABULARY, STRANGE)


def cases(seeds: range, *, weighted: bool) -> Iterator[tuple[int, list[Grammar], dict[tuple[str, ...], float]]]:
    """Seeds, one to three grammars, and all their sentences with the greatest weight of each."""
    for seed in seeds:
        grammars = random_grammars(seed, weighted=weighted)
        best: dict[tuple[str, ...], float] = {}
        try:
            for grammar in grammars:
                every = Enumeration(grammar.graphs)
                for path in (path for name in grammar.intents.values() for path in every.paths(name, LONGEST)):
                    best[path.words] = max(path.weight, best.get(path.words, path.weight))
        except TooManyError:
            continue
        if grammars:
            yield seed, grammars, best


def walked(machine: Machine, words: Sequence[str]) -> float | None:
    """What a sentence gains in all, None where it is none."""
    state, total = machine.start, 0.0
    for word in words:
        step = machine.follow(state, word)
        if step is None:
            return None
        state, total = step[0], total + step[1]
    return None if state.final is None else total + state.final


@pytest.mark.parametrize("block", range(2))
@pytest.mark.parametrize("weighted", [False, True])
def test_exactly_the_sentences_of_the_grammars_are_accepted_with_their_best_weights(block: int, *, weighted: bool) -> None:
    tried = 0
    for seed, grammars, best in cases(range(block * 400, block * 400 + 400), weighted=weighted):
        machine = Machine(grammars)
        tried += 1
        for length in range(LONGEST + 1):
            for words in itertools.product(EVERY_WORD, repeat=length):
                assert walked(machine, words) == best.get(words), (seed, words)
    assert tried > 100


def following(machine: Machine, state: State) -> set[str]:
    listed = {word for key in state.lists for word in machine.first_words(key)}
    assert not listed & set(state.words)
    assert list(state.words) == sorted(set(state.words))
    assert list(state.lists) == sorted(set(state.lists))
    return {*state.words, *listed, *(EVERY_WORD if state.wildcard else ())}


@pytest.mark.parametrize("weighted", [False, True])
def test_a_state_tells_exactly_the_words_that_follow_it(*, weighted: bool) -> None:
    for seed, grammars, _ in cases(range(400), weighted=weighted):
        machine = Machine(grammars)
        states = {machine.start}
        for _ in range(3):
            steps = {(state, word): machine.follow(state, word) for state in states for word in EVERY_WORD}
            for state in states:
                assert following(machine, state) == {word for word in EVERY_WORD if steps[state, word]}, seed
            states = {step[0] for step in steps.values() if step}


def test_every_state_leads_to_the_end_of_a_sentence() -> None:
    for seed, grammars, _ in cases(range(400), weighted=False):
        machine = Machine(grammars)
        before: dict[State, set[State]] = {machine.start: set()}
        waiting = [machine.start]
        while waiting:
            state = waiting.pop()
            for target, _ in filter(None, (machine.follow(state, word) for word in EVERY_WORD)):
                if target not in before:
                    waiting.append(target)
                before.setdefault(target, set()).add(state)
        ending = [state for state in before if state.final is not None]
        reaching = set(ending)
        while ending:
            new = before[ending.pop()] - reaching
            reaching |= new
            ending += new
        assert reaching == set(before), seed
