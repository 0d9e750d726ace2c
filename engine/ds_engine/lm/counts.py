"""Sentences in, n-grams as integer arrays out: which there are, how they hang together, and where each was seen.

A sentence is a sequence of words with a weight: 1 for a sentence that was said, anything from 0 up for one that was perhaps
said (or that stands for several). Words outside the vocabulary are <unk>. Everything after the first look at a word is numpy:
an n-gram is the number of its words but the last and the number of its last word, packed into one integer, so that one sort
per order finds the distinct ones in the order of their words.
"""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ds_engine.errors import InputError
from ds_engine.lm.backoff import END, MAX_ORDER, SPECIAL, START, UNKNOWN, DoubleArray, IntArray, LongArray, is_spelled

MAX_WEIGHT = 1e9  # of a sentence: sums stay far below 2^53, where doubles stop counting


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """Sentences as numbers."""

    words: tuple[str, ...]  # distinct, in the order in which they first came
    ids: IntArray  # [tokens], indices into `words`, sentence after sentence
    lengths: LongArray  # [sentences], tokens of each
    weights: DoubleArray  # [sentences], above 0


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Which words a model knows: those given, or the text's own, as far as they are frequent. Raises InputError for both at once."""

    given: Collection[str] | None = None
    min_count: float = 0.0  # the weight of the sentences around a word, at least
    top: int | None = None  # only so many of the most frequent; equal ones in the order of their spelling

    def __post_init__(self) -> None:
        if self.given is not None and (self.min_count or self.top is not None):
            raise InputError("a vocabulary is either given or chosen by frequency, not both")
        if not self.min_count >= 0 or (self.top is not None and self.top < 0):  # not: NaN
            raise InputError(f"a vocabulary of the {self.top} most frequent words seen {self.min_count:g} times is no vocabulary")

    def choose(self, text: Text) -> tuple[str, ...]:
        """The words, <unk>, <s> and </s> first, the others in the order of their spelling. Raises InputError for what is no word."""
        if self.given is not None:
            chosen = set(self.given)
            if not is_spelled(sorted(chosen)):
                raise InputError("the vocabulary holds something that is no word: empty, with blanks, or not Unicode")
        else:
            seen = np.bincount(text.ids, np.repeat(text.weights, text.lengths), minlength=len(text.words))
            ranked = sorted(range(len(text.words)), key=lambda index: (-seen[index], text.words[index]))
            chosen = {text.words[index] for index in ranked[: self.top] if seen[index] >= self.min_count}
        return (*SPECIAL, *sorted(chosen.difference(SPECIAL)))  # code points sort as UTF-8 does


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """The n-grams of one order, sorted by their words, and every place in the text where one of them ends."""

    prefixes: LongArray  # [count], the n-gram of the order below without the last word; of unigrams 0
    suffixes: LongArray  # [count], the same without the first word
    last: LongArray  # [count], the last word
    seen: LongArray  # [places], the n-gram
    weights: DoubleArray  # [places], its sentence's weight


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """The n-grams of a text; `levels[n - 1]` holds those of n words, and `levels[0]` one for every word."""

    words: tuple[str, ...]
    levels: tuple[Level, ...]


def encode(sentences: Iterable[Iterable[str]], weights: Sequence[float] | None = None) -> Text:
    """Numbers the words of sentences; those of weight 0 count as absent. An empty sentence is one of its kind: <s> </s>.

    `weights` are looked at when all sentences have been taken: one iterator may fill them while it gives the words.
    Raises InputError for a word that no language model can hold, for <s> and </s> (they are put around every sentence), for
    weights that are negative, beyond `MAX_WEIGHT` or not as many as the sentences, and where there is no sentence.
    """
    index: defaultdict[str, int] = defaultdict()
    index.default_factory = index.__len__
    tokens, sizes = array("i"), array("q")
    for sentence in sentences:
        before = len(tokens)
        tokens.extend(map(index.__getitem__, sentence))
        sizes.append(len(tokens) - before)
    if not is_spelled(tuple(index)) and index:
        raise InputError("a word of the text is empty, or has a blank or NUL in it, or is not Unicode")
    if reserved := {SPECIAL[START], SPECIAL[END]}.intersection(index):
        raise InputError(f"the text has the word {min(reserved)}, which marks the ends of sentences")
    lengths = np.array(sizes, np.int64)
    each = _weights(weights, len(lengths))
    kept = each > 0
    if not kept.any():
        raise InputError("there is no sentence to count")
    return Text(tuple(index), np.array(tokens, np.int32)[np.repeat(kept, lengths)], lengths[kept], each[kept])


def count(text: Text, order: int, vocabulary: Vocabulary | None = None) -> Counts:
    """The n-grams of up to `order` words; fewer orders where no sentence is that long. Raises InputError for an order out of range."""
    if not 1 <= order <= MAX_ORDER:
        raise InputError(f"n-grams of {order} words; 1 to {MAX_ORDER} are possible")
    words = (vocabulary or Vocabulary()).choose(text)
    index = {word: number for number, word in enumerate(words)}
    numbers = np.fromiter((index.get(word, UNKNOWN) for word in text.words), np.int64, len(text.words))
    stream, places, weights = _stream(numbers[text.ids], text)
    seen = stream  # which n-gram of the order at hand ends at each place; whatever where none does
    spoken = np.flatnonzero(places > 0)
    levels = [Level(np.zeros(len(words), np.int64), np.zeros(len(words), np.int64), np.arange(len(words)), seen[spoken], weights[spoken])]
    for length in range(2, order + 1):
        ends = np.flatnonzero(places >= length - 1)
        if not ends.size:
            break
        keys, which = np.unique(seen[ends - 1] * len(words) + stream[ends], return_inverse=True)
        suffixes = np.empty(len(keys), np.int64)
        suffixes[which] = seen[ends]
        prefixes, last = np.divmod(keys, len(words))
        levels.append(Level(prefixes, suffixes, last, which, weights[ends]))
        seen = np.zeros_like(stream)
        seen[ends] = which
    return Counts(words, tuple(levels))


def _stream(ids: LongArray, text: Text) -> tuple[LongArray, LongArray, DoubleArray]:
    """All sentences between <s> and </s>: words, places within the sentence (0 is <s>) and weights, each [tokens + 2 sentences]."""
    lengths = text.lengths + 2
    ends = np.cumsum(lengths)
    places = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
    stream = np.full(ends[-1], START, np.int64)
    stream[ends - 1] = END
    stream[(places > 0) & (stream != END)] = ids
    return stream, places, np.repeat(text.weights, lengths)


def _weights(weights: Sequence[float] | None, sentences: int) -> DoubleArray:
    if weights is None:
        return np.ones(sentences)
    if len(weights) != sentences:
        raise InputError(f"{len(weights)} weights for {sentences} sentences")
    for number, weight in enumerate(weights, 1):
        if not (0 <= weight <= MAX_WEIGHT and math.isfinite(weight)):
            raise InputError(f"sentence {number}: its weight must lie between 0 and {MAX_WEIGHT:g}, got {weight}")
    return np.array(weights, np.float64)
