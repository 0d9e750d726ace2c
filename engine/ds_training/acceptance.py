"""The acceptance stage: a bundle and recordings of people in, the closed search's settings and when to believe it into the manifest.

Grammars are made of the recordings' own texts (sentence_grammars.py), so that half of what is heard is in the grammar. First the closed
search's settings are those with the most sentences right. Then a logistic model is fitted that tells, from how both searches ended,
whether the closed one's best sentence is what was said (ds_engine/search/acceptance.py). It can be run again for any model, after
`ds_training.calibrate`, on whose settings it builds; only the manifest changes.

    python -m ds_training.acceptance BUNDLE_FOLDER MANIFEST.tsv [--split SPLIT.tsv --part calibration] [--also MANIFEST.tsv]... [--dry-run]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ds_engine.acoustic import RuntimeOptions
from ds_engine.bias import Bias
from ds_engine.bundle import Bundle
from ds_engine.decoder import Decoder, DecoderContext
from ds_engine.native import NativeModel
from ds_engine.search.acceptance import KNOWN, evidence
from ds_engine.search.closed_decoder import ClosedDecoder
from ds_engine.search.decoder import KernelDecoder
from ds_engine.search.policy import SearchPolicy
from ds_engine.transcript import Hypothesis
from ds_training import bundle_folder, logistic
from ds_training.calibrate import CHUNK_ROWS, Calibration
from ds_training.posteriors import Posteriors, posteriors
from ds_training.sentence_grammars import Kind, Trial, trial
from ds_training.text import Orthography

AXES: Mapping[str, tuple[float, ...]] = {  # of the closed search, tried one after the other
    "alpha": (0.0, 0.2),
    "blank_penalty": (1.0, 1.5, 2.0, 2.5, 3.0),
    "beta": (0.0, 1.0, 2.0, 3.0),
    "threshold": (20.0, 30.0, 40.0),
    "beam": (256, 384, 512),
    "skip": (0.99, 0.995),
}
FIRST: Mapping[str, Any] = {"alpha": 0.0, "beta": 0.0, "threshold": 30.0, "beam": 384}
WORTH = 0.005  # of the sentences: what a wider search must gain to be taken
STRICTNESSES = (0.1, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one recording under one grammar."""

    inside: bool  # what was said is a sentence of the grammar
    right: bool  # the closed search's best is what was said
    evidence: Mapping[str, float] | None  # None: the closed search found no sentence


def outcomes(closed: ClosedDecoder, spoken: Sequence[Hypothesis], heard: Sequence[Posteriors], chosen: Trial) -> Iterator[Heard]:
    """Both searches on every recording; `spoken` are the open one's results."""
    bias = Bias(grammars=(chosen.grammar,))
    for recording, free in zip(heard, spoken, strict=True):
        sentences = decoded(closed, recording, bias)
        found = evidence(sentences, free) if sentences[0].words else None
        yield Heard(recording.text in chosen.inside, sentences[0].text == recording.text, found)


def decoded(decoder: Decoder, recording: Posteriors, bias: Bias) -> tuple[Hypothesis, ...]:
    """The hypotheses of one recording, decoded in chunks as a stream would."""
    state = decoder.start(bias)
    for row in range(0, len(recording.log_probs), CHUNK_ROWS):
        state = decoder.advance(state, recording.log_probs[row : row + CHUNK_ROWS])
    return decoder.finish(state)


@dataclass(slots=True)
class Tuning:
    """The search for the closed search's settings."""

    open: KernelDecoder
    context: DecoderContext
    heard: Sequence[Posteriors]
    trials: Sequence[Trial]

    def decoder(self, settings: Mapping[str, Any]) -> ClosedDecoder:
        """The closed search with these settings."""
        policy = SearchPolicy.of(self.context.bundle.manifest.calibration.get("search", dict, {}), settings)
        return ClosedDecoder(self.context.alphabet, self.context.timing, self.open, policy)

    def right(self, settings: Mapping[str, Any]) -> float:
        """The share of sentences inside the grammars that are found, word for word."""
        decoder = self.decoder(settings)
        found = [
            decoded(decoder, each, Bias(grammars=(chosen.grammar,)))[0].text == each.text
            for chosen in self.trials
            for each in self.heard
            if each.text in chosen.inside
        ]
        share = sum(found) / len(found)
        print(json.dumps({**settings, "sentences_right": round(share, 4)}), flush=True)
        return share

    def tuned(self) -> dict[str, Any]:
        """The settings with the most sentences right, no wider than is worth it."""
        settings = dict(FIRST)
        for name, values in AXES.items():
            tried = [(value, self.right({**settings, name: value})) for value in values]
            best = max(share for _, share in tried)
            if name in {"threshold", "beam", "skip"}:  # ascending: the first that is good enough costs least
                settings[name] = next(value for value, share in tried if share >= best - WORTH)
            else:
                settings[name] = max(tried, key=lambda each: (each[1], -abs(each[0] - float(settings.get(name, 0.0)))))[0]
        return settings


def fitted(found: Sequence[Heard]) -> dict[str, float]:
    """Weights of the evidence. Raises ValueError where all sentences were right, or none."""
    usable = [each for each in found if each.evidence is not None]
    names = [name for name in KNOWN if name != "bias"]
    weights = logistic.fit(_features(usable, names), np.array([each.right for each in usable]))
    return {name: round(float(weight), 5) for name, weight in zip((*names, "bias"), weights, strict=True)}


def figures(found: Sequence[Heard], weights: Mapping[str, float]) -> dict[str, Any]:
    """How well the weights tell right sentences from others: area under the ROC curve, and shares by strictness."""
    names = [name for name in KNOWN if name != "bias"]
    usable = [each for each in found if each.evidence is not None]
    logits = _features(usable, names) @ np.array([weights[name] for name in names]) + weights["bias"]
    sure = logistic.probabilities(logits)
    right, inside = np.array([each.right for each in usable]), np.array([each.inside for each in usable])
    within, without = sum(each.inside for each in found), sum(not each.inside for each in found)
    return {
        "auc": round(logistic.area(sure, right), 4),
        "in_grammar": within,
        "right_without_rejection": round(float(right.sum()) / within, 4),
        "by_strictness": {
            str(level): {
                "right": round(float((right & (sure >= level)).sum()) / within, 4),
                "wrong_sentence": round(float((~right & inside & (sure >= level)).sum()) / within, 4),
                "falsely_accepted": round(float((~inside & (sure >= level)).sum()) / max(1, without), 4),
            }
            for level in STRICTNESSES
        },
    }


def _features(found: Sequence[Heard], names: Sequence[str]) -> logistic.Doubles:
    return np.array([[each.evidence[name] for name in names] for each in found if each.evidence is not None], np.float64)


def accept(folder: Path, wanted: Calibration) -> tuple[dict[str, Any], dict[str, Any]]:
    """New values for the manifest's `calibration`, and figures by kind of grammar. Raises as `calibrate` does."""
    bundle = Bundle.open(folder)
    model = NativeModel(bundle, RuntimeOptions())
    context = DecoderContext(bundle.manifest.alphabet, model.timing, bundle)
    recordings = wanted.recordings(Orthography(context.alphabet.symbols))
    heard = list(posteriors(model, recordings))
    trials = [trial(kind, (each.text for each in heard)) for kind in Kind]
    tuning = Tuning(KernelDecoder.make(context), context, heard, [each for each in trials if each.kind in {Kind.HALF, Kind.CROSSED}])
    settings = tuning.tuned()
    spoken = [decoded(tuning.open, each, Bias())[0] for each in heard]
    closed = tuning.decoder(settings)
    found = {each.kind: list(outcomes(closed, spoken, heard, each)) for each in trials}
    weights = fitted([one for each in found.values() for one in each])
    told = {kind.value: figures(each, weights) for kind, each in found.items()}
    return {"closed": settings, "acceptance": weights}, {"speakers": len({each.speaker for each in recordings}), **told}


def write(folder: Path, values: Mapping[str, Any]) -> None:
    """Puts them into the manifest of a bundle, beside the rest of its calibration."""
    calibration = bundle_folder.manifest_in(folder)["calibration"]
    bundle_folder.change(folder, {}, calibration={**calibration, **values})


def check(folder: Path, wanted: Calibration) -> dict[str, Any]:
    """The figures of a bundle as it is, on other recordings."""
    bundle = Bundle.open(folder)
    model = NativeModel(bundle, RuntimeOptions())
    context = DecoderContext(bundle.manifest.alphabet, model.timing, bundle)
    recordings = wanted.recordings(Orthography(context.alphabet.symbols))
    heard = list(posteriors(model, recordings))
    open_ = KernelDecoder.make(context)
    closed = ClosedDecoder.beside(open_, context)
    spoken = [decoded(open_, each, Bias())[0] for each in heard]
    weights = bundle.manifest.calibration.get("acceptance", dict)
    trials = [trial(kind, (each.text for each in heard)) for kind in Kind]
    told = {each.kind.value: figures(list(outcomes(closed, spoken, heard, each)), weights) for each in trials}
    return {"speakers": len({each.speaker for each in recordings}), **told}


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit a bundle's closed search and when its sentences are accepted.")
    parser.add_argument("bundle", type=Path, help="folder of the bundle")
    parser.add_argument("manifest", type=Path, help="TSV of recordings")
    parser.add_argument("--split", type=Path, help="TSV of speakers and parts")
    parser.add_argument("--part", default="calibration")
    parser.add_argument("--also", type=Path, action="append", default=[], help="a further TSV, all of it")
    parser.add_argument("--dry-run", action="store_true", help="print, and leave the bundle as it is")
    parser.add_argument("--check", action="store_true", help="fit nothing: print the figures of the bundle as it is")
    options = parser.parse_args()
    wanted = Calibration(options.manifest, options.split, options.part, tuple(options.also))
    if options.check:
        print(json.dumps(check(options.bundle, wanted), indent=1))
        return
    values, told = accept(options.bundle, wanted)
    print(json.dumps({**values, **told}, indent=1))
    if not options.dry_run:
        write(options.bundle, values)


if __name__ == "__main__":
    main()
