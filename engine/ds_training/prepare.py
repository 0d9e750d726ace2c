"""Recordings for training: a manifest in, one shard out (see corpus.py), so that training starts at once.

python -m ds_training.prepare MANIFEST.tsv OUT.npz [--split SPLIT.tsv --part train]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ds_engine.features import LogMel, LogMelSpec
from ds_training.corpus import load, read_manifest, with_phones, write_shard
from ds_training.splits import PARTS, of_part, read_split


def main() -> None:
    parser = argparse.ArgumentParser(description="Recordings into a shard.")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--split", type=Path, help="TSV of speakers and parts")
    parser.add_argument("--part", choices=PARTS, default="train")
    options = parser.parse_args()
    recordings = read_manifest(options.manifest)
    if options.split:
        recordings = of_part(recordings, read_split(options.split), options.part)
    utterances = with_phones(list(load(recordings, LogMel(LogMelSpec()))))
    write_shard(options.out, utterances)
    print(f"{options.out}: {len(utterances)} utterances of {len({utterance.speaker for utterance in utterances})} speakers")


if __name__ == "__main__":
    main()
