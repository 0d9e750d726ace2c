"""What the search needs before the first row: a large lexicon opened, and the names of a household compiled. Prints milliseconds.

python benchmarks/search_start.py [--words 200000] [--names 100 1000 10000]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from ds_engine.alphabet import Alphabet
from ds_engine.bias import Bias, Phrase
from ds_engine.decoder import Timing
from ds_engine.lm.backoff import SPECIAL, ZERO, BackoffModel, Ngrams
from ds_engine.search.decoder import KernelDecoder
from ds_engine.search.policy import SearchPolicy
from ds_engine.search.sources import of_file, write_with_lexicon
from ds_engine.search.vocabulary import Vocabulary

LETTERS = "etaoinshrdlubcfgjkmpqvwxyz'"
ALPHABET = Alphabet(("<blank>", " ", *LETTERS))
ROUNDS = 9


def random_words(count: int, seed: int) -> list[str]:
    """Distinct words of 2 to 12 letters, frequent letters first."""
    random, found = np.random.default_rng(seed), set[str]()
    while len(found) < count:
        letters = (len(LETTERS) * random.random(12) ** 2).astype(int)[: random.integers(2, 13)]
        found.add("".join(LETTERS[letter] for letter in letters))
    return sorted(found)


def unigrams(words: list[str]) -> BackoffModel:
    """Every word as likely as any other."""
    every = (*SPECIAL, *words)
    log_probs = np.full(len(every), -np.log10(len(every)))
    log_probs[SPECIAL.index("<s>")] = ZERO
    return BackoffModel(every, (Ngrams(np.arange(len(every), dtype=np.int32)[:, None], log_probs, np.zeros(len(every))),))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=200_000)
    parser.add_argument("--names", type=int, nargs="+", default=[100, 1000, 10_000])
    options = parser.parse_args()
    policy = SearchPolicy()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lm.ngram"
        began = time.perf_counter()
        write_with_lexicon(unigrams(random_words(options.words, 1)), ALPHABET, path)
        print(f"{options.words:,} words made, compiled and written in {time.perf_counter() - began:.1f} s")
        taken = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            decoder = KernelDecoder(ALPHABET, Timing(0.04), Vocabulary(ALPHABET, of_file(path, ALPHABET), policy), policy)
            taken.append((time.perf_counter() - began) * 1000)
        print(f"opened, ready to search: median {statistics.median(taken):.1f} ms, worst {max(taken):.1f} ms")
        for count in options.names:
            bias = Bias(tuple(Phrase(f"{name} light", 1.0) for name in random_words(count, 2)))
            times = []
            for _ in range(2):
                began = time.perf_counter()
                decoder.start(bias)
                times.append((time.perf_counter() - began) * 1000)
            print(f"an utterance with {count:,} names: {times[0]:.1f} ms the first time, {times[1]:.2f} ms again")


if __name__ == "__main__":
    main()
