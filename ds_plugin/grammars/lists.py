"""Lists become graphs: one for each list, slot and choice of values that templates mention, made on first demand, and shared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hassil.expression import INLINE_RANGE_PATTERN

from ds_engine.errors import GrammarError, InputError
from ds_engine.grammar.graph import Begin, Call, End, Label, Skip, Wildcard
from ds_plugin.grammars.contexts import fitting
from ds_plugin.grammars.joined import join
from ds_plugin.grammars.making import MISSING, UNFIT, Built, Making
from ds_plugin.grammars.ranges import Number, numbers
from ds_plugin.grammars.readings import Read
from ds_plugin.grammars.rules import Rules
from ds_plugin.grammars.schema import ListSpec, NumberList, OpenList, Template, TextList, Value, parse
from ds_plugin.grammars.walk import Calls, ListWord, Mention, Scope, Steps, Walk

MAX_STEPS = 1_000_000  # of all lists' graphs together, about one for each word


class ListGraphs:
    """The graphs of lists. `built` holds all that were asked for, by the name of the list word or of the range."""

    def __init__(
        self,
        specs: Mapping[str, ListSpec],
        rules: Rules,
        reader: Read,
        language: str,
        built: Mapping[str, Built],
        steps: int = MAX_STEPS,
    ) -> None:
        """`built` are those that need not be made again; above so many `steps`, GrammarError is raised."""
        self.built = dict(built)
        self._specs = specs
        self._rules = rules
        self._reader = reader
        self._language = language
        self._steps = Steps(steps)
        self._same: dict[tuple[Any, ...], Built] = {}
        self._open: list[str] = []  # being made, each because the one before mentions it

    def of(self, word: ListWord) -> Built:
        """The graph of a list word. Raises GrammarError for values that lead back to their own list, or are too many."""
        name = str(word)
        if name not in self.built:
            if name in self._open:
                raise GrammarError(f"lists mention each other in a circle: {' -> '.join([*self._open, name])}")
            self._open.append(name)
            self.built[name] = self._shared(word)
            self._open.pop()
        return self.built[name]

    def _shared(self, word: ListWord) -> Built:
        """A graph for a word, the same for words that differ only in contexts that leave them the same values."""
        lists = dict.fromkeys(piece.list for piece in word.pieces if isinstance(piece, Mention))
        given = {name: self._specs.get(name) or _inline_range(name) for name in lists}
        if any(spec is None or spec == TextList(()) for spec in given.values()):
            return Built(str(word), lack=MISSING, uses=frozenset(lists))
        specs = {name: _fitting(spec, word.filter) for name, spec in given.items() if spec is not None}
        if TextList(()) in specs.values():
            return Built(str(word), lack=UNFIT, uses=frozenset(lists))
        key = (word.pieces, *(tuple(map(id, spec.values)) for spec in specs.values() if isinstance(spec, TextList)))
        if key not in self._same:
            self._same[key] = self._made(word, specs)
        return self._same[key]

    def _made(self, word: ListWord, specs: Mapping[str, ListSpec]) -> Built:
        making = Making(self._reader, specs)
        try:
            match word.pieces:
                case (Mention() as mention,):
                    self._alone(making, mention, specs[mention.list])
                case (str() as article, Mention() as mention) if article.endswith("'") and isinstance(specs[mention.list], OpenList):
                    self._alone(making, mention, specs[mention.list])  # whatever is said, the article is part of its first word
                case _:
                    join(making, word, specs, self._language, self._steps)
        except GrammarError:
            raise
        except InputError as error:
            making.problem(f"{word} is left out: {error}")
        return making.built(str(word))

    def _alone(self, making: Making, mention: Mention, spec: ListSpec) -> None:
        """A list by itself: its slot begins, one of the values is said, the slot ends with what that value stands for."""
        begin = making.path([Begin(mention.slot)] if mention.slot else [])
        match spec:
            case TextList():
                for value in spec.values:
                    self._value(making, mention, value, begin)
            case NumberList(multiplier=None):
                called = self._range(spec)
                if called is not None:
                    making.end(making.path([Call(called)], begin), _end(mention))
            case NumberList():
                for number, labels in self._numbers(making, spec):
                    making.end(making.path([*labels, Skip(number.digits)], begin), _end(mention, number.value))
            case OpenList():
                making.end(making.path([Wildcard()], begin), _end(mention))

    def _value(self, making: Making, mention: Mention, value: Value, begin: int) -> None:
        at = f"{value.place}: the list {mention.list}"
        if value.plain:
            text = " ".join(value.text.split())
            labels = making.readings.labels(text, at)
            self._steps.take(1 + len(labels or ()), at)
            silent, node = labels == (), making.path(labels, begin) if labels else None
        else:
            text, template = "", Template(value.text, value.place, parse(value.text, value.place))
            silent = self._rules.is_silent(template.expression)
            for rule in self._rules.missing(template.expression):
                making.problem(f"{at}: the rule <{rule}> is missing")
            node = None if silent else self._walk(making).template(template, begin)
        if silent:
            making.problem(f"{at}: the value {value.text!r} is left out: it says nothing")
        elif node is not None:
            making.end(node, _end(mention, None if value.out == text else value.out))

    def _walk(self, making: Making) -> Walk:
        """For values that are templates. Their rules are walked in place, and lists in them are slots inside the slot."""

        def called(word: ListWord) -> str | None:
            built = self.of(word)
            making.uses |= built.uses
            return None if built.graph is None else built.name

        return Walk(making.builder, Scope(self._rules), Calls(called), making.readings, self._steps)

    def _range(self, spec: NumberList) -> str | None:
        """The name of the graph of a range, which all lists of that range call; None where no number can be said."""
        options = (f"step {spec.step}" if spec.step > 1 else None, spec.fractions, spec.language)
        name = " ".join(filter(None, ("range", f"{spec.start}..{spec.stop}", *options)))
        if name not in self.built:
            making = Making(self._reader)
            for number, labels in self._numbers(making, spec):
                making.end(making.path(labels), Skip(number.digits))
            self.built[name] = making.built(name)
        return None if self.built[name].graph is None else name

    def _numbers(self, making: Making, spec: NumberList) -> Iterator[tuple[Number, Sequence[Label]]]:
        """Each number in every way to say it, without what is written for it."""
        for number in numbers(spec, self._language):
            for way in number.ways:
                labels = making.readings.labels("", f"the numbers from {spec.start} to {spec.stop}", way)
                self._steps.take(1 + len(labels or ()), spec)
                if labels:
                    yield number, [label for label in labels if not isinstance(label, Skip)]


def _fitting(spec: ListSpec, filtered: str) -> ListSpec:
    if not filtered or not isinstance(spec, TextList):
        return spec
    fits = fitting(filtered)
    return TextList(tuple(value for value in spec.values if not value.context or fits(value.context)))


def _inline_range(name: str) -> NumberList | None:
    """What {0..100:slot} or {0..100,5:slot} mentions."""
    found = INLINE_RANGE_PATTERN.match(name)
    return None if found is None else NumberList(int(found[1]), int(found[2]), int(found[3] or 1))


def _end(mention: Mention, value: str | None = None) -> Label:
    return End(value) if mention.slot else Skip()
