"""Lists that are joined to letters or to each other ("{area}s", "{hours}h{minutes}"): every value, spelled out as one text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import factorial, prod

from hassil.errors import HassilError
from hassil.expression import Alternative, Expression, Group, Permutation
from hassil.sample import sample_expression

from ds_engine.grammar.graph import Set, Skip
from ds_plugin.grammars.making import Making
from ds_plugin.grammars.ranges import Number, numbers
from ds_plugin.grammars.readings import Readings
from ds_plugin.grammars.schema import ListSpec, NumberList, TextList, Value, parse
from ds_plugin.grammars.walk import ListWord, Mention, Steps

MAX_JOINED = 20_000  # texts of one word with lists in it
MAX_SPELLINGS = 100  # texts of one value that is a template


@dataclass(frozen=True, slots=True)
class Option:
    """A piece of a text: how it is said and written, and what its slot becomes."""

    said: str
    written: str
    value: str = ""


def join(making: Making, word: ListWord, specs: Mapping[str, ListSpec], language: str, steps: Steps) -> None:
    """Adds every text of a word with lists in it, one step each.

    Each is read as a whole. The slots are set, as none has words of its own. Raises InputError for a language without numbers.
    """
    options = [_options(making, word, position, specs, language) for position in range(len(word.pieces))]
    if prod(map(len, options)) > MAX_JOINED:
        making.problem(f"{word} is left out: it stands for more than {MAX_JOINED} texts")
        return
    whole = Readings(making.readings.reader)  # what is wrong with a piece was said of the piece
    for combination in product(*options):
        steps.take(1, word)
        written, said = ("".join(texts) for texts in zip(*((option.written, option.said) for option in combination), strict=True))
        labels = whole.labels(" ".join(written.split()), word, said)
        pieces = zip(word.pieces, combination, strict=True)
        slots = [Set(piece.slot, option.value) for piece, option in pieces if isinstance(piece, Mention) and piece.slot]
        if labels:
            making.end(making.path([*labels, *slots]), Skip())


def _options(making: Making, word: ListWord, position: int, specs: Mapping[str, ListSpec], language: str) -> Sequence[Option]:
    piece = word.pieces[position]
    if isinstance(piece, str):
        return [Option(piece, piece)]
    match specs[piece.list]:
        case TextList(values):
            return list(_of_values(making, values, f"the list {piece.list}"))
        case NumberList() as spec:
            return list(_of_numbers(numbers(spec, language), *_beside(word, position)))
        case _:
            making.problem(f"{word} is left out: a wildcard cannot be joined to letters")
            return []


def _of_values(making: Making, values: Iterable[Value], what: str) -> Iterator[Option]:
    for value in values:
        texts = [value.text] if value.plain else _spellings(value)
        if not texts:
            making.problem(f"{value.place}: {what}: {value.text!r} is left out where it is joined to letters: it stands for too much")
        for text in texts:
            if making.readings.labels(" ".join(text.split()), f"{value.place}: {what}"):
                yield Option(text, text, text if value.out is None else value.out)


def _of_numbers(found: Iterable[Number], before: str, after: str) -> Iterator[Option]:
    """Numbers between two texts. A symbol is a word of its own, "fifty %"; letters may be either, "fünf minuten" or "fünfminütig"."""
    left = " " if before and not before[-1].isalnum() else ""
    rights = [" ", ""] if after[:1].isalpha() else [" " if after else ""]
    for number in found:
        for way, right in product(number.ways, rights):
            yield Option(left + way + right, number.digits + (right if after[:1].isalpha() else ""), number.value)


def _beside(word: ListWord, position: int) -> tuple[str, str]:
    """The letters before and after a piece."""
    pieces = ("", *word.pieces, "")
    before, after = pieces[position], pieces[position + 2]
    return before if isinstance(before, str) else "", after if isinstance(after, str) else ""


def _spellings(value: Value) -> list[str]:
    expression = parse(value.text, value.place)
    if _count(expression) > MAX_SPELLINGS:
        return []
    try:
        return [*dict.fromkeys(" ".join(text.split()) for text in sample_expression(expression))]
    except HassilError:  # it mentions a list or a rule
        return []


def _count(expression: Expression) -> int:
    """How many texts an expression has, equal ones counted as often as they occur."""
    if not isinstance(expression, Group):
        return 1
    counts = [_count(item) for item in expression.items]
    if isinstance(expression, Alternative):
        return sum(counts)
    return prod(counts) * (factorial(len(counts)) if isinstance(expression, Permutation) else 1)
