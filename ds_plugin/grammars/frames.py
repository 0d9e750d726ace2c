"""Files of templates become frames: word graphs of all sentences, in which the lists are still to be filled in.

A frame does not depend on the values of lists, so what takes long is done once: a household's names come and go without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ds_engine.grammar.builder import GraphBuilder
from ds_engine.grammar.graph import FINAL, START, Call, Graph, Label, Set, Skip
from ds_plugin.grammars.compact import compacted
from ds_plugin.grammars.contexts import filter_of
from ds_plugin.grammars.making import Making
from ds_plugin.grammars.places import place_of
from ds_plugin.grammars.readings import Read, Readings
from ds_plugin.grammars.rules import Rules
from ds_plugin.grammars.schema import Block, ListSpec, Template, TemplateFile
from ds_plugin.grammars.walk import MAX_STEPS, Calls, ListWord, Scope, Steps, TemplateTooLargeError, Walk
from ds_plugin.number_words import primary

SKIPPED = 2  # skip words at either end of a sentence
_SKIP_WORDS = "skip words"  # the name of their graph


@dataclass(frozen=True, slots=True)
class Sentences:
    """Where the sentences of one template begin."""

    graph: str
    node: int
    template: str  # with its place, as messages have it


@dataclass(frozen=True, slots=True)
class Frame:
    """A file's sentences with open lists."""

    name: str
    language: str
    intents: Mapping[str, str]  # intent -> graph
    graphs: Mapping[str, Graph]  # each after those that it calls
    words: Mapping[str, ListWord]  # graphs that are called and not there yet
    sentences: tuple[Sentences, ...]
    lists: Mapping[str, ListSpec]
    rules: Mapping[str, Template]
    problems: tuple[str, ...]


def framed(name: str, file: TemplateFile, reader: Read, language: str, steps: int = MAX_STEPS) -> Frame:
    """The frame of a file. Raises GrammarError, which names the template, above `steps` and for rules in a circle."""
    return _Framing(file, reader, Steps(steps)).frame(name, language)


@dataclass(slots=True)
class _Framing:
    """A frame that is being made."""

    file: TemplateFile
    reader: Read
    steps: Steps
    graphs: dict[str, Graph] = field(default_factory=dict)
    rule_names: dict[str, str | None] = field(default_factory=dict)  # None for the graph of a rule of which nothing can be said
    words: dict[str, ListWord] = field(default_factory=dict)
    sentences: list[Sentences] = field(default_factory=list)
    lists: dict[str, ListSpec] = field(default_factory=dict)
    missing: dict[str, list[Template]] = field(default_factory=dict)  # rule -> templates that lead to it
    readings: Readings = field(init=False)
    rules: Rules = field(init=False)

    def __post_init__(self) -> None:
        self.readings = Readings(self.reader)
        self.rules = Rules(self.file.rules)
        self.lists.update(self.file.lists)

    def frame(self, name: str, language: str) -> Frame:
        """All of it."""
        self._check_language(language)
        self._skip_words()
        intents: dict[str, list[Block]] = {}
        for block in self.file.blocks:
            intents.setdefault(block.intent, []).append(block)
        graphs = {intent: self._intent(f"intent {intent}", blocks) for intent, blocks in intents.items()}
        for rule, templates in self.missing.items():
            self._problem(f"the rule <{rule}> is missing; {len(templates)} templates lead to it, such as {templates[0]}")
        return Frame(
            name=name,
            language=language,
            intents={intent: graph for intent, graph in graphs.items() if graph is not None},
            graphs=self.graphs,
            words=self.words,
            sentences=tuple(self.sentences),
            lists=self.lists,
            rules=self.file.rules,
            problems=tuple(self.readings.problems),
        )

    def _check_language(self, language: str) -> None:
        if primary(self.file.language) != primary(language):
            self._problem(f"the sentences are of language {self.file.language!r}, and are read as {language!r}")

    def _problem(self, text: str) -> None:
        self.readings.problems[text] = None

    def _skip_words(self) -> None:
        """Makes a graph of up to SKIPPED skip words, or none."""
        making = Making(self.reader)
        labels = [
            making.readings.labels(" ".join(word.split()), f"{place_of(word, 'the file')}: a skip word") for word in self.file.skip_words
        ]
        begin = START
        for _ in range(SKIPPED):
            after = making.builder.node()
            making.builder.add(begin, Skip(), after)
            for said in filter(None, labels):
                making.builder.add(making.path(said, begin), Skip(), after)
            begin = after
        making.end(begin, Skip())
        self.readings.problems |= making.readings.problems
        made = compacted(making.builder.build())
        if made is not None and any(labels):
            self.graphs[_SKIP_WORDS] = made.graph

    def _intent(self, name: str, blocks: Iterable[Block]) -> str | None:
        """Makes the graph of an intent. Returns its name, or None where nothing can be said."""
        builder = GraphBuilder()
        around = Call(_SKIP_WORDS) if _SKIP_WORDS in self.graphs else Skip()
        begin, end = builder.node(), builder.node()
        builder.add(START, around, begin)
        builder.add(end, around, FINAL)
        found = [sentences for block in blocks for sentences in self._block(name, block, builder, (begin, end))]
        made = compacted(builder.build())
        if made is None:
            return None
        self.graphs[name] = made.graph
        self.sentences += (Sentences(name, made.nodes[sentences.node], sentences.template) for sentences in found)
        return name

    def _block(self, name: str, block: Block, builder: GraphBuilder, between: tuple[int, int]) -> Iterator[Sentences]:
        """Adds a block's sentences between two nodes."""
        scope = self._scope(block)
        walk = self._walk(builder, scope)
        slots: list[Label] = [Set(slot, value) for slot, value in block.slots.items()] or [Skip()]
        for template in block.sentences:
            missing = scope.rules.missing(template.expression)
            for rule in missing:
                self.missing.setdefault(rule, []).append(template)
            if scope.rules.is_silent(template.expression):
                self._problem(f"{template}: is left out, as it can be followed without saying a word")
                continue
            first = walk.labels(slots, between[0])
            last = self._walked(walk, template, first)
            if last is not None:
                builder.add(last, Skip(), between[1])
                yield Sentences(name, first, str(template))
            elif not missing:
                self._problem(f"{template}: nothing of it can be said")

    def _walked(self, walk: Walk, template: Template, first: int) -> int | None:
        try:
            return walk.template(template, first)
        except TemplateTooLargeError as error:
            self._problem(f"{error}: it is left out")
            return None

    def _scope(self, block: Block) -> Scope:
        local = {name: f"{name} of {block.name}" for name in block.lists}
        self.lists.update({local[name]: spec for name, spec in block.lists.items()})
        own = frozenset({*(f"<{name}>" for name in block.rules), *(f"{{{name}}}" for name in block.lists)})
        return Scope(self.rules.joined_with(block.rules), local, filter_of(block), self.file.apart, block.name, own)

    def _walk(self, builder: GraphBuilder, scope: Scope) -> Walk:
        return Walk(builder, scope, Calls(self._word, self._rule), self.readings, self.steps)

    def _word(self, word: ListWord) -> str:
        self.words[str(word)] = word
        return str(word)

    def _rule(self, rule: str, scope: Scope) -> str | None:
        """The name of a rule's graph, made on first demand: one for all blocks in which the rule means the same."""
        mentioned = scope.rules.mentions(rule)
        filtered = scope.filter if any(name.startswith("{") for name in mentioned) else ""
        name = " ".join(filter(None, (f"rule <{rule}>", f"of {scope.name}" if mentioned & scope.local else "", filtered)))
        template = scope.rules.get(rule)
        if name not in self.rule_names and template is not None:
            builder = GraphBuilder()
            last = self._walk(builder, scope).template(template, START)
            if last is not None:
                builder.add(last, Skip(), FINAL)
            made = compacted(builder.build())
            self.rule_names[name] = None if made is None else name
            if made is not None:
                self.graphs[name] = made.graph
        return self.rule_names.get(name)
