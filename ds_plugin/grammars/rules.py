"""Expansion rules: which rules and lists each one mentions, and what can be said without saying anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hassil.expression import Alternative, Expression, Group, ListReference, Permutation, RuleReference, TextChunk

from ds_engine.errors import GrammarError
from ds_plugin.grammars.schema import Template


class Rules:
    """Rules by name. Immutable; raises GrammarError, which names the circle, where a rule leads back to itself."""

    def __init__(self, templates: Mapping[str, Template]) -> None:
        self._templates = templates
        self._mentions: dict[str, frozenset[str]] = {}
        for name in templates:
            self._learn(name, ())

    def get(self, name: str) -> Template | None:
        """The rule of this name."""
        return self._templates.get(name)

    def mentions(self, name: str) -> frozenset[str]:
        """What a rule leads to, itself included: rules as `<name>`, lists as `{name}`. Rules that are missing lead no further."""
        return self._mentions.get(name, frozenset({f"<{name}>"}))

    def missing(self, expression: Expression) -> set[str]:
        """The rules that an expression leads to and that are not there."""
        found = {mentioned.rule_name for mentioned in references(expression) if isinstance(mentioned, RuleReference)}
        every = {name for rule in found for name in self.mentions(rule) if name.startswith("<")}
        return {name[1:-1] for name in every} - set(self._templates)

    def joined_with(self, others: Mapping[str, Template]) -> Rules:
        """These rules and others, which stand before them. Raises GrammarError as the constructor does."""
        return Rules({**self._templates, **others}) if others else self

    def is_silent(self, expression: Expression) -> bool:
        """True for an expression that somebody follows without saying a word."""
        match expression:
            case TextChunk():
                return not any(map(str.isalnum, expression.text))
            case Alternative():
                return any(map(self.is_silent, expression.items))
            case Group():
                return all(map(self.is_silent, expression.items))
            case RuleReference():
                rule = self.get(expression.rule_name)
                return rule is not None and self.is_silent(rule.expression)
            case _:
                return False

    def elides(self, expression: Expression) -> bool:
        """True for an expression that may end in an apostrophe, so that what comes next may be joined to it."""
        match expression:
            case TextChunk():
                return expression.text.rstrip().endswith("'")
            case Alternative() | Permutation():
                return any(map(self.elides, expression.items))
            case Group():
                last = next((item for item in reversed(expression.items) if self.elides(item) or not self.is_silent(item)), None)
                return last is not None and self.elides(last)
            case RuleReference():
                rule = self.get(expression.rule_name)
                return rule is not None and self.elides(rule.expression)
            case _:
                return False

    def _learn(self, name: str, above: tuple[str, ...]) -> frozenset[str]:
        if name in above:
            circle = " -> ".join(f"<{rule}>" for rule in (*above[above.index(name) :], name))
            raise GrammarError(f"{self._templates[name]}: the rule leads back to itself: {circle}")
        if name in self._mentions or name not in self._templates:
            return self.mentions(name)
        found = {f"<{name}>"}
        for mentioned in references(self._templates[name].expression):
            if isinstance(mentioned, ListReference):
                found.add(f"{{{mentioned.list_name}}}")
            else:
                found |= self._learn(mentioned.rule_name, (*above, name))
        self._mentions[name] = frozenset(found)
        return self._mentions[name]


def references(expression: Expression) -> Iterator[ListReference | RuleReference]:
    """The lists and rules that an expression mentions."""
    match expression:
        case Group():
            for item in expression.items:
                yield from references(item)
        case ListReference() | RuleReference():
            yield expression


def size(expression: Expression) -> int:
    """How many texts, lists and rules an expression is made of."""
    return sum(map(size, expression.items)) if isinstance(expression, Group) else 1
