"""The calibration stage: a bundle and recordings of development speakers in, the search's settings into the bundle's manifest.

alpha, beta and the penalty of the blank are those with the fewest word errors, found along one axis after the other from coarse to
fine. Then beam, threshold and skip are made as cheap as they can be without more than TOLERANCE of further errors. It can be run again
for any model or language model; only the manifest changes.

    python -m ds_training.calibrate BUNDLE_FOLDER MANIFEST.tsv [--split SPLIT.tsv --part development] [--also MANIFEST.tsv]... [--dry-run]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import jiwer

from ds_engine.acoustic import RuntimeOptions
from ds_engine.alphabet import Alphabet
from ds_engine.bias import Bias
from ds_engine.bundle import Bundle
from ds_engine.decoder import Decoder, Timing
from ds_engine.errors import BundleError
from ds_engine.greedy import GreedyDecoder
from ds_engine.native import NativeModel
from ds_engine.search.decoder import KernelDecoder
from ds_engine.search.policy import SearchPolicy
from ds_engine.search.sources import of_bundle
from ds_engine.search.vocabulary import LanguageSource, Vocabulary
from ds_training import bundle_folder
from ds_training.corpus import Recording, read_manifest
from ds_training.posteriors import Posteriors, posteriors
from ds_training.splits import of_part, read_split
from ds_training.text import Orthography

ALPHAS, BETAS = (0.4, 0.6, 0.8, 1.0, 1.2, 1.5), (-1.0, 0.0, 1.0, 2.0, 3.0, 4.0)
PENALTIES = (0.0, 0.5, 1.0, 1.5, 2.0)  # nats
FINE_ALPHA, FINE_BETA, FINE_PENALTY = 0.1, 0.5, 0.25  # steps around the best of those
CHEAPER: Mapping[str, tuple[float, ...]] = {"threshold": (12.0, 10.0), "skip": (0.99, 0.98), "beam": (128, 96, 64)}
TOLERANCE = 0.003  # of the word error rate, relative
CHUNK_ROWS = 4


@dataclass(frozen=True, slots=True)
class Figures:
    """Error rates as fractions, and milliseconds of search per second of audio."""

    wer: float
    cer: float
    cost: float


def measure(decoder: Decoder, heard: Sequence[Posteriors]) -> Figures:
    """Decodes everything in chunks, as a stream would."""
    texts, began = [], time.perf_counter()
    for utterance in heard:
        state = decoder.start(Bias())
        for row in range(0, len(utterance.log_probs), CHUNK_ROWS):
            state = decoder.advance(state, utterance.log_probs[row : row + CHUNK_ROWS])
        texts.append(decoder.finish(state)[0].text)
    seconds = time.perf_counter() - began
    said = [utterance.text for utterance in heard]
    return Figures(jiwer.wer(said, texts), jiwer.cer(said, texts), 1000 * seconds / sum(utterance.seconds for utterance in heard))


@dataclass(slots=True)
class Tuning:
    """The search for settings: what was tried, and the best so far."""

    alphabet: Alphabet
    timing: Timing
    source: LanguageSource
    heard: Sequence[Posteriors]
    settings: dict[str, Any] = field(
        default_factory=lambda: {name: getattr(SearchPolicy(), name) for name in ("alpha", "beta", "blank_penalty")}
    )
    best: Figures | None = None

    def decoder(self, settings: Mapping[str, Any]) -> KernelDecoder:
        """The kernel with these settings."""
        policy = SearchPolicy.of(settings)
        return KernelDecoder(self.alphabet, self.timing, Vocabulary(self.alphabet, self.source, policy), policy)

    def tried(self, **changes: float) -> tuple[dict[str, Any], Figures]:
        """The present settings with changes, and what they come to."""
        settings = {**self.settings, **changes}
        figures = measure(self.decoder(settings), self.heard)
        print(json.dumps({**settings, **asdict(figures)}), flush=True)
        return settings, figures

    def improve(self, name: str, values: Sequence[float]) -> None:
        """Takes the value with the fewest word errors, of characters where words are even."""
        for value in values:
            settings, figures = self.tried(**{name: value})
            if self.best is None or (figures.wer, figures.cer) < (self.best.wer, self.best.cer):
                self.settings, self.best = settings, figures

    def cheapen(self, name: str, values: Sequence[float], limit: float) -> None:
        """Takes the last of these values, each cheaper than the one before, up to the limit of word errors."""
        for value in values:
            settings, figures = self.tried(**{name: int(value) if name == "beam" else value})
            if figures.wer > limit:
                return
            self.settings, self.best = settings, figures


def tune(tuning: Tuning) -> tuple[dict[str, Any], Figures]:
    """The settings and their figures."""
    tuning.improve("alpha", ALPHAS)
    tuning.improve("blank_penalty", PENALTIES)
    tuning.improve("beta", BETAS)
    steps = (("alpha", FINE_ALPHA), ("blank_penalty", FINE_PENALTY), ("beta", FINE_BETA), ("alpha", FINE_ALPHA / 2))
    for name, step in steps:
        middle = tuning.settings[name]
        tuning.improve(name, [round(middle + side * step, 4) for side in (-1, 1)])
    _, figures = tuning.tried()
    limit = figures.wer * (1 + TOLERANCE)
    for name, values in CHEAPER.items():
        tuning.cheapen(name, values, limit)
    return tuning.settings, tuning.best or figures


def write(folder: Path, settings: Mapping[str, Any]) -> None:
    """Puts the settings into the manifest of a bundle."""
    calibration = bundle_folder.manifest_in(folder)["calibration"]
    bundle_folder.change(folder, {}, calibration={**calibration, "search": dict(settings)})


@dataclass(frozen=True, slots=True)
class Calibration:
    """The recordings of development speakers that the search is tuned on."""

    manifest: Path
    split: Path | None = None  # TSV of speakers and parts
    part: str = "development"
    also: tuple[Path, ...] = ()  # further manifests, all of them: other people, longer sentences

    def recordings(self, orthography: Orthography) -> list[Recording]:
        """All of them. Raises CorpusError."""
        recordings = read_manifest(self.manifest, orthography)
        if self.split:
            recordings = of_part(recordings, read_split(self.split), self.part)
        return recordings + [recording for path in self.also for recording in read_manifest(path, orthography)]


def calibrate(folder: Path, wanted: Calibration) -> tuple[dict[str, Any], dict[str, Any]]:
    """The best settings for the bundle in `folder`, and figures. Raises BundleError where it has no language model, CorpusError."""
    bundle = Bundle.open(folder)
    source = of_bundle(bundle)
    if source is None:
        raise BundleError(f"{folder} has no language model to calibrate")
    alphabet = bundle.manifest.alphabet
    recordings = wanted.recordings(Orthography(alphabet.symbols))
    model = NativeModel(bundle, RuntimeOptions())
    heard = list(posteriors(model, recordings))
    greedy = measure(GreedyDecoder(alphabet, model.timing), heard)
    settings, figures = tune(Tuning(alphabet, model.timing, source, heard))
    speakers = len({each.speaker for each in recordings})
    return settings, {"greedy": asdict(greedy), "kernel": asdict(figures), "speakers": speakers}


def main() -> None:
    parser = argparse.ArgumentParser(description="Tune the search of a bundle on development speakers.")
    parser.add_argument("bundle", type=Path, help="folder of the bundle")
    parser.add_argument("manifest", type=Path, help="TSV of recordings")
    parser.add_argument("--split", type=Path, help="TSV of speakers and parts")
    parser.add_argument("--part", default="development")
    parser.add_argument("--also", type=Path, action="append", default=[], help="a further TSV, all of it: other people, longer sentences")
    parser.add_argument("--dry-run", action="store_true", help="print, and leave the bundle as it is")
    options = parser.parse_args()
    wanted = Calibration(options.manifest, options.split, options.part, tuple(options.also))
    settings, figures = calibrate(options.bundle, wanted)
    print(json.dumps({**figures, **settings}))
    if not options.dry_run:
        write(options.bundle, settings)


if __name__ == "__main__":
    main()
