"""A back-off model as dictionaries and its probabilities one by one, and random text: what tests of making models share."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ds_engine.lm.backoff import SPECIAL, START, BackoffModel

Gram = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """log10 probabilities and back-off weights by n-gram."""

    log_probs: dict[Gram, float]
    back_offs: dict[Gram, float]

    @classmethod
    def of(cls, model: BackoffModel) -> Table:
        log_probs, back_offs = {}, {}
        for level in model.orders:
            for ids, log_prob, back_off in zip(level.ids.tolist(), level.log_probs.tolist(), level.back_offs.tolist(), strict=True):
                gram = tuple(model.words[index] for index in ids)
                log_probs[gram], back_offs[gram] = log_prob, back_off
        return cls(log_probs, back_offs)

    @classmethod
    def read(cls, lines: Iterable[str]) -> Table:
        """An ARPA file, read as plainly as possible."""
        log_probs, back_offs = {}, {}
        for fields in (line.rstrip("\n").split("\t") for line in lines):
            if len(fields) > 1:
                gram = tuple(fields[1].split(" "))
                log_probs[gram], back_offs[gram] = float(fields[0]), float(fields[2]) if len(fields) > 2 else 0.0
        return cls(log_probs, back_offs)

    def log_prob(self, context: Gram, word: str) -> float:
        """log10 P(word | context)."""
        if (*context, word) in self.log_probs:
            return self.log_probs[*context, word]
        return self.back_offs.get(context, 0.0) + self.log_prob(context[1:], word)

    def words(self) -> list[str]:
        """What can be predicted: all words, <unk> and </s>, but not <s>."""
        return [gram[0] for gram in self.log_probs if len(gram) == 1 and gram[0] != SPECIAL[START]]

    def total(self, context: Gram) -> float:
        """The sum of the probabilities of everything that can follow; should be 1."""
        return sum(math.pow(10, self.log_prob(context, word)) for word in self.words())

    def contexts(self) -> Iterator[Gram]:
        """The empty one, every n-gram that something can follow, and some that the model has never seen."""
        longest = max(map(len, self.log_probs))
        yield ()
        yield from (gram for gram in self.log_probs if len(gram) < longest and gram[-1] != "</s>")
        yield from ((word,) * (longest - 1) for word in self.words() if word != "</s>")


def random_sentences(seed: int, sentences: int, words: int = 8) -> list[list[str]]:
    """Sentences of 0 to 7 words, some frequent and some rare."""
    chance = random.Random(seed)  # noqa: S311 - a test's corpus
    names = [chr(ord("a") + number) for number in range(words)]
    weights = [1 / (number + 1) for number in range(words)]
    return [chance.choices(names, weights, k=chance.randrange(8)) for _ in range(sentences)]


def words_of(lines: Iterable[str]) -> list[Sequence[str]]:
    return [line.split() for line in lines]
