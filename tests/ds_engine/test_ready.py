"""The queue of utterances: whoever waits longest is next, those of its model with it, and nobody is forgotten."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ds_engine.ready import Ready
from ds_engine.recognizer import Recognizer
from tests.ds_engine.fakes import ReplayModel, replaying, turns


@dataclass(frozen=True, eq=False)
class Waiting:
    """An utterance, as far as the queue looks at it."""

    recognizer: Recognizer
    number: int = 0


def models(*batches: int) -> list[Recognizer]:
    return [replaying(ReplayModel(max_batch=most)) for most in batches]


def filled(*utterances: Waiting) -> Any:
    ready: Any = Ready()
    for utterance in utterances:
        ready.put(utterance)
    return ready


async def test_utterances_come_out_in_the_order_in_which_they_went_in() -> None:
    [model] = models(1)
    first, second, third = utterances = [Waiting(model) for _ in range(3)]
    ready = filled(*utterances)
    assert [await ready.take() for _ in utterances] == [[first], [second], [third]]


async def test_as_many_as_a_model_steps_together_are_taken_together() -> None:
    [model] = models(3)
    utterances = [Waiting(model) for _ in range(7)]
    ready = filled(*utterances)
    assert [await ready.take() for _ in range(3)] == [utterances[:3], utterances[3:6], utterances[6:]]


async def test_those_of_another_model_keep_their_places() -> None:
    ours, theirs = models(2, 8)
    a, b, c, d, e = (Waiting(model) for model in (ours, theirs, ours, ours, theirs))
    ready = filled(a, b, c, d, e)
    assert [await ready.take() for _ in range(3)] == [[a, c], [b, e], [d]]


async def test_two_recognizers_of_the_same_model_are_not_stepped_together() -> None:
    model = ReplayModel(max_batch=8)
    one, other = Waiting(replaying(model)), Waiting(replaying(model))
    ready = filled(one, other)
    assert [await ready.take(), await ready.take()] == [[one], [other]]


async def test_a_busy_model_starves_no_other() -> None:
    busy, idle = models(8, 1)
    many, alone = [Waiting(busy) for _ in range(20)], Waiting(idle)
    ready = filled(*many[:8], alone, *many[8:])
    taken = []
    for _ in range(2):
        taken.append(await ready.take())
        for utterance in taken[-1]:
            ready.put(utterance)  # it has more to do at once
    assert alone in taken[1]


async def test_of_several_workers_that_wait_each_utterance_goes_to_one() -> None:
    [model] = models(1)
    ready = filled()
    workers = [asyncio.create_task(ready.take()) for _ in range(3)]
    await turns()
    utterances = [Waiting(model) for _ in range(3)]
    for number, utterance in enumerate(utterances, 1):
        ready.put(utterance)
        await turns()
        assert sum(worker.done() for worker in workers) == number
    assert sorted((await asyncio.gather(*workers)), key=lambda batch: utterances.index(batch[0])) == [[each] for each in utterances]


async def test_several_that_come_at_once_wake_several_workers() -> None:
    [model] = models(1)
    ready = filled()
    workers = [asyncio.create_task(ready.take()) for _ in range(3)]
    await turns()
    ready.put(Waiting(model))
    ready.put(Waiting(model))
    await turns()
    assert sum(worker.done() for worker in workers) == 2
    ready.put(Waiting(model))
    await asyncio.gather(*workers)


async def test_a_worker_that_leaves_takes_nothing_with_it() -> None:
    [model] = models(1)
    ready = filled()
    leaving, staying = asyncio.create_task(ready.take()), asyncio.create_task(ready.take())
    await turns()
    utterance = Waiting(model)
    ready.put(utterance)
    leaving.cancel()
    assert await staying == [utterance]


@given(st.lists(st.integers(0, 2), max_size=30))
def test_the_longest_waiting_is_always_first_and_no_order_within_a_model_changes(which: list[int]) -> None:
    batches = [1, 2, 5]
    recognizers = models(*batches)
    utterances = [Waiting(recognizers[model], number) for number, model in enumerate(which)]

    async def drained() -> list[list[Waiting]]:
        ready = filled(*utterances)
        taken: list[list[Waiting]] = []
        while sum(len(batch) for batch in taken) < len(utterances):
            taken.append(await ready.take())
        return taken

    waiting = list(utterances)
    for batch in asyncio.run(drained()):
        assert batch[0] is waiting[0]
        same = [each for each in waiting if each.recognizer is batch[0].recognizer]
        assert batch == same[: batch[0].recognizer.model.max_batch]
        waiting = [each for each in waiting if each not in batch]
