"""The timeline of one utterance: rows come in as they are heard, words as they become certain; what is certain is aligned at once.

So the end of an utterance costs no more than its last words, however long it was. Of a run of rows that are surely blank one is
kept: the best path cannot do anything in the others. With the weights of a bundle's calibration words have probabilities that they
are right (see confidence.py), which are made in the end, since the words around one speak for it too; without, they have the
geometric mean of their symbols' probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from ds_engine.alphabet import Alphabet
from ds_engine.decoder import Timing
from ds_engine.errors import BundleError
from ds_engine.features import FloatArray
from ds_engine.manifest import Manifest
from ds_engine.search.alignment import Span, align
from ds_engine.search.confidence import Belief, Confidence, Fit
from ds_engine.search.language import Said
from ds_engine.transcript import Word

SURE_BLANK = math.log(0.995)
MAX_LAG = 1.0  # s
_NOTHING_KNOWN = Belief(1.0, 0.0)  # of a word that is still to come


@dataclass(frozen=True, slots=True)
class Lag:
    """How much later than the sound of a word, by the model's own timing, its symbols come: a network waits until it is sure."""

    start: float = 0.0  # s, of the first symbol's row behind the word's start
    end: float = 0.0  # s, of the end of the last symbol's row behind the word's end

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """That of a bundle, nothing where it tells none. Raises BundleError for one that is out of range."""
        given = manifest.calibration.section("times") if "times" in manifest.calibration.values else None
        lag = cls(given.get("start", float), given.get("end", float)) if given else cls()
        if not (abs(lag.start) <= MAX_LAG and abs(lag.end) <= MAX_LAG):
            raise BundleError(f"manifest: calibration.times must lie in -{MAX_LAG:g}..{MAX_LAG:g} s, got {lag.start}, {lag.end}")
        return lag


@dataclass(frozen=True, slots=True)
class Calibration:
    """What is known of a model's words; nothing by default."""

    lag: Lag = field(default_factory=Lag)
    confidence: Confidence | None = None

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """That of a bundle. Raises BundleError for one that is broken."""
        return cls(Lag.of(manifest), Confidence.of(manifest))


class Timeline:
    """Rows and words of one utterance."""

    def __init__(self, alphabet: Alphabet, timing: Timing, calibration: Calibration | None = None) -> None:
        self._alphabet = alphabet
        self._timing = timing
        self._lag = calibration.lag if calibration else Lag()
        self._confidence = calibration.confidence if calibration else None
        self._heard = 0  # rows
        self._rows: list[FloatArray] = []  # those since the last settled word
        self._numbers: list[int] = []
        self._blank_before = False
        self._last: list[tuple[Fit, Belief]] = []  # of the last two settled words at most
        self.settled: list[Word] = []  # the last one's confidence depends on what follows, and is not final

    def hear(self, log_probs: FloatArray) -> None:
        """Takes the next rows [rows, symbols]."""
        for row, blank in zip(log_probs, (log_probs[:, self._alphabet.blank] > SURE_BLANK).tolist(), strict=True):
            if not (blank and self._blank_before):
                self._rows.append(row.copy())  # the array is the caller's
                self._numbers.append(self._heard)
            self._blank_before = blank
            self._heard += 1

    def settle(self, words: Sequence[Said], following: Sequence[Said], beliefs: Sequence[Belief] = ()) -> None:
        """Aligns words that nothing can change any more, and lets go of their rows. `beliefs` are of these words.

        `following` is what, as far as one knows, was said in the rest of the rows: without it the words would lie in any of them.
        """
        if not words:
            return
        spans = self._aligned([[*words, *following]])[0][: len(words)]
        found = self._words(words, spans)
        if self._confidence:
            found = self._judged(self._confidence, found, spans, [*beliefs, _NOTHING_KNOWN])
            del self.settled[-1:]
            self._last = [*self._last, *zip((span.fit for span in spans), beliefs, strict=True)][-2:]
        self.settled += found
        after = spans[-1].last + 1
        self._rows, self._numbers = self._rows[after:], self._numbers[after:]

    def finish(self, readings: Sequence[Sequence[Said]], beliefs: Sequence[Sequence[Belief]] = ()) -> list[list[Word]]:
        """All words of each reading, the settled ones first; a reading is what follows them.

        `beliefs` are, for each reading, of its words and of the utterance's end. Only a calibrated timeline looks at them.
        """
        aligned = self._aligned(readings)
        found = [self._words(reading, spans) for reading, spans in zip(readings, aligned, strict=True)]
        if self._confidence is None:
            return [[*self.settled, *words] for words in found]
        together = zip(found, aligned, beliefs, strict=True)
        return [[*self.settled[:-1], *self._judged(self._confidence, words, spans, told)] for words, spans, told in together]

    def _judged(self, confidence: Confidence, words: Sequence[Word], spans: Sequence[Span], beliefs: Sequence[Belief]) -> list[Word]:
        """The last settled word, now that one knows what follows it, and these words, with their probabilities."""
        fits = [*(fit for fit, _ in self._last), *(span.fit for span in spans)]
        sure = confidence.words(fits, [*(belief for _, belief in self._last), *beliefs])
        told = [*self.settled[-1:], *words]
        judged = zip(told, sure[len(sure) - len(told) :], strict=True)
        return [Word(word.text, word.start, word.end, probability) for word, probability in judged]

    def _aligned(self, readings: Sequence[Sequence[Said]]) -> list[list[Span]]:
        if not self._rows:
            return [[Span(0, 0, Fit(len(said.spelling), 0, 0.0, 0.0, 0.0)) for said in reading] for reading in readings]
        return align(np.array(self._rows), readings, self._alphabet)

    def _words(self, words: Sequence[Said], spans: Sequence[Span]) -> list[Word]:
        """Words that had to share rows, or whose lag makes them overlap, still begin one after the other."""
        found: list[Word] = []
        after = self.settled[-1].end if self.settled else 0.0
        for word, span in zip(words, spans, strict=True):
            start = max(after, self._timing.start(self._number(span.first)) - self._lag.start)
            after = max(start, self._timing.start(self._number(span.last) + 1) - self._lag.end)
            found.append(Word(word.text, start, after, span.fit.evenness))
        return found

    def _number(self, place: int) -> int:
        return self._numbers[place] if self._numbers else max(0, self._heard - 1)
