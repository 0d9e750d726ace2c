"""Recorded speech through the acoustic model, in streaming form, once: a manifest in, what every decoder is then fed out.

    python benchmarks/posteriors.py MANIFEST.tsv OUT.npz [--model en-small] [--speakers SPLIT.tsv --part development]

OUT.npz holds, for every utterance in order: `ids`, `texts` (as a manifest's texts are compared, see ds_training.text), `speakers`,
`seconds` of audio, and the number of its rows, `rows`. All rows together are `log_probs` float32 [sum of rows, symbols], natural
logarithms; `symbols`, `blank` and `step` (seconds a row) say what they mean.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ds_engine.acoustic import RuntimeOptions
from ds_engine.native import NativeModel
from ds_engine.recognizer import Recognizer
from ds_engine.transcript import Hypothesis, Partial
from ds_plugin.audio_files import open_audio
from ds_plugin.models import ModelStore
from ds_training.corpus import Recording, read_manifest
from ds_training.splits import of_part, read_split

if TYPE_CHECKING:
    from ds_engine.bias import Bias
    from ds_engine.features import FloatArray

PIECE_SECONDS = 0.1  # of audio, fed at once


@dataclass(frozen=True, slots=True)
class Rows:
    """One utterance's log-probs float32 [rows, symbols] and its duration in seconds."""

    log_probs: FloatArray
    seconds: float


class Collector:
    """A decoder that only keeps what it is given; for one stream at a time."""

    def __init__(self) -> None:
        self.rows: list[FloatArray] = []

    def start(self, bias: Bias) -> None:
        self.rows = []

    def advance(self, state: None, log_probs: FloatArray) -> None:
        self.rows.append(log_probs)

    def partial(self, state: None) -> Partial:
        return Partial()

    def finish(self, state: None) -> tuple[Hypothesis, ...]:
        return (Hypothesis("", (), 0.0, 0.0),)


def heard(recognizer: Recognizer, collector: Collector, path: Path) -> Rows:
    """A recording through the stream that a client would use."""
    with open_audio(path) as audio:
        stream = recognizer.stream(audio.format)
        for block in audio.blocks(PIECE_SECONDS):
            stream.feed(block)
        final = stream.finish()
    return Rows(np.concatenate(collector.rows), final.transcript.audio_seconds)


def chosen(manifest: Path, speakers: Path | None, part: str) -> list[Recording]:
    recordings = read_manifest(manifest)
    return recordings if speakers is None else of_part(recordings, read_split(speakers), part)


def main() -> None:
    """Writes one file and prints what is in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", default="en-small")
    parser.add_argument("--speakers", type=Path, help="TSV of speakers and parts")
    parser.add_argument("--part", default="development", help="the part of --speakers to take")
    options = parser.parse_args()

    bundle = ModelStore.standard().open(options.model)
    model, collector = NativeModel(bundle, RuntimeOptions()), Collector()
    recognizer = Recognizer(model, collector)
    recordings, began = chosen(options.manifest, options.speakers, options.part), time.perf_counter()
    found = [heard(recognizer, collector, recording.file) for recording in recordings]
    alphabet = bundle.manifest.alphabet
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        options.out,
        ids=np.array([recording.file.stem for recording in recordings]),
        texts=np.array([recording.text for recording in recordings]),
        speakers=np.array([recording.speaker for recording in recordings]),
        seconds=np.array([each.seconds for each in found]),
        rows=np.array([len(each.log_probs) for each in found]),
        log_probs=np.concatenate([each.log_probs for each in found]),
        symbols=np.array(alphabet.symbols),
        blank=np.array(alphabet.blank),
        step=np.array(model.timing.step),
    )
    audio = sum(each.seconds for each in found)
    print(f"{options.out}: {len(found)} utterances, {audio:.0f} s of audio, in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
