"""How far the times of words are from when they were said: home commands by two synthetic voices that no model was trained on.

    python benchmarks/word_times.py [--model en-small] [--sentences 50] [--seed 1]

Festival tells when each word begins and ends (ds_training/timed_speech.py). Prints, in milliseconds, the absolute errors of the words that
the bundle's own search recognised rightly, and of all words where the true text is aligned.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import jiwer
import numpy as np

from ds_engine.acoustic import RuntimeOptions
from ds_engine.bias import Bias
from ds_engine.bundle import Bundle
from ds_engine.decoder import DecoderContext
from ds_engine.native import NativeModel
from ds_engine.search.decoder import KernelDecoder
from ds_engine.search.language import Said
from ds_engine.search.timeline import Calibration, Lag, Timeline
from ds_engine.transcript import Word
from ds_plugin.models import ModelStore
from ds_training.posteriors import Posteriors, posteriors
from ds_training.timed_speech import HELD_OUT, Times, commands, spoken

Error = tuple[float, float]  # s, of a word's start and end


def recognised(decoder: KernelDecoder, heard: Posteriors, times: Times) -> Iterator[Error]:
    """Of the words that are right."""
    words = decoder.finish(decoder.advance(decoder.start(Bias()), heard.log_probs))[0].words
    if words:
        for chunk in jiwer.process_words([heard.text], [" ".join(word.text for word in words)]).alignments[0]:
            if chunk.type == "equal":
                said = times[chunk.ref_start_idx : chunk.ref_end_idx]
                yield from _errors(words[chunk.hyp_start_idx : chunk.hyp_end_idx], said)


def forced(bundle: Bundle, model: NativeModel, heard: Posteriors, times: Times) -> Iterator[Error]:
    """Of all words of the true text."""
    alphabet = bundle.manifest.alphabet
    timeline = Timeline(alphabet, model.timing, Calibration(Lag.of(bundle.manifest)))
    timeline.hear(heard.log_probs)
    [words] = timeline.finish([[Said(word, alphabet.spell(word)[0]) for word in heard.text.split()]])
    yield from _errors(words, times)


def _errors(words: Sequence[Word], times: Sequence[tuple[float, float]]) -> Iterator[Error]:
    return ((word.start - start, word.end - end) for word, (start, end) in zip(words, times, strict=True))


def told(name: str, errors: Sequence[Error]) -> str:
    """One line."""
    parts = []
    for which, values in zip(("start", "end"), np.array(errors).T * 1000, strict=True):
        off = np.abs(values)
        parts.append(
            f"{which}: mean {off.mean():.0f}, median {np.median(off):.0f}, 95 % {np.percentile(off, 95):.0f} ms (bias {values.mean():+.0f})"
        )
    return f"{name}, {len(errors)} words: {'; '.join(parts)}"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="en-small")
    parser.add_argument("--sentences", type=int, default=50, help="of each voice")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    bundle = ModelStore.standard().open(options.model)
    model = NativeModel(bundle, RuntimeOptions())
    decoder = KernelDecoder.make(DecoderContext(bundle.manifest.alphabet, model.timing, bundle))
    everyone: tuple[list[Error], list[Error]] = [], []
    for number, voice in enumerate(HELD_OUT):
        right: list[Error] = []
        true: list[Error] = []
        with tempfile.TemporaryDirectory() as folder:
            speech = list(spoken(voice, commands(options.sentences, 1000 * options.seed + number), options.seed, Path(folder)))
            for timed, heard in zip(speech, posteriors(model, [each.recording for each in speech]), strict=True):
                right += recognised(decoder, heard, timed.times)
                true += forced(bundle, model, heard, timed.times)
        print(told(f"{voice}, recognised rightly", right), told(f"{voice}, true text aligned", true), sep="\n")
        everyone[0].extend(right)
        everyone[1].extend(true)
    print(told("both, recognised rightly", everyone[0]), told("both, true text aligned", everyone[1]), sep="\n")


if __name__ == "__main__":
    main()
