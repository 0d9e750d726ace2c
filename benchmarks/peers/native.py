"""DeepSpeech's and Coqui's native decoder: the same C++ code in two versions, with the same Python around it.

Both want probabilities as doubles, the blank in the last column, and the alphabet as a file. Beam 500, cutoff_prob 1.0 and
cutoff_top_n 40 are what the published models and clients use (stt.cc, DS_CreateModel and DS_CreateStream). Runs on Python 3.9.
"""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np

from benchmarks.peers.worker import Posteriors, Settings

BEAM, CUTOFF_PROB, CUTOFF_TOP_N = 500, 1.0, 40


class NativePeer:
    """See benchmarks.peers.worker.Peer. `library` is the module ds_ctcdecoder or coqui_stt_ctcdecoder."""

    def __init__(self, library: Any, posteriors: Posteriors, settings: Settings) -> None:
        self._library = library
        self._beam = settings.beam
        self._columns = [column for column in range(len(posteriors.symbols)) if column != posteriors.blank] + [posteriors.blank]
        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
            file.write("".join(f"{label}\n" for label in posteriors.labels))
            file.flush()
            self._alphabet = library.Alphabet(file.name)
        self._scorer = library.Scorer(settings.alpha, settings.beta, str(settings.scorer), self._alphabet)
        self._state: Any = None

    def prepare(self, log_probs: Any) -> Any:
        """Probabilities, float64 and contiguous."""
        return np.ascontiguousarray(np.exp(log_probs[:, self._columns].astype(np.float64)))

    def start(self) -> None:
        """A new state."""
        self._state = self._library.swigwrapper.DecoderState()
        self._state.init(self._alphabet, self._beam, CUTOFF_PROB, CUTOFF_TOP_N, self._scorer, {})

    def advance(self, rows: Any) -> None:
        """Advances the native state."""
        self._state.next(rows)

    def partial(self) -> str:
        """What intermediateDecode gives."""
        results = self._state.decode(1)  # held: the best one's tokens lie in it
        return str(self._alphabet.Decode(results[0].tokens))

    def finish(self) -> str:
        """What finishStream gives."""
        return self.partial()
