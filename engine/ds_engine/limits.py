"""The one table of limits: every bound the engine keeps, with its unit.

Hitting a limit raises a LimitError that names it; nothing in the engine grows without one. The host's configuration section
`[limits]` has these very names.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from ds_engine.errors import InputError

MIN_SAMPLE_RATE = 4_000  # Hz: below, there is no speech left
MAX_SAMPLE_RATE = 192_000  # Hz
MAX_CHANNELS = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one engine. Raises InputError where a value is not positive and finite."""

    utterances: int = 32  # open at once
    utterance_seconds: float = 60.0  # of audio in one utterance
    idle_seconds: float = 30.0  # an open utterance that gets no audio and no finish
    queue_seconds: float = 4.0  # of audio that waits for a worker; feeding more waits (back-pressure)
    slice_seconds: float = 1.0  # of audio that one worker takes from one utterance in a turn (fairness)
    turn_seconds: float = 30.0  # of computing in one such turn; what takes longer hangs, and is given up
    shutdown_seconds: float = 10.0  # that open utterances get to finish once the engine closes
    workers: int = 2  # threads that compute

    def __post_init__(self) -> None:
        for limit in fields(self):
            if not 0 < getattr(self, limit.name) < math.inf:
                raise InputError(f"limit {limit.name} must be above zero and finite, got {getattr(self, limit.name)}")
