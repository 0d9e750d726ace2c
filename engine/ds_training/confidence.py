"""The confidence stage: a bundle and recordings of people in, what makes a word's probability of being right into the bundle's manifest.

The bundle's own search hears every recording. A word is right where the edit distance to the text matches it with the same word. A
logistic regression finds the weights of the evidence (see ds_engine/search/confidence.py). People must be none that the network was
trained on, of whom it is too sure. It can be run again for any model, after `ds_training.calibrate`; only the manifest changes.

    python -m ds_training.confidence BUNDLE_FOLDER MANIFEST.tsv [--split SPLIT.tsv --part calibration]... [--also MANIFEST.tsv]...
        [--test MANIFEST.tsv] [--plot OUT.png] [--dry-run]

Prints the weights, and how good the probabilities are on the words that they were fitted on and on those of `--test`: area under the
ROC curve, expected calibration error, Brier score; of words, of utterances (the mean of their words against the share that is
right), and of what words have without a calibration.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import numpy.typing as npt

from ds_engine.acoustic import RuntimeOptions
from ds_engine.bias import Bias
from ds_engine.bundle import Bundle
from ds_engine.decoder import DecoderContext
from ds_engine.native import NativeModel
from ds_engine.search.confidence import BIAS, EVIDENCE, SECTION, Belief, Confidence, Fit, evidence, of_utterance
from ds_engine.search.decoder import KernelDecoder
from ds_engine.search.timeline import Calibration
from ds_training import bundle_folder, logistic, reliability
from ds_training.acceptance import decoded
from ds_training.calibrate import Calibration as Wanted
from ds_training.corpus import read_manifest
from ds_training.posteriors import Posteriors, posteriors
from ds_training.text import Orthography

HOLD = 5.0  # of the regression's weights: see logistic.fit
LEAST_WORDS = 100  # to fit on; a thousand are better


@dataclass(frozen=True, slots=True)
class Heard:
    """The words that were recognised in recordings, in order."""

    evidence: npt.NDArray[np.float64]  # [words, EVIDENCE]
    evenness: npt.NDArray[np.float64]  # [words]: what they have without a calibration
    right: npt.NDArray[np.bool_]  # [words]
    utterances: npt.NDArray[np.int64]  # [words]: number of the recording

    def probabilities(self, weights: dict[str, float]) -> npt.NDArray[np.float64]:
        """Of each word, with these weights."""
        return logistic.probabilities(self.evidence @ np.array([weights[name] for name in EVIDENCE]) + weights[BIAS])


@dataclass(frozen=True, slots=True)
class _Recorder(Confidence):
    """Gives every word the number of its evidence in place of a probability."""

    numbers: list[tuple[float, ...]] = field(default_factory=list)
    evenness: list[float] = field(default_factory=list)

    def words(self, fits: Sequence[Fit], beliefs: Sequence[Belief]) -> list[float]:
        first = len(self.numbers)
        self.numbers.extend(evidence(fits, beliefs))
        self.evenness.extend(fit.evenness for fit in fits)
        return [float(number) for number in range(first, len(self.numbers))]


def hear(context: DecoderContext, heard: Iterable[Posteriors]) -> Heard:
    """What the search makes of the recordings."""
    search = KernelDecoder.make(context)
    recorder = _Recorder({})
    decoder = KernelDecoder(context.alphabet, context.timing, search.vocabulary, search.policy, Calibration(confidence=recorder))
    numbers, right, utterances = list[int](), list[bool](), list[int]()
    for utterance, each in enumerate(heard):
        found, judged = _judged(decoder, each)
        numbers += found
        right += judged
        utterances += [utterance] * len(found)
    chosen = np.array(recorder.numbers, np.float64).reshape(-1, len(EVIDENCE))[numbers]
    return Heard(chosen, np.array(recorder.evenness)[numbers], np.array(right, bool), np.array(utterances, np.int64))


def _judged(decoder: KernelDecoder, heard: Posteriors) -> tuple[list[int], list[bool]]:
    """The words of the best hypothesis by the numbers that they were given, and which of them are right."""
    words = decoded(decoder, heard, Bias())[0].words
    return [int(word.confidence) for word in words], right_words([word.text for word in words], heard.text)


def right_words(words: Sequence[str], text: str) -> list[bool]:
    """Which of the words that were recognised are those that were said."""
    right = [False] * len(words)
    if words and text.split():
        for chunk in jiwer.process_words([text], [" ".join(words)]).alignments[0]:
            if chunk.type == "equal":
                right[chunk.hyp_start_idx : chunk.hyp_end_idx] = [True] * (chunk.hyp_end_idx - chunk.hyp_start_idx)
    return right


def fit(heard: Heard) -> dict[str, float]:
    """The weights. Raises ValueError for too few words, or where all are right, or none."""
    if len(heard.right) < LEAST_WORDS:
        raise ValueError(f"confidence needs at least {LEAST_WORDS} words to be fitted on, got {len(heard.right)}")
    weights = logistic.fit(heard.evidence, heard.right, HOLD)
    return {name: round(float(weight), 5) for name, weight in zip((*EVIDENCE, BIAS), weights, strict=True)}


def figures(heard: Heard, weights: dict[str, float]) -> dict[str, Any]:
    """How good the probabilities are. Raises ValueError where all words are right, or none."""
    probabilities = heard.probabilities(weights)
    return {
        "words": asdict(reliability.Figures.of(probabilities, heard.right)),
        "utterances": _of_utterances(probabilities, heard),
        "words_uncalibrated": asdict(reliability.Figures.of(heard.evenness, heard.right)),
    }


def _of_utterances(probabilities: npt.NDArray[np.float64], heard: Heard) -> dict[str, Any]:
    """Of the confidences of utterances with words: how far they are from the share of right words, and how closely they follow it."""
    places = [np.flatnonzero(heard.utterances == number) for number in np.unique(heard.utterances)]
    given = np.array([of_utterance(probabilities[place].tolist()) for place in places])
    shares = np.array([heard.right[place].mean() for place in places])
    bins = [(len(place), abs(given[place].mean() - shares[place].mean())) for place in reliability.by_count(given)]
    return {
        "count": len(places),
        "ece_by_count": round(float(sum(count * off for count, off in bins) / len(places)), 4),
        "correlation": round(float(np.corrcoef(given, shares)[0, 1]), 4),
    }


def write(folder: Path, weights: dict[str, float]) -> None:
    """Puts them into the manifest of a bundle."""
    calibration = bundle_folder.manifest_in(folder)["calibration"]
    bundle_folder.change(folder, {}, calibration={**calibration, SECTION: weights})


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit the confidences of a bundle's words on people.")
    parser.add_argument("bundle", type=Path, help="folder of the bundle")
    parser.add_argument("manifest", type=Path, help="TSV of recordings")
    parser.add_argument("--split", type=Path, help="TSV of speakers and parts")
    parser.add_argument("--part", action="append", default=[], help="of that split (calibration, unless one is named)")
    parser.add_argument("--also", type=Path, action="append", default=[], help="a further TSV, all of it")
    parser.add_argument("--test", type=Path, help="TSV of recordings of others, for figures only")
    parser.add_argument("--plot", type=Path, help="draw the reliability into this PNG")
    parser.add_argument("--dry-run", action="store_true", help="print, and leave the bundle as it is")
    options = parser.parse_args()
    bundle = Bundle.open(options.bundle)
    model = NativeModel(bundle, RuntimeOptions())
    context = DecoderContext(bundle.manifest.alphabet, model.timing, bundle)
    orthography = Orthography(context.alphabet.symbols)
    parts = [Wanted(options.manifest, options.split, part) for part in (options.part or ["calibration"] if options.split else [""])]
    chosen = [recording for part in parts for recording in part.recordings(orthography)]
    chosen += [recording for path in options.also for recording in read_manifest(path, orthography)]
    heard = hear(context, posteriors(model, chosen))
    weights = fit(heard)
    told: dict[str, Any] = {SECTION: weights, "fitted": figures(heard, weights)}
    curves = {"words it was fitted on": (heard.probabilities(weights), heard.right)}
    if options.test:
        test = hear(context, posteriors(model, read_manifest(options.test, orthography)))
        told["test"] = figures(test, weights)
        curves["words of other people"] = (test.probabilities(weights), test.right)
        curves["the same without calibration"] = (test.evenness, test.right)
    print(json.dumps(told, indent=1))
    if options.plot:
        reliability.plot(curves, options.plot)
    if not options.dry_run:
        write(options.bundle, weights)


if __name__ == "__main__":
    main()
