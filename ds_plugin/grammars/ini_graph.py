"""Sayable definitions in, the word graphs of a grammar out.

Every rule, slot and long range is a graph of its own, called from where it is named. What stands around a call changes what is written
inside (nothing, below `(...):other`; something else, below `(...)!upper`), so one name may come out as several graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from ds_engine.errors import GrammarError
from ds_engine.grammar.builder import GraphBuilder
from ds_engine.grammar.graph import FINAL, START, Begin, Call, End, Graph, Label, Skip, Spoken
from ds_engine.grammar.network import MAX_ARCS
from ds_plugin.grammars.ini_converters import converted
from ds_plugin.grammars.ini_names import Definition
from ds_plugin.grammars.ini_spoken import Voice, Words
from ds_plugin.grammars.ini_template import Choice, Numbers, Piece, Problems, Reference, Source, Template, Text

MAX_CONVERTERS = 10  # that apply to one text, from all that stands around it
FEW = 8  # numbers that stand in a graph themselves, and first words of one that the search keeps no list for


@dataclass(frozen=True, slots=True)
class Context:
    """What stands around a piece, and changes the text that it writes."""

    silent: bool = False  # something else is written in its place
    converters: tuple[str, ...] = ()  # the innermost first; in silence they change what tags hold

    def named(self, name: str) -> str:
        """The name of a definition's graph in this context."""
        return name + ":" * self.silent + "".join(f"!{converter}" for converter in self.converters)


AS_WRITTEN = Context()
SILENT = Context(silent=True)


class Graphs:
    """The graphs of some definitions. Graphs that are called are built after those that call them, so nothing here recurses."""

    def __init__(self, definitions: Mapping[str, Definition], voice: Voice, problems: Problems) -> None:
        self.graphs: dict[str, Graph] = {}
        self.lists: set[str] = set()  # graphs with more than FEW first words
        self.voice = voice
        self.problems = problems
        self._definitions = definitions
        self._waiting: list[tuple[str, tuple[Template, ...], Context]] = []
        self._wanted: set[str] = set()
        self._arcs = 0

    def build(self, names: Iterable[str]) -> None:
        """Builds the graphs of these definitions and of all that they call.

        Raises GrammarError for a text that a converter does not take, and above MAX_ARCS arcs in all graphs together.
        """
        roots = {self.reference(name, AS_WRITTEN) for name in names}
        while self._waiting:
            name, templates, context = self._waiting.pop()
            self.graphs[name] = graph = _Writer(self, templates).graph(context)
            if name not in roots and _first_words(graph) > FEW:
                self.lists.add(name)

    def reference(self, name: str, context: Context) -> str:
        """The name of the graph of a definition in this context."""
        return self._called(context.named(name), lambda: self._definitions[name].templates, context)

    def numbers(self, numbers: Numbers, source: Source, context: Context) -> str:
        """The name of the graph of many numbers in this context."""
        return self._called(context.named(numbers.name), lambda: (_each(numbers, source),), context)

    def _called(self, graph: str, templates: Callable[[], tuple[Template, ...]], context: Context) -> str:
        if graph not in self._wanted:
            self._wanted.add(graph)
            self._waiting.append((graph, templates(), context))
        return graph

    def count_arc(self) -> None:
        """Raises GrammarError above MAX_ARCS."""
        self._arcs += 1
        if self._arcs > MAX_ARCS:
            raise GrammarError(f"the sentences are too many: they have more than {MAX_ARCS} words and branches in all")


class _Writer:
    """Writes the graph of one definition in one context."""

    def __init__(self, graphs: Graphs, templates: tuple[Template, ...]) -> None:
        self._graphs = graphs
        self._templates = templates
        self._source = templates[0].source
        self._builder = GraphBuilder()

    def graph(self, context: Context) -> Graph:
        for template in self._templates:
            self._source = template.source
            self._choice(template.root, START, FINAL, context)
        return self._builder.build()

    def _choice(self, choice: Choice, source: int, target: int, context: Context) -> None:
        for option in choice.options:
            self._sequence(option, source, target, context)

    def _sequence(self, pieces: tuple[Piece, ...], source: int, target: int, context: Context) -> None:
        if not pieces:
            self._arc(source, Skip(), target)
        for piece in pieces[:-1]:
            following = self._builder.node()
            self._piece(piece, source, following, context)
            source = following
        for piece in pieces[-1:]:
            self._piece(piece, source, target, context)

    def _piece(self, piece: Piece, source: int, target: int, context: Context) -> None:
        if piece.tags:
            self._tagged(piece, source, target, context)
            return
        inside = self._within(piece, context, piece.converters)
        if isinstance(piece.content, Text):
            written = piece.content.text if piece.written is None else piece.written
            self._say(self._graphs.voice.words(piece.content.text), self._written(piece, written, inside), source, target)
        elif piece.written is None:
            self._content(piece, source, target, inside)
        else:
            said = self._builder.node()
            self._content(piece, source, said, SILENT)
            self._arc(said, Skip(self._written(piece, piece.written, inside)), target)

    def _tagged(self, piece: Piece, source: int, target: int, context: Context) -> None:
        tag, inner = piece.tags[-1], replace(piece, tags=piece.tags[:-1])
        begun, said = self._builder.node(), self._builder.node()
        self._arc(source, Begin(tag.name), begun)
        if tag.value is None:
            if context.silent:
                self._graphs.problems.add(self._source, f"column {piece.column}: other text is written here, so {{{tag.name}}} stays empty")
            self._piece(inner, begun, said, self._within(piece, context, tag.converters))
            self._arc(said, End(), target)
            return
        value = self._converted(piece, tag.value, self._within(piece, context, piece.converters + tag.converters))
        written = self._builder.node()
        self._piece(inner, begun, said, SILENT)
        self._arc(said, Skip("" if context.silent else value), written)
        self._arc(written, End(value), target)

    def _content(self, piece: Piece, source: int, target: int, context: Context) -> None:
        match piece.content:
            case Choice() as choice:
                self._choice(choice, source, target, context)
            case Reference(name):
                self._arc(source, Call(self._graphs.reference(name, context)), target)
            case Numbers() as numbers if len(numbers.numbers) > FEW:
                self._arc(source, Call(self._graphs.numbers(numbers, self._source, context)), target)
            case Numbers(_, numbers):
                for number in numbers:
                    for words in self._graphs.voice.number(number):
                        self._say(words, self._written(piece, str(number), context), source, target)

    def _say(self, words: Words, written: str, source: int, target: int) -> None:
        """The words, one after the other; the first of them writes the text."""
        if not words:
            self._arc(source, Skip(written), target)
        for position, word in enumerate(words):
            following = target if position == len(words) - 1 else self._builder.node()
            text = written if position == 0 else ""
            self._arc(source, Spoken(word, None if text == word else text), following)
            source = following

    def _within(self, piece: Piece, context: Context, converters: tuple[str, ...]) -> Context:
        """The context inside of something with converters."""
        if len(converters) + len(context.converters) > MAX_CONVERTERS:
            raise self._source.error(f"column {piece.column}: more than {MAX_CONVERTERS} converters apply to one text")
        return replace(context, converters=converters + context.converters) if converters else context

    def _written(self, piece: Piece, text: str, context: Context) -> str:
        return "" if context.silent else self._converted(piece, text, context)

    def _converted(self, piece: Piece, text: str, context: Context) -> str:
        try:
            return converted(text, context.converters)
        except ValueError as error:
            raise self._source.error(f"column {piece.column}: {error}") from error

    def _arc(self, source: int, label: Label, target: int) -> None:
        self._graphs.count_arc()
        self._builder.add(source, label, target)


def _each(numbers: Numbers, source: Source) -> Template:
    """A template of these numbers one by one."""
    options = tuple((Piece(Numbers(str(number), (number,)), 1),) for number in numbers.numbers)
    return Template(source, Choice(options))


def _first_words(graph: Graph) -> int:
    """How many words the graph may begin with, those of the graphs that it calls aside."""
    words, seen, waiting = set[str](), {START}, [START]
    while waiting:
        for arc in graph.arcs[waiting.pop()]:
            match arc.label:
                case Spoken(word):
                    words.add(word)
                case Begin() | End() | Skip() if arc.target not in seen:
                    seen.add(arc.target)
                    waiting.append(arc.target)
                case _:
                    pass
    return len(words)
