"""Times the estimation of n-gram models and, over real text, prints what pruning costs.

Usage: python benchmarks/estimation.py [--tokens 1000000] [--text FILE...]

Without --text the words are drawn by Zipf's law, which knows no phrases and so gives more n-grams than any real text. With it, each
tenth line is held out, and models of order 3 are pruned to several sizes in three ways: by counts; by entropy as Stolcke (1998)
has it; and by entropy as `ds_engine.lm.pruning` does it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ds_engine.lm.backoff import END, START, BackoffModel, Rows
from ds_engine.lm.counts import Vocabulary, count, encode
from ds_engine.lm.estimation import estimate
from ds_engine.lm.files import searchable
from ds_engine.lm.normalisation import normalised
from ds_engine.lm.perplexity import score
from ds_engine.lm.pruning import choose, prune, without
from ds_engine.text import normalise

WORDS = 30_000  # of the synthetic text
SENTENCE = 11  # words, on average
ORDERS = (1, 2, 3, 4, 5)
COUNTS = ((0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 2), (0, 2, 3), (0, 4, 6))
THRESHOLDS = (1e-7, 3e-7, 1e-6, 3e-6, 1e-5, 3e-5)


def main() -> None:
    """Reads the arguments and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--text", type=Path, nargs="+", default=[])
    arguments = parser.parse_args()
    real = [words for path in arguments.text for line in path.read_text().splitlines() if (words := normalise(line).split())]
    _print_times(real or _synthetic(arguments.tokens))
    if real:
        _print_pruning([each for row, each in enumerate(real) if row % 10], real[::10])


def _synthetic(tokens: int) -> list[list[str]]:
    chance = np.random.default_rng(0)
    weights = 1 / np.arange(1, WORDS + 1) ** 1.05
    words = [f"w{number}" for number in chance.choice(WORDS, tokens, p=weights / weights.sum())]
    ends = np.cumsum(chance.geometric(1 / SENTENCE, tokens)).tolist()
    sentences: list[list[str]] = []
    begin = 0
    while begin < tokens:
        sentences.append(words[begin : ends[len(sentences)]])
        begin = ends[len(sentences) - 1]
    return sentences


def _print_times(sentences: list[list[str]]) -> None:
    began = time.perf_counter()
    text = encode(sentences)
    print(f"{len(text.ids):,} tokens in {len(sentences):,} sentences; numbered in {time.perf_counter() - began:.2f} s")
    perhaps = encode(sentences, np.random.default_rng(1).uniform(0, 2, len(sentences)).tolist())
    for order in ORDERS:
        began = time.perf_counter()
        model = estimate(count(text, order))
        whole = time.perf_counter()
        estimate(count(perhaps, order))
        print(f"order {order}: {whole - began:5.2f} s, with weights {time.perf_counter() - whole:5.2f} s; {_size(model):,} n-grams")
    began = time.perf_counter()
    smaller = prune(estimate(count(text, 3)), 1e-7)
    print(f"order 3 pruned by entropy, estimation included: {time.perf_counter() - began:.2f} s; {_size(smaller):,} n-grams")


def _print_pruning(sentences: list[list[str]], held_out: list[list[str]]) -> None:
    counts = count(encode(sentences), 3, Vocabulary(min_count=2))
    full = estimate(counts)
    ways: dict[str, Iterator[tuple[str, BackoffModel]]] = {
        "by counts": ((" ".join(map(str, each)), estimate(counts, each)) for each in COUNTS),
        "by entropy as Stolcke has it": ((f"{each:g}", _stolcke(full, each)) for each in THRESHOLDS),
        "by entropy as we do it": ((f"{each:g}", prune(full, each)) for each in THRESHOLDS),
    }
    for way, models in ways.items():
        print(f"{way}: threshold, n-grams, perplexity")
        for threshold, model in models:
            print(f"  {threshold:8} {_size(model):9,} {score(searchable(model), held_out).perplexity:8.2f}")


def _stolcke(model: BackoffModel, threshold: float) -> BackoffModel:
    """Contexts as frequent as the product of their words' probabilities (<s> as </s>), and what is left as it was."""
    rows, probabilities = Rows.of(model), [np.power(10.0, level.log_probs) for level in model.orders]
    histories = [probabilities[0].copy()]
    histories[0][START] = histories[0][END]
    for order in range(2, model.order):
        histories.append(probabilities[order - 1] * histories[-1][rows.prefixes(order)])
    keep = choose(model, rows, histories, threshold)
    left = without(rows, keep)
    return normalised(model.words, left, [each[chosen] for each, chosen in zip(probabilities, keep, strict=True)][: len(left.keys)])


def _size(model: BackoffModel) -> int:
    return sum(len(level.ids) for level in model.orders)


if __name__ == "__main__":
    main()
