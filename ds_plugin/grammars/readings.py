"""What is said for what is written: texts in, labels of arcs out, and a problem for each text that the model cannot write."""

from __future__ import annotations

from collections.abc import Callable

from ds_engine.grammar.graph import Label, Skip, Spoken
from ds_plugin.spoken import Reading

Read = Callable[[str], Reading]


class Readings:
    """Reads texts and keeps what was wrong with them."""

    def __init__(self, reader: Read) -> None:
        self.reader = reader
        self.problems: dict[str, None] = {}  # each once, in order

    def labels(self, written: str, at: object, said: str | None = None) -> tuple[Label, ...] | None:
        """The labels of a text; of what is `said`, where that is something else.

        None for what the model cannot write, which is noted with `at`, the place. A symbol that it cannot write is only noted.
        """
        text = written if said is None else said
        read = self.reader(text)
        if any(map(str.isalnum, read.lost)):
            self.problems[f"{at}: {text!r} is left out, the model cannot write {read.lost!r}"] = None
            return None
        if not read.spoken and any(map(str.isalnum, text)):
            self.problems[f"{at}: {text!r} is left out, nothing is said for it"] = None
            return None
        if read.lost:
            self.problems[f"{at}: {text!r} is said without {read.lost!r}"] = None
        return labels(written, read.spoken)


def labels(written: str, spoken: str) -> tuple[Label, ...]:
    """Labels that say `spoken` and write `written`: word by word where there are as many of both, otherwise at the end."""
    words, texts = spoken.split(), written.split()
    if len(words) == len(texts):
        return tuple(Spoken(word, None if word == text else text) for word, text in zip(words, texts, strict=True))
    if not words:
        return ()
    return (*(Spoken(word, "") for word in words), Skip(written))
