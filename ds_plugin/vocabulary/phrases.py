"""Written phrases as a search can hear them: text in, words of the transcript out, with the pronunciations that these need.

A word whose diacritics the alphabet lacks stays as it is written and is said without them; numbers and symbols become words. A
word whose letters cannot be read needs a pronunciation from its owner: then it may be any text at all.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from ds_engine.bias import MAX_PHRASE_LENGTH, Pronunciation
from ds_plugin.spoken import Reader, bare, parting

_POSSESSIVE = "'s"
_CACHED = 32_768  # phrases whose reading is remembered


@dataclass(frozen=True, slots=True)
class Said:
    """How a phrase is heard."""

    text: str  # words as they stand in a transcript, with single spaces; "" where the phrase cannot be used
    pronunciations: tuple[Pronunciation, ...] = ()  # of those words that are said otherwise than they are written
    changes: tuple[str, ...] = ()  # for people: "é as e"
    lost: str = ""  # characters that are passed over, or, where `text` is empty, that stand in the way


class Phrases:
    """Reads phrases for one alphabet and language, given the pronunciations that people have set. Immutable."""

    def __init__(self, reader: Reader, pronunciations: Iterable[tuple[str, str]] = ()) -> None:
        """`pronunciations` are words as they are written and how each is said; those that cannot be used are left out."""
        self._reader = reader
        self._own: dict[str, tuple[Pronunciation, ...]] = {}
        for word, spoken in pronunciations:
            if (said := self.pronounced(word, spoken)) is not None:
                self._own[said.word] = (*self._own.get(said.word, ()), said)
        self.read: Callable[[str], Said] = lru_cache(_CACHED)(self._read)

    @property
    def pronunciations(self) -> tuple[Pronunciation, ...]:
        """Those that people have set."""
        return tuple(said for own in self._own.values() for said in own)

    def pronounced(self, word: str, spoken: str) -> Pronunciation | None:
        """A pronunciation in the alphabet's letters; None where it has none for some of it."""
        written, reading = self._reader.written(word), self._reader(spoken)
        short = all(0 < len(text) <= MAX_PHRASE_LENGTH for text in (written, reading.spoken))
        return Pronunciation(written, reading.spoken) if short and not reading.lost else None

    def _read(self, text: str) -> Said:
        parts = [part for piece in self._reader.written(text).split() for part in self._parts(piece)]
        words = " ".join(part.text for part in parts if part.text)
        lost = "".join(dict.fromkeys(character for part in parts for character in part.lost))
        changes = tuple(dict.fromkeys(change for part in parts for change in part.changes))
        if len(words) > MAX_PHRASE_LENGTH or any(map(str.isalnum, lost)):  # a name of which letters are missing is another name
            return Said("", (), changes, lost)
        return Said(words, tuple(dict.fromkeys(said for part in parts for said in part.pronunciations)) if words else (), changes, lost)

    def _parts(self, piece: str) -> Iterator[Said]:
        """What stands between two spaces, in words where only punctuation parts them."""
        if own := self._set(piece) or self._set(bare(piece)):
            yield Said(own[0].word, own)
        elif all(_of_word(character) or parting(character) for character in piece):
            for is_word, characters in itertools.groupby(piece, _of_word):
                if is_word:
                    yield self._word("".join(characters))
        else:
            reading = self._reader(piece)
            yield Said(reading.spoken, (), reading.changes, reading.lost)

    def _set(self, word: str) -> tuple[Pronunciation, ...]:
        """What people have set for a word, or for the one whose possessive it is: Zoë's is said as Zoë is."""
        stem = word.removesuffix(_POSSESSIVE)
        if word in self._own or stem == word:
            return self._own.get(word, ())
        possessive = (self.pronounced(word, said.spoken + _POSSESSIVE) for said in self._own.get(stem, ()))
        return tuple(said for said in possessive if said is not None)

    def _word(self, word: str) -> Said:
        if len(word) > 1 and word[0] == word[-1] == "'":
            word = word.strip("'")  # quoted
        if own := self._set(word):
            return Said(word, own)
        reading = self._reader(word)
        if reading.lost or not reading.spoken or reading.spoken == word:
            return Said(reading.spoken, (), reading.changes, reading.lost)
        if max(len(word), len(reading.spoken)) > MAX_PHRASE_LENGTH:
            return Said("", (), reading.changes, word)
        return Said(word, (Pronunciation(word, reading.spoken),), reading.changes)


def _of_word(character: str) -> bool:
    return character == "'" or unicodedata.category(character)[0] in "LM"
