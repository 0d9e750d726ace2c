"""What the modules for Rhasspy's sentences hand on: where a template stands, its tree, and what people should know of it.

Columns count from 1, in the template's own text.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ds_engine.errors import GrammarError

SHOWN = 80  # characters of a template in a message
MAX_PROBLEMS = 100  # that are told one by one


@dataclass(frozen=True, slots=True)
class Source:
    """Where a template stands, and its text."""

    file: str
    line: int  # from 1
    text: str

    def says(self, what: str) -> str:
        """A message about this template, for people."""
        shown = self.text if len(self.text) <= SHOWN else self.text[: SHOWN - 3] + "..."
        return f"{self.file}, line {self.line}: template '{shown}': {what}"

    def error(self, what: str) -> GrammarError:
        """The same message as an error, to be raised."""
        return GrammarError(self.says(what))


@dataclass(slots=True)
class Problems:
    """What people should know of a grammar, each line once; of very many the first."""

    lines: dict[str, None] = field(default_factory=dict)
    more: int = 0

    def add(self, source: Source, what: str) -> None:
        """Takes a message about a template in."""
        if len(self.lines) < MAX_PROBLEMS:
            self.lines[source.says(what)] = None
        else:
            self.more += 1

    def told(self) -> tuple[str, ...]:
        """All lines, and how many more there were."""
        return (*self.lines, *([f"and {self.more} more"] if self.more else []))


@dataclass(frozen=True, slots=True)
class Text:
    """A word as it is written; "" is said by keeping silent."""

    text: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """One of these numbers."""

    name: str  # as it is written: 5, or 1..10,2
    numbers: range | tuple[int, ...]  # ascending


@dataclass(frozen=True, slots=True)
class Reference:
    """What another name stands for: `<Intent.rule>` or `$slot,arguments`."""

    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these sequences; an empty one is said by keeping silent."""

    options: tuple[tuple[Piece, ...], ...]


@dataclass(frozen=True, slots=True)
class Tag:
    """`{name}`, `{name:value}`, either with converters."""

    name: str
    value: str | None  # None: the text that the tagged piece writes
    converters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """One element of a sequence, with what is attached to it."""

    content: Text | Numbers | Reference | Choice
    column: int
    written: str | None = None  # what stands for it in the written sentence; None: its own text
    converters: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()  # the innermost first


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template."""

    source: Source
    root: Choice
