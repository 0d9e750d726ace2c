"""Decoders over the posteriors of a set: a bias in, what was found and what it cost out, and lines of a table from that.

Rows come in chunks of 160 ms, as the stream gives them, with a partial asked for after each. Times are CPU time of the one thread that
decodes: on an idle machine the time that passes, on a busy one still what decoding takes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jiwer
import numpy as np

from benchmarks.peers.worker import CHUNK_ROWS, Posteriors
from benchmarks.spoken_sets import HELD_OUT, SpokenSet, heard
from ds_engine.acoustic import RuntimeOptions
from ds_engine.bias import Bias
from ds_engine.bundle import Bundle
from ds_engine.decoder import Decoder, DecoderContext, Timing
from ds_engine.native import NativeModel
from ds_engine.transcript import Hypothesis
from ds_plugin.models import ModelStore
from ds_training.corpus import Recording


@dataclass(frozen=True, slots=True)
class Found:
    """One utterance: what was said and what was found, with the seconds of audio, of decoding, and from the last chunk on."""

    said: str
    best: Hypothesis
    audio: float
    seconds: float
    last: float

    @property
    def text(self) -> str:
        return self.best.text

    @property
    def right(self) -> bool:
        return self.text == self.said


def decoded(decoder: Decoder, bias: Bias, posteriors: Posteriors, numbers: Iterable[int]) -> list[Found]:
    """These utterances, in order. The bias is compiled before anything is timed."""
    decoder.start(bias)
    found = []
    for number in numbers:
        best, seconds, last = _decoded(decoder, bias, posteriors.log_probs[number])
        found.append(Found(posteriors.texts[number], best, posteriors.seconds[number], seconds, last))
    return found


def _decoded(decoder: Decoder, bias: Bias, log_probs: Any) -> tuple[Hypothesis, float, float]:
    """The best hypothesis, the seconds of decoding without the partials, and those from the last chunk on."""
    *chunks, final = (log_probs[first : first + CHUNK_ROWS] for first in range(0, len(log_probs), CHUNK_ROWS))
    began = time.thread_time()
    state = decoder.start(bias)
    for chunk in chunks:
        state = decoder.advance(state, chunk)
        ready = time.thread_time()
        decoder.partial(state)
        began += time.thread_time() - ready
    ready = time.thread_time()
    best = decoder.finish(decoder.advance(state, final))[0]
    ended = time.thread_time()
    return best, ended - began, ended - ready


@dataclass(frozen=True, slots=True)
class Figures:
    """Fractions, and milliseconds."""

    sentences: float  # right, of the spoken words
    wer: float
    cost: float  # ms of decoding per second of audio, without the partials
    last: float  # ms from the last chunk to the text, median
    last_p95: float


def figures(found: Sequence[Found]) -> Figures:
    """Of one utterance or more."""
    last = [each.last * 1000 for each in found]
    return Figures(
        share(each.right for each in found),
        word_errors([each.said for each in found], [each.text for each in found]),
        1000 * sum(each.seconds for each in found) / sum(each.audio for each in found),
        float(np.median(last)),
        float(np.percentile(last, 95)),
    )


def word_errors(said: Sequence[str], texts: Sequence[str]) -> float:
    return float(jiwer.wer(list(said), list(texts)))


def share(answers: Iterable[bool]) -> float:
    """Of those that are True; nan of none."""
    listed = list(answers)
    return sum(listed) / len(listed) if listed else float("nan")


def spread(count: int, limit: int | None) -> list[int]:
    """At most `limit` of the numbers from 0 to `count` - 1, spread over all."""
    return list(np.linspace(0, count - 1, min(limit or count, count)).astype(int).tolist())


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: a part of the benchmark, what was tried, and fractions, counts or milliseconds by name."""

    part: str
    tried: str
    values: Mapping[str, float]

    def to_json(self) -> str:
        return json.dumps({**asdict(self), "values": {name: round(value, 4) for name, value in self.values.items()}})


def table(lines: Sequence[Line]) -> str:
    """One table in Markdown for each part."""
    parts: dict[str, list[Line]] = {}
    for line in lines:
        parts.setdefault(line.part, []).append(line)
    rows = []
    for part, listed in parts.items():
        columns = list(dict.fromkeys(name for line in listed for name in line.values))
        rows += ["", f"| {part} | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
        rows += [f"| {line.tried} | {' | '.join(_written(line.values.get(name)) for name in columns)} |" for line in listed]
    return "\n".join(rows)


def _written(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.4g}"


class Bench:
    """What the benchmarks share: options of the command line, a bundle, and what its network hears."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.bundle: Bundle = ModelStore.standard().open(options.model)
        self.search = {name: json.loads(value) for name, _, value in (setting.partition("=") for setting in options.search)}

    @staticmethod
    def parser(description: str | None) -> argparse.ArgumentParser:
        """The options that all have."""
        parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("sets", type=Path, help="folder where sets and log-probs are kept")
        parser.add_argument("--people", type=Path, help="manifest of recordings of people")
        parser.add_argument("--search", action="append", default=[], metavar="NAME=VALUE", help="a setting of the search; may be repeated")
        parser.add_argument("--limit", type=int, help="utterances of a set, spread over it")
        parser.add_argument("--voices", nargs="+", default=list(HELD_OUT))
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--model", default="en-small")
        return parser

    def spoken(self, name: str, texts: Sequence[str]) -> list[Recording]:
        """Texts in the voices of the options, voice by voice."""
        return SpokenSet(name, texts, self.options.voices, self.options.seed).recordings(self.options.sets)

    def heard(self, recordings: Sequence[Recording]) -> Posteriors:
        return heard(recordings, self.bundle, self.options.sets)

    def numbers(self, posteriors: Posteriors) -> list[int]:
        """The utterances that are decoded."""
        return spread(len(posteriors.ids), self.options.limit)

    @cached_property
    def timing(self) -> Timing:
        return NativeModel(self.bundle, RuntimeOptions()).timing

    def context(self, **grammar: Any) -> DecoderContext:
        """What a decoder is made from, with settings of closed grammars."""
        return DecoderContext(self.bundle.manifest.alphabet, self.timing, self.bundle, search=self.search, grammar=grammar)
