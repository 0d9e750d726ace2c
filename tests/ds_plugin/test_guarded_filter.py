"""A filter that fails in any way lets the audio through, for the rest of its utterance."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from ds_engine.features import FloatArray
from ds_plugin.guard import MAX_FAULTS, Guard
from ds_plugin.guarded_filter import GuardedFilter
from tests.ds_plugin.helpers import LONG, SHORT, hooked, hosted, plugin

BLOCK = np.linspace(-1, 1, 160, dtype=np.float32)


class Odd:
    """A filter that does with a block what it is told to."""

    def __init__(self, answer: Any) -> None:
        self.process = answer


def guarded(answer: Any, guard: Guard | None = None) -> GuardedFilter:
    return GuardedFilter(guard or Guard("odd"), "odd", lambda rate: Odd(answer), SHORT, 16_000)


@pytest.fixture
def over() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_sound_filter_changes_the_audio() -> None:
    made: list[int] = []

    def factory(rate: int) -> Odd:
        made.append(rate)
        return Odd(lambda block: block * np.float32(0.5))

    halving = GuardedFilter(Guard("good"), "half", factory, LONG, 8_000)
    for _ in range(3):
        np.testing.assert_array_equal(halving.process(BLOCK), BLOCK * np.float32(0.5))
    assert made == [8_000]


@pytest.mark.parametrize(
    "answer",
    [
        lambda block: None,
        lambda block: block.tolist(),
        lambda block: block[:-1],
        lambda block: block.astype(np.float64),
        lambda block: block[:, None],
        lambda block: block * np.float32("nan"),
        lambda block: block + np.float32("inf"),
        lambda block: 1 / 0,
        lambda: None,
    ],
)
def test_nonsense_lets_the_audio_through_from_then_on(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    guard = Guard("odd")
    odd = guarded(answer, guard)
    for _ in range(5):
        assert odd.process(BLOCK) is BLOCK
    assert len(guard.faults) == 1
    assert "plugin odd: audio filter odd" in caplog.text


def test_a_filter_that_cannot_be_made_lets_the_audio_through() -> None:
    guard = Guard("odd")
    odd = GuardedFilter(guard, "odd", lambda rate: Odd(1 // (rate - rate)), LONG, 16_000)
    assert odd.process(BLOCK) is BLOCK
    assert guard.faults[0].startswith("audio filter odd raised ZeroDivisionError")


def test_a_filter_that_hangs_is_left_behind_and_its_plugin_disabled(over: threading.Event) -> None:
    guard = Guard("odd")
    for _ in range(MAX_FAULTS + 1):
        assert guarded(lambda block: over.wait(60), guard).process(BLOCK) is BLOCK
    assert len(guard.faults) == MAX_FAULTS
    assert guard.disabled


def test_a_filter_may_change_its_input_and_use_its_output_again() -> None:
    memory = np.zeros_like(BLOCK)

    def reusing(block: FloatArray) -> FloatArray:
        np.multiply(block, 2, out=memory)
        block[:] = 0
        return memory

    doubling = guarded(reusing)
    source = BLOCK.copy()
    first = doubling.process(source)
    doubling.process(source + 1)
    np.testing.assert_array_equal(first, BLOCK * 2)
    np.testing.assert_array_equal(source, BLOCK)


async def test_audio_of_an_utterance_passes_the_filters_in_order() -> None:
    from tests.ds_engine.fakes import said

    def swapping(old: int, new: int) -> type:
        """Where symbol `old` is heard, the next filter hears `new`."""

        class Swap:
            def __init__(self, rate: int) -> None:
                assert rate == 16_000

            def process(self, block: FloatArray) -> FloatArray:
                return np.where(block == np.float32(old / 64), np.float32(new / 64), block).astype(np.float32)

        return Swap

    swaps = plugin(ds_register_audio_filter=lambda register: [register("ab", swapping(2, 3)), register("bc", swapping(3, 4))])
    known = hooked(swaps).audio_filters()
    async with hosted(filters=(known["ab"], known["bc"])) as host, await host.open() as utterance:
        await utterance.feed(said("ad"))
        assert (await utterance.finish()).text == "cd"
