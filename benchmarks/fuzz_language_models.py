"""Damages language-model files at random and uses them: nothing but a LanguageModelError or InputError may come of it.

Usage: python benchmarks/fuzz_language_models.py [CASES [NAME]...]

CASES files (200,000 if not given) are spread over the formats, or over those that are named. A case also fails when it holds more
memory than SIZES_OF_MEMORY times the file's size above FREE_BYTES, or takes more than SECONDS of processor time. Every case is
made from its format and number alone, so that a failure, printed with them, can be seen again. tests/ds_engine/lm/test_fuzzing.py
runs the first of them. A further format is a further line in FORMATS. KenLM binaries go through our own reader, and through the
compiled package where it is installed: there a missed check ends the process.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import importlib.util
import random
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ds_engine.errors import InputError, LanguageModelError
from ds_engine.lm.arpa import read_arpa, write_arpa
from ds_engine.lm.backoff import BackoffModel, Ngrams, assemble
from ds_engine.lm.kenlm_header import KenlmType
from ds_engine.lm.kenlm_package import KenlmPackage
from ds_engine.lm.kenlm_trie import KenlmTrie
from ds_engine.lm.kenlm_vocabulary import stored_words
from ds_engine.lm.ngram import NgramModel, write_ngram
from ds_engine.lm.scorer import Scorer, write_scorer
from ds_engine.lm.sections import open_sections, write_sections
from tests.ds_engine.lm.kenlm_files import kenlm_file

SIZES_OF_MEMORY = 256  # a line of four bytes can be a word, which becomes an entry of a dictionary, a string and an n-gram
FREE_BYTES = 8 * 2**20
SECONDS = 2.0
TEXTS = (
    b"nan",
    b"inf",
    b"-1e999",
    b"1e-999",
    b"99999999999999999999",
    b"-1",
    b"0",
    b"\\",
    b"\n",
    b"\t",
    b" ",
    b"\0",
    b"\xff",
    b"<s>",
    b"=",
)
NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: how a sound one is made, and everything that is done with one."""

    name: str
    write: Callable[[Path], None]
    use: Callable[[Path], None]


def main() -> int:
    """Runs the cases and prints what failed; 1 where anything did."""
    warnings.simplefilter("error")
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    chosen = [fuzzed for fuzzed in FORMATS if fuzzed.name in sys.argv[2:] or not sys.argv[2:]]
    each, failures = -(-cases // len(chosen)), 0
    for fuzzed in chosen:
        began, refused, worst = time.perf_counter(), 0, 0
        for number, outcome in enumerate(run(fuzzed, each)):
            refused += outcome.refused
            worst = max(worst, outcome.held_bytes)
            if outcome.failure:
                failures += 1
                print(f"{fuzzed.name} {number}: {outcome.failure}")
        seconds = time.perf_counter() - began
        print(f"{fuzzed.name:12} {each:7} cases, {refused:7} refused, {worst / 2**20:5.1f} MiB held at most, {seconds:6.1f} s")
    print(f"{failures} failures")
    return 1 if failures else 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one damaged file."""

    refused: bool
    held_bytes: int  # at the peak
    failure: str = ""


def run(fuzzed: Format, cases: int) -> Iterator[Outcome]:
    """The outcomes of a format's first cases."""
    with tempfile.TemporaryDirectory() as folder, _traced():
        path = Path(folder) / "file"
        fuzzed.write(path)
        sound = path.read_bytes()
        fuzzed.use(path)
        for number in range(cases):
            path.unlink()  # and not overwritten: somebody may have it mapped
            path.write_bytes(damaged(sound, random.Random(f"{fuzzed.name} {number}")))  # noqa: S311 - not for secrets
            yield _outcome(fuzzed, path)


def damaged(sound: bytes, chance: random.Random) -> bytes:
    """The file with one to four pieces overwritten, put in, taken out or moved."""
    content = bytearray(sound)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        first = chance.randrange(len(content) + 1)
        last = min(len(content), first + chance.choice((1, 2, 4, 8, 8, 64, 512)))
        size = chance.choice((1, 2, 4, 8))
        number = chance.choice(NUMBERS) % 2 ** (8 * size)
        piece = bytes(content[first:last])
        content[first:last] = chance.choice(
            (
                b"",
                chance.randbytes(last - first),
                chance.choice(TEXTS),
                piece * 2,
                piece[::-1],
                bytes([piece[0] ^ 1 << chance.randrange(8)]) + piece[1:] if piece else b"",
                number.to_bytes(size, "little") + piece[size:],
                (number.to_bytes(size, "little") * len(piece))[: len(piece)],
            )
        )
    return bytes(content[: chance.randrange(len(content) + 1)] if chance.random() < 0.05 else content)


def _outcome(fuzzed: Format, path: Path) -> Outcome:
    size, failure, refused = path.stat().st_size, "", False
    tracemalloc.reset_peak()
    before, began = tracemalloc.get_traced_memory()[0], time.process_time()
    try:
        fuzzed.use(path)
    except (LanguageModelError, InputError):
        refused = True
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        failure = f"{type(error).__name__}: {error}"
    seconds, held = time.process_time() - began, tracemalloc.get_traced_memory()[1] - before
    if held > FREE_BYTES + SIZES_OF_MEMORY * size:
        failure = failure or f"{held} bytes of memory for a file of {size}"
    if seconds > SECONDS:
        failure = failure or f"{seconds:.1f} s"
    return Outcome(refused, held, failure)


@contextlib.contextmanager
def _traced() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


def small_model(words: int = 24, counts: tuple[int, ...] = (60, 40, 20)) -> BackoffModel:
    """A model of random n-grams: unigrams, then as many bigrams, trigrams, ... as `counts` says, and what those need."""
    chance = np.random.default_rng(0)
    names = ["<unk>", "<s>", "</s>", *(f"word{number}" for number in range(words - 4)), "größe"]
    ids = [np.arange(words)[:, None]]
    ids += [np.unique(chance.integers(0, words, (count, order)), axis=0) for order, count in enumerate(counts, 2)]
    values = [(-6 * chance.random(len(rows)), -chance.random(len(rows)) * (rows is not ids[-1])) for rows in ids]
    return assemble(names, [Ngrams(rows.astype(np.int32), *pair) for rows, pair in zip(ids, values, strict=True)])


def _write_packed_arpa(path: Path) -> None:
    write_arpa(small_model(), path)
    path.write_bytes(gzip.compress(path.read_bytes(), mtime=0))


def _write_wide_ngram(path: Path) -> None:
    """With the words' numbers in 32 bits, as a vocabulary beyond 65,536 has them."""
    write_ngram(small_model(), path)
    sections = open_sections(path)
    write_sections(path, {**sections, "ngram.last": sections["ngram.last"].astype(np.uint32)})


def ask(model: NgramModel) -> None:
    """What a search does with a model, along random sentences."""
    chance, words = np.random.default_rng(0), [model.index(word) for word in ("word1", "word19", "größe", "never seen")]
    model.unigrams()
    for sentence in chance.choice([*words, *range(24)], (12, 8)).tolist():
        context = model.start
        for word in sentence:
            log_prob, context = model.advance(context, word)
            if not np.isfinite(log_prob) or not np.isfinite(model.end(context)):
                raise ArithmeticError(f"log-probability {log_prob}")


def _ask_ngram(path: Path) -> None:
    ask(NgramModel.open(path))


def _convert_ngram(path: Path) -> None:
    model = NgramModel.open(path)
    list(model.words())
    write_arpa(model.to_backoff(), path.with_name("converted"))


def _read_arpa(path: Path) -> None:
    write_ngram(read_arpa(path), path.with_name("converted"))
    ask(NgramModel.open(path.with_name("converted")))


def _write_kenlm(kind: KenlmType, path: Path) -> None:
    path.write_bytes(kenlm_file(small_model(), kind, words=True))


def _write_scorer(path: Path, *, bytes_mode: bool = False) -> None:
    model = small_model()
    words = [*"aéü你😀"] if bytes_mode else [word.rstrip("0123456789") + "en" * number for number, word in enumerate(model.words)]
    write_scorer(path, model, words, tuple(" abcdeinorw"), 0.9, 1.2, bytes_mode=bytes_mode)


def ask_kenlm(model: KenlmTrie | KenlmPackage) -> None:
    """What a search does with one of KenLM's, along random sentences."""
    chance, words = np.random.default_rng(0), model.indices([*(f"word{number}" for number in range(20)), "größe", "never seen"])
    model.unigrams(words)
    for sentence in chance.choice(words, (12, 8)).tolist():
        context = model.start
        for word in sentence:
            log_prob, context = model.advance(context, word)
            if not np.isfinite(log_prob) or not np.isfinite(model.end(context)):
                raise ArithmeticError(f"log-probability {log_prob}")


def _ask_trie(path: Path) -> None:
    ask_kenlm(KenlmTrie.open(path))
    stored_words(path)


def _ask_scorer(path: Path) -> None:
    scorer = Scorer.open(path)
    words = scorer.words(tuple(" abcdeinorw"))
    scorer.model.unigrams(scorer.model.indices(words))
    ask_kenlm(scorer.model)


_TRIES = [kind for kind in KenlmType if kind.is_trie]
_COMPILED = [*KenlmType] if importlib.util.find_spec("kenlm") else []

FORMATS = (
    Format("arpa", lambda path: write_arpa(small_model(), path), _read_arpa),
    Format("arpa.gz", _write_packed_arpa, _read_arpa),
    Format("ngram", lambda path: write_ngram(small_model(), path), _ask_ngram),
    Format("ngram-16", lambda path: write_ngram(small_model(), path, bits=16), _ask_ngram),
    Format("ngram-wide", _write_wide_ngram, _ask_ngram),
    Format("ngram-back", lambda path: write_ngram(small_model(), path), _convert_ngram),
    *(Format(f"kenlm-{kind:d}", functools.partial(_write_kenlm, kind), _ask_trie) for kind in _TRIES),
    *(Format(f"package-{kind:d}", functools.partial(_write_kenlm, kind), lambda path: ask_kenlm(KenlmPackage(path))) for kind in _COMPILED),
    Format("scorer", _write_scorer, _ask_scorer),
    Format("scorer-bytes", functools.partial(_write_scorer, bytes_mode=True), _ask_scorer),
)


if __name__ == "__main__":
    sys.exit(main())
