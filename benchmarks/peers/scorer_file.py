"""The end of a DeepSpeech or Coqui scorer, read without anything of ours: the words and weights that the peers are given.

Behind the KenLM model stand `EIRT`, version 6, a byte for bytes mode, alpha and beta, and an OpenFst ConstFst over labels from 1
whose paths are the words, each ending in a space (native_client's path_trie and scorer.cpp). Runs on Python 3.9.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

HEADER = struct.Struct("<4sibdd")  # magic, version, bytes mode, alpha, beta
MAGIC, VERSION = b"EIRT", 6
FST_COUNTS = 4 + 4 + len(b"const") + 4 + len(b"standard") + 4 + 4 + 8  # bytes before start, states and arcs
STATES = np.dtype([("weight", "<f4"), ("first", "<u4"), ("arcs", "<u4"), ("input", "<u4"), ("output", "<u4")])
ARCS = np.dtype([("label", "<i4"), ("output", "<i4"), ("weight", "<f4"), ("next", "<i4")])
ALIGNMENT = 16  # bytes, counted from the start of the file


@dataclass(frozen=True)
class Tail:
    """What a scorer holds beside its language model."""

    alpha: float
    beta: float
    words: list[str]


def read_tail(path: Path, labels: list[str]) -> Tail:
    """`labels` are the alphabet's, in its order, without the blank."""
    data = path.read_bytes()
    start = data.rindex(MAGIC + struct.pack("<i", VERSION))
    _, _, _, alpha, beta = HEADER.unpack_from(data, start)
    fst = start + HEADER.size
    _, state_count, arc_count = struct.unpack_from("<qqq", data, fst + FST_COUNTS)
    first_state = _aligned(fst + FST_COUNTS + 24)
    states = np.frombuffer(data, STATES, state_count, first_state)
    arcs = np.frombuffer(data, ARCS, arc_count, _aligned(first_state + states.nbytes))
    return Tail(alpha, beta, _words(states, arcs, labels))


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT


def _words(states: Any, arcs: Any, labels: list[str]) -> list[str]:
    words, open_paths = [], [(0, "")]
    while open_paths:
        state, prefix = open_paths.pop()
        first, count = int(states["first"][state]), int(states["arcs"][state])
        for arc in arcs[first : first + count]:
            text = prefix + labels[int(arc["label"]) - 1]
            if np.isfinite(states["weight"][arc["next"]]):
                words.append(text.strip(" "))
            open_paths.append((int(arc["next"]), text))
    return sorted(words)
