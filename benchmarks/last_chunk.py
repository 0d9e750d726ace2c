"""How long the search takes once the last chunk of log-probs is there, after 3 s and after 60 s of speech. Prints milliseconds.

    python benchmarks/last_chunk.py POSTERIORS.npz [--model en-small] [--lengths 3 60] [--rounds 20] [--household SEED]

Utterances of the file (see benchmarks/posteriors.py) are joined until they are long enough; the search is the bundle's own, with its
language model and calibration. The last chunk is 160 ms: advance by its rows, then finish. With `--household` Home Assistant's English
sentences for an invented household (household.py) are searched beside open speech, once for an engine that has never heard them and
then for one that has.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np

from benchmarks.household import Household
from benchmarks.peers.worker import Posteriors
from ds_engine.bias import Bias
from ds_engine.decoder import Decoder, DecoderContext, Timing
from ds_engine.features import FloatArray
from ds_engine.search.hybrid import HybridDecoder
from ds_plugin.grammars.templates import of_templates
from ds_plugin.models import ModelStore
from ds_plugin.spoken import Reader

CHUNK_ROWS = 4


def joined(posteriors: Posteriors, first: int, rows: int) -> FloatArray:
    """So many rows of utterances from the first one on."""
    pieces, count, number = [], 0, first
    while count < rows:
        pieces.append(posteriors.log_probs[number % len(posteriors.ids)])
        count += len(pieces[-1])
        number += 1
    found: FloatArray = np.concatenate(pieces)[:rows].astype(np.float32)
    return found


def last_chunk(decoder: Decoder, bias: Bias, rows: FloatArray) -> float:
    """Milliseconds from the last chunk to the hypotheses."""
    state = decoder.start(bias)
    for row in range(0, len(rows) - CHUNK_ROWS, CHUNK_ROWS):
        state = decoder.advance(state, rows[row : row + CHUNK_ROWS])
        decoder.partial(state)
    began = time.perf_counter()
    decoder.finish(decoder.advance(state, rows[row + CHUNK_ROWS :]))
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("posteriors", type=Path)
    parser.add_argument("--model", default="en-small")
    parser.add_argument("--lengths", type=float, nargs="+", default=[3.0, 60.0], help="seconds")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--household", type=int, help="seed of a household whose sentences are searched too")
    options = parser.parse_args()
    posteriors = Posteriors.read(options.posteriors)
    bundle = ModelStore.standard().open(options.model)
    decoder = HybridDecoder.make(DecoderContext(bundle.manifest.alphabet, Timing(posteriors.step), bundle))
    bias = Bias()
    if options.household is not None:
        templates = Household.invent(options.household).templates()
        bias = Bias(grammars=(of_templates("home", templates, Reader(bundle.manifest.alphabet, "en"), "en").grammar,))
    for seconds in options.lengths:
        rows = round(seconds / posteriors.step)
        for heard in ("first time", "again") if bias.grammars else ("",):
            taken = [last_chunk(decoder, bias, joined(posteriors, 7 * turn, rows)) for turn in range(options.rounds)]
            found = (statistics.median(taken), *np.percentile(taken, [95, 100]))
            print(f"{seconds:4.0f} s {heard}: median {found[0]:.2f} ms, 95 % {found[1]:.2f} ms, worst {found[2]:.2f} ms", flush=True)


if __name__ == "__main__":
    main()
