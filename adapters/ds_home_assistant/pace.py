"""How long things may take, how often they are done, and how long to wait after each failure."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """All in seconds."""

    connect: float = 10.0  # until it has let us in
    answer: float = 30.0  # to a command
    ping: float = 20.0  # between two, and for each answer: so long nobody notices that the other is gone without a word
    linger: float = 1.0  # for a farewell
    settle: float = 1.0  # without a change, before changes are read: they come in bursts, and states follow the registry
    settle_most: float = 10.0  # that a change waits where they never cease
    poll: float = 300.0  # between two readings where nothing is told: exposure and names of entities without a registry entry
    files: float = 5.0  # between two looks at files of custom sentences
    starting: float = 5.0  # between two looks at one that is starting
    starting_most: float = 600.0  # that it may take for that
    retry: float = 1.0  # after the first failure
    retry_most: float = 30.0
    denied: float = 300.0  # after a token was refused: who tries too often is banned
    stable: float = 60.0  # a connection that lasted as long was good, and the next failure is a first one


def delays(first: float, most: float) -> Iterator[float]:
    """Doubles from `first` to `most`, each shortened by up to a half at random, so that many clients do not come back at once."""
    delay = first
    while True:
        yield random.uniform(delay / 2, delay)  # noqa: S311 - it spreads, it hides nothing
        delay = min(2 * delay, most)
