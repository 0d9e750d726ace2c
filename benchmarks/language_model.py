"""The n-gram model: how fast it is read, opened and asked, and how large it is, beside the kenlm package where that is installed.

Usage: python benchmarks/language_model.py [FILE.arpa]

Without a file a random model is made, of 11,300 words, 226,000 bigrams and 535,000 trigrams. Everybody answers the same questions:
a walk over random words, six in ten of which were seen after the ones before.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ds_engine.lm.arpa import read_arpa, write_arpa
from ds_engine.lm.backoff import SPECIAL, BackoffModel, IntArray, Ngrams, Rows
from ds_engine.lm.ngram import NgramModel, write_ngram

COUNTS = (11_300, 226_000, 535_000)
QUESTIONS = 100_000
SEEN = 0.6  # of the questions
OPENINGS = 20
ROUNDS = 7  # of questions
MIB = 2**20


def main() -> None:
    """Prints times and sizes."""
    with tempfile.TemporaryDirectory() as folder:
        arpa, file, half = (Path(folder) / name for name in ("random.arpa", "lm.ngram", "lm-16.ngram"))
        if len(sys.argv) > 1:
            arpa = Path(sys.argv[1])
        else:
            made = random_model(COUNTS)
            _show("write ARPA", _seconds(lambda: write_arpa(made, arpa)), "s")
        began = time.perf_counter()
        model = read_arpa(arpa)
        _show("read ARPA", time.perf_counter() - began, "s")
        print(f"{'n-grams':32} {' '.join(f'{len(level.ids):,}' for level in model.orders)}")
        _show("write our file", _seconds(lambda: write_ngram(model, file)), "s")
        write_ngram(model, half, bits=16)
        for path in (arpa, file, half):
            _show(path.name, path.stat().st_size / MIB, "MiB")
        _show("open our file", statistics.median(_seconds(lambda: NgramModel.open(file)) for _ in range(OPENINGS)) * 1e3, "ms")
        ours = NgramModel.open(file)
        sentence = walk(model, ours)
        spelled = [ours.words()[word] for word in sentence]
        _show("index of a word", _seconds(lambda: [ours.index(word) for word in spelled]) / QUESTIONS * 1e6, "us")
        answers = {"advance": lambda: _ask(ours, sentence), "advance, 16 bits": lambda: _ask(NgramModel.open(half), sentence)}
        if kenlm := _kenlm():
            began = time.perf_counter()
            theirs = kenlm.Model(str(arpa))
            _show("kenlm: read ARPA", time.perf_counter() - began, "s")
            answers["kenlm: BaseScore"] = lambda: _ask_kenlm(kenlm, theirs, spelled)
        times = _alternating(answers)
        for name, microseconds in times.items():
            _show(name, microseconds, "us")
        if not kenlm:
            print("kenlm: not installed here, so there is nothing to compare with")
            return
        _show("ratio of times, ours to kenlm's", times["advance"] / times["kenlm: BaseScore"], "")
        pairs = zip(answers["advance"](), answers["kenlm: BaseScore"](), strict=True)
        print(f"{'furthest from kenlm':32} {max(abs(one - other) for one, other in pairs):9.2g} nat over {QUESTIONS:,} questions")


def random_model(counts: tuple[int, ...]) -> BackoffModel:
    """A model of about as many n-grams as asked for; the words at the front of the vocabulary are the frequent ones."""
    chance = np.random.default_rng(0)
    words, rows = counts[0], Rows(counts[0])
    ids: list[IntArray] = [np.arange(words, dtype=np.int32)[:, None]]
    for order, count in enumerate(counts[1:], 2):
        longer = _longer(ids[-1], rows, chance, 4 * count) if order > 2 else _frequent(chance, words, (2 * count, 2))
        keys, at = np.unique(rows.keys_of(longer), return_index=True)
        kept = np.sort(chance.permutation(len(keys))[:count])
        rows.add(keys[kept])
        ids.append(longer[at[kept]])
    names = (*SPECIAL, *(f"word{number:09}" for number in range(words - len(SPECIAL))))
    values = [(-6 * chance.random(len(level)), -chance.random(len(level)) * (level is not ids[-1])) for level in ids]
    return BackoffModel(names, tuple(Ngrams(level, *pair) for level, pair in zip(ids, values, strict=True)))


def _frequent(chance: np.random.Generator, words: int, shape: tuple[int, ...]) -> IntArray:
    return (len(SPECIAL) + (words - len(SPECIAL)) * chance.random(shape) ** 3).astype(np.int32)


def _longer(ids: IntArray, rows: Rows, chance: np.random.Generator, count: int) -> IntArray:
    """n-grams of one word more: two of `ids` that overlap, so that prefix and suffix are there."""
    prefixes = rows.prefixes(ids.shape[1])
    chosen = chance.integers(0, len(ids), count)
    suffixes = rows.suffixes[-1][chosen]
    first, last = np.searchsorted(prefixes, suffixes), np.searchsorted(prefixes, suffixes, "right")
    second = np.minimum(first + (chance.random(count) * (last - first)).astype(np.int64), len(ids) - 1)
    return np.concatenate([ids[chosen], ids[second, -1:]], axis=1)[last > first]


def walk(model: BackoffModel, asked: NgramModel) -> list[int]:
    """QUESTIONS words, most of which were seen after the one before."""
    chance = np.random.default_rng(1)
    seen, others = chance.random(QUESTIONS) < SEEN, _frequent(chance, len(model.words), (QUESTIONS,)).tolist()
    pairs = model.orders[1].ids if model.order > 1 else np.zeros((0, 2), np.int32)
    first = np.searchsorted(pairs[:, 0], np.arange(len(model.words) + 1)).tolist()
    words, word = [], asked.index("the")
    for after_it, other, place in zip(seen.tolist(), others, chance.random(QUESTIONS).tolist(), strict=True):
        begin, end = first[word], first[word + 1]
        word = int(pairs[begin + int(place * (end - begin)), 1]) if after_it and end > begin else other
        words.append(word)
    return words


def _ask(model: NgramModel, sentence: list[int]) -> list[float]:
    context, found, advance = model.empty, [], model.advance
    for word in sentence:
        log_prob, context = advance(context, word)
        found.append(log_prob)
    return found


def _kenlm() -> ModuleType | None:
    with contextlib.suppress(ImportError):
        return importlib.import_module("kenlm")
    return None


def _ask_kenlm(kenlm: ModuleType, model: Any, spelled: list[str]) -> list[float]:
    before, after, found = kenlm.State(), kenlm.State(), []
    model.NullContextWrite(before)
    for word in spelled:
        found.append(model.BaseScore(before, word, after) * math.log(10))
        before, after = after, before
    return found


def _alternating(answers: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """The median times of a question, in microseconds, of several who take turns."""
    times: dict[str, list[float]] = {name: [] for name in answers}
    for _ in range(ROUNDS):
        for name, answer in answers.items():
            times[name].append(_seconds(answer) / QUESTIONS * 1e6)
    return {name: statistics.median(values) for name, values in times.items()}


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _show(name: str, value: float, unit: str) -> None:
    print(f"{name:32} {value:9.2f} {unit}")


if __name__ == "__main__":
    main()
