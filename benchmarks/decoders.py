"""Our decoders beside the ones that people have, on the same posteriors and the same scorer, taking turns in one run. Prints a table.

    benchmarks/peers/setup PEERS
    python benchmarks/posteriors.py MANIFEST.tsv POSTERIORS.npz
    python benchmarks/decoders.py POSTERIORS.npz --scorer X.scorer --peers PEERS [--language-model Y] [--limit N] [--only NAME]...

Rows come in chunks of 160 ms, as the stream gives them, and a partial is asked for after each. DeepSpeech, Coqui, flashlight and
pyctcdecode run under their own interpreters, one utterance at a time, never two decoders at once; every time is the median of the
repetitions. Columns: WER and CER (jiwer), the share of sentences with an error, milliseconds of decoding per second of audio and their
ratio to DeepSpeech's, the same with the partials, and milliseconds from the last chunk to the text. The peers have DeepSpeech's and
Coqui's defaults (beam 500, cutoff_prob 1.0, cutoff_top_n 40) or their own; alpha and beta are the scorer's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import jiwer
import numpy as np

from benchmarks.peers.scorer_file import Tail, read_tail
from benchmarks.peers.worker import Posteriors, Took, timed
from ds_engine.alphabet import Alphabet
from ds_engine.bias import Bias
from ds_engine.decoder import Decoder, DecoderContext, Timing
from ds_engine.greedy import GreedyDecoder
from ds_engine.search.decoder import KernelDecoder
from ds_plugin.models import ModelStore

ROOT = Path(__file__).resolve().parent.parent
NO_BIAS = Bias()
PEERS = {"deepspeech": "native", "coqui": "native", "flashlight": "modern", "pyctcdecode": "modern"}  # worker -> environment
OURS = ("greedy", "kernel")
WEIGHTS = ("alpha", "beta")
REFERENCE = "deepspeech"  # what times are compared with


class Contestant(Protocol):
    """Something that decodes an utterance of the posteriors by its number."""

    def decode(self, number: int) -> Took:
        """Decodes it in chunks."""
        ...


class Ours:
    """One of our decoders, in this process; also a benchmarks.peers.worker.Peer."""

    def __init__(self, decoder: Decoder, posteriors: Posteriors) -> None:
        self._decoder, self._posteriors = decoder, posteriors
        self._state: Any = None

    def decode(self, number: int) -> Took:
        return timed(self, self._posteriors.log_probs[number])

    def prepare(self, log_probs: Any) -> Any:
        return log_probs

    def start(self) -> None:
        self._state = self._decoder.start(NO_BIAS)

    def advance(self, rows: Any) -> None:
        self._state = self._decoder.advance(self._state, rows)

    def partial(self) -> str:
        return self._decoder.partial(self._state).text

    def finish(self) -> str:
        return self._decoder.finish(self._state)[0].text


class Worker:
    """A peer under its own interpreter."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def decode(self, number: int) -> Took:
        if self._process.stdin is None or self._process.stdout is None:
            raise SystemExit("a worker needs pipes")
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(map(str, self._process.args[:3]))}: ended with {self._process.wait()}")  # type: ignore[index]
        answer = json.loads(line)
        return Took(answer["text"], answer["seconds"], answer["partial_seconds"], answer["last_seconds"])


@contextmanager
def worker(name: str, options: argparse.Namespace) -> Iterator[Worker]:
    """A peer's process."""
    command = [options.peers / PEERS[name] / "bin" / "python", "-m", f"benchmarks.peers.worker_{name}", options.posteriors, options.scorer]
    command += [f"--{weight}={getattr(options, weight)}" for weight in WEIGHTS if getattr(options, weight) is not None]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        yield Worker(process)
    finally:
        process.terminate()
        process.wait()


def alphabet_of(posteriors: Posteriors) -> Alphabet:
    return Alphabet(tuple(posteriors.symbols), posteriors.blank)


def make_kernel(posteriors: Posteriors, options: argparse.Namespace) -> Decoder:
    """Our search as the product makes it: with the bundle's calibration, but for the weights, which a scorer brings along."""
    search = {weight: getattr(options, weight) for weight in WEIGHTS if getattr(options, weight) is not None}
    search |= {name: json.loads(value) for name, _, value in (setting.partition("=") for setting in options.search)}
    bundle, model = ModelStore.standard().open(options.model), options.language_model or options.scorer
    return KernelDecoder.make(DecoderContext(alphabet_of(posteriors), Timing(posteriors.step), bundle, model, search))


def contestants(posteriors: Posteriors, options: argparse.Namespace, stack: ExitStack) -> dict[str, Contestant]:
    made: dict[str, Contestant] = {}
    for name in options.only or [*OURS, *PEERS]:
        if name == "greedy":
            made[name] = Ours(GreedyDecoder(alphabet_of(posteriors), Timing(posteriors.step)), posteriors)
        elif name == "kernel":
            made[name] = Ours(make_kernel(posteriors, options), posteriors)
        else:
            made[name] = stack.enter_context(worker(name, options))
    return made


def contest(made: dict[str, Contestant], numbers: Sequence[int], repetitions: int) -> dict[str, list[list[Took]]]:
    """What each took, [utterance][repetition]. Who begins changes with every utterance."""
    results: dict[str, list[list[Took]]] = {name: [[] for _ in numbers] for name in made}
    names = list(made)
    for each in made.values():
        each.decode(numbers[0])  # pages in its language model
    for repetition in range(repetitions):
        for place, number in enumerate(numbers):
            first = (place + repetition) % len(names)
            for name in names[first:] + names[:first]:
                results[name][place].append(made[name].decode(number))
    return results


@dataclass(frozen=True, slots=True)
class Figures:
    """One line of the table: error rates as fractions, times in milliseconds."""

    wer: float
    cer: float
    sentence_errors: float
    search: float  # per second of audio
    with_partials: float  # per second of audio
    last_median: float
    last_p95: float


def figures(took: list[list[Took]], said: list[str], audio: float) -> Figures:
    texts = [each[0].text for each in took]
    search = sum(statistics.median(one.seconds for one in each) for each in took)
    partials = sum(statistics.median(one.partial_seconds for one in each) for each in took)
    last = [statistics.median(one.last_seconds for one in each) * 1000 for each in took]
    return Figures(
        jiwer.wer(said, texts),
        jiwer.cer(said, texts),
        sum(text != wanted for text, wanted in zip(texts, said, strict=True)) / len(said),
        search / audio * 1000,
        (search + partials) / audio * 1000,
        statistics.median(last),
        float(np.percentile(last, 95)),
    )


def show(lines: dict[str, Figures]) -> None:
    titles = ("", "WER", "CER", "sentences", "ms/s", "ratio", "+partials", "ratio", "last ms", "p95")
    print("{:12} {:>6} {:>6} {:>9} {:>7} {:>6} {:>9} {:>6} {:>8} {:>7}".format(*titles))
    reference = lines.get(REFERENCE)
    for name, line in lines.items():
        ratios = (line.search / reference.search, line.with_partials / reference.with_partials) if reference else (float("nan"),) * 2
        print(
            f"{name:12} {line.wer:6.4f} {line.cer:6.4f} {line.sentence_errors:9.4f} {line.search:7.2f} {ratios[0]:6.3f}"
            f" {line.with_partials:9.2f} {ratios[1]:6.3f} {line.last_median:8.2f} {line.last_p95:7.2f}"
        )


def described(said: list[str], tail: Tail, options: argparse.Namespace) -> str:
    words, known = [word for text in said for word in text.split()], set(tail.words)
    unknown = sum(word not in known for word in words) / len(words)
    weights = [getattr(options, weight) if getattr(options, weight) is not None else getattr(tail, weight) for weight in WEIGHTS]
    names = f"alpha {weights[0]:g}, beta {weights[1]:g}"
    return f"{options.scorer.name}: {len(known)} words, which {unknown:.2%} of the {len(words)} words said are not among; {names}"


def main() -> None:
    """Runs the contest and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("posteriors", type=Path)
    parser.add_argument("--scorer", type=Path, required=True)
    parser.add_argument("--language-model", type=Path, help="for our decoder, instead of the scorer")
    parser.add_argument("--search", action="append", default=[], metavar="NAME=VALUE", help="a setting of our decoder; may be repeated")
    parser.add_argument("--model", default="en-small", help="the bundle whose calibration our decoder has")
    parser.add_argument("--peers", type=Path, help="the folder that benchmarks/peers/setup made")
    parser.add_argument("--alpha", type=float, help="for all, instead of the scorer's")
    parser.add_argument("--beta", type=float, help="for all, instead of the scorer's")
    parser.add_argument("--limit", type=int, help="utterances, spread over the file")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--only", action="append", choices=[*OURS, *PEERS])
    options = parser.parse_args()
    if options.peers is None and set(options.only or PEERS) & set(PEERS):
        sys.exit("benchmarks/decoders.py: needs --peers")
    posteriors = Posteriors.read(options.posteriors)
    count = len(posteriors.ids)
    numbers = np.linspace(0, count - 1, min(options.limit or count, count)).astype(int).tolist()
    said, audio = [posteriors.texts[number] for number in numbers], sum(posteriors.seconds[number] for number in numbers)
    print(f"{options.posteriors.name}: {len(numbers)} utterances, {audio:.0f} s of audio; {options.repetitions} repetitions")
    print(described(said, read_tail(options.scorer, posteriors.labels), options))
    with ExitStack() as stack:
        results = contest(contestants(posteriors, options, stack), numbers, options.repetitions)
    show({name: figures(took, said, audio) for name, took in results.items()})


if __name__ == "__main__":
    main()
