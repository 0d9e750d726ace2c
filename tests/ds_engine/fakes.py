"""Fakes of the engine's contracts, and audio that they understand.

`ReplayModel` hears a symbol's column in the level of the samples: a row (10 ms) at level k / 64 is column k. `said` writes such
audio, so that a test decides what is recognised. Confidence depends on every sample of a row and on the state, so that a sample
lost, doubled or moved shows.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ds_engine.acoustic import AcousticState, flush_by_silence
from ds_engine.alphabet import Alphabet, Boundary, BoundaryRule
from ds_engine.bias import Bias
from ds_engine.decoder import Decoder, Timing
from ds_engine.features import FloatArray
from ds_engine.greedy import GreedyDecoder
from ds_engine.observer import Preparation, Recording, UtteranceInfo
from ds_engine.recognizer import Recognizer
from ds_engine.transcript import Partial, Transcript

ROW = 160  # samples: 10 ms at 16 kHz
ROWS_PER_STEP = 4
LEVELS = 64  # columns that a level can stand for

CHARACTERS = Alphabet(("_", " ", *"abcdefghijklmnopqrstuvwxyz'"))
PIECES = Alphabet(
    ("<unk>", "▁", *"abcdenortu", "▁tu", "rn", "▁turn", "▁on", "▁b", "ed", "_"),
    blank=18,
    ignored=frozenset({0}),
    boundary=Boundary(BoundaryRule.WORD_INITIAL, "▁"),
)
BYTES = Alphabet(("_", *map(chr, range(1, 256))), boundary=Boundary(BoundaryRule.SEPARATOR, " "), bytes_mode=True)


@dataclass(frozen=True)
class ReplayModel:
    """See the module."""

    symbols: int = len(CHARACTERS.symbols)
    blank: int = 0
    max_batch: int = 1
    overlap: int = 240  # samples that a step sees again
    sample_rate: int = 16_000
    timing: Timing = field(default_factory=lambda: Timing(ROW / 16_000))

    @property
    def shift_samples(self) -> int:
        return ROWS_PER_STEP * ROW

    @property
    def chunk_samples(self) -> int:
        return self.shift_samples + self.overlap

    def initial_state(self) -> AcousticState:
        return 0.0

    def step(self, chunks: FloatArray, states: Sequence[AcousticState]) -> tuple[FloatArray, list[AcousticState]]:
        assert chunks.shape == (len(states), self.chunk_samples)
        assert chunks.dtype == np.float32
        assert len(states) <= self.max_batch
        heard = [self._heard(chunk, state) for chunk, state in zip(chunks, states, strict=True)]
        return np.stack([rows for rows, _ in heard]), [state for _, state in heard]

    def flush(self, tail: FloatArray, state: AcousticState) -> FloatArray:
        return flush_by_silence(self, tail, state, self.overlap)

    def _heard(self, chunk: FloatArray, state: float) -> tuple[FloatArray, float]:
        rows = np.full((ROWS_PER_STEP, self.symbols), np.log(1e-3), np.float32)
        for row in range(ROWS_PER_STEP):
            samples = chunk[row * ROW : (row + 1) * ROW].astype(np.float64)
            level = round(float(np.abs(samples).mean()) * LEVELS)
            state = 0.5 * state + float(samples @ np.arange(1, ROW + 1)) + float(chunk[-1])
            rows[row, level % self.symbols if level else self.blank] = np.log(0.9 - 0.3 * abs(np.sin(state)))
        return rows, state


class Gate:
    """Holds the worker threads of a GatedModel; `passed` tells, in order, whose step went through."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self.waiting = threading.Event()
        self.passed: list[int] = []

    def open(self) -> None:
        self._open.set()

    def shut(self) -> None:
        self._open.clear()
        self.waiting.clear()

    def go_through(self, who: int) -> None:
        self.waiting.set()
        assert self._open.wait(20)
        self.passed.append(who)


class GatedModel(ReplayModel):
    """A model that waits at a gate before every step, and knows its streams apart by the order in which they were opened."""

    def __init__(self, gate: Gate, **options: Any) -> None:
        super().__init__(**options)
        object.__setattr__(self, "gate", gate)
        object.__setattr__(self, "numbers", itertools.count())

    gate: Gate
    numbers: itertools.count[int]

    def initial_state(self) -> AcousticState:
        return next(self.numbers), 0.0

    def step(self, chunks: FloatArray, states: Sequence[AcousticState]) -> tuple[FloatArray, list[AcousticState]]:
        for who, _ in states:
            self.gate.go_through(who)
        rows, after = super().step(chunks, [state for _, state in states])
        return rows, [(who, state) for (who, _), state in zip(states, after, strict=True)]


class BrokenModel(ReplayModel):
    """A model whose step does what it is given to do once it hears a level above a half."""

    def __init__(self, fault: Callable[[], Any], **options: Any) -> None:
        super().__init__(**options)
        object.__setattr__(self, "fault", fault)

    fault: Callable[[], Any]

    def step(self, chunks: FloatArray, states: Sequence[AcousticState]) -> tuple[FloatArray, list[AcousticState]]:
        if np.abs(chunks).max() > 0.5:
            self.fault()
        return super().step(chunks, states)


class BrokenDecoder(GreedyDecoder):
    """A decoder that raises `error` once it is told of column `column`."""

    def __init__(self, error: BaseException, column: int) -> None:
        super().__init__(CHARACTERS, Timing(0.01))
        self.error = error
        self.column = column

    def advance(self, state: Any, log_probs: FloatArray) -> Any:
        if (log_probs.argmax(axis=1) == self.column).any():
            raise self.error
        return super().advance(state, log_probs)


class Witness:
    """An observer that writes down what it is told."""

    def __init__(self, preparation: Preparation | None = None, *, rewrites: bool = False) -> None:
        self.rewrites = rewrites
        self.preparation = preparation or Preparation()
        self.prepared: list[UtteranceInfo] = []
        self.partials: list[tuple[UtteranceInfo, Partial]] = []
        self.completed: list[tuple[UtteranceInfo, Transcript, Recording | None]] = []
        self.ends: list[tuple[UtteranceInfo, Transcript | None, BaseException | None]] = []

    async def prepare(self, info: UtteranceInfo) -> Preparation:
        self.prepared.append(info)
        return self.preparation

    def partial(self, info: UtteranceInfo, partial: Partial) -> None:
        self.partials.append((info, partial))

    async def complete(self, info: UtteranceInfo, transcript: Transcript, recording: Recording | None) -> Transcript:
        self.completed.append((info, transcript, recording))
        return transcript

    def ended(self, info: UtteranceInfo, transcript: Transcript | None, error: BaseException | None) -> None:
        self.ends.append((info, transcript, error))

    @property
    def errors(self) -> list[BaseException | None]:
        return [error for _, _, error in self.ends]


def replaying(model: ReplayModel | None = None, decoder: Decoder | None = None) -> Recognizer:
    """A recognizer of `said` audio."""
    model = model or ReplayModel()
    return Recognizer(model, decoder or GreedyDecoder(CHARACTERS, model.timing), "replay 1", "en")


def said(text: str, rows: int = 2, alphabet: Alphabet = CHARACTERS) -> bytes:
    """16-bit audio at 16 kHz in which ReplayModel hears `text`, `rows` rows a symbol and one blank after each."""
    levels: list[int] = []
    for symbol in text:
        levels += [alphabet.symbols.index(symbol)] * rows + [0]
    return (np.repeat(np.array(levels, np.int16), ROW) * (32_768 // LEVELS)).astype("<i2").tobytes()


def silence(seconds: float, rate: int = 16_000) -> bytes:
    """16-bit digital silence."""
    return bytes(2 * round(seconds * rate))


def babble(seconds: float, seed: int = 0, level: float = 0.2, rate: int = 16_000) -> FloatArray:
    """Voice-like noise: gliding harmonics in syllables, float32 [n]; a real model hears letters in it."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    pitch = random.uniform(90, 220) * (1 + 0.1 * np.sin(2 * np.pi * random.uniform(0.5, 2) * time))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    voice = sum(np.sin(harmonic * phase) * random.uniform(0.1, 1) for harmonic in range(1, 16))
    syllables = np.abs(np.sin(np.pi * random.uniform(2, 4) * time + random.uniform(0, 3)))
    sound = voice * syllables / 8 + random.normal(size=len(time)) * 0.02
    return np.clip(sound * level, -1, 1).astype(np.float32)


def pcm16(samples: FloatArray) -> bytes:
    """float32 in [-1, 1] -> 16-bit bytes."""
    return np.round(np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes()


def cut(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    """`data` in pieces of these sizes, over and over."""
    pieces, endless = [], itertools.cycle(sizes or [len(data) or 1])
    while data:
        size = next(endless)
        pieces.append(data[:size])
        data = data[size:]
    return pieces


async def until(reached: Callable[[], bool]) -> None:
    """Lets the loop turn until something is so; pytest's time limit bounds it."""
    while not reached():  # noqa: ASYNC110 - there is no event for every thing that a test looks at
        await asyncio.sleep(0)


async def turns(count: int = 20) -> None:
    """Lets everything run that can run without a thread."""
    for _ in range(count):
        await asyncio.sleep(0)


NO_BIAS = Bias()
