"""The alphabet: what the columns of log-probs mean, and how symbols become words.

Three boundary rules cover the published CTC models: a separator symbol between words (characters), a mark on the first piece
of each word (word pieces), or none (languages written without spaces). In bytes mode every symbol stands for one byte of UTF-8
text, kept here as the character of the same number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from ds_engine.errors import BundleError

MAX_SPELLINGS = 16  # of one word: a word of many pieces could be cut in thousands of ways


class BoundaryRule(Enum):
    """How one sees where a word begins."""

    SEPARATOR = "separator"
    WORD_INITIAL = "word-initial"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Boundary:
    """A boundary rule and its symbol: the separator, the word-initial mark, or nothing."""

    rule: BoundaryRule = BoundaryRule.SEPARATOR
    symbol: str = " "


@dataclass(frozen=True, slots=True)
class Alphabet:
    """Symbols by column. Immutable; raises BundleError where it contradicts itself."""

    symbols: tuple[str, ...]
    blank: int = 0  # column of the CTC blank
    ignored: frozenset[int] = frozenset()  # columns that never become text (<unk>, <s>, ...)
    boundary: Boundary = field(default_factory=Boundary)
    bytes_mode: bool = False
    _columns: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        silent = {self.blank, *self.ignored}
        if not all(0 <= column < len(self.symbols) for column in silent):
            raise BundleError(f"alphabet: blank and ignored columns {sorted(silent)} must lie in 0..{len(self.symbols) - 1}")
        columns = {symbol: column for column, symbol in enumerate(self.symbols) if column not in silent}
        if len(columns) + len(silent) != len(self.symbols) or "" in columns:
            raise BundleError("alphabet: symbols must be distinct and not empty")
        if self.boundary.rule is BoundaryRule.SEPARATOR and self.boundary.symbol not in columns:
            raise BundleError(f"alphabet: the separator {self.boundary.symbol!r} is not among the symbols")
        object.__setattr__(self, "_columns", columns)

    @property
    def separator(self) -> int | None:
        """The column of the separator, or None under another boundary rule."""
        return self._columns[self.boundary.symbol] if self.boundary.rule is BoundaryRule.SEPARATOR else None

    def is_silent(self, column: int) -> bool:
        """True for the blank and the ignored symbols."""
        return column == self.blank or column in self.ignored

    def starts_word(self, column: int) -> bool:
        """True where this symbol itself begins a new word (word pieces, or no boundaries at all)."""
        if self.boundary.rule is BoundaryRule.WORD_INITIAL:
            return self.symbols[column].startswith(self.boundary.symbol)
        return self.boundary.rule is BoundaryRule.NONE

    def spell(self, word: str) -> tuple[tuple[int, ...], ...]:
        """Every way to write `word`, up to MAX_SPELLINGS, fewest symbols first; none where the alphabet cannot write it."""
        if self.bytes_mode:
            word = word.encode().decode("latin-1")
        if self.boundary.rule is BoundaryRule.WORD_INITIAL:
            word = self.boundary.symbol + word
        # Longest pieces first: the first spellings found are the shortest, and the cap drops only long ones.
        return tuple(sorted(_take(self._cuts(word, {}), MAX_SPELLINGS), key=len)) if word else ()

    def text(self, columns: Iterable[int]) -> str:
        """Symbols without blanks and repeats -> text, single-spaced and trimmed."""
        return self.join(self.words(columns))

    def words(self, columns: Iterable[int]) -> list[str]:
        """Symbols without blanks and repeats -> words in order."""
        return [self.word(group) for group in self.grouped(columns)]

    def grouped(self, columns: Iterable[int]) -> Iterator[list[int]]:
        """Splits symbols at word boundaries; separators and silent symbols are dropped, no group is empty."""
        group: list[int] = []
        for column in columns:
            if self.is_silent(column):
                continue
            if (column == self.separator or self.starts_word(column)) and group:
                yield group
                group = []
            if column != self.separator:
                group.append(column)
        if group:
            yield group

    def word(self, group: Sequence[int]) -> str:
        """The symbols of one word -> its text. An unfinished UTF-8 sequence at the end of a bytes-mode word is left out."""
        text = "".join(self.symbols[column] for column in group)
        if self.bytes_mode:
            text = text.encode("latin-1").decode("utf-8", errors="ignore")
        return text.removeprefix(self.boundary.symbol) if self.boundary.rule is BoundaryRule.WORD_INITIAL else text

    def join(self, words: Iterable[str]) -> str:
        """Words -> text: with spaces, or without where the language writes none."""
        return ("" if self.boundary.rule is BoundaryRule.NONE else " ").join(word for word in words if word)

    def _cuts(self, rest: str, dead: dict[str, bool]) -> Iterator[tuple[int, ...]]:
        """All cuts of `rest` into symbols, longest first; `dead` remembers rests that have none."""
        if not rest:
            yield ()
            return
        if dead.get(rest):
            return
        found = False
        for size in range(min(len(rest), self._longest), 0, -1):
            column = self._columns.get(rest[:size])
            if column is None or column == self.separator:
                continue
            for tail in self._cuts(rest[size:], dead):
                found = True
                yield (column, *tail)
        dead[rest] = not found

    @property
    def _longest(self) -> int:
        return max(map(len, self._columns))


def _take(cuts: Iterator[tuple[int, ...]], count: int) -> Iterator[tuple[int, ...]]:
    for _, cut in zip(range(count), cuts, strict=False):
        yield cut
