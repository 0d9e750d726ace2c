"""The search policy: how the kernel searches, as data. A bundle's calibration sets it, and the configuration overrides that."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from ds_engine.errors import InputError

MAX_BEAM = 4096  # hypotheses
MAX_ALTERNATIVES = 100  # hypotheses


@dataclass(frozen=True, slots=True)
class SearchPolicy:
    """Settings of the search. Raises InputError where one is out of its range."""

    alpha: float = 0.8  # weight of the language model's log-probabilities
    beta: float = 1.5  # nats that every word gains
    beam: int = 192  # hypotheses kept
    threshold: float = 14.0  # nats: what is so far behind the best is dropped
    blank_penalty: float = 0.0  # nats that the blank loses in every row: against a model that leaves symbols out
    skip: float = 0.995  # probability of the blank above which a row changes no hypothesis (above 1: never)
    unknown: float = -1.0  # weight of the spelling of words outside the lexicon; below 0: no such words
    alternatives: int = 5  # hypotheses that are given in the end
    recombine: bool = True  # join hypotheses that the language model cannot tell apart; False: exact prefix search
    look_ahead: bool = True  # charge the likeliest word below a node before the word is complete
    sentence_end: bool = True  # the end of the audio is the end of a sentence

    def __post_init__(self) -> None:
        bounds = {
            "alpha": (0.0, 10.0),
            "beta": (-20.0, 20.0),
            "beam": (1, MAX_BEAM),
            "threshold": (0.0, 700.0),
            "blank_penalty": (-10.0, 10.0),
            "skip": (0.5, 2.0),
            "unknown": (-1.0, 10.0),
            "alternatives": (1, MAX_ALTERNATIVES),
        }
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"search: {name} must lie in {low}..{high}, got {value!r:.40}")

    @classmethod
    def of(cls, *layers: Mapping[str, Any]) -> Self:
        """The defaults, overridden by each mapping in turn. Raises InputError for an unknown name or a wrong kind of value."""
        kinds = {field.name: type(field.default) for field in fields(cls)}
        values: dict[str, Any] = {}
        for name, value in (item for layer in layers for item in layer.items()):
            if name not in kinds:
                raise InputError(f"search: {name!r:.40} is unknown; known are {', '.join(kinds)}")
            exact = _float(value) if kinds[name] is float and type(value) is int else value
            if type(exact) is not kinds[name]:
                raise InputError(f"search: {name} must be {kinds[name].__name__}, got {value!r:.40}")
            values[name] = exact
        return cls(**values)


def _float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
