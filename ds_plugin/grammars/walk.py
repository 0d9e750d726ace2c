"""A template becomes a word graph: hassil's expressions, which are of characters, in, arcs of whole words out.

A word may grow over several parts of a template: "light[s]", "[un]lock", "{area}['s]". So the walk carries the words that are not
finished yet, each with the node where it began, and finishes them where a space comes. Whatever differs only in how it came
about goes on from one node, so a graph is hardly larger than its template. Lists and rules of some size are graphs of their own,
and called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from hassil.expression import Alternative, Expression, Group, ListReference, Permutation, RuleReference, TextChunk
from hassil.util import PUNCTUATION_END, PUNCTUATION_START, remove_punctuation

from ds_engine.errors import GrammarError
from ds_engine.grammar.builder import GraphBuilder
from ds_engine.grammar.graph import Call, Label, Skip
from ds_plugin.grammars.readings import Readings
from ds_plugin.grammars.rules import Rules, size
from ds_plugin.grammars.schema import Template

MAX_STEPS = 1_000_000  # of all walks of a file together: Home Assistant's English takes 56,000, Turkish 340,000
MAX_UNFINISHED = 5000  # words that have begun in different ways and end together
MAX_WORD_CHARACTERS = 200  # of a word that is not finished yet
MAX_PERMUTED = 8  # parts of (a;b;c), which may come in any order
INLINED = 3  # parts of a rule that is not worth a call


class TemplateTooLargeError(GrammarError):
    """One template that would grow beyond a limit; others may be all right."""


_SPACE = re.compile(r"(\s+)")


@dataclass(frozen=True, slots=True)
class Mention:
    """A list that is mentioned: {list:slot}."""

    list: str
    slot: str  # "": what was said is not kept


@dataclass(frozen=True, slots=True)
class Ruled:
    """A rule that is called as soon as it is seen that nothing is joined to it."""

    rule: str


Word = tuple[str | Mention | Ruled, ...]  # an unfinished word, () between two words
Ends = dict[Word, int]  # where a walk stands: unfinished words, and the nodes where they began


@dataclass(frozen=True, slots=True)
class ListWord:
    """Values of a list, with the letters and lists that are joined to them, if any. Each becomes a graph."""

    pieces: tuple[str | Mention, ...]
    filter: str  # which values fit, as `ds_plugin.grammars.contexts` has it

    def __str__(self) -> str:
        """The name of its graph."""
        named = (piece if isinstance(piece, str) else f"{{{piece.list}:{piece.slot}}}" for piece in self.pieces)
        return " ".join(filter(None, ("list", "".join(named), self.filter)))


@dataclass(frozen=True, slots=True)
class Scope:
    """What names mean for a template."""

    rules: Rules
    lists: Mapping[str, str] = field(default_factory=dict)  # name in the template -> name in the whole file, where they differ
    filter: str = ""  # of values, as `ds_plugin.grammars.contexts` has it
    apart: bool = False  # no spaces are needed: nothing is joined to anything, ASCII to ASCII excepted
    name: str = ""  # of the block of sentences
    local: frozenset[str] = frozenset()  # <rule> and {list} that only this block has


class Steps:
    """Counts what all walks of a file do."""

    def __init__(self, most: int) -> None:
        self._taken, self._most = 0, most

    def take(self, count: int, at: object) -> None:
        """`count` more, at a place. Raises GrammarError for too many."""
        self._taken += count
        if self._taken > self._most:
            raise GrammarError(f"{at}: the grammar is too large: it takes more than {self._most} steps to compile it")


@dataclass(frozen=True, slots=True)
class Calls:
    """How a walk gets at what is a graph of its own: its name, or None where it can say nothing."""

    word: Callable[[ListWord], str | None]
    rule: Callable[[str, Scope], str | None] | None = None  # None: rules are walked in place


class Walk:
    """Walks templates of one scope into one graph."""

    def __init__(self, builder: GraphBuilder, scope: Scope, calls: Calls, readings: Readings, steps: Steps) -> None:
        self._builder = builder
        self._scope = scope
        self._calls = calls
        self._readings = readings
        self._steps = steps
        self._finished: dict[tuple[Word, int], int | None] = {}
        self._at: Template

    def template(self, template: Template, source: int) -> int | None:
        """Adds the paths of a template from the node `source`; the node where they end, or None where nothing can be said.

        Raises GrammarError, which names the template, where it is too large.
        """
        self._at = template
        return self._spaced(self._walked(template.expression, {(): source})).get(())

    def labels(self, labels: Iterable[Label], source: int) -> int:
        """Adds one path, and returns where it ends."""
        for label in labels:
            source = self._arc(source, label)
        return source

    def _walked(self, expression: Expression, ends: Ends) -> Ends:
        self._steps.take(max(1, len(ends)), self._at)
        if not ends:
            return {}
        match expression:
            case TextChunk():
                ends = self._text(expression.text, ends)
            case Alternative():
                ends = self._joint([self._walked(item, ends) for item in expression.items])
            case Permutation():
                ends = self._permuted(expression.items, ends)
            case Group():
                for item in expression.items:
                    ends = self._walked(item, ends)
            case ListReference():
                ends = self._list(expression, ends)
            case RuleReference():
                ends = self._rule(expression.rule_name, ends)
            case _:
                raise GrammarError(f"{self._at}: {type(expression).__name__} is not known")
        return ends

    def _text(self, text: str, ends: Ends) -> Ends:
        for part in filter(None, _SPACE.split(text)):
            ends = self._spaced(ends) if part.isspace() else self._lengthened(part, ends)
            if self._scope.apart and not part[-1].isascii():
                ends = self._spaced(ends)
        return ends

    def _permuted(self, items: list[Expression], ends: Ends) -> Ends:
        """All orders: after the same parts in another order, all goes on from the same nodes."""
        if len(items) > MAX_PERMUTED:
            raise TemplateTooLargeError(f"{self._at}: (a;b) has {len(items)} parts, at most {MAX_PERMUTED} are allowed")
        after = {0: ends}
        for said in range(1, 1 << len(items)):
            parts = [part for part in range(len(items)) if said >> part & 1]
            after[said] = self._joint([self._walked(items[part], after[said & ~(1 << part)]) for part in parts])
        return after[(1 << len(items)) - 1]

    def _list(self, mentioned: ListReference, ends: Ends) -> Ends:
        name = self._scope.lists.get(mentioned.list_name, mentioned.list_name)
        mention = Mention(name, "" if mentioned.is_capture else mentioned.slot_name)
        if self._scope.apart:
            return self._spaced(self._lengthened(mention, self._spaced(ends)))
        return self._lengthened(mention, ends)

    def _rule(self, name: str, ends: Ends) -> Ends:
        rule = self._scope.rules.get(name)
        if rule is None:
            return {}
        if self._calls.rule is None or size(rule.expression) <= INLINED or self._scope.rules.elides(rule.expression):
            return self._inside(rule, ends)
        joined = self._inside(rule, {word: node for word, node in ends.items() if word})
        called: Ends = {(Ruled(name),): ends[()]} if () in ends else {}
        return self._joint([called, joined])

    def _inside(self, rule: Template, ends: Ends) -> Ends:
        if not ends:
            return {}
        outside, self._at = self._at, rule
        ends = self._walked(rule.expression, self._opened(ends))
        self._at = outside
        return ends

    def _opened(self, ends: Ends) -> Ends:
        """Rules to which something is joined cannot be called: they are walked in place."""
        if not any(isinstance(piece, Ruled) for word in ends for piece in word):
            return ends
        opened: list[Ends] = []
        for word, node in ends.items():
            rule = self._scope.rules.get(word[0].rule) if word and isinstance(word[0], Ruled) else None
            opened.append({word: node} if rule is None else self._opened(self._inside(rule, {(): node})))
        return self._joint(opened)

    def _lengthened(self, piece: str | Mention, ends: Ends) -> Ends:
        opened = self._opened(ends)
        self._steps.take(len(opened), self._at)
        return {self._grown(word, piece): node for word, node in opened.items()}

    def _grown(self, word: Word, piece: str | Mention) -> Word:
        *before, last = word or ("",)
        word = (*before, last + piece) if isinstance(last, str) and isinstance(piece, str) else (*word, piece)
        if sum(len(part) if isinstance(part, str) else 1 for part in word) > MAX_WORD_CHARACTERS:
            raise TemplateTooLargeError(f"{self._at}: a word has more than {MAX_WORD_CHARACTERS} characters")
        return word

    def _spaced(self, ends: Ends) -> Ends:
        """A space: all words are finished. As in hassil, one that ends in an apostrophe may also be joined to what comes ("l' {area}")."""
        self._steps.take(len(ends), self._at)
        finished = [self._node_after(word, node) for word, node in ends.items()]
        elided = {word: node for word, node in ends.items() if word and isinstance(word[-1], str) and word[-1].endswith("'")}
        between: list[Ends] = [{(): node} for node in finished if node is not None]
        return self._joint([*between, elided])

    def _node_after(self, word: Word, node: int) -> int | None:
        """The node where a word that began at `node` is finished, None where it cannot be said."""
        if not word:
            return node
        if (word, node) not in self._finished:
            self._finished[word, node] = self._said(word, node)
        return self._finished[word, node]

    def _said(self, word: Word, node: int) -> int | None:
        pieces = _without_punctuation(tuple(piece for piece in word if not isinstance(piece, Ruled)))
        if isinstance(word[0], Ruled):
            called = self._calls.rule and self._calls.rule(word[0].rule, self._scope)
        elif all(isinstance(piece, str) for piece in pieces):
            labels = self._readings.labels("".join(map(str, pieces)), self._at)
            return None if labels is None else self.labels(labels, node)
        else:
            called = self._calls.word(ListWord(pieces, self._scope.filter))
        return None if called is None else self._arc(node, Call(called))

    def _joint(self, many: Iterable[Ends]) -> Ends:
        """Several ends as one: equal unfinished words go on from one node."""
        nodes: dict[Word, dict[int, None]] = {}
        for ends in many:
            for word, node in ends.items():
                nodes.setdefault(word, {})[node] = None
        if len(nodes) > MAX_UNFINISHED:
            raise TemplateTooLargeError(f"{self._at}: a word can be begun in more than {MAX_UNFINISHED} ways")
        return {word: self._join([*found]) for word, found in nodes.items()}

    def _join(self, nodes: list[int]) -> int:
        if len(nodes) == 1:
            return nodes[0]
        joint = self._builder.node()
        for node in nodes:
            self._builder.add(node, Skip(), joint)
        return joint

    def _arc(self, source: int, label: Label) -> int:
        target = self._builder.node()
        self._builder.add(source, label, target)
        return target


def _without_punctuation(pieces: tuple[str | Mention, ...]) -> tuple[str | Mention, ...]:
    """A word as hassil compares it: without punctuation at its ends."""
    match pieces:
        case (str() as text,):
            pieces = (remove_punctuation(text),)
        case (str() as text, *_):
            pieces = (PUNCTUATION_START.sub("", text), *pieces[1:])
    match pieces:
        case (_, *_, str() as text):
            pieces = (*pieces[:-1], PUNCTUATION_END.sub("", text))
    return tuple(filter(None, pieces))
