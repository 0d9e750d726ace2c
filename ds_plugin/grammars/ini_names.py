"""What the names in Rhasspy's sentences stand for: entries and slots in, every definition that the sentences need out, parsed.

A definition is named as templates call it, `<Intent.rule>` or `$slot,arguments`; an intent's sentences are `[Intent]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ds_plugin.grammars.ini_parser import parsed
from ds_plugin.grammars.ini_sections import Entry
from ds_plugin.grammars.ini_template import Choice, Piece, Problems, Reference, Source, Template

FindSlot = Callable[[str], tuple[Source, ...] | str]  # a slot's name without $ in; its values as templates out, or why there are none

MAX_NESTED = 50  # rules and slots that refer to each other, one inside the other
MAX_CHARACTERS = 4 * 2**20  # of all templates of a grammar
SHOWN = 5  # names that a message proposes

NUMBER_SLOT = re.compile(r"\$rhasspy/number,(-?[0-9]+),(-?[0-9]+)(,[0-9]+)?")  # how Rhasspy itself writes 1..10,2


@dataclass(frozen=True, slots=True)
class Definition:
    """One of these templates."""

    name: str
    templates: tuple[Template, ...]


@dataclass(slots=True)
class Names:
    """The sentences and rules of some files."""

    sentences: dict[str, dict[str, Source]] = field(default_factory=dict)  # intent -> text -> where it stands first
    rules: dict[str, Source] = field(default_factory=dict)  # <Intent.rule> -> its body

    def add(self, entries: Iterable[Entry], problems: Problems) -> None:
        """Takes entries in. A sentence counts once; of two rules of one name the later one counts, as in Rhasspy."""
        for entry in entries:
            if not entry.rule:
                self.sentences.setdefault(entry.intent, {}).setdefault(entry.source.text, entry.source)
                continue
            name = f"<{entry.intent}.{entry.rule}>"
            if (known := self.rules.get(name)) and known.text != entry.source.text:
                problems.add(entry.source, f"{name} stands in {known.file}, line {known.line} already; this one counts")
            self.rules[name] = entry.source

    def definitions(self, find_slot: FindSlot) -> dict[str, Definition]:
        """What the sentences need, by name, each after all that it refers to.

        Raises GrammarError, which names file, line and template, for a broken template, a name that stands for nothing, and names
        that lead in a circle or more than MAX_NESTED deep; and for more than MAX_CHARACTERS.
        """
        search = _Search(self, find_slot)
        for intent, sources in self.sentences.items():
            search.add(search.parsed(f"[{intent}]", sources.values(), intent))
        return search.found

    def rule(self, name: str) -> tuple[Source, ...] | str:
        """The one template of a rule, or why there is none."""
        if name in self.rules:
            return (self.rules[name],)
        known = [rule for rule in self.rules if intent_of(rule) == intent_of(name)]
        return f"the rules of [{intent_of(name)}] are {', '.join(known[:SHOWN])}" if known else f"[{intent_of(name)}] has no rules"


def intent_of(rule: str) -> str:
    """The intent of `<Intent.rule>`."""
    return rule[1:-1].rpartition(".")[0]


class _Search:
    """Looks up what sentences refer to. Its path is a dictionary, not a recursion, so that no chain of rules is too long for it."""

    def __init__(self, names: Names, find_slot: FindSlot) -> None:
        self.found: dict[str, Definition] = {}
        self._depths: dict[str, int] = {}  # of all that is found
        self._names = names
        self._find_slot = find_slot
        self._characters = 0

    def add(self, definition: Definition) -> None:
        """Adds a definition, after all that it refers to."""
        path = {definition.name: (definition, _references(definition))}
        while path:
            name, (definition, references) = next(reversed(path.items()))
            if (reference := next(references, None)) is None:
                self._finish(definition)
                del path[name]
                continue
            wanted, template = reference
            if wanted in path:
                circle = list(path)[list(path).index(wanted) :]
                raise template.source.error(f"{wanted} leads back to itself: {' -> '.join([*circle, wanted])}")
            if wanted not in self.found:
                following = self._definition(wanted, template)
                path[wanted] = (following, _references(following))

    def parsed(self, name: str, sources: Iterable[Source], intent: str) -> Definition:
        """A definition of these templates."""
        templates = []
        for source in sources:
            self._characters += len(source.text)
            if self._characters > MAX_CHARACTERS:
                raise source.error(f"there are more than {MAX_CHARACTERS} characters of sentences, rules and slots up to here")
            templates.append(parsed(source, intent))
        return Definition(name, tuple(templates))

    def _definition(self, name: str, template: Template) -> Definition:
        rule = name.startswith("<")
        sources = self._names.rule(name) if rule else self._slot(name)
        if isinstance(sources, str):
            raise template.source.error(f"{name} stands for nothing: {sources}")
        return self.parsed(name, sources, intent_of(name) if rule else "")

    def _slot(self, name: str) -> tuple[Source, ...] | str:
        sources = self._find_slot(name[1:])
        if isinstance(sources, str) and (number := NUMBER_SLOT.fullmatch(name)):
            return (Source(name, 1, f"{number[1]}..{number[2]}{number[3] or ''}"),)
        return sources or "it has no values"

    def _finish(self, definition: Definition) -> None:
        depth = 0
        for name, template in _references(definition):
            depth = max(depth, self._depths[name] + 1)
            if depth > MAX_NESTED:
                raise template.source.error(f"{name} leads through more than {MAX_NESTED} rules and slots, one inside the other")
        self.found[definition.name] = definition
        self._depths[definition.name] = depth


def _references(definition: Definition) -> Iterator[tuple[str, Template]]:
    for template in definition.templates:
        for piece in _pieces(template.root):
            if isinstance(piece.content, Reference):
                yield piece.content.name, template


def _pieces(choice: Choice) -> Iterator[Piece]:
    for option in choice.options:
        for piece in option:
            yield piece
            if isinstance(piece.content, Choice):
                yield from _pieces(piece.content)
