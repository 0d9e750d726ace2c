"""Who errs how much: results in, groups of them out, each dimension a partition of all.

Dimensions: the source file, each label of a manifest, the length and speed of the utterance and, where it was measured, the pitch of the
voice. A label that has nearly as many values as utterances (a file's size, an identifier) says nothing about people and is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise

from ds_training.figures import Result

UNKNOWN = "not known"
LENGTHS = (2.0, 4.0, 8.0)  # s, where one group ends and the next begins; commands take 2 to 4
SPEEDS = (5.0, 8.0, 12.0, 16.0)  # characters per second of audio, pauses included; fluent reading is at 12 to 16
ADULT = 16  # years: the limit in the description of speechocean762, whose younger half are the children
MOST_VALUES = 40  # of a label that makes groups

LOW_VOICE, HIGH_VOICE = 165.0, 255.0
"""Hz. Men speak at 85 to 165, women at 165 to 255 on average (Titze, "Principles of Voice Production", 1994), children up to about
eleven above 250 (Lee, Potamianos and Narayanan, "Acoustics of children's speech", J. Acoust. Soc. Am. 105, 1999)."""
PITCHES = (  # what each stands for is part of its name, so that it is read wherever the figure goes
    f"below {LOW_VOICE:g} Hz (mostly men)",
    f"{LOW_VOICE:g} to {HIGH_VOICE:g} Hz (mostly women and older children)",
    f"{HIGH_VOICE:g} Hz and more (mostly children, some women)",
)
PITCH_NOTE = (
    f"Pitch stands in for age where ages are not known: voices from {HIGH_VOICE:g} Hz on are mostly children's, with some women's among "
    "them; older children, whose voices are as low as adults', are in the lower groups. It is a hint, not a record of anybody's age."
)

Groups = Mapping[str, Mapping[str, Sequence[int]]]  # dimension -> group -> indices of results


def groups_of(results: Sequence[Result]) -> Groups:
    """Every dimension holds every index once. Groups stand in the order of their bounds or names, what is not known last."""
    found = {
        "source": _by(results, lambda each: each.reference.source or UNKNOWN),
        "length": _by(results, lambda each: _bin(each.seconds, LENGTHS, "s"), _bins(LENGTHS, "s")),
        "speed": _by(results, _speed, _bins(SPEEDS, "characters/s")),
    }
    for column in sorted({column for each in results for column in each.reference.labels}):
        parts = _by(results, partial(_label, column))
        if len(parts) <= MOST_VALUES:
            found[f"label {column}"] = parts
    if any(each.pitch is not None for each in results):
        found["pitch"] = _by(results, _pitch, PITCHES)
    return found


def _by(results: Sequence[Result], name_of: Callable[[Result], str], order: Sequence[str] = ()) -> dict[str, list[int]]:
    parts: dict[str, list[int]] = {}
    for index, each in enumerate(results):
        parts.setdefault(name_of(each), []).append(index)
    places = {name: place for place, name in enumerate(order)}
    return dict(sorted(parts.items(), key=lambda part: (part[0] == UNKNOWN, places.get(part[0], 0), part[0])))


def _speed(result: Result) -> str:
    return _bin(len(result.reference.text) / max(result.seconds, 1e-3), SPEEDS, "characters/s")


def _pitch(result: Result) -> str:
    return UNKNOWN if result.pitch is None else PITCHES[sum(result.pitch >= bound for bound in (LOW_VOICE, HIGH_VOICE))]


def _label(column: str, result: Result) -> str:
    """A value as it stands; years become children and adults."""
    value = result.reference.labels.get(column, "").strip()
    if column.lower() == "age" and value.isdecimal():
        return f"children (below {ADULT})" if int(value) < ADULT else f"adults (from {ADULT} on)"
    return value or UNKNOWN


def _bin(value: float, bounds: Sequence[float], unit: str) -> str:
    return _bins(bounds, unit)[sum(value >= bound for bound in bounds)]


def _bins(bounds: Sequence[float], unit: str) -> list[str]:
    between = [f"{low:g} to {high:g} {unit}" for low, high in pairwise(bounds)]
    return [f"below {bounds[0]:g} {unit}", *between, f"{bounds[-1]:g} {unit} and more"]
