"""Error rates: what was said and what was found in; edits, figures, their intervals and the difference of two models out.

Alignments are jiwer's, with the fewest edits; an edit is a character or word put for another, left out or put in. An interval holds
the rate in 95 of 100 draws of as many voices with replacement: voices, not utterances, because what one person says goes wrong together
(bootstrap over speakers: Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation", ICASSP 2004).
It tells how far other people of the same kind may differ, not other kinds of people. Of few voices it is too narrow, of one there is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any

import jiwer
import numpy as np
import numpy.typing as npt

from ds_training.corpus import CorpusError

RESAMPLES = 1000  # draws of the voices
CONFIDENCE = 0.95

_Table = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reference:
    """What was said, and what is known of it: `source` names the file, `labels` are further columns of a manifest."""

    text: str
    source: str = ""
    speaker: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    phones: str = ""

    @property
    def voice(self) -> str:
        """Whose it is: a name is one person in all files, whoever has no name in a file counts as one person."""
        return self.speaker or f"unnamed: {self.source}"


@dataclass(frozen=True, slots=True)
class Edits:
    """The edits that turn `reference` symbols (characters or words) into what was found."""

    reference: int
    substitutions: int
    deletions: int
    insertions: int

    @property
    def errors(self) -> int:
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Errors per symbol of the reference; where nothing was said, their number (as jiwer has it)."""
        return self.errors / max(1, self.reference)

    def __add__(self, other: Edits) -> Edits:
        return Edits(
            self.reference + other.reference,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )


@dataclass(frozen=True, slots=True)
class Result:
    """One utterance after recognition. `pitch` is the median fundamental frequency of the voice in Hz, where it was measured."""

    reference: Reference
    found: str
    seconds: float
    characters: Edits
    words: Edits
    pitch: float | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a figure lies in 95 of 100 draws of voices."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Errors as fractions of reference characters and words; an interval is None where there is but one voice."""

    utterances: int
    speakers: int
    hours: float
    cer: float
    wer: float
    sentences_right: float  # fraction
    characters: Edits
    words: Edits
    cer_interval: Interval | None
    wer_interval: Interval | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A rate less the rate of another model on the same utterances, and in which share of the draws it is below zero."""

    value: float
    interval: Interval | None
    below_zero: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One model less the other: below zero, the first errs less."""

    cer: Difference
    wer: Difference


def results_of(references: Sequence[Reference], found: Sequence[str], seconds: Sequence[float]) -> list[Result]:
    """Aligns each utterance; what was found and its seconds in the order of the references."""
    said = [reference.text for reference in references]
    if not said:
        return []
    characters = _edits(jiwer.process_characters(said, list(found)))
    words = _edits(jiwer.process_words(said, list(found)))
    return [Result(*parts) for parts in zip(references, found, seconds, characters, words, strict=True)]


def figures_of(results: Sequence[Result], seed: int = 1) -> Figures:
    """The figures over all of these together. Raises CorpusError where there are none."""
    if not results:
        raise CorpusError("figures need at least one utterance, got none")
    characters, words = (reduce(add, edits) for edits in zip(*((each.characters, each.words) for each in results), strict=True))
    rates = _rates(_resampled(_by_voice(results), seed))
    return Figures(
        utterances=len(results),
        speakers=len({each.reference.voice for each in results}),
        hours=round(sum(each.seconds for each in results) / 3600, 3),
        cer=characters.rate,
        wer=words.rate,
        sentences_right=sum(not each.words.errors for each in results) / len(results),
        characters=characters,
        words=words,
        cer_interval=_interval(rates[:, 0]),
        wer_interval=_interval(rates[:, 1]),
    )


def compare(results: Sequence[Result], others: Sequence[Result], seed: int = 1) -> Comparison:
    """Paired: each draw of voices is the same for both. Raises CorpusError unless both are of the same utterances in the same order."""
    if [each.reference for each in results] != [each.reference for each in others]:
        raise CorpusError(f"a comparison needs the same utterances twice, got {len(results)} and {len(others)} that differ")
    if not results:
        raise CorpusError("a comparison needs at least one utterance, got none")
    table = np.hstack([_by_voice(results), _by_voice(others)])
    (one, other), (drawn, drawn_other) = (np.split(rows, 2, axis=1) for rows in (table.sum(0)[None], _resampled(table, seed)))
    values, draws = (_rates(one) - _rates(other))[0], _rates(drawn) - _rates(drawn_other)
    return Comparison(*(_difference(value, column) for value, column in zip(values.tolist(), draws.T, strict=True)))


def _edits(output: Any) -> list[Edits]:
    """What jiwer gives for many utterances -> the edits of each."""
    found = []
    for symbols, chunks in zip(output.references, output.alignments, strict=True):
        counts = Counter[str]()
        for chunk in chunks:
            counts[chunk.type] += max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
        found.append(Edits(len(symbols), counts["substitute"], counts["delete"], counts["insert"]))
    return found


def _by_voice(results: Iterable[Result]) -> _Table:
    """[voices, 4]: errors and length in characters, then in words; voices by name, so that the order of utterances changes nothing."""
    sums: dict[str, npt.NDArray[np.int64]] = {}
    for each in results:
        row = np.array([each.characters.errors, each.characters.reference, each.words.errors, each.words.reference])
        sums[each.reference.voice] = sums.get(each.reference.voice, np.zeros(4, np.int64)) + row
    return np.array([sums[voice] for voice in sorted(sums)], np.float64)


def _resampled(table: _Table, seed: int) -> _Table:
    """[voices, columns] -> the sums of each draw [RESAMPLES, columns]; no draws from a single voice."""
    voices, rng = len(table), np.random.default_rng(seed)
    if voices < 2:
        return np.zeros((0, table.shape[1]))
    return np.array([rng.multinomial(voices, np.full(voices, 1 / voices)) @ table for _ in range(RESAMPLES)])


def _rates(sums: _Table) -> _Table:
    """[n, 4] -> CER and WER [n, 2]."""
    rates: _Table = sums[:, ::2] / np.maximum(1, sums[:, 1::2])
    return rates


def _interval(draws: _Table) -> Interval | None:
    if not len(draws):
        return None
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]).tolist()
    return Interval(low, high)


def _difference(value: float, draws: _Table) -> Difference:
    return Difference(value, _interval(draws), float((draws < 0).mean()) if len(draws) else None)
