"""pyctcdecode 0.5.0 with kenlm, which reads the scorer's language model, at its own defaults; see benchmarks.peers.worker.

It cannot stream: rows are kept and decoded at the end, so the whole utterance counts as its last chunk.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pyctcdecode import build_ctcdecoder
from pyctcdecode.constants import DEFAULT_BEAM_WIDTH

from benchmarks.peers.worker import Posteriors, Settings, serve


class PyctcdecodePeer:
    """See benchmarks.peers.worker.Peer."""

    def __init__(self, posteriors: Posteriors, settings: Settings) -> None:
        labels = ["" if column == posteriors.blank else symbol for column, symbol in enumerate(posteriors.symbols)]
        self._decoder = build_ctcdecoder(labels, str(settings.scorer), settings.words, settings.alpha, settings.beta)
        self._beam = settings.beam
        self._rows: list[Any] = []

    def prepare(self, log_probs: Any) -> Any:
        """As they are."""
        return log_probs

    def start(self) -> None:
        """Nothing yet."""
        self._rows = []

    def advance(self, rows: Any) -> None:
        """Keeps the rows."""
        self._rows.append(rows)

    def partial(self) -> str:
        """It has none."""
        return ""

    def finish(self) -> str:
        """Decodes everything."""
        return str(self._decoder.decode(np.concatenate(self._rows), beam_width=self._beam))


if __name__ == "__main__":
    serve(PyctcdecodePeer, DEFAULT_BEAM_WIDTH)
