"""What a file of sentence templates says: plain values in, typed and checked records out, with every template parsed by hassil."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from hassil.errors import HassilError
from hassil.expression import Expression
from hassil.parse_expression import ParseExpressionError, parse_sentence
from hassil.parser import ParseError
from hassil.util import is_template

from ds_engine.errors import GrammarError
from ds_plugin.grammars.places import place_of
from ds_plugin.number_words import primary

MAX_TEMPLATES = 50_000  # of all blocks of sentences, and rules beside them; Home Assistant's largest language has 2,000
MAX_TEMPLATE_CHARACTERS = 5000  # of one template; Home Assistant's longest has 400
MAX_TEMPLATE_NESTING = 50  # brackets inside brackets
MAX_VALUES = 100_000  # of all lists together
MAX_NUMBERS = 20_000  # of one range

UNSPACED = {"ja", "km", "lo", "my", "th", "zh"}  # languages that are written without spaces, whatever a file's settings say
FRACTIONS = {None: (), "halves": ("5",), "tenths": tuple("123456789")}  # digits after the point, as hassil has them


@dataclass(frozen=True, slots=True)
class Template:
    """A sentence template or a rule."""

    text: str
    place: str
    expression: Expression

    def __str__(self) -> str:
        """The template and where it stands, as messages have it."""
        return f"{self.place}: template {self.text!r}"


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a list."""

    text: str  # what is said: a template, or plain text
    out: str | None  # what the slot becomes; None: what is said
    context: Mapping[str, Any]
    place: str
    plain: bool  # False for a template


@dataclass(frozen=True, slots=True)
class TextList:
    """A list of values."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class NumberList:
    """Numbers from `start` to `stop`, both included. Raises GrammarError for a range without numbers, or with too many."""

    start: int
    stop: int
    step: int = 1
    fractions: str | None = None  # a key of FRACTIONS: each number is also followed by these
    multiplier: float | None = None  # of the slot's value
    language: str | None = None  # of the words, where it is not the grammar's

    def __post_init__(self) -> None:
        fits = self.step > 0 and self.start <= self.stop and self.fractions in FRACTIONS
        if not fits or not isfinite(self.multiplier or 0) or not isinstance(self.language, str | None):
            raise GrammarError(f"it needs from <= to, a step above 0, a finite multiplier, and fractions of {[*filter(None, FRACTIONS)]}")
        count = len(range(self.start, self.stop + 1, self.step)) * (1 + len(FRACTIONS[self.fractions]))
        if count > MAX_NUMBERS:
            raise GrammarError(f"it has at most {MAX_NUMBERS} numbers, and these are {count}")


@dataclass(frozen=True, slots=True)
class OpenList:
    """A wildcard: any words."""


ListSpec = TextList | NumberList | OpenList


@dataclass(frozen=True, slots=True)
class Block:
    """Sentences of an intent that have slots, contexts, and perhaps rules and lists of their own."""

    intent: str
    name: str  # distinct from other blocks'
    sentences: tuple[Template, ...]
    slots: Mapping[str, str]
    requires: Mapping[str, Any]
    excludes: Mapping[str, Any]
    rules: Mapping[str, Template]
    lists: Mapping[str, ListSpec]


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """All of a file."""

    language: str
    blocks: tuple[Block, ...]
    rules: Mapping[str, Template]
    lists: Mapping[str, ListSpec]
    skip_words: tuple[str, ...]  # that may stand at either end of a sentence
    apart: bool  # words need no spaces (hassil's ignore_whitespace)


def template_file(data: Any, language: str, place: str) -> TemplateFile:
    """The records of a file's data. `place` is named in messages for what does not know its own.

    Raises GrammarError, which names the place, and the template where one is at fault.
    """
    data = _mapping(data, "a file of sentence templates", place)
    settings = _mapping(data.get("settings", {}), "settings", place)
    return TemplateFile(
        language=_text(data.get("language", language), "language", place),
        blocks=tuple(_blocks(_mapping(data.get("intents", {}), "intents", place), place)),
        rules=_rules(data.get("expansion_rules", {}), place),
        lists=list_specs(data.get("lists", {}), place),
        skip_words=tuple(_skip_words(data.get("skip_words", []), place)),
        apart=bool(settings.get("ignore_whitespace", False)) or primary(language) in UNSPACED,
    )


def list_specs(lists: Any, place: str) -> dict[str, ListSpec]:
    """The lists of a file's `lists`. Raises GrammarError as `template_file` does."""
    given = _mapping(lists, "lists", place)
    values = [spec["values"] for spec in given.values() if isinstance(spec, Mapping) and isinstance(spec.get("values"), list)]
    if sum(map(len, values)) > MAX_VALUES:
        raise GrammarError(f"{place}: all lists together have more than {MAX_VALUES} values")
    return {str(name): _list(name, spec, place_of(name, place)) for name, spec in given.items()}


def value_of(value: Any, name: str, place: str, *, templates: bool = True) -> Value:
    """A value of the list `name`: text, or a mapping with `in`, `out` and `context`. Without `templates`, brackets are just text."""
    place = place_of(value, place)
    if not isinstance(value, Mapping):
        text = _text(value, f"a value of the list {name}", place)
        template = templates and is_template(text)
        return Value(_checked(text, place), None if template else text, {}, place, not template)
    if "in" not in value:
        raise GrammarError(f"{place}: a value of the list {name} needs `in`, got {value!r:.80}")
    text = _text(value["in"], f"`in` of the list {name}", place)
    out = None if value.get("out") is None else as_text(value["out"])
    context = _mapping(value.get("context") or {}, f"the context of {text!r:.40}", place)
    return Value(_checked(text, place), out, plain_value(context), place_of(text, place), not (templates and is_template(text)))


def parse(text: str, place: str) -> Expression:
    """A template's expression. Raises GrammarError, which names the place and the template."""
    try:
        return parse_sentence(_checked(text, place)).expression
    except ParseExpressionError as error:
        raise GrammarError(f"{place}: template {text!r}: cannot be read at {error.chunk.text!r}") from error
    except (HassilError, ParseError, AssertionError, ValueError, IndexError, RecursionError) as error:
        raise GrammarError(f"{place}: template {text!r}: {str(error) or type(error).__name__}") from error


def as_text(value: Any) -> str:
    """A slot's value as text: as it is, or as JSON has it."""
    return str(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def plain_value(value: Any) -> Any:
    """A value as JSON would give it back, for what is kept."""
    return json.loads(json.dumps(value, default=str))


def _blocks(intents: Mapping[str, Any], place: str) -> Iterator[Block]:
    count = 0
    for intent, content in intents.items():
        at = place_of(intent, place)
        data = _mapping(content, f"the intent {intent}", at).get("data", [])
        for number, given in enumerate(_items(data, f"data of {intent}", at)):
            block = _mapping(given, f"data of {intent}", at)
            count += sum(len(block[key]) for key in ("sentences", "expansion_rules") if isinstance(block.get(key), list | Mapping))
            if count > MAX_TEMPLATES:
                raise GrammarError(f"{place}: has more than {MAX_TEMPLATES} templates")
            yield _block(intent, f"{intent}[{number}]", block, at)


def _block(intent: str, name: str, block: Mapping[str, Any], place: str) -> Block:
    place = next((place_of(key, place) for key in block), place)
    sentences = _items(block.get("sentences", []), f"sentences of {intent}", place)
    slots = _mapping(block.get("slots") or {}, f"slots of {intent}", place)
    return Block(
        intent=str(intent),
        name=name,
        sentences=tuple(_template(text, f"a sentence of {intent}", place) for text in sentences),
        slots={str(slot): as_text(value) for slot, value in slots.items()},
        requires=plain_value(_mapping(block.get("requires_context") or {}, f"requires_context of {intent}", place)),
        excludes=plain_value(_mapping(block.get("excludes_context") or {}, f"excludes_context of {intent}", place)),
        rules=_rules(block.get("expansion_rules") or {}, place),
        lists=list_specs(block.get("lists") or {}, place),
    )


def _rules(rules: Any, place: str) -> dict[str, Template]:
    given = _mapping(rules, "expansion_rules", place)
    if len(given) > MAX_TEMPLATES:
        raise GrammarError(f"{place}: has more than {MAX_TEMPLATES} rules")
    return {str(name): _template(text, f"the rule {name}", place_of(name, place)) for name, text in given.items()}


def _skip_words(words: Any, place: str) -> Iterator[str]:
    for word in _items(words, "skip_words", place):
        _checked(_text(word, "a skip word", place), place_of(word, place))
        yield word


def _list(name: str, spec: Any, place: str) -> ListSpec:
    spec = _mapping(spec, f"the list {name}", place)
    if "values" in spec:
        values = _items(spec["values"], f"values of the list {name}", place)
        return TextList(tuple(value_of(value, name, place) for value in values))
    if "range" in spec:
        return _range(name, _mapping(spec["range"], f"the range {name}", place), place)
    if spec.get("wildcard"):
        return OpenList()
    raise GrammarError(f"{place}: the list {name} needs `values`, `range` or `wildcard: true`, got {dict(spec)!r:.80}")


def _range(name: str, spec: Mapping[str, Any], place: str) -> NumberList:
    try:
        multiplier = spec.get("multiplier")
        return NumberList(
            start=int(spec["from"]),
            stop=int(spec["to"]),
            step=int(spec.get("step", 1)),
            fractions=spec.get("fractions"),
            multiplier=None if multiplier is None else float(multiplier),
            language=spec.get("words_language"),
        )
    except (KeyError, TypeError, ValueError, OverflowError, GrammarError) as error:
        raise GrammarError(f"{place}: the range {name} cannot be {dict(spec)!r:.80}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, GrammarError) else "it needs whole numbers `from` and `to`"


def _template(text: Any, what: str, place: str) -> Template:
    place = place_of(text, place)
    text = _text(text, what, place)
    return Template(str(text), place, parse(text, place))


def _checked(text: str, place: str) -> str:
    """The text, if it is of a length and depth that a parser can be given."""
    if len(text) > MAX_TEMPLATE_CHARACTERS:
        raise GrammarError(f"{place}: template {text!r:.60}...: has {len(text)} characters, at most {MAX_TEMPLATE_CHARACTERS} are allowed")
    depth = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if depth > MAX_TEMPLATE_NESTING:
            raise GrammarError(f"{place}: template {text!r:.60}...: has more than {MAX_TEMPLATE_NESTING} brackets inside each other")
    return str(text)


def _mapping(value: Any, what: str, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise GrammarError(f"{place}: {what} must be a mapping of names, got {value!r:.60}")
    return value


def _items(value: Any, what: str, place: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise GrammarError(f"{place}: {what} must be a list, got {value!r:.60}")
    return list(value)


def _text(value: Any, what: str, place: str) -> str:
    if not isinstance(value, str):
        raise GrammarError(f"{place}: {what} must be text (in quotes where it looks like something else), got {value!r:.60}")
    return value
