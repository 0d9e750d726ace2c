"""Recorded speech through the acoustic model, in streaming form, once: a manifest in, what every decoder is then fed out.

    python benchmarks/posteriors.py MANIFEST.tsv OUT.npz [--model en-small] [--speakers SPLIT.tsv --part development]

OUT.npz holds, for every utterance in order: `ids`, `texts` (as a manifest's texts are compared, see ds_training.text), `speakers`,
`seconds` of audio, and the number of its rows, `rows`. All rows together are `log_probs` float32 [sum of rows, symbols], natural
logarithms; `symbols`, `blank` and `step` (seconds a row) say what they mean.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from ds_engine.acoustic import RuntimeOptions
from ds_engine.native import NativeModel
from ds_plugin.models import ModelStore
from ds_training.corpus import read_manifest
from ds_training.posteriors import posteriors
from ds_training.splits import of_part, read_split


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
    model, began = NativeModel(bundle, RuntimeOptions()), time.perf_counter()
    recordings = read_manifest(options.manifest)
    if options.speakers:
        recordings = of_part(recordings, read_split(options.speakers), options.part)
    found = list(posteriors(model, recordings))
    alphabet = bundle.manifest.alphabet
    options.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        options.out,
        ids=np.array([recording.file.stem for recording in recordings]),
        texts=np.array([each.text for each in found]),
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
