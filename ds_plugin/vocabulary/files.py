"""Vocabulary files: text in, lines out, each with the place where it stands.

Grandma's lamp              a phrase to expect
Living Room<tab>3           the same, with a boost in nats
TV = t v                    a word and how it is said; a boost may follow here, too
# anything                  a comment
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from ds_engine.bias import MAX_BOOST, MAX_PHRASE_LENGTH, MAX_PHRASES
from ds_engine.errors import BiasError

MAX_FILE_BYTES = 8 * 2**20  # MAX_PHRASES lines of MAX_PHRASE_LENGTH characters, four bytes each
GRAMMAR_SUFFIXES = frozenset({".yaml", ".yml", ".json", ".ini"})  # what grammars are called, and vocabulary files are not
DEFAULT_BOOST = 2.0  # nats, of a phrase without a boost of its own

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Line:
    """A phrase, or a word with its pronunciation."""

    place: str  # such as "home.txt, line 3"
    text: str
    boost: float | None = None  # nats; None: no boost was asked for
    spoken: str = ""  # how the word is said; "": as it is written


@dataclass(frozen=True, slots=True)
class VocabularyFile:
    """What a file holds. A fault is one line that names the place; the line that has it is not among `lines`."""

    lines: tuple[Line, ...]
    faults: tuple[str, ...] = ()


def read_vocabulary(path: Path) -> VocabularyFile:
    """Reads a file. Raises BiasError where it cannot be read, is no text in UTF-8 or a grammar, or holds more than MAX_PHRASES lines."""
    if path.suffix.lower() in GRAMMAR_SUFFIXES:
        raise BiasError(f"{path}: a grammar by its name, not a vocabulary file; it belongs among the grammars")
    lines, faults = [], []
    for number, raw in enumerate(_text(path).split("\n"), 1):
        text = raw.strip()
        if not text or text.startswith("#"):
            continue
        place = f"{path}, line {number}"
        try:
            lines.append(_line(place, raw))
        except BiasError as error:
            faults.append(f"{place}: {error}")
        if len(lines) + len(faults) > MAX_PHRASES:
            raise BiasError(f"{place}: a vocabulary file has at most {MAX_PHRASES} phrases")
    return VocabularyFile(tuple(lines), tuple(faults))


def boosted(text: str) -> tuple[str, float]:
    """A hot word as people write it, `word:boost`, taken apart. Raises BiasError where it is not of this form."""
    word, colon, boost = text.rpartition(":")
    if not colon or not word.strip():
        raise BiasError(f"a hot word needs a boost, as in lamp:5, got {text!r:.60}")
    return " ".join(word.split()), _boost(boost)


def _text(path: Path) -> str:
    """A file's text with plain line ends, and without the mark that some editors put before it."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise BiasError(f"{path}: a vocabulary file has at most {MAX_FILE_BYTES} bytes")
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise BiasError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BiasError(f"{path}, line {line}: not text in UTF-8") from error
    if "\0" in text:
        raise BiasError(f"{path}: not a text file")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _line(place: str, raw: str) -> Line:
    text, *rest = (part.strip() for part in raw.strip("\t ").split("\t") if part.strip())
    if raw.lstrip(" ").startswith("\t") or len(rest) > 1:
        raise BiasError("a phrase, and after a tab perhaps its boost, is needed")
    boost = _boost(rest[0]) if rest else None
    word, equals, spoken = (part.strip() for part in text.partition("="))
    if not equals:
        return Line(place, _checked(text), boost)
    if not spoken or "=" in spoken or len(word.split()) != 1:
        raise BiasError(f"a pronunciation is one word, =, and how it is said, as in TV = t v; got {text!r:.60}")
    return Line(place, _checked(word), boost, _checked(spoken))


def _boost(text: str) -> float:
    boost = float(text) if _NUMBER.fullmatch(text.strip()) else math.nan
    if not abs(boost) <= MAX_BOOST:
        raise BiasError(f"a boost is a number of nats within +-{MAX_BOOST:g}, got {text!r:.40}")
    return boost


def _checked(text: str) -> str:
    if len(text) > MAX_PHRASE_LENGTH:
        raise BiasError(f"a phrase has at most {MAX_PHRASE_LENGTH} characters, got {len(text)}")
    return text
