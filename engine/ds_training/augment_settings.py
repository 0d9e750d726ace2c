"""The kinds of settings that augmentations have: values from Python or parsed TOML in, checked ones out.

A chance is a pair: at strength 0, and at strength 1. A range is a pair too, low and high, or two of them: the range at strength 0, and
the one at strength 1; between them it moves in a straight line. One number stands for a pair of it. The strength is where the
curriculum stands, from 0 to 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self, get_args, get_type_hints

from ds_training.corpus import CorpusError

FRAMES_PER_SECOND = 100  # of features

Pair = tuple[float, float]
Range = Pair | tuple[Pair, Pair]


class AugmentationError(CorpusError):
    """Augmentation that cannot be done as it is set: the message names the key, what it got and what it needs."""


@dataclass(frozen=True, slots=True)
class Within:
    """The smallest and the largest value that a setting may have, and its unit."""

    low: float
    high: float
    unit: str
    whole: bool = False


Chance = Annotated[Pair, Within(0, 1, "probability")]


@dataclass(frozen=True, slots=True)
class Settings:
    """Of one augmentation. Raises AugmentationError where a value is of another kind, out of its bounds or a range reversed."""

    chance: Chance = (0.0, 0.0)  # of each utterance to get it

    def __post_init__(self) -> None:
        for name, hint in hints(type(self)).items():
            object.__setattr__(self, name, _checked(hint, getattr(self, name), f"augmentation.{table_name(type(self))}.{name}"))

    @classmethod
    def of(cls, table: Any) -> Self:
        """From a table of parsed TOML or JSON; what it lacks has its default. Raises AugmentationError, also for a name that is unknown."""
        return cls(**known(table, hints(cls), f"augmentation.{table_name(cls)}"))

    def chance_at(self, strength: float) -> float:
        """The chance where the curriculum stands."""
        first, last = self.chance
        return first + (last - first) * strength


def range_at(values: Range, strength: float) -> Pair:
    """Low and high where the curriculum stands."""
    match values:
        case ((low, high), (later_low, later_high)):
            return low + (later_low - low) * strength, high + (later_high - high) * strength
        case (low, high):
            return low, high


def known(table: Any, names: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The table itself. Raises AugmentationError where it is none, or has a name besides these."""
    if not isinstance(table, Mapping):
        raise AugmentationError(f"{key} needs a table of {', '.join(names)}, got {table!r:.80}")
    for name in table:
        if name not in names:
            raise AugmentationError(f"{key}: {name!r:.80} is unknown; known are {', '.join(names)}")
    return dict(table)


def hints(kind: type) -> dict[str, Any]:
    """The names and annotations of a dataclass's fields, base classes first."""
    return get_type_hints(kind, include_extras=True)


def table_name(kind: type[Settings]) -> str:
    """As the configuration spells it: TimeWarp is time_warp."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def _checked(hint: Any, value: Any, key: str) -> Any:
    kind, within = get_args(hint)
    number = f"{'a whole number' if within.whole else 'a number'} in {within.low:g}..{within.high:g} {within.unit}"
    if kind in {int, float}:
        return _number(value, within, f"{key} needs {number}, got {value!r:.80}")
    if kind == Pair:
        return _pair(value, within, f"{key} needs {number}, or two: at strength 0 and at strength 1; got {value!r:.80}")
    complaint = f"{key} needs low and high, each {number}, or two such pairs: at strength 0 and at strength 1; got {value!r:.80}"
    ranges = [_pair(item, within, complaint) for item in (value if _are_pairs(value) else [value])]
    if any(low > high for low, high in ranges):
        raise AugmentationError(f"{key} needs its low end first, got {value!r:.80}")
    return ranges[0] if len(ranges) == 1 else tuple(ranges)


def _are_pairs(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(item, list | tuple) for item in value)


def _pair(value: Any, within: Within, complaint: str) -> tuple[float, float]:
    items = value if isinstance(value, list | tuple) else [value, value]
    if len(items) != 2:
        raise AugmentationError(complaint)
    return _number(items[0], within, complaint), _number(items[1], within, complaint)


def _number(value: Any, within: Within, complaint: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int if within.whole else int | float) or not within.low <= value <= within.high:
        raise AugmentationError(complaint)
    return value if within.whole else float(value)
