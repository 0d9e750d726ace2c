"""What the peers' workers share: numbers of utterances in on standard input, a JSON line for each of them out.

    echo 0 | FOLDER/native/bin/python -m benchmarks.peers.worker_deepspeech POSTERIORS.npz SCORER [--alpha A] [--beta B] [--beam N]

A line is {"id", "text", "seconds", "partial_seconds", "last_seconds"}; see `Took`. A worker runs under its peer's interpreter, from
the root of the repository: this module needs Python 3.9 and numpy only. One thread; only the decoding is timed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks.peers.scorer_file import read_tail

CHUNK_ROWS = 4  # 160 ms at 40 ms a row: what the stream gives a decoder at a time


@dataclass(frozen=True)
class Posteriors:
    """A file that benchmarks/posteriors.py wrote."""

    ids: list[str]
    texts: list[str]
    seconds: list[float]  # of audio
    log_probs: list[Any]  # float32 [rows, symbols], natural logarithms
    symbols: list[str]
    blank: int
    step: float  # s a row

    @classmethod
    def read(cls, path: Path) -> Posteriors:
        """Reads all of it into memory."""
        with np.load(path) as file:
            log_probs = np.split(file["log_probs"], np.cumsum(file["rows"])[:-1])
            ids, texts, seconds, symbols = (file[name].tolist() for name in ("ids", "texts", "seconds", "symbols"))
            return cls(ids, texts, seconds, log_probs, symbols, int(file["blank"]), float(file["step"]))

    @property
    def labels(self) -> list[str]:
        """The symbols without the blank."""
        return [symbol for column, symbol in enumerate(self.symbols) if column != self.blank]


@dataclass(frozen=True)
class Settings:
    """What all peers are told alike; None leaves a peer its own default."""

    scorer: Path
    alpha: float
    beta: float
    beam: int | None
    words: list[str]


class Peer(Protocol):
    """A decoder, one utterance at a time."""

    def prepare(self, log_probs: Any) -> Any:
        """The rows of one utterance in the form that the decoder takes; not timed."""
        ...

    def start(self) -> None:
        """Begins an utterance."""
        ...

    def advance(self, rows: Any) -> None:
        """Takes some of the prepared rows."""
        ...

    def partial(self) -> str:
        """The text so far."""
        ...

    def finish(self) -> str:
        """The text, all rows having been taken."""
        ...


@dataclass(frozen=True)
class Took:
    """The text of one utterance and how long it took."""

    text: str
    seconds: float  # for the rows and the text at the end
    partial_seconds: float  # for the partials, one after every chunk but the last
    last_seconds: float  # from the last chunk to the text


def timed(peer: Peer, log_probs: Any) -> Took:
    """Decodes one utterance in chunks."""
    rows = peer.prepare(log_probs)
    chunks = [rows[first : first + CHUNK_ROWS] for first in range(0, len(rows), CHUNK_ROWS)]
    advancing = asking = 0.0
    began = time.perf_counter()
    peer.start()
    for chunk in chunks[:-1]:
        peer.advance(chunk)
        ready = time.perf_counter()
        peer.partial()
        advancing, asking, began = advancing + ready - began, asking + time.perf_counter() - ready, time.perf_counter()
    peer.advance(chunks[-1])
    text = peer.finish()
    last = time.perf_counter() - began
    return Took(" ".join(text.split()), advancing + last, asking, last)


def serve(make: Callable[[Posteriors, Settings], Peer], beam: int | None = None) -> None:
    """Makes the peer and answers until standard input ends. `beam` is its default."""
    parser = argparse.ArgumentParser()
    parser.add_argument("posteriors", type=Path)
    parser.add_argument("scorer", type=Path)
    parser.add_argument("--alpha", type=float, help="instead of the scorer's")
    parser.add_argument("--beta", type=float, help="instead of the scorer's")
    parser.add_argument("--beam", type=int, default=beam)
    options = parser.parse_args()
    posteriors = Posteriors.read(options.posteriors)
    tail = read_tail(options.scorer, posteriors.labels)
    alpha = tail.alpha if options.alpha is None else options.alpha
    beta = tail.beta if options.beta is None else options.beta
    peer = make(posteriors, Settings(options.scorer, alpha, beta, options.beam, tail.words))
    for line in sys.stdin:
        number = int(line)
        took = timed(peer, posteriors.log_probs[number])
        sys.stdout.write(json.dumps({"id": posteriors.ids[number], **asdict(took)}) + "\n")
        sys.stdout.flush()
