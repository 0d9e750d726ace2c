"""The timeline of one utterance: rows come in as they are heard, words as they become certain; what is certain is aligned at once.

So the end of an utterance costs no more than its last words, however long it was. Of a run of rows that are surely blank one is
kept: the best path cannot do anything in the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ds_engine.alphabet import Alphabet
from ds_engine.decoder import Timing
from ds_engine.features import FloatArray
from ds_engine.search.alignment import Span, align
from ds_engine.search.language import Said
from ds_engine.transcript import Word

SURE_BLANK = math.log(0.995)


class Timeline:
    """Rows and words of one utterance."""

    def __init__(self, alphabet: Alphabet, timing: Timing) -> None:
        self._alphabet = alphabet
        self._timing = timing
        self._heard = 0  # rows
        self._rows: list[FloatArray] = []  # those since the last settled word
        self._numbers: list[int] = []
        self._blank_before = False
        self.settled: list[Word] = []

    def hear(self, log_probs: FloatArray) -> None:
        """Takes the next rows [rows, symbols]."""
        for row, blank in zip(log_probs, (log_probs[:, self._alphabet.blank] > SURE_BLANK).tolist(), strict=True):
            if not (blank and self._blank_before):
                self._rows.append(row.copy())  # the array is the caller's
                self._numbers.append(self._heard)
            self._blank_before = blank
            self._heard += 1

    def settle(self, words: Sequence[Said], following: Sequence[Said]) -> None:
        """Aligns words that nothing can change any more, and lets go of their rows.

        `following` is what, as far as one knows, was said in the rest of the rows: without it the words would lie in any of them.
        """
        if not words:
            return
        spans = self._aligned([[*words, *following]])[0][: len(words)]
        self.settled += self._words(words, spans)
        after = spans[-1].last + 1
        self._rows, self._numbers = self._rows[after:], self._numbers[after:]

    def finish(self, readings: Sequence[Sequence[Said]]) -> list[list[Word]]:
        """All words of each reading, the settled ones first; a reading is what follows them."""
        aligned = self._aligned(readings)
        return [[*self.settled, *self._words(reading, spans)] for reading, spans in zip(readings, aligned, strict=True)]

    def _aligned(self, readings: Sequence[Sequence[Said]]) -> list[list[Span]]:
        if not self._rows:
            return [[Span(0, 0, 0.0)] * len(reading) for reading in readings]
        return align(np.array(self._rows), readings, self._alphabet)

    def _words(self, words: Sequence[Said], spans: Sequence[Span]) -> list[Word]:
        """Words that had to share rows still begin one after the other."""
        found: list[Word] = []
        after = self.settled[-1].end if self.settled else 0.0
        for word, span in zip(words, spans, strict=True):
            start = max(after, self._timing.start(self._number(span.first)))
            after = max(start, self._timing.start(self._number(span.last) + 1))
            found.append(Word(word.text, start, after, span.confidence))
        return found

    def _number(self, place: int) -> int:
        return self._numbers[place] if self._numbers else max(0, self._heard - 1)
