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
    _longest: int = field(init=False, repr=False, compare=False)  # characters of a symbol

    def __post_init__(self) -> None:
        silent = {self.blank, *self.ignored}
        if not all(0 <= column < len(self.symbols) for column in silent):
            raise BundleError(f"alphabet: blank and ignored columns {sorted(silent)} must lie in 0..{len(self.symbols) - 1}")
        columns = {symbol: column for column, symbol in enumerate(self.symbols) if column not in silent}
        if len(columns) + len(silent) != len(self.symbols) or "" in columns:
            raise BundleError("alphabet: symbols must be distinct and not empty")
        if self.boundary.rule is BoundaryRule.SEPARATOR and self.boundary.symbol not in columns:
            raise BundleError(f"alphabet: the separator {self.boundary.symbol!r} is not among the symbols")
        if self.boundary.rule is BoundaryRule.WORD_INITIAL and not self.boundary.symbol:
            raise BundleError("alphabet: the word-initial mark is empty")
        if self.bytes_mode and not all(len(symbol) == 1 and ord(symbol) <= 0xFF for symbol in columns):
            raise BundleError("alphabet: in bytes mode every symbol must be one character up to U+00FF")
        object.__setattr__(self, "_columns", columns)
        object.__setattr__(self, "_longest", max(map(len, columns), default=0))

    @property
    def separator(self) -> int | None:
        """The column of the separator, or None under another boundary rule."""
        return self._columns[self.boundary.symbol] if self.boundary.rule is BoundaryRule.SEPARATOR else None

    def is_silent(self, column: int) -> bool:
        """True for the blank and the ignored symbols."""
        return column == self.blank or column in self.ignored

    def starts_word(self, column: int) -> bool:
        """True where this symbol itself begins a new word (word pieces, or no boundaries at all: then every character does)."""
        if self.boundary.rule is BoundaryRule.WORD_INITIAL:
            return self.symbols[column].startswith(self.boundary.symbol)
        if self.boundary.rule is BoundaryRule.NONE:
            return not (self.bytes_mode and ord(self.symbols[column]) & 0b1100_0000 == 0b1000_0000)  # a byte inside a character
        return False

    def spell(self, word: str) -> tuple[tuple[int, ...], ...]:
        """Every way to write `word`, up to MAX_SPELLINGS, fewest symbols first; none where the alphabet cannot write it."""
        if not word:
            return ()
        if self.bytes_mode:
            try:
                word = word.encode().decode("latin-1")
            except UnicodeEncodeError:  # half a surrogate pair
                return ()
        if self.boundary.rule is BoundaryRule.WORD_INITIAL:
            word = self.boundary.symbol + word
        if self._longest == 1:  # a symbol per character: there is one way at most, and lexicons ask for it by the hundred thousand
            columns = tuple(self._columns.get(character, self.blank) for character in word)
            return () if self.blank in columns or self.separator in columns else (columns,)
        return tuple(self._cuts(word))

    def spell_together(self, words: str) -> tuple[tuple[int, ...], ...]:
        """Ways to write several words one after the other as if they were one, up to MAX_SPELLINGS: "t v" for "tv"."""
        between = () if self.separator is None else (self.separator,)
        ways: list[tuple[int, ...]] = [()]
        for number, word in enumerate(words.split()):
            ways = [way + (between if number else ()) + spelling for way in ways for spelling in self.spell(word)][:MAX_SPELLINGS]
        return tuple(way for way in ways if way)

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

    def _cuts(self, text: str) -> list[tuple[int, ...]]:
        """The MAX_SPELLINGS shortest cuts of `text` into symbols, built from its end: best[i] holds those of text[i:]."""
        best: list[list[tuple[int, ...]]] = [[] for _ in text] + [[()]]
        for start in reversed(range(len(text))):
            cuts = [
                (column, *tail)
                for end in range(start + 1, min(len(text), start + self._longest) + 1)
                if (column := self._columns.get(text[start:end])) is not None and self._continues(column, start)
                for tail in best[end]
            ]
            best[start] = sorted(cuts, key=len)[:MAX_SPELLINGS]
        return best[0]

    def _continues(self, column: int, position: int) -> bool:
        """True where this symbol may stand at this place within one word."""
        marked = self.boundary.rule is BoundaryRule.WORD_INITIAL and self.starts_word(column)
        return column != self.separator and not (marked and position > 0)
