"""Rhasspy's template language: the text of one template in, its tree out. It takes time in proportion to the text.

template  = sequence { "|" sequence }                       one of them; an empty one is silence
sequence  = { ( group | optional | rule | word ) { tag } }
group     = "(" template ")" attached
optional  = "[" template "]" attached
rule      = "<" [ intent "." ] name ">" attached
word      = ( text | number | range | "$" slot ) attached   up to a blank or a bracket; the text may be empty
attached  = [ ":" written ] { "!" converter }               without a blank before it
written   = text | "(" text { blank text } ")"
tag       = "{" name [ ":" text ] { "!" converter } "}"     blanks may stand before it
"""

from __future__ import annotations

import re
from dataclasses import replace

from ds_engine.errors import GrammarError
from ds_plugin.grammars.ini_converters import CONVERTERS
from ds_plugin.grammars.ini_template import Choice, Numbers, Piece, Reference, Source, Tag, Template, Text

MAX_DEPTH = 50  # brackets within brackets
MAX_TAGS = 3  # on one element
MAX_NUMBERS = 10_000  # in one range
MAX_DIGITS = 15  # of a number

BLANK = re.compile(r"\s*")
BARE = re.compile(r"[^\s()\[\]{}<>|:!]*")  # a word, a slot, the name of a converter
WRITTEN = re.compile(r"[^\s()\[\]{}<>|!]*")
NUMBER = re.compile(r"-?[0-9]+")
RANGE = re.compile(r"(-?[0-9]+)\.\.(-?[0-9]+)(?:,([0-9]+))?")
INSIDE = re.compile(r"[\[{<(|]")  # what no name and no written text may hold
INSIDE_TAG = re.compile(r"[\[{<|]")  # here parentheses hold a value of several words
LIKE_RANGE = re.compile(r"[0-9]\.\.|\.\.-?[0-9]")

CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}


def parsed(source: Source, intent: str) -> Template:
    """The tree of a template that stands in this intent ("" for a slot's value, which belongs to none).

    Raises GrammarError, which names file, line, template and column.
    """
    return Template(source, _Parser(source, intent).template())


class _Parser:
    """Reads one template from left to right."""

    def __init__(self, source: Source, intent: str) -> None:
        self._source = source
        self._text = source.text
        self._intent = intent
        self._at = 0

    def template(self) -> Choice:
        choice = self._choice(0)
        if self._next():
            raise self._error(f"'{self._next()}' closes nothing", self._at)
        return choice

    def _choice(self, depth: int) -> Choice:
        options = [self._sequence(depth)]
        while self._next() == "|":
            self._at += 1
            options.append(self._sequence(depth))
        return Choice(tuple(options))

    def _sequence(self, depth: int) -> tuple[Piece, ...]:
        pieces: list[Piece] = []
        while (found := self._next_after_blanks()) and found not in "|)]}>":
            if found == "{":
                pieces[-1:] = [self._tagged(pieces)]
            elif found in "([":
                pieces.append(self._bracketed(depth + 1))
            elif found == "<":
                pieces.append(self._rule())
            else:
                pieces.append(self._word())
        return tuple(pieces)

    def _bracketed(self, depth: int) -> Piece:
        opening = self._at
        if depth > MAX_DEPTH:
            raise self._error(f"brackets stand more than {MAX_DEPTH} deep", opening)
        self._at += 1
        choice = self._choice(depth)
        self._close(opening)
        if self._text[opening] == "[":
            choice = Choice((*choice.options, ()))
        return self._attached(choice, opening)

    def _close(self, opening: int) -> None:
        bracket = self._text[opening]
        if not (found := self._next()):
            raise self._error(f"'{bracket}' is never closed", opening)
        if found != CLOSING[bracket]:
            raise self._error(f"'{found}' where '{CLOSING[bracket]}' must close the '{bracket}' of column {opening + 1}", self._at)
        self._at += 1

    def _rule(self) -> Piece:
        opening = self._at
        intent, _, name = self._enclosed().rpartition(".")
        if not name.strip():
            raise self._error("a rule needs a name: <rule> or <Intent.rule>", opening)
        if not (intent.strip() or self._intent):
            raise self._error(f"a slot's value belongs to no intent: write <Intent.{name.strip()}>", opening)
        return self._attached(Reference(f"<{intent.strip() or self._intent}.{name.strip()}>"), opening)

    def _word(self) -> Piece:
        start = self._at
        text = self._take(BARE)
        if text.startswith("$"):
            if not text[1:]:
                raise self._error("a slot needs a name: $slot", start)
            return self._attached(Reference(text), start)
        if NUMBER.fullmatch(text):
            return self._attached(self._one(text, start), start)
        if LIKE_RANGE.search(text):
            return self._attached(self._range(text, start), start)
        return self._attached(Text(text), start)

    def _range(self, text: str, start: int) -> Numbers:
        if not (found := RANGE.fullmatch(text)):
            raise self._error(f"'{text}' is no range of whole numbers: write 1..10, or 1..10,2 for every second one", start)
        first, last, step = (self._number(number or "1", start) for number in found.groups())
        if step == 0 or first > last:
            raise self._error(f"the range '{text}' is empty: the smaller number comes first, the step is 1 or more", start)
        if (last - first) // step >= MAX_NUMBERS:
            raise self._error(f"the range '{text}' has more than {MAX_NUMBERS} numbers", start)
        return Numbers(text, range(first, last + 1, step))

    def _one(self, text: str, start: int) -> Numbers:
        number = self._number(text, start)
        return Numbers(text, range(number, number + 1))

    def _number(self, text: str, start: int) -> int:
        if len(text.lstrip("-")) > MAX_DIGITS:
            raise self._error(f"a number has at most {MAX_DIGITS} digits", start)
        return int(text)

    def _attached(self, content: Text | Numbers | Reference | Choice, start: int) -> Piece:
        """The piece that began at `start`, with its written text and converters."""
        written = self._written() if self._next() == ":" else None
        converters = []
        while self._next() == "!":
            self._at += 1
            converters.append(self._converter(self._take(BARE)))
        if converters and self._next() == ":":
            raise self._error("the written text stands before the converters: spoken:written!converter", self._at)
        return Piece(content, start + 1, written, tuple(converters))

    def _written(self) -> str:
        self._at += 1
        if self._next() != "(":
            return self._take(WRITTEN)
        return " ".join(self._enclosed().split())

    def _tagged(self, pieces: list[Piece]) -> Piece:
        opening = self._at
        if not pieces:
            raise self._error("a tag needs something before it; (:){name:value} tags silence", opening)
        if len(pieces[-1].tags) == MAX_TAGS:
            raise self._error(f"more than {MAX_TAGS} tags stand on one element", opening)
        head, *converters = self._enclosed().split("!")
        name, colon, value = (part.strip() for part in head.partition(":"))
        if not name:
            raise self._error("a tag needs a name: {name}", opening)
        value = " ".join(value.removeprefix("(").removesuffix(")").split())
        tag = Tag(name, value if colon else None, tuple(self._converter(name.strip()) for name in converters))
        return replace(pieces[-1], tags=(*pieces[-1].tags, tag))

    def _converter(self, name: str) -> str:
        if name not in CONVERTERS:
            known = ", ".join(CONVERTERS)
            raise self._error(f"there is no converter '!{name}', only {known} (converters that are programs are not run)", self._at)
        return name

    def _enclosed(self) -> str:
        """The text between the bracket that stands here and the one that closes it, with no bracket inside."""
        opening = self._at
        closing = CLOSING[self._text[opening]]
        end = self._text.find(closing, opening)
        if end < 0:
            raise self._error(f"'{self._text[opening]}' is never closed", opening)
        inside = self._text[opening + 1 : end]
        if found := (INSIDE_TAG if closing == "}" else INSIDE).search(inside):
            raise self._error(f"'{found[0]}' cannot stand between '{self._text[opening]}' and '{closing}'", opening + 1 + found.start())
        self._at = end + 1
        return inside

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        text = found[0] if found else ""
        self._at += len(text)
        return text

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next_after_blanks(self) -> str:
        self._take(BLANK)
        return self._next()

    def _error(self, what: str, at: int) -> GrammarError:
        return self._source.error(f"column {at + 1}: {what}")
