"""flashlight-text 0.0.7's lexicon decoder with its own KenLM, which reads the scorer's language model; see benchmarks.peers.worker.

Words are spelled with the separator at their end, as flashlight's recipes do, so a row of nothing but the separator follows the last
one (without it, its WER on the calibration speakers is 0.525 instead of 0.516). Language-model scores are logarithms to base 10 there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from flashlight.lib.text.decoder import CriterionType, LexiconDecoder, LexiconDecoderOptions, SmearingMode, Trie
from flashlight.lib.text.decoder.kenlm import KenLM
from flashlight.lib.text.dictionary import Dictionary

from benchmarks.peers.worker import Posteriors, Settings, serve

BEAM = 500  # as DeepSpeech's
THRESHOLD = 15.0  # nats below the best; 25 and 50 find the same words on the calibration speakers, and take longer
IMPOSSIBLE = -30.0  # log-prob


class FlashlightPeer:
    """See benchmarks.peers.worker.Peer."""

    def __init__(self, posteriors: Posteriors, settings: Settings) -> None:
        self._separator = posteriors.symbols.index(" ")
        self._symbols = len(posteriors.symbols)
        self._words = Dictionary()
        for word in [*settings.words, "<unk>"]:
            self._words.add_entry(word)
        self._words.set_default_index(self._words.get_index("<unk>"))
        model = KenLM(str(settings.scorer), self._words)
        trie = self._lexicon(posteriors, settings, model)
        options = LexiconDecoderOptions(
            beam_size=settings.beam,
            beam_size_token=self._symbols,
            beam_threshold=THRESHOLD,
            lm_weight=settings.alpha * math.log(10),
            word_score=settings.beta,
            unk_score=-math.inf,
            sil_score=0.0,
            log_add=True,
            criterion_type=CriterionType.CTC,
        )
        unknown = self._words.get_index("<unk>")
        self._decoder = LexiconDecoder(options, trie, model, self._separator, posteriors.blank, unknown, [], False)
        self._model, self._trie = model, trie  # the decoder keeps no reference of its own
        self._end = np.full((1, self._symbols), IMPOSSIBLE, np.float32)
        self._end[0, self._separator] = 0.0

    def prepare(self, log_probs: Any) -> Any:
        """float32, contiguous: the decoder takes a bare address."""
        return np.ascontiguousarray(log_probs, np.float32)

    def start(self) -> None:
        """Empties the decoder."""
        self._decoder.decode_begin()

    def advance(self, rows: Any) -> None:
        """Steps over the rows."""
        self._decoder.decode_step(rows.ctypes.data, len(rows), self._symbols)

    def partial(self) -> str:
        """The best beam's complete words."""
        return self._text(self._decoder.get_best_hypothesis(0).words)

    def finish(self) -> str:
        """The best final beam."""
        self.advance(self._end)
        self._decoder.decode_end()
        return self._text(self._decoder.get_all_final_hypothesis()[0].words)

    def _text(self, words: Any) -> str:
        return " ".join(self._words.get_entry(word) for word in words if word >= 0)

    def _lexicon(self, posteriors: Posteriors, settings: Settings, model: Any) -> Any:
        columns = {symbol: column for column, symbol in enumerate(posteriors.symbols)}
        trie = Trie(self._symbols, self._separator)
        start = model.start(False)
        for word in settings.words:
            index = self._words.get_index(word)
            _, score = model.score(start, index)
            trie.insert([*(columns[letter] for letter in word), self._separator], index, score)
        trie.smear(SmearingMode.MAX)
        return trie


if __name__ == "__main__":
    serve(FlashlightPeer, BEAM)
