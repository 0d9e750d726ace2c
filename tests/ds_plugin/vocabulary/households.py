"""A household for tests: an English alphabet, files, and grammars that need no template."""

from __future__ import annotations

import string
from pathlib import Path

from ds_engine.alphabet import Alphabet
from ds_engine.errors import GrammarError
from ds_engine.grammar.graph import FINAL, Arc, Grammar, Graph, Spoken
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.spoken import Reader

LETTERS = Alphabet(("<blank>", " ", *string.ascii_lowercase, "'"))
ENGLISH = Reader(LETTERS, "en")


def load_lines(path: Path, reader: Reader = ENGLISH) -> Loaded:
    """A grammar of the words in a file, each of which is a sentence; one that cannot be read is a problem, no words at all are an error."""
    words = path.read_text().split() if path.is_file() else []
    if not words:
        raise GrammarError(f"{path}: no words")
    graph = Graph((tuple(Arc(FINAL, Spoken(reader(word).spoken, word)) for word in words if not reader(word).lost), ()))
    return Loaded(Grammar(path.stem, {"Say": "say"}, {"say": graph}), tuple(f"{path}: {word}" for word in words if reader(word).lost))
